/**
 * Baby Jubjub, on the isomorphic curve -x^2 + y^2 = 1 + d x^2 y^2: x is circomlib's x times
 * `SCALE`, the root of -168700, and d = -168696/168700. On it an addition takes 8 products (Hisil,
 * Wong, Carter, Dawson 2008). -1 is a square and d is none, so the formulas hold for every two
 * points of the curve, those of small order included.
 *
 * A point is X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z. What is added often is kept prepared as
 * Y + X, Y - X, 2dT and 2Z, or without 2Z if Z = 1.
 */
import {
  add,
  addLazy,
  canonical,
  copy,
  equal,
  invertMany,
  isZero,
  ONE,
  sub,
  subLazy,
} from "./field";
import { scratch } from "./heap";
import { ELEMENT, mul, square, ZERO } from "./products";

export const POINT: usize = 4 * ELEMENT;
const PREPARED: usize = 4 * ELEMENT;
/** A prepared point with Z = 1. */
export const ENTRY: usize = 3 * ELEMENT;
const Y: usize = ELEMENT;
const Z: usize = 2 * ELEMENT;
const T: usize = 3 * ELEMENT;

/** The smaller root of -168700, and its inverse. */
export const SCALE = memory.data<u32>([
  0x13f870b4, 0x0a709bac, 0x00f34b70, 0x1206ef1a, 0x0fd881d0, 0x110a6505, 0x11caef28, 0x11847a65,
  0x12dd6a,
]);
export const UNSCALE = memory.data<u32>([
  0x09fd050c, 0x013b57c8, 0x1d9840bd, 0x1dadea63, 0x0e14df6b, 0x1f447410, 0x06969e45, 0x17906da1,
  0x2a55f0,
]);
/** 2d. */
const TWICE_D = memory.data<u32>([
  0x03dc6301, 0x12357160, 0x0bbe55d6, 0x09e5a038, 0x0de674ac, 0x0ff632e2, 0x08361470, 0x048fa737,
  0x2f4e4c,
]);
/** circomlib's Base8: x scaled, and y. */
const BASE_X = memory.data<u32>([
  0x1256f0aa, 0x1643ea8c, 0x12c23cd2, 0x1419668c, 0x066d92cd, 0x04968e5b, 0x01adf1ac, 0x0c1f6d12,
  0x13e40f,
]);
const BASE_Y = memory.data<u32>([
  0x10403537, 0x1bb5c071, 0x1e18f6e8, 0x1668dae4, 0x0a95f960, 0x0f8d13a8, 0x1281e883, 0x15d13959,
  0xbe9f1,
]);
/** Order of the subgroup of `Base8`, as 32 bytes. */
export const ORDER = memory.data<u32>([
  0x392126f1, 0x677297dc, 0x3920ee0a, 0xab3eedb8, 0xd0302b0b, 0x370a08b6, 0x5c263405, 0x060c89ce,
]);
/** Bits that a scalar below the order has, and one for the carry of signed digits. */
export const SCALAR_BITS = 252;
const SLIDING_BITS = 5;
/** Places of digits: the last carry stands above the scalar's bits. */
const DIGIT_COUNT = 256;

const A = memory.data(40);
const B = memory.data(40);
const C = memory.data(40);
const D = memory.data(40);
const E = memory.data(40);
const F = memory.data(40);
const G = memory.data(40);
const H = memory.data(40);
const STEP = memory.data(4 * 40);
const MULTIPLES = memory.data(8 * 4 * 36);
const DIGITS = memory.data(256);

export function setNeutral(p: usize): void {
  copy(p, ZERO);
  copy(p + Y, ONE);
  copy(p + Z, ONE);
  copy(p + T, ZERO);
}

export function setBase(p: usize): void {
  copy(p, BASE_X);
  copy(p + Y, BASE_Y);
  completeAffine(p);
}

/** Z and T for X and Y that are affine. */
export function completeAffine(p: usize): void {
  copy(p + Z, ONE);
  mul(p + T, p, p + Y);
}

/** Whether an affine point satisfies the equation: 2 (y^2 - x^2) = 2 + 2d x^2 y^2. */
export function isOnCurve(p: usize): bool {
  square(A, p);
  square(B, p + Y);
  sub(C, B, A);
  add(C, C, C);
  mul(D, A, B);
  mul(D, D, TWICE_D);
  add(D, D, ONE);
  add(D, D, ONE);
  return equal(C, D);
}

export function isNeutral(p: usize): bool {
  return isZero(p) && equal(p + Y, p + Z);
}

/** z = 2 p; T only if it is asked for. z may be p. */
export function double(z: usize, p: usize, withT: bool): void {
  square(A, p);
  square(B, p + Y);
  square(C, p + Z);
  addLazy(C, C, C);
  addLazy(H, A, B);
  addLazy(E, p, p + Y);
  square(E, E);
  sub(E, H, E);
  sub(G, A, B);
  addLazy(F, C, G);
  mul(z, E, F);
  mul(z + Y, G, H);
  mul(z + Z, F, G);
  if (withT) mul(z + T, E, H);
}

/** q = p, prepared. q is not p. */
function prepare(q: usize, p: usize): void {
  add(q, p + Y, p);
  sub(q + ELEMENT, p + Y, p);
  mul(q + 2 * ELEMENT, p + T, TWICE_D);
  add(q + 3 * ELEMENT, p + Z, p + Z);
}

/** z = p + q or p - q for a prepared q. z may be p. */
function addPrepared(z: usize, p: usize, q: usize, negative: bool): void {
  mul(D, p + Z, q + 3 * ELEMENT);
  finishAddition(z, p, q, negative);
}

/** The same for a table's entry. */
function addEntry(z: usize, p: usize, q: usize, negative: bool): void {
  add(D, p + Z, p + Z);
  finishAddition(z, p, q, negative);
}

