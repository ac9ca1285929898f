/**
 * Memory that two threads share: one writes claims and reads verdicts, the other the reverse. Both
 * counters only grow, modulo 2^32; a claim's place is its number modulo the places.
 */
import type { SignatureClaim } from "../ports.ts";
import { fitsWord } from "../protocol/wasm.ts";

/** Claims that may stand in the ring; a power of two. */
export const PLACES = 1024;

/** Counters: claims written, and claims that have their verdict. */
export const POSTED = 0;
export const DONE = 1;

const COUNTERS_BYTES = 64;
const CLAIM_WORDS = 6;
/** Of 64 bits each, least significant first. */
const LIMBS = 4;
const LIMB_BITS = 64n;
const CLAIM_BYTES = CLAIM_WORDS * LIMBS * BigUint64Array.BYTES_PER_ELEMENT;

export interface SignatureRing {
  readonly counters: Int32Array<SharedArrayBuffer>;
  readonly claims: BigUint64Array<SharedArrayBuffer>;
  /** 1: the signature holds. */
  readonly verdicts: Uint8Array<SharedArrayBuffer>;
}

export function createRingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTERS_BYTES + PLACES * (CLAIM_BYTES + 1));
}

export function ringOf(memory: SharedArrayBuffer): SignatureRing {
  const claims = PLACES * CLAIM_WORDS * LIMBS;
  return {
    counters: new Int32Array(memory, 0, 2),
    claims: new BigUint64Array(memory, COUNTERS_BYTES, claims),
    verdicts: new Uint8Array(memory, COUNTERS_BYTES + PLACES * CLAIM_BYTES, PLACES),
  };
}

export function placeOf(number: number): number {
  return number & (PLACES - 1);
}

/** How far `number` is after `other`; negative: before. */
export function distance(number: number, other: number): number {
  return (number - other) | 0;
}

export function following(number: number): number {
  return (number + 1) | 0;
}

/** Whether it can be written; what cannot is no signature. */
export function fitsRing(claim: SignatureClaim): boolean {
  return wordsOf(claim).every(fitsWord);
}

export function writeClaim({ claims }: SignatureRing, place: number, claim: SignatureClaim): void {
  let at = place * CLAIM_WORDS * LIMBS;
  for (const word of wordsOf(claim)) {
    // A store keeps the low 64 bits of what it is given.
    for (let limb = 0n; limb < LIMBS; limb++) claims[at++] = word >> (limb * LIMB_BITS);
  }
}

export function readClaim({ claims }: SignatureRing, place: number): SignatureClaim {
  const word = (index: number): bigint => {
    const at = (place * CLAIM_WORDS + index) * LIMBS;
    let value = 0n;
    for (let limb = LIMBS - 1; limb >= 0; limb--) value = (value << LIMB_BITS) | claims[at + limb]!;
    return value;
  };
  return {
    signature: { r8x: word(0), r8y: word(1), s: word(2) },
    key: { x: word(3), y: word(4) },
    message: word(5),
  };
}

function wordsOf({ key, message, signature }: SignatureClaim): readonly bigint[] {
  const { r8x, r8y, s } = signature;
  return [r8x, r8y, s, key.x, key.y, message];
}
