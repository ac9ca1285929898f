/** The batch and exit circuits in tests: witness from inputs, refused inputs. */
import assert from "node:assert/strict";
import { type CircuitName, compileCircuit } from "../../scripts/circuits.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type { CircuitInputs, SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { AssertionFailed, loadCalculator, type SignalValues } from "./witness.ts";

export interface Circuit {
  readonly r1csFile: string;
  readonly symFile: string;
  /** Every wire. Throws AssertionFailed where an assertion of the circuit fails. */
  witness(inputs: SignalValues): bigint[];
}

/** Compiles (cached) and loads a circuit. */
export async function loadCircuit(circuit: CircuitName, instance = "tiny"): Promise<Circuit> {
  const { wasmFile, r1csFile, symFile } = await compileCircuit(circuit, instance);
  const calculator = await loadCalculator(wasmFile);
  return { r1csFile, symFile, witness: (inputs) => calculator.run(inputs) };
}

/** A batch's inputs with the three public ones, `words` being the batch's unless given. */
export function withPublicInputs(
  batch: Pick<SealedBatch, "inputs" | "words">,
  words: readonly bigint[] = batch.words,
): CircuitInputs {
  const { commitment, gamma, evaluation } = publicInputs(words);
  return {
    ...batch.inputs,
    commitment: commitment.toString(),
    gamma: gamma.toString(),
    evaluation: evaluation.toString(),
  };
}

/**
 * Asserts that the circuit refuses the inputs, and that it is the named template that does (as
 * `Template`, or `Outer/Inner`): a cheat that only some later hash happens to catch is not caught.
 */
export function assertRefused(
  circuit: { witness(inputs: SignalValues): bigint[] },
  inputs: SignalValues,
  template: string,
): void {
  assert.throws(
    () => circuit.witness(inputs),
    (error) => {
      if (!(error instanceof AssertionFailed)) throw error;
      const names = error.trace.map((place) => place.split(":")[0]!);
      const wanted = template.split("/");
      let at = names.length;
      for (const name of wanted) {
        at = names.lastIndexOf(name, at - 1);
        assert.ok(at >= 0, `refused by ${error.trace.join(" < ")}, not by ${template}`);
      }
      return true;
    },
  );
}
