/**
 * One pass over the constraints: each wire's polynomials at tau, and the coefficient section.
 *
 * The pass streams the file through a small window of WebAssembly memory, so its size does not
 * matter. Accumulators are plain numbers: plain coefficient times Montgomery basis value.
 */
import { readSync } from "node:fs";
import type { KeyWriter } from "./keyWriter.ts";
import { publicSignalCount, type R1cs } from "./r1cs.ts";
import { FIELD_BYTES, toBytes, toMontgomery, type WasmCurve } from "./wasmCurve.ts";

const WINDOW_BYTES = 1 << 20;
const TERM_BYTES = 4 + FIELD_BYTES;
const COEFFICIENT_BYTES = 12 + FIELD_BYTES;
const COEFFICIENTS_PER_WRITE = 1 << 14;
const REPORT_EVERY = 1 << 14;

/** Offsets of three arrays of plain scalars, one element per wire. */
export type WirePolynomials = { readonly a: number; readonly b: number; readonly c: number };

/** What one pass needs. `basis` is the Lagrange basis at tau; `writer` is in section 4. */
export type WirePass = {
  readonly curve: WasmCurve;
  readonly descriptor: number;
  readonly r1cs: R1cs;
  readonly basis: number;
  readonly writer: KeyWriter;
  readonly onConstraint: (done: number) => void;
};

/** Evaluates every wire and writes the coefficients in the order snarkjs writes them. */
export function evaluateWires(pass: WirePass): WirePolynomials {
  const { curve, r1cs, basis } = pass;
  const polynomials = {
    a: curve.allocate(r1cs.wires * FIELD_BYTES),
    b: curve.allocate(r1cs.wires * FIELD_BYTES),
    c: curve.allocate(r1cs.wires * FIELD_BYTES),
  };
  const product = curve.allocate(FIELD_BYTES);
  const one = curve.allocate(FIELD_BYTES);
  const reader = createReader(pass);
  const coefficients = createCoefficientWriter(pass);
  curve.bytes(one, FIELD_BYTES).set(toBytes(1n));
  const multiply = curve.call("frm_mul");
  const add = curve.call("frm_add");

  const accumulate = (target: number, wire: number, value: number, row: number): void => {
    if (wire >= r1cs.wires) throw new Error(`the constraints name wire \`${wire}\`, out of range`);
    const at = target + wire * FIELD_BYTES;
    multiply(value, basis + row * FIELD_BYTES, product);
    add(at, product, at);
  };

  for (let row = 0; row < r1cs.constraints; row++) {
    for (let terms = reader.nextWord(); terms > 0; terms--) {
      const wire = reader.nextWord();
      const value = reader.nextScalar();
      accumulate(polynomials.a, wire, value, row);
      coefficients.write(0, row, wire, value);
    }
    for (let terms = reader.nextWord(); terms > 0; terms--) {
      const wire = reader.nextWord();
      const value = reader.nextScalar();
      accumulate(polynomials.b, wire, value, row);
      coefficients.write(1, row, wire, value);
    }
    for (let terms = reader.nextWord(); terms > 0; terms--) {
      const wire = reader.nextWord();
      accumulate(polynomials.c, wire, reader.nextScalar(), row);
    }
    if (row % REPORT_EVERY === 0) pass.onConstraint(row);
  }
  // snarkjs adds one row per public signal, which keeps their polynomials independent.
  for (let wire = 0; wire <= publicSignalCount(r1cs); wire++) {
    accumulate(polynomials.a, wire, one, r1cs.constraints + wire);
    coefficients.write(0, r1cs.constraints + wire, wire, one);
  }
  coefficients.finish();
  return polynomials;
}

type Reader = {
  readonly nextWord: () => number;
  /** The offset in WebAssembly memory of the next scalar, valid until the next call. */
  readonly nextScalar: () => number;
};

function createReader(pass: WirePass): Reader {
  const { curve, descriptor, r1cs } = pass;
  const window = curve.allocate(WINDOW_BYTES + TERM_BYTES);
  let filePosition = r1cs.constraintsOffset;
  const fileEnd = r1cs.constraintsOffset + r1cs.constraintsBytes;
  let position = 0;
  let filled = 0;

  const refill = (needed: number): void => {
    const bytes = curve.bytes(window, WINDOW_BYTES);
    bytes.copyWithin(0, position, filled);
    filled -= position;
    position = 0;
    while (filled < needed) {
      const wanted = Math.min(WINDOW_BYTES - filled, fileEnd - filePosition);
      const read = wanted > 0 ? readSync(descriptor, bytes, filled, wanted, filePosition) : 0;
      if (read === 0) throw new Error("the .r1cs file ends inside its constraints");
      filled += read;
      filePosition += read;
    }
  };

  return {
    nextWord: () => {
      if (position + 4 > filled) refill(4);
      const at = position / 4;
      position += 4;
      return curve.words(window, WINDOW_BYTES / 4)[at] ?? 0;
    },
    nextScalar: () => {
      if (position + FIELD_BYTES > filled) refill(FIELD_BYTES);
      const at = window + position;
      position += FIELD_BYTES;
      return at;
    },
  };
}

type CoefficientWriter = {
  readonly write: (matrix: number, row: number, wire: number, value: number) => void;
  readonly finish: () => void;
};

function createCoefficientWriter(pass: WirePass): CoefficientWriter {
  const { curve, writer } = pass;
  const batch = curve.allocate(COEFFICIENTS_PER_WRITE * COEFFICIENT_BYTES);
  // The prover's witness is plain and its sums are Montgomery, so a coefficient carries
  // 2^256 twice. A Montgomery product divides by it once, hence three times here.
  const shift = curve.allocate(FIELD_BYTES);
  curve.bytes(shift, FIELD_BYTES).set(toMontgomery(1n, 3));
  const multiply = curve.call("frm_mul");
  let pending = 0;
  let total = 0;

  const flush = (): void => {
    writer.append(curve.bytes(batch, pending * COEFFICIENT_BYTES));
    total += pending;
    pending = 0;
  };

  writer.append(Buffer.alloc(4));
  return {
    write: (matrix, row, wire, value) => {
      const at = batch + pending * COEFFICIENT_BYTES;
      const words = curve.words(at, 3);
      words[0] = matrix;
      words[1] = row;
      words[2] = wire;
      multiply(value, shift, at + 12);
      pending += 1;
      if (pending === COEFFICIENTS_PER_WRITE) flush();
    },
    finish: () => {
      flush();
      const count = Buffer.alloc(4);
      count.writeUInt32LE(total);
      writer.patch(0, count);
    },
  };
}
