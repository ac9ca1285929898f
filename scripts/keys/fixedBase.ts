/**
 * Multiples of one group's generator by many scalars, through a table of window multiples.
 *
 * With windows of w bits the table holds j * 2^(w k) * G for every window k and digit j, and a
 * scalar costs one addition per window. The table is built in parts (see `pointWorker.ts`).
 */
import {
  AFFINE_BYTES,
  FIELD_BYTES,
  type Group,
  JACOBIAN_BYTES,
  type WasmCurve,
} from "./wasmCurve.ts";

const SCALAR_BITS = 254;
const MIN_WINDOW_BITS = 6;
const MAX_WINDOW_BITS = 16;

/** The shape of a table. */
export type TableShape = { readonly windowBits: number; readonly windows: number };

/** The shape that costs the fewest additions for so many scalars, the table's own included. */
export function tableShapeFor(scalars: number): TableShape {
  let best: TableShape = { windowBits: MIN_WINDOW_BITS, windows: 0 };
  let bestCost = Number.POSITIVE_INFINITY;
  for (let windowBits = MIN_WINDOW_BITS; windowBits <= MAX_WINDOW_BITS; windowBits++) {
    const windows = Math.ceil(SCALAR_BITS / windowBits);
    const cost = windows * (2 ** windowBits + scalars);
    if (cost < bestCost) {
      best = { windowBits, windows };
      bestCost = cost;
    }
  }
  return best;
}

/** The bytes one window takes in a table. The entry of digit 0 is there, and never read. */
export function windowBytes(group: Group, shape: TableShape): number {
  return 2 ** shape.windowBits * AFFINE_BYTES[group];
}

/** Computes the windows [from, to) and hands each over as affine points. */
export function buildWindows(
  curve: WasmCurve,
  group: Group,
  shape: TableShape,
  range: { readonly from: number; readonly to: number },
  onWindow: (window: number, points: Uint8Array) => void,
): void {
  const names = functionNames(group);
  const jacobian = JACOBIAN_BYTES[group];
  const digits = 2 ** shape.windowBits;
  const entries = curve.allocate(digits * jacobian);
  const power = curve.allocate(jacobian);
  const base = curve.allocate(AFFINE_BYTES[group]);
  curve.reserveScratch(2 * (digits + 1) * AFFINE_BYTES[group]);
  const addMixed = curve.call(names.addMixed);
  const double = curve.call(names.double);
  const toAffine = curve.call(names.batchToAffine);

  curve.call(names.toJacobian)(curve.generator(group), power);
  for (let bit = 0; bit < range.from * shape.windowBits; bit++) double(power, power);
  for (let window = range.from; window < range.to; window++) {
    toAffine(power, 1, base);
    curve.call(names.zero)(entries);
    for (let digit = 1; digit < digits; digit++) {
      addMixed(entries + (digit - 1) * jacobian, base, entries + digit * jacobian);
    }
    toAffine(entries, digits, entries);
    onWindow(window, curve.bytes(entries, windowBytes(group, shape)));
    for (let bit = 0; bit < shape.windowBits; bit++) double(power, power);
  }
}

/** Turns plain scalars into affine points, both as packed bytes. */
export type Multiplier = (scalars: Uint8Array) => Uint8Array<ArrayBuffer>;

/**
 * Prepares a multiplier whose table already lies at `table`; batches hold up to `limit`.
 *
 * Sums stay affine, and one inversion serves a whole batch per window, which halves the products
 * of a mixed addition. The affine formula fails for P + P and P - P, and neither can happen: the
 * sum so far is below 2^(w k) times G and the entry is at least that, with a total below r.
 */
