/** Compiled circuits in tests: witness from inputs, refused inputs. */
import { readFileSync } from "node:fs";
import { type CircuitName, compileCircuit } from "../../scripts/circuits.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type { CircuitInputs, SealedBatch } from "../../sequencer/batch/sealedBatch.ts";

interface WitnessCalculator {
  calculateWitness(inputs: CircuitInputs, sanityCheck: boolean): Promise<bigint[]>;
}

export interface Circuit {
  /** Every wire. Rejects where an assertion of the circuit fails. */
  witness(inputs: CircuitInputs): Promise<bigint[]>;
}

/** Compiles (cached) and loads a circuit. */
export async function loadCircuit(circuit: CircuitName, instance = "tiny"): Promise<Circuit> {
  const files = await compileCircuit(circuit, instance);
  // The calculator that circom writes is CommonJS beside the wasm; snarkjs ships the same one.
  const { WitnessCalculatorBuilder } = await import("circom_runtime");
  const build = await WitnessCalculatorBuilder(readFileSync(files.wasmFile), { sanityCheck: true });
  const calculator = build as WitnessCalculator;
  return { witness: (inputs) => calculator.calculateWitness(inputs, true) };
}

/** A batch's inputs with the three public ones. */
export function withPublicInputs(batch: SealedBatch): CircuitInputs {
  const { commitment, gamma, evaluation } = publicInputs(batch.words);
  return {
    ...batch.inputs,
    commitment: commitment.toString(),
    gamma: gamma.toString(),
    evaluation: evaluation.toString(),
  };
}
