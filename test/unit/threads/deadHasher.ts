// A thread that ends when the first round opens, without a hash.
import { workerData } from "node:worker_threads";
import { hashMemoryOf, POSTED } from "../../../sequencer/threads/hashMemory.ts";

Atomics.wait(hashMemoryOf(workerData as SharedArrayBuffer).counters, POSTED, 0);
throw new Error("no hashes today");
