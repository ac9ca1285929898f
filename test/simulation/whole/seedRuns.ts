/**
 * Storms of many seeds. Long runs have threads of their own, some seeds in each: what a world that
 * was left in the middle holds on to, above all in signals that were never aborted, goes with its
 * thread only.
 */
import { on, once } from "node:events";
import { Worker } from "node:worker_threads";
import { optionsOf } from "./seeds.ts";
import { runStorm, type StormOptions, type StormResult } from "./storm.ts";

const SEEDS_PER_THREAD = 25;

/** What of a storm can leave its thread. */
export interface SeedResult
  extends Pick<StormResult, "violations" | "recoveryMs" | "undone" | "counts"> {
  readonly seed: number;
  /** Commands that were sent: how often each, and as how many different words. */
  readonly sent: readonly { readonly copies: number; readonly words: number }[];
  /** Epochs in the log: writers after one another. */
  readonly epochs: number;
}

/** Without `lines`, which would stay in the thread. */
export type SeedChange = Partial<Omit<StormOptions, "seed" | "lines">>;

export async function runSeed(seed: number, change: SeedChange): Promise<SeedResult> {
  const result = await runStorm({ ...optionsOf(seed), ...change });
  const { violations, recoveryMs, undone, counts, history, records } = result;
  const sent = history.commands
    .filter(({ heads }) => heads.length > 0)
    .map(({ copies, heads }) => ({ copies, words: heads.length }));
  const epochs = new Set(records.map(({ epoch }) => epoch)).size;
  return { seed, violations, recoveryMs, undone, counts, sent, epochs };
}

export async function* runSeeds(
  seeds: readonly number[],
  change: SeedChange,
): AsyncGenerator<SeedResult> {
  if (seeds.length <= SEEDS_PER_THREAD) {
    for (const seed of seeds) yield await runSeed(seed, change);
    return;
  }
  for (let from = 0; from < seeds.length; from += SEEDS_PER_THREAD) {
    yield* runInThread(seeds.slice(from, from + SEEDS_PER_THREAD), change);
  }
}

async function* runInThread(
  seeds: readonly number[],
  change: SeedChange,
): AsyncGenerator<SeedResult> {
  const workerData = { seeds, change };
  const worker = new Worker(new URL("./seedThread.ts", import.meta.url), { workerData });
  const exited = once(worker, "exit");
  let left = seeds.length;
  try {
    for await (const [result] of on(worker, "message", { close: ["exit"] })) {
      yield result as SeedResult;
      left -= 1;
      if (left === 0) break;
    }
    if (left > 0) throw new Error(`a thread ended ${left} seeds before its last`);
  } finally {
    await worker.terminate();
    await exited;
  }
}
