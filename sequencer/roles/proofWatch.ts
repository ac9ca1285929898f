/** A validator's check of proofs: each must hold, for exactly the words that it found itself. */
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { BatchStore, LogFollower, Logger, Prover } from "../ports.ts";
import { pause } from "./loop.ts";
import { verifyBatchProof } from "./proofDesk.ts";

/** How often a batch is looked for that has a proof but has not been executed yet (ms). */
const POLL_MS = 100;

export interface ProofWatchOptions {
  readonly follower: Pick<LogFollower, "proofs">;
  readonly batches: BatchStore;
  readonly prover: Pick<Prover, "verify">;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts; returns earlier, with the reason, when a proof does not hold. */
export async function watchProofs(options: ProofWatchOptions): Promise<string | undefined> {
  const { follower, batches, prover, logger, signal } = options;
  let from = 1;
  while ((await batches.proof(from)) !== undefined) from += 1;
  for await (const { number, words, proof } of follower.proofs(from, signal)) {
    const own = await waitForBatch(batches, number, signal);
    if (own === undefined) return undefined;
    const difference = firstDifference(own, words);
    if (difference !== undefined) {
      return `the proof of batch \`${number}\` is for another word \`${difference}\``;
    }
    if (!(await verifyBatchProof(prover, own, proof))) {
      return `the proof of batch \`${number}\` does not hold`;
    }
    await batches.putProof(number, proof);
    logger.info("proof verified", { number });
  }
  return undefined;
}

async function waitForBatch(
  batches: BatchStore,
  number: number,
  signal: AbortSignal,
): Promise<SealedBatch | undefined> {
  while (!signal.aborted) {
    const own = await batches.sealed(number);
    if (own !== undefined) return own;
    await pause(POLL_MS, signal);
  }
  return undefined;
}

function firstDifference(own: SealedBatch, words: readonly bigint[]): number | undefined {
  const length = Math.max(own.words.length, words.length);
  for (let index = 0; index < length; index++) {
    if (own.words[index] !== words[index]) return index;
  }
  return undefined;
}
