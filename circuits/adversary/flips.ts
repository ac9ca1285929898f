/**
 * Single wires that can be changed, exactly: for one wire each constraint is a polynomial of degree
 * 2 at most, whose one root is the wire's value. What remains is the other root, or none, or, where
 * the wire has dropped out of the constraint, every value. No value is guessed.
 */
import { inverse, reduce } from "./field.ts";
import { type Constraint, type R1cs, sumOf, type Terms } from "./r1cs.ts";

export interface Flip {
  readonly wire: number;
  readonly from: bigint;
  /** Another value that all constraints take; where `isFree`, one of all there are. */
  readonly to: bigint;
  readonly isFree: boolean;
}

/** A constraint as a polynomial in one wire: square * x^2 + linear * x + ... */
interface Polynomial {
  readonly square: bigint;
  readonly linear: bigint;
}

/** All changes of single computed wires that a satisfying witness allows. */
export function singleWireFlips(
  r1cs: R1cs,
  witness: readonly bigint[],
  wires: readonly number[] = r1cs.computed,
): Flip[] {
  const { prime } = r1cs;
  // Undefined: nothing has pinned the wire yet. A number: only that value is left beside its own.
  const others = new Map<number, bigint | undefined>(wires.map((wire) => [wire, undefined]));
  for (const constraint of r1cs.constraints) {
    for (const [wire, polynomial] of polynomialsOf(constraint, { witness, prime, in: others })) {
      const other = otherRoot(polynomial, witness[wire]!, prime);
      if (other === "every") continue;
      const known = others.get(wire);
      if (other === "none" || (known !== undefined && known !== other)) others.delete(wire);
      else others.set(wire, other);
    }
  }
  return [...others].map(([wire, other]) => {
    const from = witness[wire]!;
    return { wire, from, to: other ?? reduce(from + 1n, prime), isFree: other === undefined };
  });
}

/** The polynomial of a constraint in each of its wires that `in` has. */
export function* polynomialsOf(
  constraint: Constraint,
  options: {
    readonly witness: readonly bigint[];
    readonly prime: bigint;
    readonly in: { has(wire: number): boolean };
  },
): Generator<[number, Polynomial]> {
  const { witness, prime } = options;
  const { a, b, c } = constraint;
  const inA = coefficientsIn(a, options.in);
  const inB = coefficientsIn(b, options.in);
  const inC = coefficientsIn(c, options.in);
  const wires = new Set([...inA.keys(), ...inB.keys(), ...inC.keys()]);
  if (wires.size === 0) return;
  const valueA = sumOf(a, witness, prime);
  const valueB = sumOf(b, witness, prime);
  for (const wire of wires) {
    const [ofA, ofB, ofC] = [inA.get(wire) ?? 0n, inB.get(wire) ?? 0n, inC.get(wire) ?? 0n];
    const value = witness[wire]!;
    const square = reduce(ofA * ofB, prime);
    const restOfA = valueA - ofA * value;
    const restOfB = valueB - ofB * value;
    yield [wire, { square, linear: reduce(restOfA * ofB + restOfB * ofA - ofC, prime) }];
  }
}

/** The root beside the known one. */
export function otherRoot(
  { square, linear }: Polynomial,
  root: bigint,
  prime: bigint,
): bigint | "none" | "every" {
  if (square === 0n) return linear === 0n ? "every" : "none";
  const other = reduce(-linear * inverse(square, prime) - root, prime);
  return other === root ? "none" : other;
}

function coefficientsIn(terms: Terms, set: { has(wire: number): boolean }): Map<number, bigint> {
  const found = new Map<number, bigint>();
  for (const [index, wire] of terms.wires.entries()) {
    if (set.has(wire)) found.set(wire, (found.get(wire) ?? 0n) + terms.coefficients[index]!);
  }
  return found;
}
