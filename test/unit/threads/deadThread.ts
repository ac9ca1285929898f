// A thread that ends at its first claim, without a word on it.
import { workerData } from "node:worker_threads";
import { POSTED, ringOf } from "../../../sequencer/threads/signatureRing.ts";

Atomics.wait(ringOf(workerData as SharedArrayBuffer).counters, POSTED, 0);
throw new Error("no verdicts today");
