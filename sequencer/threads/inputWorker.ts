/**
 * The state followed by a thread of its own, from batch to batch: an order waits for no root and no
 * input of a circuit. Only who ends two batches before the thread is through with one stands still
 * until it is. When the thread ends, the node must end too: its next start does again, from log and
 * checkpoint, what was not stored.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { InputDraft } from "../batch/inputDraft.ts";
import type { InputOrigin } from "../batch/inputMaker.ts";
import type { BatchHashes } from "../batch/seal.ts";
import type { InputDesk } from "../ports.ts";
import { BusyError } from "../protocol/busy.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import type { InputAnswer, InputQuestion, InputThreadData } from "./inputThread.ts";
import { createThreadLife } from "./threadLife.ts";

/** Batches that wait for the thread; a venue pauses long before, for the lack of proofs. */
export const WAITING_MAX = 1024;
/** Proofs of accounts that wait. They are asked for one by one: a draft waits for one at most. */
export const PROOFS_WAITING_MAX = 256;
/**
 * The thread is as good as dead when a batch takes longer (ms). It begins by hashing all of the
 * state, which at a million accounts takes minutes, on a slow machine a quarter of an hour.
 */
const STUCK_MS = 120_000;
const BEGIN_MS_MAX = 4 * 3_600_000;
/** How often whoever stands still looks whether the thread is there at all (ms). */
const LOOK_MS = 250;

export class InputWorkerError extends Error {
  override name = "InputWorkerError";
}

interface Latest {
  readonly number: number;
  readonly root: bigint;
  /** Of that batch; undefined at the beginning. */
  readonly hashes?: BatchHashes;
}

interface Desk {
  /** The last batch before the first that was taken. */
  readonly from: number;
  /** The last batch that was taken. */
  taken: number;
  /** How far the thread is, and where that leads; undefined: it has not begun. */
  latest: Latest | undefined;
  readonly inputs: Map<number, PromiseWithResolvers<string>>;
  hashWaiters: { readonly number: number; readonly promise: PromiseWithResolvers<void> }[];
  /** The first has been asked for. */
  readonly proofWaiters: ProofWaiter[];
  ended: Error | undefined;
}

interface ProofWaiter {
  readonly account: number;
  readonly promise: PromiseWithResolvers<LedgerProof | null>;
}