export function createMultiplier(
  curve: WasmCurve,
  group: Group,
  shape: TableShape,
  table: number,
  limit: number,
): Multiplier {
  const affine = AFFINE_BYTES[group];
  const sums = curve.allocate(limit * affine);
  const slopes = curve.allocate(limit * (affine / 2));
  const addBatch = createBatchAdder(curve, group, sums, slopes);
  const bytesPerWindow = windowBytes(group, shape);
  const entries = new Uint32Array(limit);
  const isStarted = new Uint8Array(limit);

  return (scalars) => {
    const count = scalars.length / FIELD_BYTES;
    if (count > limit) throw new Error(`a batch holds at most \`${limit}\` scalars`);
    // Twice what an inversion takes for its running products.
    curve.reserveScratch((count + 1) * affine);
    const words = new Uint32Array(scalars.buffer, scalars.byteOffset, count * 8);
    curve.bytes(sums, count * affine).fill(0);
    isStarted.fill(0);
    for (let window = 0; window < shape.windows; window++) {
      const start = table + window * bytesPerWindow;
      for (let i = 0; i < count; i++) {
        const digit = digitOf(words, i * 8, window * shape.windowBits, shape.windowBits);
        const entry = digit === 0 ? 0 : start + digit * affine;
        const isFirst = digit !== 0 && isStarted[i] === 0;
        if (isFirst) {
          curve.bytes(sums + i * affine, affine).set(curve.bytes(entry, affine));
          isStarted[i] = 1;
        }
        entries[i] = isFirst ? 0 : entry;
      }
      addBatch(entries, count);
    }
    return curve.bytes(sums, count * affine).slice();
  };
}

/** Adds to sum i the table entry at offset entries[i], or nothing where that is 0. */
function createBatchAdder(
  curve: WasmCurve,
  group: Group,
  sums: number,
  slopes: number,
): (entries: Uint32Array, count: number) => void {
  const affine = AFFINE_BYTES[group];
  const size = affine / 2;
  const field = group === "G1" ? "f1m" : "f2m";
  const subtract = curve.call(`${field}_sub`);
  const multiply = curve.call(`${field}_mul`);
  const square = curve.call(`${field}_square`);
  const zero = curve.call(`${field}_zero`);
  const copy = curve.call(`${field}_copy`);
  const invertBatch = curve.call(`${field}_batchInverse`);
  const x = curve.allocate(size);
  const y = curve.allocate(size);

  return (entries, count) => {
    for (let i = 0; i < count; i++) {
      const entry = entries[i] ?? 0;
      const slope = slopes + i * size;
      // The inverse of zero is zero here, and costs the batch nothing.
      if (entry === 0) zero(slope);
      else subtract(entry, sums + i * affine, slope);
    }
    invertBatch(slopes, size, count, slopes, size);
    for (let i = 0; i < count; i++) {
      const entry = entries[i] ?? 0;
      if (entry === 0) continue;
      const sum = sums + i * affine;
      const slope = slopes + i * size;
      subtract(entry + size, sum + size, y);
      multiply(slope, y, slope);
      square(slope, x);
      subtract(x, sum, x);
      subtract(x, entry, x);
      subtract(sum, x, y);
      multiply(slope, y, y);
      subtract(y, sum + size, sum + size);
      copy(x, sum);
    }
  };
}

function digitOf(words: Uint32Array, first: number, bit: number, bits: number): number {
  const index = bit >>> 5;
  const shift = bit & 31;
  let digit = (words[first + index] ?? 0) >>> shift;
  // A digit that straddles two words takes its upper bits from the next, unless none is left.
  if (shift + bits > 32 && index < 7) digit |= (words[first + index + 1] ?? 0) << (32 - shift);
  return digit & (2 ** bits - 1);
}

type FunctionNames = {
  readonly addMixed: string;
  readonly double: string;
  readonly zero: string;
  readonly toJacobian: string;
  readonly batchToAffine: string;
};

function functionNames(group: Group): FunctionNames {
  const prefix = group === "G1" ? "g1m" : "g2m";
  return {
    addMixed: `${prefix}_addMixed`,
    double: `${prefix}_double`,
    zero: `${prefix}_zero`,
    toJacobian: `${prefix}_toJacobian`,
    batchToAffine: `${prefix}_batchToAffine`,
  };
}
