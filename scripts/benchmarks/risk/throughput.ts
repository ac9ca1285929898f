/** Items per second of functions that are measured in turns. */

const ROUNDS = 5;

export interface Contestant {
  /** Does `items` pieces of work; what it returns is kept from the optimiser. */
  readonly run: () => number;
  readonly items: number;
}

let sink = 0;

/** Milliseconds of the process's own work: what others do on the machine does not count. */
export const cpuClock = (): number => process.cpuUsage().user / 1000;

/**
 * The median of several rounds for each, after one that warms up. Rounds alternate, so that a busy
 * moment of the machine meets all of them.
 */
export function itemsPerSecond(
  contestants: readonly Contestant[],
  clock: () => number = () => performance.now(),
): number[] {
  const rates = contestants.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, { run, items }] of contestants.entries()) {
      const start = clock();
      sink += run();
      const rate = (items / (clock() - start)) * 1000;
      if (round > 0) rates[i]!.push(rate);
    }
  }
  if (Number.isNaN(sink)) throw new Error("a contestant returned what is not a number");
  return rates.map((rounds) => rounds.sort((a, b) => a - b)[(ROUNDS - 1) / 2]!);
}
