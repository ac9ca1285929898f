/**
 * Where numbers are bounded. A comparator (and every adder that feeds one) decomposes a sum of
 * signals into bits; that says something of the signals as integers only if each of them is bounded
 * elsewhere: a sum of field elements that may be anything wraps around the prime.
 *
 * Bounds are derived from the constraints: bits (x * (x - 1) = 0), sums and products of what is
 * bounded, and whatever a sum of bits equals. Made for circuits compiled with `--O1`, where signals
 * that are equal are one wire, and sums are not yet substituted into everything else.
 */
import { reduce } from "./field.ts";
import { type Constraint, holdersOf, type R1cs, type Terms } from "./r1cs.ts";

/** Integers, possibly negative, of which the wire's value is one modulo the prime. */
export interface Bound {
  readonly least: bigint;
  readonly most: bigint;
  /** The constraint that says so. */
  readonly by: number;
}

export interface Comparison {
  /** What is decomposed. */
  readonly wire: number;
  readonly bits: number;
  /** The sum of bits, and the constraint that makes the wire of its operands. */
  readonly constraints: readonly number[];
  /** What is compared; a single one is not compared but range-checked. */
  readonly operands: readonly { readonly wire: number; readonly bound: Bound | undefined }[];
}

interface Context {
  readonly r1cs: R1cs;
  readonly holders: readonly (readonly number[])[];
}

/** How often a bound may become tighter. */
const UPDATES_MAX = 3;

export function boundsOf(r1cs: R1cs): Map<number, Bound> {
  const bounds = new Map<number, Bound>([[0, { least: 1n, most: 1n, by: -1 }]]);
  const updates = new Map<number, number>();
  const holders = holdersOf(r1cs);
  const waiting = new Set(r1cs.constraints.keys());
  const learn = (wire: number, found: Bound): void => {
    if (wire === 0 || found.most - found.least >= r1cs.prime) return;
    const bound = nearZero(found, r1cs.prime);
    const known = bounds.get(wire);
    if (known !== undefined && known.most - known.least <= bound.most - bound.least) return;
    const count = updates.get(wire) ?? 0;
    if (count >= UPDATES_MAX) return;
    updates.set(wire, count + 1);
    bounds.set(wire, bound);
    for (const at of holders[wire]!) waiting.add(at);
  };
  for (const at of waiting) {
    waiting.delete(at);
    const constraint = r1cs.constraints[at]!;
    if (isBit(constraint, r1cs.prime)) {
      learn(onlyWire(constraint)!, { least: 0n, most: 1n, by: at });
    } else {
      for (const [wire, bound] of impliedBy(constraint, bounds, r1cs.prime)) {
        learn(wire, { ...bound, by: at });
      }
    }
  }
  return bounds;
}

/** The same modulo the prime: rounds of a hash of constants would else grow without end. */
function nearZero({ least, most, by }: Bound, prime: bigint): Bound {
  if (-prime < least && most < prime) return { least, most, by };
  const shift = signed(reduce(least, prime), prime) - least;
  return { least: least + shift, most: most + shift, by };
}

/** Decompositions: of sums of several signals, and of single ones. */
export function comparisonsOf(r1cs: R1cs): { comparisons: Comparison[]; checks: Comparison[] } {
  const holders = holdersOf(r1cs);
  const inputs = new Set(r1cs.inputs);
  const bounds = boundsOf(r1cs);
  const found: Comparison[] = [];
  for (const [at, constraint] of r1cs.constraints.entries()) {
    const decomposed = decompositionIn(constraint, { bounds, r1cs });
    if (decomposed === undefined) continue;
    const constraints = [at];
    const operands = expanded(decomposed.wire, constraints, { r1cs, holders, inputs });
    found.push({
      ...decomposed,
      constraints,
      operands: operands.map((wire) => ({
        wire,
        bound:
          operands.length === 1
            ? bounds.get(wire)
            : boundElsewhere(wire, constraints, { r1cs, holders, bounds }),
      })),
    });
  }
  return {
    comparisons: found.filter(({ operands }) => operands.length > 1),
    checks: found.filter(({ operands }) => operands.length === 1),
  };
}

/** What a comparison says of its operands does not count for them; another constraint must. */
function boundElsewhere(
  wire: number,
  own: readonly number[],
  context: Context & { readonly bounds: ReadonlyMap<number, Bound> },
): Bound | undefined {
  const { r1cs, holders, bounds } = context;
  const known = bounds.get(wire);
  if (known === undefined || !own.includes(known.by)) return known;
  for (const at of holders[wire]!) {
    if (own.includes(at)) continue;
    for (const [other, bound] of impliedBy(r1cs.constraints[at]!, bounds, r1cs.prime)) {
      const isNarrow = bound.most - bound.least < r1cs.prime;
      if (other === wire && isNarrow) return { ...bound, by: at };
    }
  }
  return undefined;
}

/** The wires of a sum, sums of sums included; `constraints` are told which ones make them. */
function expanded(
  wire: number,
  constraints: number[],
  context: Context & { readonly inputs: ReadonlySet<number> },
): number[] {
  const definition = definitionOf(wire, constraints, context);
  if (definition === undefined) return [wire];
  constraints.push(definition.at);
  return definition.operands.flatMap((operand) => expanded(operand, constraints, context));
}

/** x * (x - 1) = 0, in any scale: a polynomial of degree 2 in one wire whose roots are 0 and 1. */
function isBit(constraint: Constraint, prime: bigint): boolean {
  if (onlyWire(constraint) === undefined) return false;
  const { a, b, c } = constraint;
  const isSquare = [a, b].every((terms) => terms.wires.some((wire) => wire !== 0));
  if (!isSquare) return false;
  return [0n, 1n].every((value) => {
    const at = ({ wires, coefficients }: Terms) =>
      wires.reduce(
        (sum, wire, index) => sum + coefficients[index]! * (wire === 0 ? 1n : value),
        0n,
      );
    return reduce(at(a) * at(b) - at(c), prime) === 0n;
  });
}

