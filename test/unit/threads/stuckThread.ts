// A thread that is there and says nothing.
import { workerData } from "node:worker_threads";

Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
throw new Error(`nobody wakes it: ${workerData}`);
