/** What the sequencer thinks of proofs: which hold, and what follows from one. */
import { publicSignals } from "../batch/publicInputs.ts";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Prover } from "../ports.ts";

/** What hands out jobs calls back with; see `prover/jobServer.ts`. */
export interface ProofHandlers {
  /** Number of the first batch that needs a proof: layer one has those before. */
  from(): number;
  verify(batch: SealedBatch, proof: ProofWords): Promise<boolean>;
  /** Called once the proof is durable. */
  onProof(number: number): void;
}

/** Hands sealed batches to provers. */
export interface ProofJobs {
  /** A batch was sealed. */
  notify(): void;
  stop(): Promise<void>;
}

export type OpenProofJobs = (handlers: ProofHandlers) => Promise<ProofJobs>;

/** Whether the proof is one for exactly these public words. */
export function verifyBatchProof(
  prover: Pick<Prover, "verify">,
  batch: Pick<SealedBatch, "kind" | "words" | "commitment">,
  proof: ProofWords,
): Promise<boolean> {
  return prover.verify(batch.kind, publicSignals(batch.words), proof);
}
