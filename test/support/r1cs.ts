/** The constraints of a compiled circuit, to be held against witnesses that were tampered with. */
import { readFileSync } from "node:fs";
import { readR1cs } from "../../scripts/keys/r1cs.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";

/** Wires with their coefficients. */
type Terms = readonly (readonly [wire: number, coefficient: bigint])[];
type Constraint = readonly [a: Terms, b: Terms, c: Terms];

export interface Constraints {
  readonly count: number;
  /** Coefficients in all constraints together. */
  readonly terms: number;
  /** All wires, the constant one included. */
  readonly wires: number;
  /** Wires that are no inputs: what a prover chooses for given inputs. */
  readonly computed: readonly number[];
  /** Numbers of the constraints that hold the wire. */
  of(wire: number): readonly number[];
  holds(constraint: number, witness: readonly bigint[]): boolean;
  /** Whether all constraints hold. */
  satisfied(witness: readonly bigint[]): boolean;
  /** The wire of a signal by its full name; undefined where the compiler has removed it. */
  wireOf(name: string): number | undefined;
  /** The names of the signals that a wire holds. */
  namesOf(wire: number): readonly string[];
  /**
   * How many dimensions the witnesses near this one have, inputs fixed: the kernel of the
   * constraints' Jacobian. 0: no small change of several wires at once goes through.
   */
  freedom(witness: readonly bigint[]): number;
}

export function loadConstraints(r1csFile: string, symFile: string): Constraints {
  const header = readR1cs(r1csFile);
  const constraints = readAll(readFileSync(r1csFile), header.constraintsOffset, header.constraints);
  const firstInput = 1 + header.publicOutputs;
  const afterInputs = firstInput + header.publicInputs + header.privateInputs;
  const computed = Array.from({ length: header.wires }, (_, wire) => wire).filter(
    (wire) => wire > 0 && (wire < firstInput || wire >= afterInputs),
  );
  const names = readNames(symFile);
  const holders = indexByWire(constraints, header.wires);
  const holds = (at: number, witness: readonly bigint[]): boolean => {
    const [a, b, c] = constraints[at]!;
    return (value(a, witness) * value(b, witness) - value(c, witness)) % R === 0n;
  };
  return {
    count: header.constraints,
    terms: constraints.flat().reduce((sum, terms) => sum + terms.length, 0),
    wires: header.wires,
    computed,
    of: (wire) => holders[wire]!,
    holds,
    satisfied: (witness) => witness[0] === 1n && constraints.every((_, at) => holds(at, witness)),
    wireOf: (name) => names.byName.get(name),
    namesOf: (wire) => names.byWire.get(wire) ?? [],
    freedom: (witness) => computed.length - rank(constraints, new Set(computed), witness),
  };
}

function readAll(bytes: Buffer, offset: number, count: number): Constraint[] {
  let at = offset;
  const terms = (): Terms => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    return Array.from({ length }, () => {
      const wire = bytes.readUInt32LE(at);
      let coefficient = 0n;
      for (let word = 3; word >= 0; word--) {
        coefficient = (coefficient << 64n) + bytes.readBigUInt64LE(at + 4 + 8 * word);
      }
      at += 36;
      return [wire, coefficient] as const;
    });
  };
  return Array.from({ length: count }, () => [terms(), terms(), terms()] as const);
}

function indexByWire(constraints: readonly Constraint[], wires: number): number[][] {
  const holders = Array.from({ length: wires }, (): number[] => []);
  for (const [at, constraint] of constraints.entries()) {
    for (const terms of constraint) {
      for (const [wire] of terms) {
        if (holders[wire]!.at(-1) !== at) holders[wire]!.push(at);
      }
    }
  }
  return holders;
}

function readNames(symFile: string) {
  const byName = new Map<string, number>();
  const byWire = new Map<number, string[]>();
  for (const line of readFileSync(symFile, "utf8").split("\n")) {
    const [, wireText, , name] = line.split(",");
    const wire = Number(wireText);
    // -1: the compiler has replaced the signal by a sum of others.
    if (name === undefined || wire < 0) continue;
    byName.set(name, wire);
    const known = byWire.get(wire);
    if (known === undefined) byWire.set(wire, [name]);
    else known.push(name);
  }
  return { byName, byWire };
}

function value(terms: Terms, witness: readonly bigint[]): bigint {
  return terms.reduce((sum, [wire, coefficient]) => sum + coefficient * witness[wire]!, 0n) % R;
}

/** Rank of the Jacobian in the given wires. */
function rank(
  constraints: readonly Constraint[],
  variables: ReadonlySet<number>,
  witness: readonly bigint[],
): number {
  const pivots = new Map<number, Map<number, bigint>>();
  const order = new Map<number, number>();
  for (const constraint of constraints) {
    const row = gradient(constraint, variables, witness);
    for (;;) {
      // A pivot's row may hold later pivots but no earlier ones: the earliest is dealt with first.
      const known = [...row.keys()].filter((key) => pivots.has(key));
      if (known.length === 0) break;
      const wire = known.reduce((a, b) => (order.get(a)! < order.get(b)! ? a : b));
      addMultiple(row, pivots.get(wire)!, R - row.get(wire)!);
    }
    const [first] = row.keys();
    if (first === undefined) continue;
    const scale = inverse(row.get(first)!);
    for (const [wire, coefficient] of row) row.set(wire, (coefficient * scale) % R);
    order.set(first, pivots.size);
    pivots.set(first, row);
  }
  return pivots.size;
}

/** d(a b - c), the product rule. */
function gradient(
  [a, b, c]: Constraint,
  variables: ReadonlySet<number>,
  witness: readonly bigint[],
): Map<number, bigint> {
  const row = new Map<number, bigint>();
  const parts = [
    [a, value(b, witness)],
    [b, value(a, witness)],
    [c, R - 1n],
  ] as const;
  for (const [terms, factor] of parts) {
    const own = terms.filter(([wire]) => variables.has(wire));
    addMultiple(row, new Map(own), factor);
  }
  return row;
}

function addMultiple(
  row: Map<number, bigint>,
  other: ReadonlyMap<number, bigint>,
  factor: bigint,
): void {
  for (const [wire, coefficient] of other) {
    const sum = ((row.get(wire) ?? 0n) + coefficient * factor) % R;
    if (sum === 0n) row.delete(wire);
    else row.set(wire, sum);
  }
}

function inverse(number: bigint): bigint {
  let [a, b, x, y] = [((number % R) + R) % R, R, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % R) + R) % R;
}

/** A wire, and a value in its place that no constraint refuses. */
export interface Forgery {
  readonly wire: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** Changes of single computed wires that go through: neighbours, flips, 0, the negative. */
export function forgeries(
  constraints: Constraints,
  witness: readonly bigint[],
  wires: readonly number[] = constraints.computed,
): Forgery[] {
  const changed = [...witness];
  return wires.flatMap((wire) => {
    const from = witness[wire]!;
    const tries = new Set([from + 1n, from - 1n, 1n - from, 0n, -from, from + 2n ** 64n]);
    const found = [...tries]
      .map((to) => ((to % R) + R) % R)
      .filter((to) => {
        if (to === from) return false;
        changed[wire] = to;
        return constraints.of(wire).every((at) => constraints.holds(at, changed));
      });
    changed[wire] = from;
    const name = constraints.namesOf(wire).join(" = ");
    return found.slice(0, 1).map((to) => ({ wire: name, from, to }));
  });
}
