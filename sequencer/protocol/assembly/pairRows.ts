/** Rows hashed two at a time: what only hosts with relaxed SIMD can load. */
import { toWords } from "./field";
import { hashPair } from "./pairPoseidon";
import { BLOCK, elementsFromWords, WORDS, wordBuffer } from "./poseidon";
import { ELEMENT } from "./products";

/** For one vector of a pair as many elements as the word buffer has words. */
const FIRST = memory.data(496 * 36);
const SECOND = memory.data(496 * 36);
const UNUSED = memory.data(36);

/** As `hashRows`. */
export function hashRowsInPairs(z: usize, inputs: usize, count: i32, rows: i32): void {
  const row = (count as usize) * ELEMENT;
  for (; rows > 1; rows -= 2) {
    hashPair(z, z + ELEMENT, inputs, inputs + row, count);
    z += 2 * ELEMENT;
    inputs += 2 * row;
  }
  if (rows > 0) hashPair(z, UNUSED, inputs, inputs, count);
}

/** As `chains`. */
export function chainsInPairs(count: i32, rows: i32): void {
  const words = wordBuffer();
  for (let row = 0; row < rows; row += 2) {
    const isLast = row + 1 === rows;
    elementsFromWords(FIRST, words + ((row * count) as usize) * WORDS, count);
    if (!isLast) elementsFromWords(SECOND, words + ((row * count + count) as usize) * WORDS, count);
    chainPair(FIRST, isLast ? FIRST : SECOND, count);
    toWords(words + (row as usize) * WORDS, FIRST);
    if (!isLast) toWords(words + (row as usize) * WORDS + WORDS, SECOND);
  }
}

/** Leaves each vector's hash in its first element. */
function chainPair(first: usize, second: usize, count: i32): void {
  let at: usize = 0;
  let rest = count;
  while (rest > BLOCK) {
    const next = at + ((BLOCK - 1) as usize) * ELEMENT;
    hashPair(first + next, second + next, first + at, second + at, BLOCK);
    at = next;
    rest -= BLOCK - 1;
  }
  hashPair(FIRST, SECOND, first + at, second + at, rest);
}
