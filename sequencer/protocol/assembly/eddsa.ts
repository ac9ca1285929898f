/**
 * What `protocol/eddsa.ts` asks of the curve. Arguments are words in the word buffer; those of a
 * verification are R8 x, R8 y, key x, key y, message, S.
 */
import {
  addMultipleByTable,
  buildTable,
  completeAffine,
  double,
  isNeutral,
  isOnCurve,
  multiple,
  ORDER,
  SCALE,
  setBase,
  setNeutral,
  tableBytes,
  UNSCALE,
} from "./curve";
import { equal, fromWords, invert, isCanonical, toWords } from "./field";
import { reserve } from "./heap";
import { elementsFromWords, hashElements, wordBuffer } from "./poseidon";
import { ELEMENT, mul } from "./products";

const WORD: usize = 32;
/** Windows of the generator's table, and of a key's: 249 KB and 54 KB. */
const BASE_BITS = 7;
const KEY_BITS = 4;

const INPUTS = memory.data(5 * 36);
const CHALLENGE = memory.data(64);
const SCALAR = memory.data(32);
const SUM = memory.data(4 * 40);
const KEY = memory.data(4 * 40);
const R8 = memory.data(2 * 40);
let baseTable: usize = 0;

function generatorTable(): usize {
  if (baseTable === 0) {
    baseTable = reserve(tableBytes(BASE_BITS));
    setBase(SUM);
    buildTable(baseTable, SUM, BASE_BITS);
  }
  return baseTable;
}

/** Bytes of a key's table. */
export function keyTableBytes(): usize {
  return tableBytes(KEY_BITS);
}

/**
 * Fills a table with multiples of 8 A for the key A whose words come third and fourth; false, and
 * no table, if A is no point of the curve or of small order.
 */
export function fillKeyTable(table: usize): bool {
  if (!readKey()) return false;
  buildTable(table, KEY, KEY_BITS);
  return true;
}

/** KEY = 8 A; false if a coordinate is not below p, A is not on the curve, or 8 A is neutral. */
function readKey(): bool {
  const words = wordBuffer() + 2 * WORD;
  if (!readPoint(KEY, words)) return false;
  double(KEY, KEY, false);
  double(KEY, KEY, false);
  double(KEY, KEY, true);
  return !isNeutral(KEY);
}

function readPoint(p: usize, words: usize): bool {
  if (!isCanonical(words) || !isCanonical(words + WORD)) return false;
  fromWords(p, words);
  mul(p, p, SCALE);
  fromWords(p + ELEMENT, words + WORD);
  completeAffine(p);
  return isOnCurve(p);
}

/** Whether the key's words name a point of the subgroup's order. */
export function isKey(): bool {
  if (!readPoint(KEY, wordBuffer() + 2 * WORD) || isNeutral(KEY)) return false;
  multiple(SUM, KEY, ORDER);
  return isNeutral(SUM);
}

/**
 * Whether S B8 = R8 + 8 h A, as R8 = S B8 - h (8 A). R8 needs no test of its own: it equals a point
 * of the curve or it does not. `table` is the key's, filled for the same words, or 0.
 */
export function verifies(table: usize): bool {
  const words = wordBuffer();
  const s = words + 5 * WORD;
  // The first time it is filled by way of SUM: before anything is there.
  const base = generatorTable();
  if (!isBelowOrder(s)) return false;
  if (!isCanonical(words) || !isCanonical(words + WORD)) return false;
  if (!isCanonical(words + 4 * WORD)) return false;
  if (table === 0 && !readKey()) return false;
  elementsFromWords(INPUTS, words, 5);
  hashElements(CHALLENGE, INPUTS, 5);
  toWords(SCALAR, CHALLENGE);
  negateModuloOrder(SCALAR);
  if (table === 0) {
    multiple(SUM, KEY, SCALAR);
  } else {
    setNeutral(SUM);
    addMultipleByTable(SUM, table, KEY_BITS, SCALAR);
  }
  addMultipleByTable(SUM, base, BASE_BITS, s);
  return isAtR8();
}

/** SUM = R8, by X = x Z and Y = y Z. */
function isAtR8(): bool {
  const z = SUM + 2 * ELEMENT;
  mul(R8, INPUTS, SCALE);
  mul(R8, R8, z);
  mul(R8 + ELEMENT, INPUTS + ELEMENT, z);
  return equal(SUM, R8) && equal(SUM + ELEMENT, R8 + ELEMENT);
}

/** Puts S B8 in place of the first two words, for S below the order in the first. */
export function multiplyBase(): void {
  const words = wordBuffer();
  const table = generatorTable();
  setNeutral(SUM);
  addMultipleByTable(SUM, table, BASE_BITS, words);
  invert(R8, SUM + 2 * ELEMENT);
  mul(SUM, SUM, R8);
  mul(SUM, SUM, UNSCALE);
  mul(SUM + ELEMENT, SUM + ELEMENT, R8);
  toWords(words, SUM);
  toWords(words + WORD, SUM + ELEMENT);
}

function isBelowOrder(scalar: usize): bool {
  for (let at: usize = 32; at > 0; at -= 8) {
    const word = load<u64>(scalar + at - 8);
    const bound = load<u64>(ORDER + at - 8);
    if (word !== bound) return word < bound;
  }
  return false;
}

/** scalar = -scalar modulo the order, for a scalar below p, which is below 8 orders. */
function negateModuloOrder(scalar: usize): void {
  while (!isBelowOrder(scalar)) subtract(scalar, scalar, ORDER);
  if (
    (load<u64>(scalar) | load<u64>(scalar, 8) | load<u64>(scalar, 16) | load<u64>(scalar, 24)) !==
    0
  ) {
    subtract(scalar, ORDER, scalar);
  }
}

/** z = x - y for 32-byte words, x not below y. */
function subtract(z: usize, x: usize, y: usize): void {
  let borrow: u64 = 0;
  for (let at: usize = 0; at < 32; at += 8) {
    const left = load<u64>(x + at);
    const right = load<u64>(y + at);
    const difference = left - right;
    const result = difference - borrow;
    borrow = ((left < right) as u64) | ((difference < borrow) as u64);
    store<u64>(z + at, result);
  }
}
