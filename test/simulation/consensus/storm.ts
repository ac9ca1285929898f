/** A network of validators in a storm, and then in calm: the whole run follows from its seed. */
import { genesisBlock } from "../../../sequencer/consensus/block.ts";
import type { Message } from "../../../sequencer/consensus/message.ts";
import type { Timing } from "../../../sequencer/consensus/state.ts";
import { createValidatorSet } from "../../../sequencer/consensus/validatorSet.ts";
import { rulesOf } from "../../../sequencer/consensus/verification.ts";
import { type Chance, createChance } from "../random.ts";
import { isToySignature, toyAddress, toySignature } from "../toySignature.ts";
import { type Cabal, createCabal, type Mode } from "./cabal.ts";
import { createNetwork, type Network, TWIN, type Weather } from "./network.ts";
import { createObserver, type Observer } from "./observer.ts";
import { createSchedule, type Schedule } from "./schedule.ts";
import { createToyLog } from "./toyLog.ts";
import { createHonestValidator, type HonestValidator, type Misconduct } from "./validator.ts";

/** What is wrong with a validator: it lies in some way, or two nodes have its key. */
export type Corruption = Mode | "twins";

export interface StormOptions {
  readonly seed: number;
  readonly validators: number;
  readonly corrupted: readonly Corruption[];
  readonly weather: Weather;
  /** How long the storm lasts, and how long the calm may take to bring new blocks to all (ms). */
  readonly stormMs: number;
  readonly calmMs: number;
  /** Percent of periods in which an honest validator crashes. */
  readonly crashes: number;
  readonly misconduct?: Misconduct;
  /** Percent of the liars' blocks that are wrong in themselves; 10 by default. */
  readonly badBlocks?: number;
  /** Where honest validators have been told that the sitting ends. */
  readonly end?: number;
  /** Newest term of the sitting before. */
  readonly termBefore?: number;
}

export interface StormResult {
  readonly violations: readonly string[];
  /** Blocks final before and after the calm began. */
  readonly heights: readonly [number, number];
  /** Terms that the calm needed until every honest validator had new blocks. */
  readonly terms: number;
  /** Virtual ms of it; undefined if they did not within `calmMs`. */
  readonly recoveryMs: number | undefined;
  readonly events: number;
  readonly crashes: number;
  readonly evidence: number;
  /** Up to where records are final, and of which term the last final block is. */
  readonly to: number;
  readonly term: number;
  /** Everything final, to compare two runs by. */
  readonly digest: string;
}

export const TIMING: Timing = { termMs: 120, heartbeatMs: 30, resendMs: 60 };
/** Blocks that everybody must have beyond what was final when the calm began. */
const NEW_BLOCKS = 5;
const CRASH_PERIOD_MS = 100;
const DOWN_MS_MAX = 400;

export interface Scene {
  readonly schedule: Schedule;
  readonly chance: Chance;
  readonly network: Network;
  readonly observer: Observer;
  readonly honest: readonly HonestValidator[];
}

