/** Links between validators: until the storm ends they lose, repeat, reorder, delay and split. */
import type { Chance } from "../random.ts";
import type { Schedule } from "./schedule.ts";

export interface Weather {
  /** Percent of messages. */
  readonly lost: number;
  readonly repeated: number;
  readonly late: number;
  /** Percent of periods in which the network is split in two. */
  readonly split: number;
}

export const CALM: Weather = { lost: 0, repeated: 0, late: 0, split: 0 };

/** Usual time on a link, and that of a late message (ms). */
export const LINK_MS_MAX = 8;
const LATE_MS_MAX = 600;
const PERIOD_MS = 400;
export const TWIN = 16;

export interface Network {
  /**
   * Hands over by `deliver` when, and as often as, the weather lets it. Nodes are numbers below 32:
   * a validator's place, with {@link TWIN} added for the second node that has its key.
   */
  pass(from: number, to: number, deliver: () => void): void;
  change(weather: Weather): void;
  /** From now on every message arrives once within {@link LINK_MS_MAX}. */
  calm(): void;
  /** Parts those whose bit is set from the others, until it is called with undefined. */
  divide(nodes: number | undefined): void;
  /** Cuts off one node until it is called with undefined. */
  isolate(node: number | undefined): void;
}

export function createNetwork(schedule: Schedule, chance: Chance, weather: Weather): Network {
  let current = weather;
  let isolated: number | undefined;
  let side: number | undefined;
  let divided: number | undefined;
  const changeSides = (): void => {
    side = chance.happens(current.split) ? chance.pick(2 ** 32) : undefined;
    schedule.after(PERIOD_MS, changeSides);
  };
  changeSides();

  const isCut = (from: number, to: number): boolean => {
    if (isolated !== undefined && (from === isolated) !== (to === isolated)) return true;
    const sides = divided ?? side;
    return sides !== undefined && ((sides >> from) & 1) !== ((sides >> to) & 1);
  };

  function pass(from: number, to: number, deliver: () => void): void {
    if (isCut(from, to) || chance.happens(current.lost)) return;
    const copies = chance.happens(current.repeated) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const isLate = chance.happens(current.late);
      schedule.after(1 + chance.pick(isLate ? LATE_MS_MAX : LINK_MS_MAX), deliver);
    }
  }

  return {
    pass,
    change: (weather) => {
      current = weather;
    },
    calm: () => {
      current = CALM;
      [side, divided, isolated] = [undefined, undefined, undefined];
    },
    divide: (nodes) => {
      divided = nodes;
    },
    isolate: (node) => {
      isolated = node;
    },
  };
}
