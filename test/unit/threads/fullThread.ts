// A thread that follows the state until its heap is full: at once, or with the first batch.
import { workerData } from "node:worker_threads";
import type { InputAnswer, InputThreadData } from "../../../sequencer/threads/inputThread.ts";

const { origin, port, answers } = workerData as InputThreadData;

function fill(): never {
  for (const kept: number[][] = []; ; ) kept.push(Array.from({ length: 1_000 }, Math.random));
}

if (origin.number < 0) fill();
port.postMessage({ type: "begun", root: 1n } satisfies InputAnswer);
Atomics.add(answers, 0, 1);
Atomics.notify(answers, 0);
port.on("message", fill);
