/** A batch that is complete: what goes public, what is proven, and the inputs of its proof. */
import type { BatchKind } from "../protocol/constants.ts";

/** Circuit inputs by signal name: decimal strings, nested as the circuit's arrays are. */
export type CircuitInputs = { readonly [signal: string]: CircuitValue };
export type CircuitValue = string | readonly CircuitValue[];

export interface SealedBatch {
  readonly number: number;
  readonly kind: BatchKind;
  readonly rootBefore: bigint;
  readonly rootAfter: bigint;
  /** The public data vector of SPEC section 8. */
  readonly words: readonly bigint[];
  readonly commitment: bigint;
  /**
   * Everything but `commitment`, `gamma` and `evaluation`, which are added from `words`. Empty
   * where nobody proves the batch, or the inputs stand elsewhere.
   */
  readonly inputs: CircuitInputs;
}

/** Groth16 proof as the contracts take it: a (2), b (4, in the contracts' order), c (2). */
export type ProofWords = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
