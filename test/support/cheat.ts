/** What tests of templates assert: honest witnesses pass, and nothing else does. */
import assert from "node:assert/strict";
import { AssertionFailed, type SignalValues } from "../../circuits/adversary/calculator.ts";
import { singleWireFlips } from "../../circuits/adversary/flips.ts";
import { freedomAt } from "../../circuits/adversary/jacobian.ts";
import { countTerms, isSatisfied } from "../../circuits/adversary/r1cs.ts";
import type { Gadget } from "./gadget.ts";

/** circomlib's IsZero leaves its inverse free where its input is 0: no output depends on it. */
export const UNUSED_INVERSE = /\.inv$/;

const TERMS_MAX = 6000;

/**
 * The honest witness, after trying to forge it for the same inputs: no computed wire can be
 * changed alone, nor several together by a little. Wires named by `free` are known to be choices.
 */
export function assertPinned(
  gadget: Gadget,
  inputs: SignalValues,
  { free = UNUSED_INVERSE }: { free?: RegExp } = {},
): bigint[] {
  const witness = gadget.witness(inputs);
  const { r1cs, symbols } = gadget;
  assert.ok(isSatisfied(r1cs, witness), "the honest witness must hold");
  const found = singleWireFlips(r1cs, witness);
  const isFree = (wire: number) => symbols.namesOf(wire).every((name) => free.test(name));
  const forged = found.filter(({ wire }) => !isFree(wire));
  assert.deepEqual(
    forged.map(({ wire, from, to }) => `${symbols.nameOf(wire)}: ${from} as ${to}`),
    [],
    "a wire can be forged",
  );
  // Hashes are dense, and have no freedom of their own: not in each of many runs.
  if (countTerms(r1cs) > TERMS_MAX) return witness;
  const { directions } = freedomAt(r1cs, witness);
  const together = directions.filter((moves) => ![...moves.keys()].every(isFree));
  assert.deepEqual(
    together.map((moves) => [...moves.keys()].map(symbols.nameOf)),
    [],
    "wires can be moved together",
  );
  return witness;
}

/** Asserts that the template itself refuses the inputs, whatever stands around it. */
export function assertRejects(gadget: Gadget, inputs: SignalValues, what = "the cheat"): void {
  assert.throws(
    () => gadget.witness(inputs),
    (error) => error instanceof AssertionFailed,
    `${what} must be refused`,
  );
}

/** Whether the template takes the inputs. */
export function accepts(gadget: Gadget, inputs: SignalValues): boolean {
  try {
    gadget.witness(inputs);
    return true;
  } catch (error) {
    if (error instanceof AssertionFailed) return false;
    throw error;
  }
}

/** The values of `name[0]`, `name[1]`, ... */
export function readAll(
  gadget: Gadget,
  witness: readonly bigint[],
  name: string,
  count: number,
): bigint[] {
  return Array.from({ length: count }, (_, index) => gadget.read(witness, `${name}[${index}]`));
}

/** All vectors over `values` of the given length. */
export function vectors<T>(values: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return vectors(values, length - 1).flatMap((rest) => values.map((value) => [...rest, value]));
}

/** A number as the field holds it. */
export function wrapped(value: bigint | number, modulus: bigint): bigint {
  const rest = BigInt(value) % modulus;
  return rest < 0n ? rest + modulus : rest;
}