function onlyWire({ a, b, c }: Constraint): number | undefined {
  let only: number | undefined;
  for (const { wires } of [a, b, c]) {
    for (const wire of wires) {
      if (wire === 0 || wire === only) continue;
      if (only !== undefined) return undefined;
      only = wire;
    }
  }
  return only;
}

type Interval = readonly [least: bigint, most: bigint];

/** For each wire of c that stands beside bounded ones only: what a * b = c says of it. */
function* impliedBy(
  { a, b, c }: Constraint,
  bounds: ReadonlyMap<number, Bound>,
  prime: bigint,
): Generator<[number, Omit<Bound, "by">]> {
  const unbounded = c.wires.filter((wire) => !bounds.has(wire));
  if (unbounded.length > 1) return;
  const product =
    a.wires.length === 0 || b.wires.length === 0
      ? ([0n, 0n] as const)
      : times(intervalOf(a, bounds, prime), intervalOf(b, bounds, prime));
  if (product === undefined) return;
  const parts = c.wires.map((wire, index) => {
    const bound = bounds.get(wire);
    return bound && scaled(bound, signed(c.coefficients[index]!, prime));
  });
  const sum = added(parts);
  for (const [index, wire] of c.wires.entries()) {
    if (unbounded.length === 1 && wire !== unbounded[0]) continue;
    const coefficient = signed(c.coefficients[index]!, prime);
    // Others would have to be divided.
    if (coefficient !== 1n && coefficient !== -1n) continue;
    const own = parts[index] ?? [0n, 0n];
    const rest = [sum[0] - own[0], sum[1] - own[1]] as const;
    if (rest[1] - rest[0] >= prime) continue;
    const [least, most] = [product[0] - rest[1], product[1] - rest[0]];
    yield [wire, coefficient === 1n ? { least, most } : { least: -most, most: -least }];
  }
}

function intervalOf(
  { wires, coefficients }: Terms,
  bounds: ReadonlyMap<number, Bound>,
  prime: bigint,
): Interval | undefined {
  const parts: Interval[] = [];
  for (const [index, wire] of wires.entries()) {
    const bound = bounds.get(wire);
    if (bound === undefined) return undefined;
    parts.push(scaled(bound, signed(coefficients[index]!, prime)));
  }
  const sum = added(parts);
  return sum[1] - sum[0] < prime ? sum : undefined;
}

function scaled({ least, most }: Omit<Bound, "by">, factor: bigint): Interval {
  return factor < 0n ? [factor * most, factor * least] : [factor * least, factor * most];
}

function added(parts: readonly (Interval | undefined)[]): Interval {
  let [least, most] = [0n, 0n];
  for (const part of parts) {
    if (part === undefined) continue;
    least += part[0];
    most += part[1];
  }
  return [least, most];
}

function times(x: Interval | undefined, y: Interval | undefined): Interval | undefined {
  if (x === undefined || y === undefined) return undefined;
  const ends = [x[0] * y[0], x[0] * y[1], x[1] * y[0], x[1] * y[1]];
  return [ends.reduce((p, q) => (p < q ? p : q)), ends.reduce((p, q) => (p > q ? p : q))];
}

/** Coefficients above half of the prime are meant to be negative. */
function signed(value: bigint, prime: bigint): bigint {
  return 2n * value > prime ? value - prime : value;
}

/** A linear constraint of bits times 1, 2, 4, ... and one other wire. */
function decompositionIn(
  { a, b, c }: Constraint,
  { bounds, r1cs: { prime } }: { bounds: ReadonlyMap<number, Bound>; r1cs: R1cs },
): { wire: number; bits: number } | undefined {
  if ((a.wires.length > 0 && b.wires.length > 0) || c.wires.length < 3) return undefined;
  const isBitWire = (wire: number): boolean => {
    const bound = bounds.get(wire);
    return bound !== undefined && bound.least >= 0n && bound.most <= 1n;
  };
  const others = c.wires.filter((wire) => wire !== 0 && !isBitWire(wire));
  if (others.length !== 1) return undefined;
  const weights = c.wires.flatMap((wire, index) =>
    wire === 0 || wire === others[0] ? [] : [signed(c.coefficients[index]!, prime)],
  );
  const sizes = weights.map((weight) => (weight < 0n ? -weight : weight)).sort(byValue);
  const isBinary = sizes.every((size, index) => size === sizes[0]! << BigInt(index));
  return isBinary && sizes[0] === 1n ? { wire: others[0]!, bits: sizes.length } : undefined;
}

function byValue(x: bigint, y: bigint): number {
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The other linear constraint of an intermediate wire: the sum that it stands for. */
function definitionOf(
  wire: number,
  known: readonly number[],
  { r1cs, holders, inputs }: Context & { readonly inputs: ReadonlySet<number> },
): { at: number; operands: readonly number[] } | undefined {
  // An intermediate sum stands where it is used and in its definition, nowhere else.
  if (holders[wire]!.length !== 2 || inputs.has(wire)) return undefined;
  const at = holders[wire]!.find((each) => !known.includes(each));
  if (at === undefined) return undefined;
  const { a, b, c } = r1cs.constraints[at]!;
  if (a.wires.length > 0 && b.wires.length > 0) return undefined;
  return { at, operands: c.wires.filter((each) => each !== 0 && each !== wire) };
}
