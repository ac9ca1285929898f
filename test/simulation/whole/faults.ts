/** What goes wrong in a storm, period by period. */
import type { Chance } from "../random.ts";
import type { Node } from "./node.ts";
import type { AnyVenue } from "./venue.ts";
import type { Machine } from "./virtualTime.ts";

/** Percent of periods in which it happens. */
export interface FaultRates {
  /** A machine stops, by itself or with its power. */
  readonly crashes: number;
  /** A disk is slow for a while, or fails for good. */
  readonly disks: number;
  /** A clock jumps, and runs too fast or too slow from then on. */
  readonly clocks: number;
  /** Layer one is away, or takes blocks back. */
  readonly layerOne: number;
  /** Oracles are silent. */
  readonly oracles: number;
}

export interface Faults {
  /** Everything is put right again. */
  end(): void;
  readonly crashes: number;
}

const PERIOD_MS = 500;
const DOWN_MS_MAX = 3_000;
const AWAY_MS_MAX = 5_000;
const SLOW_MS_MAX = 2_000;
/** Clocks are never further apart than nodes allow. */
const CLOCK_MS_MAX = 4_000;
/** In thousandths. */
const DRIFT_MAX = 20;

export function startFaults(venue: AnyVenue, chance: Chance, rates: FaultRates): Faults {
  const { time, nodes, clocks, wire, watcher, layerOne } = venue;
  const { after } = time.schedule;
  let crashes = 0;
  let isOver = false;

  /** Unless the storm is over by then. */
  const later = (ms: number, action: () => void): void =>
    after(ms, () => {
      if (!isOver) action();
    });

  /** They may have ended by themselves before; whoever runs them starts them again. */
  function stop(together: readonly Node[]): void {
    const isPower = chance.happens(50);
    for (const { machine, disk } of together) {
      machine.crash();
      disk.crash(isPower);
    }
    crashes += 1;
    watcher.checkLog();
    for (const node of together) later(chance.pick(DOWN_MS_MAX), () => start(node));
  }

  function start(node: Node): void {
    if (node.machine.isUp()) return;
    node.start();
  }

  function troubleDisk(node: Node): void {
    if (chance.happens(70)) {
      node.disk.setSlow(true);
      later(chance.pick(SLOW_MS_MAX), () => node.disk.setSlow(false));
      return;
    }
    node.disk.breakDown();
    // Whoever runs it sees that it has ended.
    later(chance.pick(DOWN_MS_MAX), () => stop([node]));
  }

  function moveClock(processes: readonly Machine[]): void {
    const offset = chance.pick(2 * CLOCK_MS_MAX) - CLOCK_MS_MAX;
    const rate = 1 + (chance.pick(2 * DRIFT_MAX) - DRIFT_MAX) / 1_000;
    for (const machine of processes) machine.setClock(offset, rate);
  }

  function cutOff(machine: Machine): void {
    wire.setAway(machine, true);
    later(chance.pick(AWAY_MS_MAX), () => wire.setAway(machine, false));
  }

  function period(): void {
    if (isOver) return;
    after(PERIOD_MS, period);
    const inPeriod = (percent: number, action: () => void): void => {
      if (chance.happens(percent)) later(chance.pick(PERIOD_MS), action);
    };
    inPeriod(rates.crashes, () => stop(venue.victims(chance)));
    inPeriod(rates.disks, () => troubleDisk(venue.victims(chance)[0]!));
    inPeriod(rates.clocks, () => moveClock(chance.one(clocks)));
    inPeriod(rates.oracles, () => cutOff(venue.oracles));
    inPeriod(rates.layerOne, () =>
      chance.happens(50) ? cutOff(venue.chain) : layerOne.reorganize(),
    );
  }
  period();

  return {
    end: () => {
      isOver = true;
      venue.network.calm();
      for (const machine of [venue.oracles, venue.chain]) wire.setAway(machine, false);
      for (const machine of clocks.flat()) machine.setClock(0, 1);
      for (const node of nodes) {
        node.disk.setSlow(false);
        if (node.disk.isBroken()) {
          node.machine.crash();
          node.disk.crash(false);
        }
        start(node);
      }
    },
    get crashes() {
      return crashes;
    },
  };
}
