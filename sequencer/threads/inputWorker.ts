/**
 * Circuits' inputs by a thread of their own: an order waits for none of it. The thread follows the
 * state from seal to seal. When it ends, the node must end too: its next start makes again, from
 * log and checkpoint, what was not stored.
 */
import { Worker } from "node:worker_threads";
import type { InputOrigin } from "../batch/inputMaker.ts";
import type { InputDesk } from "../ports.ts";
import type { InputRequest } from "./inputThread.ts";

/** Batches that wait for the thread; a venue pauses long before, for the lack of proofs. */
export const WAITING_MAX = 1024;

export class InputWorkerError extends Error {
  override name = "InputWorkerError";
}

interface Waiting {
  readonly resolve: (inputs: string) => void;
  readonly reject: (error: Error) => void;
}

export function openInputWorker(origin: InputOrigin): InputDesk {
  const worker = new Worker(new URL("./inputThread.ts", import.meta.url), { workerData: origin });
  // It keeps the process only while somebody waits for it.
  worker.unref();
  const waiting: Waiting[] = [];
  let ended: Error | undefined;

  function end(error: Error): void {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  }

  worker.on("message", (inputs: string) => {
    waiting.shift()?.resolve(inputs);
    if (waiting.length === 0) worker.unref();
  });
  worker.on("error", (cause) => {
    end(new InputWorkerError("the thread that makes circuits' inputs has failed", { cause }));
  });
  worker.on("exit", (code) => {
    end(new InputWorkerError(`the thread that makes circuits' inputs has ended: \`${code}\``));
  });

  function ask(request: InputRequest): Promise<string> {
    if (ended !== undefined) return Promise.reject(ended);
    if (waiting.length >= WAITING_MAX) {
      const reason = `more than \`${WAITING_MAX}\` batches wait for their inputs`;
      return Promise.reject(new InputWorkerError(reason));
    }
    worker.ref();
    worker.postMessage(request);
    return new Promise((resolve, reject) => void waiting.push({ resolve, reject }));
  }

  return {
    make: (draft, root) => ask({ draft, root }),
    stop: async () => void (await worker.terminate()),
  };
}