/** Negating q swaps Y + X and Y - X, and the sign of 2dT. */
function finishAddition(z: usize, p: usize, q: usize, negative: bool): void {
  const sum = negative ? q + ELEMENT : q;
  const difference = negative ? q : q + ELEMENT;
  subLazy(A, p + Y, p);
  mul(A, A, difference);
  addLazy(B, p + Y, p);
  mul(B, B, sum);
  mul(C, p + T, q + 2 * ELEMENT);
  sub(E, B, A);
  addLazy(H, B, A);
  subLazy(negative ? G : F, D, C);
  addLazy(negative ? F : G, D, C);
  mul(z, E, F);
  mul(z + Y, G, H);
  mul(z + T, E, H);
  mul(z + Z, F, G);
}

export function bitsAt(scalar: usize, bit: i32, count: i32): i32 {
  const word = bit >> 6;
  const shift = bit & 63;
  if (word > 3) return 0;
  let bits = load<u64>(scalar + ((word << 3) as usize)) >> shift;
  if (shift + count > 64 && word < 3) {
    bits |= load<u64>(scalar + ((word << 3) as usize), 8) << (64 - shift);
  }
  return (bits & ((1 << count) - 1)) as i32;
}

/** Signed windows of `bits` bits. */
export function windowCount(bits: i32): i32 {
  return (SCALAR_BITS + bits - 1) / bits;
}

export function entryCount(bits: i32): i32 {
  return windowCount(bits) << (bits - 1);
}

export function tableBytes(bits: i32): usize {
  return (entryCount(bits) as usize) * ENTRY;
}

/**
 * Fills a fixed-base table: for window w the multiples 1 to 2^(bits - 1) of 2^(bits w) p, so that a
 * multiplication takes one addition for each window and no doubling.
 */
export function buildTable(table: usize, p: usize, bits: i32): void {
  const count = entryCount(bits);
  const room = (count as usize) * ELEMENT;
  const points = scratch((count as usize) * POINT + 2 * room);
  const inverses = points + (count as usize) * POINT;
  const half = 1 << (bits - 1);
  let at = points;
  copyPoint(at, p);
  for (let window = windowCount(bits); window > 0; window--) {
    prepare(STEP, at);
    for (let multiple = 1; multiple < half; multiple++) {
      addPrepared(at + POINT, at, STEP, false);
      at += POINT;
    }
    if (window > 1) double(at + POINT, at, true);
    at += POINT;
  }
  for (let i: usize = 0; i < (count as usize); i++)
    copy(inverses + i * ELEMENT, points + i * POINT + Z);
  invertMany(inverses, count, inverses + room);
  for (let i: usize = 0; i < (count as usize); i++) {
    writeEntry(table + i * ENTRY, points + i * POINT, inverses + i * ELEMENT);
  }
}

function writeEntry(entry: usize, p: usize, inverse: usize): void {
  mul(A, p, inverse);
  mul(B, p + Y, inverse);
  add(entry, B, A);
  sub(entry + ELEMENT, B, A);
  mul(C, A, B);
  mul(entry + 2 * ELEMENT, C, TWICE_D);
  for (let at: usize = 0; at < ENTRY; at += ELEMENT) canonical(entry + at, entry + at);
}

function copyPoint(z: usize, p: usize): void {
  memory.copy(z, p, POINT);
}

/** z = z + scalar times the point of a table. */
export function addMultipleByTable(z: usize, table: usize, bits: i32, scalar: usize): void {
  const half = 1 << (bits - 1);
  let carry = 0;
  for (let bit = 0; bit < SCALAR_BITS; bit += bits) {
    let digit = bitsAt(scalar, bit, bits) + carry;
    carry = digit > half ? 1 : 0;
    digit -= carry << bits;
    if (digit > 0) addEntry(z, z, table + ((digit - 1) as usize) * ENTRY, false);
    else if (digit < 0) addEntry(z, z, table + ((-digit - 1) as usize) * ENTRY, true);
    table += (half as usize) * ENTRY;
  }
}

/** z = scalar p by wNAF: odd multiples up to 15, an addition every sixth bit. z is not p. */
export function multiple(z: usize, p: usize, scalar: usize): void {
  double(z, p, true);
  prepare(STEP, z);
  copyPoint(z, p);
  prepare(MULTIPLES, z);
  for (let at = PREPARED; at < 8 * PREPARED; at += PREPARED) {
    addPrepared(z, z, STEP, false);
    prepare(MULTIPLES + at, z);
  }
  setNeutral(z);
  let top = recode(scalar);
  for (; top >= 0; top--) {
    const digit = load<i8>(DIGITS + (top as usize)) as i32;
    double(z, z, digit !== 0 || top === 0);
    if (digit > 0) addPrepared(z, z, MULTIPLES + ((digit >> 1) as usize) * PREPARED, false);
    if (digit < 0) addPrepared(z, z, MULTIPLES + ((-digit >> 1) as usize) * PREPARED, true);
  }
}

/** Writes the digits, and returns the place of the highest that is not 0. */
function recode(scalar: usize): i32 {
  memory.fill(DIGITS, 0, 256);
  let highest = -1;
  let carry = 0;
  let bit = 0;
  while (bit < DIGIT_COUNT) {
    if (bitsAt(scalar, bit, 1) === carry) {
      bit++;
      continue;
    }
    const digit = bitsAt(scalar, bit, SLIDING_BITS) + carry;
    carry = digit >> (SLIDING_BITS - 1);
    store<i8>(DIGITS + (bit as usize), (digit - (carry << SLIDING_BITS)) as i8);
    highest = bit;
    bit += SLIDING_BITS;
  }
  return highest;
}
