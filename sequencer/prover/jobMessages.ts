/** What prover processes and the sequencer say to each other over HTTP, as JSON. */
import type { CircuitInputs, ProofWords } from "../batch/sealedBatch.ts";
import type { BatchKind } from "../protocol/constants.ts";

/** A batch to be proven. `lease` names this handing out of it. */
export interface ProofJob {
  readonly number: number;
  readonly lease: string;
  readonly kind: BatchKind;
  readonly circuit: string;
  /** Everything but what `publicSignals(words)` adds. */
  readonly inputs: CircuitInputs;
  readonly words: readonly bigint[];
  readonly commitment: bigint;
}

/** Body of POST /proof. */
export interface ProofAnswer {
  readonly number: number;
  readonly proof: ProofWords;
}

/** Body of POST /failure: the prover gives the job back. */
export interface ProofFailure {
  readonly number: number;
  readonly lease: string;
  readonly reason: string;
}

export const JOB_PATH = "/job";
/** Held open while a prover works: when the process dies, the kernel closes it at once. */
export const HOLD_PATH = "/hold";
export const PROOF_PATH = "/proof";
export const FAILURE_PATH = "/failure";
export const ANSWER_BYTES_MAX = 64 * 2 ** 10;
