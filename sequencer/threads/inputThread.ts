/** The thread behind `inputWorker.ts`: takes drafts and questions in their order. */
import { type MessagePort, workerData } from "node:worker_threads";
import type { InputDraft } from "../batch/inputDraft.ts";
import { type InputOrigin, openInputMaker } from "../batch/inputMaker.ts";
import { encodeJson } from "../batch/log.ts";
import type { BatchHashes } from "../batch/seal.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import { openRowHelper } from "./rowHelper.ts";

export interface InputThreadData {
  readonly origin: InputOrigin;
  readonly port: MessagePort;
  /** See `threadLife.ts`. */
  readonly life: MessagePort;
  /** Counts answers, for whoever waits without an event loop. */
  readonly answers: Int32Array<SharedArrayBuffer>;
}

export type InputQuestion =
  | { readonly type: "draft"; readonly draft: InputDraft }
  | { readonly type: "ledgerProof"; readonly account: number };

/** Where the thread begins; then hashes first: somebody may stand still for them. */
export type InputAnswer =
  | { readonly type: "begun"; readonly root: bigint }
  | { readonly type: "hashes"; readonly number: number; readonly hashes: BatchHashes }
  | { readonly type: "inputs"; readonly number: number; readonly inputs: string }
  | { readonly type: "ledgerProof"; readonly proof: LedgerProof | null }
  | { readonly type: "failed"; readonly error: unknown };

/** Accounts of a state that is hashed by two threads at the beginning. */
const HELPED_FROM = 4096;

const { origin, port, answers } = workerData as InputThreadData;

function answer(said: InputAnswer): void {
  port.postMessage(said);
  Atomics.add(answers, 0, 1);
  Atomics.notify(answers, 0);
}

/** What is thrown ends the thread, and whoever waits for it hears why. */
function orFail<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    answer({ type: "failed", error });
    throw error;
  }
}

const helper = origin.state.accounts.length >= HELPED_FROM ? openRowHelper() : undefined;
const follower = orFail(() => openInputMaker(origin));
// Batches touch too few rows for two threads.
void helper?.stop();
answer({ type: "begun", root: follower.root() });

port.on("message", (question: InputQuestion) => orFail(() => reply(question)));

function reply(question: InputQuestion): void {
  if (question.type === "ledgerProof") {
    answer({ type: "ledgerProof", proof: follower.ledgerProof(question.account) });
    return;
  }
  const { number } = question.draft.opening;
  const inputs = follower.take(question.draft);
  answer({ type: "hashes", number, hashes: follower.hashes() });
  answer({ type: "inputs", number, inputs: encodeJson(inputs) });
}