/** Sets everybody up; nothing happens before the schedule runs. */
export function createScene(
  options: Pick<StormOptions, "seed" | "validators" | "corrupted" | "weather"> &
    Partial<StormOptions>,
): Scene {
  const { end } = options;
  const chance = createChance(options.seed);
  const schedule = createSchedule();
  const members = Array.from({ length: options.validators }, (_, index) => toyAddress(index));
  const validators = createValidatorSet({ domain: 7n, epoch: 1, members });
  const place = { to: 0, logHash: "00".repeat(32), root: 1n };
  const genesis = genesisBlock(validators.session, place, options.termBefore);
  const rules = rulesOf(validators, genesis, isToySignature);
  const corrupted = new Map<number, Corruption>();
  while (corrupted.size < options.corrupted.length) {
    // In every other run the first leader is one of them.
    const isFirst = corrupted.size === 0 && options.seed % 2 === 0;
    const index = isFirst ? 0 : chance.pick(options.validators);
    if (!corrupted.has(index)) corrupted.set(index, options.corrupted[corrupted.size]!);
  }
  const guilty = new Set(corrupted.keys());
  const observer = createObserver({ rules, genesis, corrupted: guilty, end });
  const log = createToyLog();
  const network = createNetwork(schedule, chance, options.weather);
  const nodes = new Map<number, HonestValidator[]>();
  let cabal: Cabal | undefined;

  /** `twin`: {@link TWIN} where the second node of its validator speaks. */
  function send(from: number, to: number, message: Message, twin = 0): void {
    const receivers = nodes.get(to);
    if (receivers === undefined) {
      network.pass(from + twin, to, () => cabal?.receive(to, message));
    }
    for (const [copy, node] of (receivers ?? []).entries()) {
      network.pass(from + twin, to + copy * TWIN, () => node.receive(from, message));
    }
  }

  function addNode(self: number, seen: Observer, { twin = 0, misconduct = {} as Misconduct } = {}) {
    const sign = (digest: Uint8Array): string => toySignature(members[self]!, digest);
    const told = misconduct.ignoresEnd ? undefined : end;
    const config = { validators, self, sign, genesis, timing: TIMING, end: told };
    const world = {
      ...{ schedule, chance, log, rules, observer: seen },
      send: (to: number, message: Message) => send(self, to, message, twin),
    };
    return createHonestValidator(config, world, misconduct);
  }

  const honest: HonestValidator[] = [];
  const modes = new Map<number, Mode>();
  for (let index = 0; index < options.validators; index++) {
    const corruption = corrupted.get(index);
    if (corruption === undefined) {
      const { misconduct = {} } = options;
      const node = addNode(index, observer, { misconduct });
      honest.push(node);
      nodes.set(index, [node]);
    } else if (corruption === "twins") {
      const blind = createObserver({ rules, genesis, corrupted: new Set(members.keys()) });
      nodes.set(index, [addNode(index, blind), addNode(index, blind, { twin: TWIN })]);
    } else {
      modes.set(index, corruption);
    }
  }
  const sign = (index: number, digest: Uint8Array) => toySignature(members[index]!, digest);
  const { badBlocks = 10 } = options;
  const world = { rules, genesis, schedule, chance, log };
  cabal = createCabal({ members: modes, ...world, badBlocks, sign, send });

  return { schedule, chance, network, observer, honest };
}

export function runStorm(options: StormOptions): StormResult {
  const { schedule, chance, network, observer, honest } = createScene(options);
  const crashing = crashAtTimes(options, schedule.after, chance, honest);
  let events = schedule.runTo(options.stormMs);
  crashing.stop();
  network.calm();
  for (const node of honest) node.restart();
  const before = observer.heightMax;
  const [termBefore, began] = [observer.termMax, schedule.now()];
  const isThere = (): boolean => honest.every((node) => node.height() >= before + NEW_BLOCKS);
  const isOver = (): boolean => isThere() || observer.violations.length > 0;
  events += schedule.runTo(began + options.calmMs, isOver);
  return {
    violations: observer.violations,
    heights: [before, observer.heightMax],
    terms: observer.termMax - termBefore,
    recoveryMs: isThere() ? schedule.now() - began : undefined,
    events,
    crashes: crashing.count(),
    evidence: observer.evidence,
    to: observer.newest.to,
    term: observer.newest.view.term,
    digest: observer.digest(),
  };
}

function crashAtTimes(
  { crashes, stormMs }: StormOptions,
  after: (delay: number, action: () => void) => void,
  chance: Chance,
  honest: readonly HonestValidator[],
) {
  let count = 0;
  let isOver = false;
  const period = (time: number): void => {
    if (isOver || time > stormMs) return;
    after(CRASH_PERIOD_MS, () => period(time + CRASH_PERIOD_MS));
    if (!chance.happens(crashes)) return;
    const node = chance.one(honest);
    // Not at once: in the middle of whatever it does then.
    after(chance.pick(CRASH_PERIOD_MS), () => {
      if (isOver || !node.isUp()) return;
      node.crash();
      count += 1;
      after(chance.pick(DOWN_MS_MAX), () => node.restart());
    });
  };
  period(0);
  return {
    count: () => count,
    stop: () => {
      isOver = true;
    },
  };
}
