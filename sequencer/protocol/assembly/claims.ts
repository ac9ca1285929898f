/**
 * What a claim must be before its equation is looked at. A claim is six words: R8 x, R8 y, key x,
 * key y, message, S.
 */
import { completeAffine, double, isNeutral, isOnCurve, ORDER, SCALE } from "./curve";
import { fromWords, isCanonical } from "./field";
import { ELEMENT, mul } from "./products";

export const WORD: usize = 32;
/** Bytes of a claim. */
export const CLAIM: usize = 192;
const KEY_AT: usize = 64;
const MESSAGE_AT: usize = 128;
export const S_AT: usize = 160;

/** Whether S is below the order, and R8's coordinates and the message below p. */
export function isWellFormed(claim: usize): bool {
  if (!isBelowOrder(claim + S_AT)) return false;
  if (!isCanonical(claim) || !isCanonical(claim + WORD)) return false;
  return isCanonical(claim + MESSAGE_AT);
}

/** key = 8 A; false if a coordinate is not below p, A is not on the curve, or 8 A is neutral. */
export function readKey(key: usize, claim: usize): bool {
  if (!readPoint(key, claim + KEY_AT)) return false;
  double(key, key, false);
  double(key, key, false);
  double(key, key, true);
  return !isNeutral(key);
}

/** p = the point of two words; false if it is none of the curve. */
export function readPoint(p: usize, words: usize): bool {
  if (!isCanonical(words) || !isCanonical(words + WORD)) return false;
  fromWords(p, words);
  mul(p, p, SCALE);
  fromWords(p + ELEMENT, words + WORD);
  completeAffine(p);
  return isOnCurve(p);
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
export function negateModuloOrder(scalar: usize): void {
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
