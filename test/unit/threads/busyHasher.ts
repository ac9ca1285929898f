// A thread that takes a vector of the first round and never comes to its hash.
import { workerData } from "node:worker_threads";
import { hashMemoryOf, NEXT, POSTED } from "../../../sequencer/threads/hashMemory.ts";

const { counters } = hashMemoryOf(workerData as SharedArrayBuffer);
Atomics.wait(counters, POSTED, 0);
Atomics.add(counters, NEXT, 1);
// For good: nobody writes this counter but a round that opens, and none does while it is at this.
Atomics.wait(counters, POSTED, Atomics.load(counters, POSTED));
