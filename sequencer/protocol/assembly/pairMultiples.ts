/**
 * Multiples of two points by two scalars at a time. Digits are those of signed windows, and a 0
 * adds the neutral point: lanes differ in what they add, not in when.
 *
 * An entry is a prepared point, its elements factors of one lane. In a table with Z = 1 it has only
 * three and is half of it (`pairCurve.ts`), which spares doubling Z at each addition.
 */
import {
  bitsAt,
  buildTable,
  entryCount,
  ENTRY as PLAIN_ENTRY,
  SCALAR_BITS,
  tableBytes,
  windowCount,
} from "./curve";
import {
  addEntry,
  addPrepared,
  doublePair,
  PAIR_POINT,
  preparePair,
  setNeutralPair,
} from "./pairCurve";
import { factorOf } from "./pairElements";
import { SINGLE } from "./pairs";
import { ELEMENT, mul } from "./products";

const ENTRY: usize = 3 * SINGLE;
const PREPARED: usize = 4 * SINGLE;
/** Windows of points without a table, and how many of their multiples are prepared. */
const WINDOW_BITS = 5;
const HALF = 16;
const SIGN: i64 = 0x8000000000000000;

/** (Y + X, Y - X, 2dT, 2Z) / 2 */
const NEUTRAL = memory.data<f64>([
  -275745356120064.0, 976797583207362.0, -847382993463249.0, -11467899366816.0, -425658968115597.0,
  -275745356120064.0, 976797583207362.0, -847382993463249.0, -11467899366816.0, -425658968115597.0,
  0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0,
]);
/** 1 / 2 as an element. */
const ONE_HALF = memory.data<u32>([
  0x1fffffac, 0xedb5ba9, 0x9c4156e, 0xf90701e, 0x1016ecef, 0x100ec0c7, 0x93e16a4, 0x9c376ee,
  0x1f1642,
]);
const PLAIN = memory.data(3 * 36);
const HALVED = memory.data(40);
/** One digit for each window. */
const FIRST_DIGITS = memory.data(64);
const SECOND_DIGITS = memory.data(64);
const STEP = memory.data(4 * 80, 16);
const POINT = memory.data(4 * 80, 16);
/** For each lane 1 to `HALF` times its point. */
const FIRST_MULTIPLES = memory.data(16 * 4 * 40);
const SECOND_MULTIPLES = memory.data(16 * 4 * 40);

export function pairTableSize(bits: i32): usize {
  return (entryCount(bits) as usize) * ENTRY;
}

/** As `buildTable`; the table is of one point, for either lane. */
export function buildLaneTable(table: usize, p: usize, bits: i32): void {
  const end = table + pairTableSize(bits);
  // Entries of elements are shorter: at the end they are out of the way of those before them.
  let plain = end - tableBytes(bits);
  buildTable(plain, p, bits);
  while (table < end) {
    memory.copy(PLAIN, plain, PLAIN_ENTRY);
    plain += PLAIN_ENTRY;
    for (let at: usize = 0; at < PLAIN_ENTRY; at += ELEMENT) {
      mul(HALVED, PLAIN + at, ONE_HALF);
      factorOf(table, HALVED);
      table += SINGLE;
    }
  }
}

/** z = z + the scalars times the points of two tables. */
export function addMultiplesByTables(
  z: usize,
  first: usize,
  second: usize,
  bits: i32,
  firstScalar: usize,
  secondScalar: usize,
): void {
  recode(FIRST_DIGITS, firstScalar, bits);
  recode(SECOND_DIGITS, secondScalar, bits);
  const count = windowCount(bits) as usize;
  const window = ENTRY << (bits - 1);
  for (let at: usize = 0; at < count; at++) {
    takeEntries(first, second, at, ENTRY);
    addEntry(z, STEP);
    first += window;
    second += window;
  }
}

/** z = the scalars times the points p. z is not p. */
export function multiplyPair(z: usize, p: usize, firstScalar: usize, secondScalar: usize): void {
  fillMultiples(p);
  recode(FIRST_DIGITS, firstScalar, WINDOW_BITS);
  recode(SECOND_DIGITS, secondScalar, WINDOW_BITS);
  setNeutralPair(z);
  const top = windowCount(WINDOW_BITS) - 1;
  for (let at = top; at >= 0; at--) {
    // Twice the neutral point is the neutral point.
    const doublings = at === top ? 0 : WINDOW_BITS;
    for (let bit = 1; bit <= doublings; bit++) doublePair(z, z, bit === doublings);
    takeEntries(FIRST_MULTIPLES, SECOND_MULTIPLES, at as usize, PREPARED);
    addPrepared(z, z, STEP, at === 0);
  }
}

function fillMultiples(p: usize): void {
  preparePair(STEP, p);
  separate(0);
  memory.copy(POINT, p, PAIR_POINT);
  const end = (HALF as usize) * PREPARED;
  for (let at = PREPARED; at < end; at += PREPARED) {
    preparePair(STEP, p);
    addPrepared(POINT, POINT, STEP, true);
    preparePair(STEP, POINT);
    separate(at);
  }
}

/** The entries of both lanes in STEP to their own places. */
function separate(place: usize): void {
  for (let at: usize = 0; at < PREPARED; at += 8) {
    store<f64>(FIRST_MULTIPLES + place + at, load<f64>(STEP + 2 * at));
    store<f64>(SECOND_MULTIPLES + place + at, load<f64>(STEP + 2 * at, 8));
  }
}

/** The digits of a scalar below 2^251, from -2^(bits - 1) + 1 to 2^(bits - 1). */
function recode(digits: usize, scalar: usize, bits: i32): void {
  const half = 1 << (bits - 1);
  let carry = 0;
  for (let bit = 0; bit < SCALAR_BITS; bit += bits) {
    const digit = bitsAt(scalar, bit, bits) + carry;
    carry = digit > half ? 1 : 0;
    store<i8>(digits, (digit - (carry << bits)) as i8);
    digits++;
  }
}

/** STEP = each lane's entry by its digit in a window, negated for a negative one. */
function takeEntries(first: usize, second: usize, window: usize, size: usize): void {
  const digit = load<i8>(FIRST_DIGITS + window) as i32;
  const other = load<i8>(SECOND_DIGITS + window) as i32;
  const a = entryOf(first, digit, size);
  const b = entryOf(second, other, size);
  // Negating swaps Y + X and Y - X, and the sign of 2dT.
  const aSwap = digit < 0 ? SINGLE : 0;
  const bSwap = other < 0 ? SINGLE : 0;
  const signs = i64x2.replace_lane(i64x2.splat((digit as i64) & SIGN), 1, (other as i64) & SIGN);
  for (let at: usize = 0; at < SINGLE; at += 8) {
    const to = STEP + 2 * at;
    v128.store(to, lanes(a + aSwap + at, b + bSwap + at));
    v128.store(to, lanes(a + SINGLE - aSwap + at, b + SINGLE - bSwap + at), 80);
    v128.store(to, v128.xor(lanes(a + 2 * SINGLE + at, b + 2 * SINGLE + at), signs), 160);
  }
  if (size === ENTRY) return;
  for (let at: usize = 3 * SINGLE; at < PREPARED; at += 8) {
    v128.store(STEP + 2 * at, lanes(a + at, b + at));
  }
}

function lanes(first: usize, second: usize): v128 {
  return v128.load64_lane(second, v128.load64_zero(first), 1);
}

function entryOf(table: usize, digit: i32, size: usize): usize {
  return digit === 0 ? NEUTRAL : table + ((abs(digit) - 1) as usize) * size;
}
