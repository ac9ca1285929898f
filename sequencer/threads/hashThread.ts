/** The thread behind `hashWorker.ts`: sleeps until a round opens, then hashes what is left. */
import { workerData } from "node:worker_threads";
import { hashVector } from "../protocol/hash.ts";
import { COUNT, DONE, hashMemoryOf, NEXT, POSTED, readVector, writeHash } from "./hashMemory.ts";

const memory = hashMemoryOf(workerData as SharedArrayBuffer);
const { counters, hashed } = memory;

for (let done = 0; ; ) {
  Atomics.wait(counters, POSTED, done);
  const round = Atomics.load(counters, POSTED);
  const count = Atomics.load(counters, COUNT);
  for (let at = take(); at < count; at = take()) {
    writeHash(memory, at, hashVector(readVector(memory, at)));
    // After the hash: who reads the mark sees what was written before it.
    Atomics.store(hashed, at, round);
  }
  done = round;
  Atomics.store(counters, DONE, done);
}

function take(): number {
  return Atomics.add(counters, NEXT, 1);
}
