/** Items per second of functions that are measured in turns. */

const ROUNDS = 5;

export interface Contestant {
  /** Does `items` pieces of work; what it returns is kept from the optimiser. */
  readonly run: () => number;
  readonly items: number;
}

let sink = 0;

/**
 * The best of several rounds for each, after one that warms up. Rounds alternate, so that a busy
 * moment of the machine meets all of them.
 */
export function itemsPerSecond(contestants: readonly Contestant[]): number[] {
  const best = contestants.map(() => 0);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, { run, items }] of contestants.entries()) {
      const start = performance.now();
      sink += run();
      const rate = (items / (performance.now() - start)) * 1000;
      if (round > 0) best[i] = Math.max(best[i]!, rate);
    }
  }
  if (Number.isNaN(sink)) throw new Error("a contestant returned what is not a number");
  return best;
}
