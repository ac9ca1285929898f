/** The thread behind `inputWorker.ts`: one answer for each request, in their order. */
import { parentPort, workerData } from "node:worker_threads";
import type { InputDraft } from "../batch/inputDraft.ts";
import { type InputOrigin, openInputMaker } from "../batch/inputMaker.ts";
import { encodeJson } from "../batch/log.ts";

export interface InputRequest {
  readonly draft: InputDraft;
  readonly root: bigint;
}

const make = openInputMaker(workerData as InputOrigin);

// What is thrown here ends the thread, and whoever waits for it hears why.
parentPort?.on("message", ({ draft, root }: InputRequest) => {
  parentPort?.postMessage(encodeJson(make(draft, root)));
});
