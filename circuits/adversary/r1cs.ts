/** The constraints of a compiled circuit (.r1cs), whatever its prime. */
import { readFileSync } from "node:fs";
import { reduce } from "./field.ts";

/** A sum of wires with coefficients. */
export interface Terms {
  readonly wires: readonly number[];
  readonly coefficients: readonly bigint[];
}

/** a * b = c. */
export interface Constraint {
  readonly a: Terms;
  readonly b: Terms;
  readonly c: Terms;
}

export interface R1cs {
  readonly prime: bigint;
  /** How many wires there are, the constant one (wire 0) included. */
  readonly wires: number;
  /** Wires that the verifier sees: outputs first, then public inputs. */
  readonly publicSignals: readonly number[];
  readonly outputs: readonly number[];
  /** Public and private. */
  readonly inputs: readonly number[];
  /** Wires that are no inputs: what a prover chooses for given inputs. */
  readonly computed: readonly number[];
  readonly constraints: readonly Constraint[];
}

const SECTION_HEADER = 1;
const SECTION_CONSTRAINTS = 2;
const PRELUDE_BYTES = 12;

export function readR1cs(file: string): R1cs {
  const bytes = readFileSync(file);
  if (bytes.toString("latin1", 0, 4) !== "r1cs")
    throw new Error(`\`${file}\` is not an .r1cs file`);
  const sections = sectionsOf(bytes);
  const header = sections.get(SECTION_HEADER);
  const body = sections.get(SECTION_CONSTRAINTS);
  if (header === undefined || body === undefined) {
    throw new Error(`\`${file}\` lacks its header or its constraints`);
  }
  const size = bytes.readUInt32LE(header);
  const count = (place: number) => bytes.readUInt32LE(header + 4 + size + 4 * place);
  const [wires, outputs, publicInputs, privateInputs] = [count(0), count(1), count(2), count(3)];
  const inputs = publicInputs + privateInputs;
  const range = (first: number, length: number) =>
    Array.from({ length }, (_, index) => first + index);
  const afterInputs = 1 + outputs + inputs;
  return {
    prime: readNumber(bytes, header + 4, size),
    wires,
    publicSignals: range(1, outputs + publicInputs),
    outputs: range(1, outputs),
    inputs: range(1 + outputs, inputs),
    computed: [...range(1, outputs), ...range(afterInputs, wires - afterInputs)],
    // After four counts of wires and one of labels, which has 64 bits.
    constraints: readConstraints(bytes, { offset: body, size, count: count(6) }),
  };
}

function sectionsOf(bytes: Buffer): Map<number, number> {
  const sections = new Map<number, number>();
  let offset = PRELUDE_BYTES;
  for (let i = 0; i < bytes.readUInt32LE(8); i++) {
    sections.set(bytes.readUInt32LE(offset), offset + PRELUDE_BYTES);
    offset += PRELUDE_BYTES + Number(bytes.readBigUInt64LE(offset + 4));
  }
  return sections;
}

function readConstraints(
  bytes: Buffer,
  { offset, size, count }: { offset: number; size: number; count: number },
): Constraint[] {
  let at = offset;
  // Few coefficients are different ones: each is kept once.
  const known = new Map<string, bigint>();
  const coefficientAt = (place: number): bigint => {
    const key = bytes.toString("latin1", place, place + size);
    let coefficient = known.get(key);
    if (coefficient === undefined) {
      coefficient = readNumber(bytes, place, size);
      known.set(key, coefficient);
    }
    return coefficient;
  };
  const terms = (): Terms => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    const wires = new Array<number>(length);
    const coefficients = new Array<bigint>(length);
    for (let i = 0; i < length; i++) {
      wires[i] = bytes.readUInt32LE(at);
      coefficients[i] = coefficientAt(at + 4);
      at += 4 + size;
    }
    return { wires, coefficients };
  };
  return Array.from({ length: count }, () => ({ a: terms(), b: terms(), c: terms() }));
}

function readNumber(bytes: Buffer, offset: number, size: number): bigint {
  let value = 0n;
  for (let at = size - 8; at >= 0; at -= 8) {
    value = (value << 64n) + bytes.readBigUInt64LE(offset + at);
  }
  return value;
}

/** The value of a sum. */
export function sumOf(terms: Terms, witness: readonly bigint[], prime: bigint): bigint {
  const { wires, coefficients } = terms;
  let sum = 0n;
  for (let i = 0; i < wires.length; i++) sum += coefficients[i]! * witness[wires[i]!]!;
  return reduce(sum, prime);
}

export function holds(constraint: Constraint, witness: readonly bigint[], prime: bigint): boolean {
  const { a, b, c } = constraint;
  const product = sumOf(a, witness, prime) * sumOf(b, witness, prime);
  return product % prime === sumOf(c, witness, prime);
}

/** Numbers of the constraints that do not hold; stops after `max` of them. */
export function violated(
  r1cs: R1cs,
  witness: readonly bigint[],
  max: number = Number.POSITIVE_INFINITY,
): number[] {
  const found: number[] = [];
  for (let at = 0; at < r1cs.constraints.length && found.length < max; at++) {
    if (!holds(r1cs.constraints[at]!, witness, r1cs.prime)) found.push(at);
  }
  return found;
}

/** Whether the witness is one. */
export function isSatisfied(r1cs: R1cs, witness: readonly bigint[]): boolean {
  return witness[0] === 1n && violated(r1cs, witness, 1).length === 0;
}

/** Coefficients in all constraints together. */
export function countTerms(r1cs: R1cs): number {
  return r1cs.constraints.reduce(
    (sum, { a, b, c }) => sum + a.wires.length + b.wires.length + c.wires.length,
    0,
  );
}

/** For each wire the numbers of the constraints that hold it. */
export function holdersOf(r1cs: R1cs): readonly (readonly number[])[] {
  const holders = Array.from({ length: r1cs.wires }, (): number[] => []);
  for (const [at, { a, b, c }] of r1cs.constraints.entries()) {
    for (const { wires } of [a, b, c]) {
      for (const wire of wires) if (holders[wire]!.at(-1) !== at) holders[wire]!.push(at);
    }
  }
  return holders;
}
