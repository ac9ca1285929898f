/** Real proofs of tiny batches and exits, by snarkjs with the development keys. */
import { type CircuitName, ensureKey } from "../../scripts/circuits.ts";
import type { ExitClaim } from "../../sequencer/batch/exitWitness.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type { ProofWords, SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { proveExit } from "../../sequencer/node/exitProof.ts";
import { createProver } from "../../sequencer/prover/prover.ts";

export interface ProvenBatch {
  readonly batch: SealedBatch;
  readonly proof: ProofWords;
}

const quiet = () => {};
export const QUIET = { debug: quiet, info: quiet, warn: quiet, error: quiet };

async function keysOf(circuit: CircuitName) {
  const { wasmFile, zkeyFile, vkeyFile } = await ensureKey(circuit, "tiny");
  return { wasm: wasmFile, zkey: zkeyFile, vkey: vkeyFile };
}

/** About three seconds. */
export async function proveClaim(claim: ExitClaim): Promise<ProofWords> {
  return proveExit(claim, await keysOf("exit"));
}

/** One after the other: about twenty seconds of one core each. */
export async function proveBatches(batches: readonly SealedBatch[]): Promise<ProvenBatch[]> {
  const keys = { trade: await keysOf("trade"), ledger: await keysOf("ledger") };
  const prover = createProver({ keys, logger: QUIET });
  try {
    const proven: ProvenBatch[] = [];
    for (const batch of batches) {
      const signals = Object.entries(publicInputs(batch.words));
      const texts = Object.fromEntries(signals.map(([name, value]) => [name, `${value}`]));
      const { proof } = await prover.prove(batch.kind, { ...batch.inputs, ...texts });
      proven.push({ batch, proof });
    }
    return proven;
  } finally {
    await prover.stop();
  }
}
