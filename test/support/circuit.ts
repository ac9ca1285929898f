/** The batch and exit circuits in tests: witness from inputs, refused inputs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AssertionFailed,
  loadCalculator,
  type SignalValue,
  type SignalValues,
} from "../../circuits/adversary/calculator.ts";
import { ensureCalculator } from "../../scripts/calculators.ts";
import { type CircuitName, compileCircuit } from "../../scripts/circuits.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type {
  CircuitInputs,
  CircuitValue,
  SealedBatch,
} from "../../sequencer/batch/sealedBatch.ts";

export interface Circuit {
  readonly r1csFile: string;
  readonly symFile: string;
  /** Every wire. Throws AssertionFailed where an assertion of the circuit fails. */
  witness(inputs: SignalValues): bigint[];
  /** Throws AssertionFailed where there is none. A third faster than reading it. */
  check(inputs: SignalValues): void;
}

/**
 * Compiles (cached) and loads a circuit. With STRADDLE_NATIVE its native calculator checks, three
 * times as fast; it is built first if need be.
 */
export async function loadCircuit(circuit: CircuitName, instance = "tiny"): Promise<Circuit> {
  const { wasmFile, r1csFile, symFile } = await compileCircuit(circuit, instance);
  const calculator = await loadCalculator(wasmFile);
  const files = { r1csFile, symFile, witness: calculator.run };
  if (process.env.STRADDLE_NATIVE === undefined) return { ...files, check: calculator.check };
  return { ...files, check: nativeCheck(await ensureCalculator(circuit, instance)) };
}

function nativeCheck(program: string): Circuit["check"] {
  const folder = mkdtempSync(join(tmpdir(), "straddle-check-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const [given, wtns] = [join(folder, "inputs.json"), join(folder, "witness.wtns")];
  return (inputs) => {
    writeFileSync(
      given,
      JSON.stringify(inputs, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    );
    const { status, stderr } = spawnSync(program, [given, wtns], { encoding: "utf8" });
    if (status !== 0) throw new AssertionFailed(stderr.trim(), []);
  };
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
 * Asserts that the circuit refuses the inputs, and that it is this template that does: a cheat that
 * only some later hash happens to catch is not caught. `where` is `Template`, which may be the main
 * one only if none inside it refuses, or `Template: text` with the beginning of the very constraint
 * or of the statement that feeds the template inside which the refusal is.
 */
export function assertRefused(circuit: Circuit, inputs: SignalValues, where: string): void {
  const [template, constraint] = where.split(": ");
  assert.throws(
    () => circuit.witness(inputs),
    (error) => {
      if (!(error instanceof AssertionFailed)) throw error;
      const inner = error.trace.slice(0, Math.max(1, error.trace.length - 1));
      const places = constraint === undefined ? inner : error.trace;
      const place = places.find((each) => each.split(":")[0] === template);
      const told = `refused by ${error.trace.join(" < ")}, not by ${where}`;
      assert.ok(place !== undefined, told);
      if (constraint !== undefined) {
        const line = sourceLine(template!, Number(place.split(":")[1]));
        assert.ok(line.includes(constraint), `${told}, but by \`${line}\``);
      }
      return true;
    },
  );
}

const CIRCUITS = fileURLToPath(new URL("../../circuits/", import.meta.url));
const sources = globSync("**/*.circom", { cwd: CIRCUITS }).map((file) =>
  readFileSync(`${CIRCUITS}${file}`, "utf8"),
);

/** A line of the file that declares a template, counted from 1. */
function sourceLine(template: string, line: number): string {
  const source = sources.find((text) => text.includes(`\ntemplate ${template}(`));
  return source?.split("\n")[line - 1]?.trim() ?? "";
}

/** A copy of the inputs with the value at `path` put through `change`. */
export function changed(
  inputs: CircuitInputs,
  path: readonly (string | number)[],
  change: (value: CircuitValue) => SignalValue,
): SignalValues {
  const copy = structuredClone(inputs) as Record<string | number, unknown>;
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as typeof copy, copy);
  const last = path.at(-1)!;
  parent[last] = change(parent[last] as CircuitValue);
  return copy as SignalValues;
}

/** Adds to a number. */
export const plus = (amount: bigint) => (value: CircuitValue) => BigInt(value as string) + amount;

/** Another value in its place. */
export const set = (value: SignalValue) => () => value;