/** `thread`, `resourceLimits`: others, as tests have that see it die. */
export function openInputWorker(
  origin: InputOrigin,
  { thread = new URL("./inputThread.ts", import.meta.url), resourceLimits = {} } = {},
): InputDesk {
  const { port1: port, port2 } = new MessageChannel();
  const answers = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const life = createThreadLife();
  const workerData: InputThreadData = { origin, port: port2, life: life.held, answers };
  const transferList = [port2, life.held];
  const worker = new Worker(thread, { workerData, transferList, resourceLimits });
  const desk: Desk = {
    ...{ from: origin.number, taken: origin.number, latest: undefined, inputs: new Map() },
    ...{ hashWaiters: [], proofWaiters: [], ended: undefined },
  };
  const fail = (reason: string, options?: ErrorOptions): void => {
    end(desk, new InputWorkerError(`the thread that follows the state ${reason}`, options));
    keepOrFree();
  };
  worker.on("error", (cause) => fail("has failed", { cause }));
  worker.on("exit", (code) => fail(`has ended: \`${code}\``));
  port.on("message", (answer: InputAnswer) => {
    listen(answer);
    keepOrFree();
  });
  // They keep the process only while somebody waits.
  worker.unref();
  port.unref();

  function keepOrFree(): void {
    const waits = desk.inputs.size + desk.hashWaiters.length + desk.proofWaiters.length;
    if (waits > 0 && desk.ended === undefined) port.ref();
    else port.unref();
  }

  function ask(question: InputQuestion): void {
    if (desk.ended !== undefined) throw desk.ended;
    port.postMessage(question);
  }

  function listen(answer: InputAnswer): void {
    hear(desk, answer);
    if (answer.type === "ledgerProof") askForProof();
  }

  function askForProof(): void {
    const [next] = desk.proofWaiters;
    if (next !== undefined) ask({ type: "ledgerProof", account: next.account });
  }

  /** Waits without an event loop: what has run must not be told before its root is known. */
  function latest(): Latest {
    const until = performance.now() + (desk.latest === undefined ? BEGIN_MS_MAX : STUCK_MS);
    let hasEnded = false;
    while (desk.latest?.number !== desk.taken) {
      if (desk.ended !== undefined) throw desk.ended;
      const heard = Atomics.load(answers, 0);
      const next = receiveMessageOnPort(port) as { message: InputAnswer } | undefined;
      if (next !== undefined) listen(next.message);
      else if (hasEnded) fail("has ended");
      else if (performance.now() > until) fail("is stuck");
      // What it has said before its end is heard first.
      else if (Atomics.wait(answers, 0, heard, LOOK_MS) === "timed-out") hasEnded = life.hasEnded();
    }
    return desk.latest;
  }

  return {
    take: (draft) => {
      take(desk, draft, ask);
      keepOrFree();
    },
    hashes: () => {
      const { hashes } = latest();
      if (hashes === undefined) throw new TypeError("no batch was taken yet");
      return hashes;
    },
    root: () => latest().root,
    hasHashes: (number) => {
      if (desk.ended !== undefined) return Promise.reject(desk.ended);
      if ((desk.latest?.number ?? -1) >= number) return Promise.resolve();
      const promise = Promise.withResolvers<void>();
      desk.hashWaiters.push({ number, promise });
      keepOrFree();
      return promise.promise;
    },
    inputs: (number) => {
      const made = desk.inputs.get(number);
      if (made !== undefined)
        return made.promise.finally(() => {
          desk.inputs.delete(number);
          keepOrFree();
        });
      return Promise.reject(desk.ended ?? new RangeError(`nobody waits for batch \`${number}\``));
    },
    ledgerProof: async (account) => {
      if (desk.ended !== undefined) throw desk.ended;
      if (desk.proofWaiters.length >= PROOFS_WAITING_MAX) {
        throw new BusyError(`\`${PROOFS_WAITING_MAX}\` proofs of accounts are asked for already`);
      }
      const promise = Promise.withResolvers<LedgerProof | null>();
      desk.proofWaiters.push({ account, promise });
      if (desk.proofWaiters.length === 1) askForProof();
      keepOrFree();
      return promise.promise;
    },
    stop: async () => {
      await worker.terminate();
      port.close();
      life.close();
    },
  };
}

function take(desk: Desk, draft: InputDraft, ask: (question: InputQuestion) => void): void {
  if (desk.inputs.size >= WAITING_MAX) {
    throw new InputWorkerError(`more than \`${WAITING_MAX}\` batches wait for their inputs`);
  }
  ask({ type: "draft", draft });
  const { number } = draft.opening;
  desk.taken = number;
  const made = Promise.withResolvers<string>();
  // Whoever asks for it hears of a failure; nobody has to.
  made.promise.catch(() => undefined);
  desk.inputs.set(number, made);
}

function hear(desk: Desk, answer: InputAnswer): void {
  switch (answer.type) {
    case "begun":
      reach(desk, { number: desk.from, root: answer.root });
      return;
    case "hashes": {
      const { number, hashes } = answer;
      reach(desk, { number, root: hashes.rootAfter, hashes });
      return;
    }
    case "inputs":
      desk.inputs.get(answer.number)?.resolve(answer.inputs);
      return;
    case "ledgerProof":
      desk.proofWaiters.shift()?.promise.resolve(answer.proof);
      return;
    case "failed":
      end(
        desk,
        new InputWorkerError("the thread that follows the state has failed", {
          cause: answer.error,
        }),
      );
  }
}

function reach(desk: Desk, latest: Latest): void {
  desk.latest = latest;
  const waiters = desk.hashWaiters;
  desk.hashWaiters = waiters.filter(({ number }) => number > latest.number);
  for (const { number, promise } of waiters) if (number <= latest.number) promise.resolve();
}

function end(desk: Desk, error: Error): void {
  desk.ended ??= error;
  for (const { promise } of desk.hashWaiters.splice(0)) promise.reject(desk.ended);
  for (const { promise } of desk.proofWaiters.splice(0)) promise.reject(desk.ended);
  for (const promise of desk.inputs.values()) promise.reject(desk.ended);
}
