/**
 * What `protocol/eddsa.ts` asks of the curve. Arguments are words in the word buffer; those of a
 * verification are R8 x, R8 y, key x, key y, message, S.
 */
import { isWellFormed, negateModuloOrder, readKey, readPoint, S_AT, WORD } from "./claims";
import {
  addMultipleByTable,
  buildTable,
  isNeutral,
  multiple,
  ORDER,
  SCALE,
  setBase,
  setNeutral,
  tableBytes,
  UNSCALE,
} from "./curve";
import { equal, invert, toWords } from "./field";
import { reserve } from "./heap";
import { elementsFromWords, hashElements, wordBuffer } from "./poseidon";
import { ELEMENT, mul } from "./products";

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
  if (!readKey(KEY, wordBuffer())) return false;
  buildTable(table, KEY, KEY_BITS);
  return true;
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
  // The first time it is filled by way of SUM: before anything is there.
  const base = generatorTable();
  if (!isWellFormed(words)) return false;
  if (table === 0 && !readKey(KEY, words)) return false;
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
  addMultipleByTable(SUM, base, BASE_BITS, words + S_AT);
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
