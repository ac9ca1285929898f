/**
 * Memory that two threads share while they hash the same vectors. Each takes the next vector that
 * nobody has taken; what the helper has hashed it marks with the round's number.
 */
import { readWordAt, WORDS_EACH, writeWordAt } from "../protocol/wasm.ts";

/** Vectors, and words in all of them, that a round may have. */
export const VECTORS_MAX = 1024;
export const WORDS_MAX = 8192;

/** Counters: the round that is open, the one that the helper is through with, the next vector. */
export const POSTED = 0;
export const DONE = 1;
export const NEXT = 2;
export const COUNT = 3;
const COUNTERS = 4;

export interface HashMemory {
  readonly counters: Int32Array<SharedArrayBuffer>;
  /** Where a vector's words end; they begin where those of the one before do. */
  readonly ends: Int32Array<SharedArrayBuffer>;
  /** The last round in which the helper has hashed the vector of this place. */
  readonly hashed: Int32Array<SharedArrayBuffer>;
  readonly words: BigUint64Array<SharedArrayBuffer>;
  readonly hashes: BigUint64Array<SharedArrayBuffer>;
}

const INTS = COUNTERS + 2 * VECTORS_MAX;

export function createHashMemory(): SharedArrayBuffer {
  const limbs = WORDS_EACH * (WORDS_MAX + VECTORS_MAX);
  const { BYTES_PER_ELEMENT } = BigUint64Array;
  return new SharedArrayBuffer(INTS * Int32Array.BYTES_PER_ELEMENT + limbs * BYTES_PER_ELEMENT);
}

export function hashMemoryOf(memory: SharedArrayBuffer): HashMemory {
  const { BYTES_PER_ELEMENT } = Int32Array;
  const words = INTS * BYTES_PER_ELEMENT;
  const hashes = words + WORDS_EACH * WORDS_MAX * BigUint64Array.BYTES_PER_ELEMENT;
  return {
    counters: new Int32Array(memory, 0, COUNTERS),
    ends: new Int32Array(memory, COUNTERS * BYTES_PER_ELEMENT, VECTORS_MAX),
    hashed: new Int32Array(memory, (COUNTERS + VECTORS_MAX) * BYTES_PER_ELEMENT, VECTORS_MAX),
    words: new BigUint64Array(memory, words, WORDS_EACH * WORDS_MAX),
    hashes: new BigUint64Array(memory, hashes, WORDS_EACH * VECTORS_MAX),
  };
}

/** Writes vectors that fit; their words are values of at most 256 bits. */
export function writeVectors(
  { ends, words }: HashMemory,
  vectors: readonly (readonly bigint[])[],
): void {
  let end = 0;
  for (const [at, vector] of vectors.entries()) {
    for (const word of vector) writeWordAt(words, WORDS_EACH * end++, word);
    ends[at] = end;
  }
}

export function writeHash({ hashes }: HashMemory, at: number, hash: bigint): void {
  writeWordAt(hashes, WORDS_EACH * at, hash);
}

export function readHash({ hashes }: HashMemory, at: number): bigint {
  return readWordAt(hashes, WORDS_EACH * at);
}

export function readVector({ ends, words }: HashMemory, at: number): bigint[] {
  const from = at === 0 ? 0 : ends[at - 1]!;
  return Array.from({ length: ends[at]! - from }, (_, index) =>
    readWordAt(words, WORDS_EACH * (from + index)),
  );
}
