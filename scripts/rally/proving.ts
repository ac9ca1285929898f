/** Proofs of the batches in which somebody was liquidated, by the prover that the venue uses. */
import { publicInputs, publicSignals } from "../../sequencer/batch/publicInputs.ts";
import type { BatchStore, Logger } from "../../sequencer/ports.ts";
import { createProver } from "../../sequencer/prover/prover.ts";
import { ensureAll } from "../circuits.ts";

export interface ProvingResult {
  readonly proven: number;
  readonly seconds: number;
}

/**
 * Proves the batches with snarkjs and the tiny instance's development keys and verifies each proof
 * against the batch's own public words. Throws for the first that has none.
 */
export async function proveBatches(
  store: BatchStore,
  numbers: readonly number[],
  options: { logger: Logger; signal: AbortSignal; onProven: (done: number) => void },
): Promise<ProvingResult> {
  const keyed = await ensureAll("tiny");
  const keysOf = (circuit: "trade" | "ledger") => {
    const { wasmFile, zkeyFile, vkeyFile } = keyed.get(circuit)!;
    return { wasm: wasmFile, zkey: zkeyFile, vkey: vkeyFile };
  };
  const keys = { trade: keysOf("trade"), ledger: keysOf("ledger") };
  const prover = createProver({ keys, logger: options.logger });
  let seconds = 0;
  let proven = 0;
  try {
    for (const number of numbers) {
      options.signal.throwIfAborted();
      const batch = await store.sealed(number);
      if (batch === undefined) throw new Error(`batch \`${number}\` is not stored`);
      const signals = Object.entries(publicInputs(batch.words));
      const texts = Object.fromEntries(signals.map(([name, value]) => [name, String(value)]));
      const made = await prover.prove(batch.kind, { ...batch.inputs, ...texts });
      const isTrue = await prover.verify(batch.kind, publicSignals(batch.words), made.proof);
      if (!isTrue) throw new Error(`the proof of batch \`${number}\` is not of its words`);
      await store.putProof(number, made.proof);
      seconds += made.seconds;
      proven += 1;
      options.onProven(proven);
    }
  } finally {
    await prover.stop();
  }
  return { proven, seconds };
}
