/**
 * Two signatures at a time, a lane for each: as `verifies` in `eddsa.ts`, with all of its checks
 * for each. Two claims stand in the word buffer, one behind the other.
 */
import { CLAIM, isWellFormed, negateModuloOrder, readKey, S_AT } from "./claims";
import { POINT, setBase } from "./curve";
import { toWords } from "./field";
import { reserve } from "./heap";
import { PAIR_ONE, setNeutralPair } from "./pairCurve";
import { pairOf } from "./pairElements";
import { addMultiplesByTables, buildLaneTable, multiplyPair, pairTableSize } from "./pairMultiples";
import { hashPair } from "./pairPoseidon";
import { mulPair } from "./pairProducts";
import { subPair } from "./pairSums";
import { PAIR } from "./pairs";
import { elementsFromWords, wordBuffer } from "./poseidon";
import { ELEMENT } from "./products";

/** Windows of the generator's table, and of a key's: 276 KB and 60 KB. */
const BASE_BITS = 7;
const KEY_BITS = 4;
const BOTH = 3;

/** `SCALE` in both lanes. */
const PAIR_SCALE = memory.data<f64>([
  1093747122296680.0, 1093747122296680.0, 358732112522639.0, 358732112522639.0, 1011850771863515.0,
  1011850771863515.0, 745014646826818.0, 745014646826818.0, 247386710498670.0, 247386710498670.0,
]);
const NO_ADDEND = memory.data<i64>([0, 0, 0, 0, 0]);
const INPUTS = memory.data(2 * 5 * 36);
const CHALLENGES = memory.data(2 * 36);
const SCALARS = memory.data(2 * 32);
const KEYS = memory.data(2 * 4 * 36);
const KEY_PAIR = memory.data(4 * 80, 16);
const SUM = memory.data(4 * 80, 16);
const R8 = memory.data(80, 16);
let baseTable: usize = 0;

function generatorTable(): usize {
  if (baseTable === 0) {
    baseTable = reserve(pairTableSize(BASE_BITS));
    setBase(KEYS);
    buildLaneTable(baseTable, KEYS, BASE_BITS);
  }
  return baseTable;
}

/** Bytes of a key's table. */
export function pairTableBytes(): usize {
  return pairTableSize(KEY_BITS);
}

/** As `fillKeyTable`, for the key of the first claim; the table is for either lane. */
export function fillPairTable(table: usize): bool {
  if (!readKey(KEYS, wordBuffer())) return false;
  buildLaneTable(table, KEYS, KEY_BITS);
  return true;
}

/**
 * Whether the first claim holds (1) and the second (2). `first` and `second` are their keys'
 * tables, filled for the same words, or 0; both are of use only if both are there.
 */
export function verifiesPair(first: usize, second: usize): i32 {
  const words = wordBuffer();
  generatorTable();
  const isByTables = first !== 0 && second !== 0;
  const isFirst = isPossible(words, KEYS, isByTables);
  const isSecond = isPossible(words + CLAIM, KEYS + POINT, isByTables);
  // The lane of a claim that is none repeats the other's: only what has passed is computed with.
  if (!isFirst && !isSecond) return 0;
  if (!isSecond) return judge(words, words, KEYS, KEYS, first, first) & 1;
  const other = words + CLAIM;
  const otherKey = KEYS + POINT;
  if (!isFirst) return judge(other, other, otherKey, otherKey, second, second) & 2;
  return judge(words, other, KEYS, otherKey, first, second);
}

/** Whether the first claim holds (1), alone. */
export function verifiesAlone(table: usize): i32 {
  const words = wordBuffer();
  generatorTable();
  if (!isPossible(words, KEYS, table !== 0)) return 0;
  return judge(words, words, KEYS, KEYS, table, table) & 1;
}

/** All checks but the equation. */
function isPossible(claim: usize, key: usize, hasTable: bool): bool {
  return isWellFormed(claim) && (hasTable || readKey(key, claim));
}

/** A bit for each lane in which R8 = S B8 - h (8 A), by tables if there are two. */
function judge(
  first: usize,
  second: usize,
  firstKey: usize,
  secondKey: usize,
  firstTable: usize,
  secondTable: usize,
): i32 {
  challenge(first, second);
  if (firstTable !== 0 && secondTable !== 0) {
    setNeutralPair(SUM);
    addMultiplesByTables(SUM, firstTable, secondTable, KEY_BITS, SCALARS, SCALARS + 32);
  } else {
    for (let at = 0; at < 4; at++) {
      const element = (at as usize) * ELEMENT;
      pairOf(KEY_PAIR + (at as usize) * PAIR, firstKey + element, secondKey + element, NO_ADDEND);
    }
    multiplyPair(SUM, KEY_PAIR, SCALARS, SCALARS + 32);
  }
  addMultiplesByTables(SUM, baseTable, baseTable, BASE_BITS, first + S_AT, second + S_AT);
  return lanesAtR8();
}

/** SCALARS = -h modulo the order. */
function challenge(first: usize, second: usize): void {
  elementsFromWords(INPUTS, first, 5);
  elementsFromWords(INPUTS + 5 * ELEMENT, second, 5);
  hashPair(CHALLENGES, CHALLENGES + ELEMENT, INPUTS, INPUTS + 5 * ELEMENT, 5);
  toWords(SCALARS, CHALLENGES);
  toWords(SCALARS + 32, CHALLENGES + ELEMENT);
  negateModuloOrder(SCALARS);
  negateModuloOrder(SCALARS + 32);
}

/** Lanes in which SUM = R8, by X = x Z and Y = y Z. */
function lanesAtR8(): i32 {
  const z = SUM + 2 * PAIR;
  pairOf(R8, INPUTS, INPUTS + 5 * ELEMENT, NO_ADDEND);
  mulPair(R8, R8, PAIR_SCALE);
  mulPair(R8, R8, z);
  subPair(R8, R8, SUM);
  const inX = zeroLanes(R8);
  pairOf(R8, INPUTS + ELEMENT, INPUTS + 6 * ELEMENT, NO_ADDEND);
  mulPair(R8, R8, z);
  subPair(R8, R8, SUM + PAIR);
  return inX & zeroLanes(R8);
}

/** Lanes that are 0 modulo p: settled they are nearer to 0 than p, and 0 has no other limbs. */
function zeroLanes(x: usize): i32 {
  mulPair(x, x, PAIR_ONE);
  let bits = v128.load(x);
  for (let at: usize = 16; at < PAIR; at += 16) {
    bits = v128.or(bits, v128.load(x + at));
  }
  return i64x2.bitmask(i64x2.eq(f64x2.abs(bits), i64x2.splat(0))) & BOTH;
}
