/** One thread of `seedRuns.ts`: its seeds one after another, each result as it comes. */
import { parentPort, workerData } from "node:worker_threads";
import { runSeed, type SeedChange } from "./seedRuns.ts";

const { seeds, change } = workerData as { readonly seeds: number[]; readonly change: SeedChange };
for (const seed of seeds) parentPort?.postMessage(await runSeed(seed, change));
