/** A batch as layer one is told of it, for whoever wants to check it alone. */
import type { BatchKind } from "./constants.ts";

/** Everything that layer one is given of a batch, so that anybody can check it alone. */
export interface BatchProof {
  readonly number: number;
  readonly kind: BatchKind;
  readonly rootBefore: bigint;
  readonly rootAfter: bigint;
  /** The public data vector of SPEC section 8, and what the proof commits to it by. */
  readonly words: readonly bigint[];
  readonly commitment: bigint;
  /** Groth16 as the contracts take it: a (2), b (4), c (2); null while there is none. */
  readonly proof: readonly bigint[] | null;
  /** Of the validators, as layer one checks them; forgotten once the batch is final there. */
  readonly attestations: readonly {
    readonly validator: string;
    readonly root: string;
    readonly wordsHash: string;
    readonly logHash: string;
    readonly signature: string;
  }[];
}
