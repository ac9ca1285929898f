/** Repeatable chance: the whole of a simulation follows from its seed. */

export interface Chance {
  /** An integer from 0 to `below - 1`. */
  pick(below: number): number;
  /** True in `percent` of the cases. */
  happens(percent: number): boolean;
  one<T>(items: readonly T[]): T;
}

/** mulberry32 (T. Ettinger, public domain). */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = (below: number): number => Math.floor(next() * below);
  return {
    pick,
    happens: (percent) => next() * 100 < percent,
    one: (items) => items[pick(items.length)]!,
  };
}
