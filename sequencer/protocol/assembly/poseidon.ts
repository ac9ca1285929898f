/** Poseidon over BN254 as circomlib has it: S-box x^5, 8 full rounds, capacity lane 0 first. */
import { add, copy, fromWords, toWords } from "./field";
import {
  CONSTANTS,
  derive,
  ENTRY,
  EXIT,
  HALF,
  MIX,
  partialRounds,
  RECURRENCE,
  table,
  WIDTH_MAX,
} from "./poseidonParameters";
import { dot, ELEMENT, mul, square, ZERO } from "./products";

/** Elements that one Poseidon of a chain takes. */
export const BLOCK = WIDTH_MAX - 1;
/** Elements that `chains` reads: one block of 16 and then 32 of 15. */
const INPUTS: usize = 496;
export const WORDS: usize = 32;

/** 32-byte words from outside, and to outside. */
const WORD_BUFFER = memory.data(496 * 32);
const INPUT_BUFFER = memory.data(496 * 36);
const RESULT = memory.data(64);
const STATE = memory.data(17 * 36);
const OTHER = memory.data(17 * 36);
/** Two elements for each partial round, and the past before the first. */
const TAPE = memory.data((2 * 70 + 2 * 17) * 36);
const TEMPORARY = memory.data(64);

export function wordBuffer(): usize {
  return WORD_BUFFER;
}

/** How many words that buffer holds. */
export function wordBufferLength(): i32 {
  return INPUTS as i32;
}

function power5(z: usize, x: usize): void {
  square(TEMPORARY, x);
  square(TEMPORARY, TEMPORARY);
  mul(z, TEMPORARY, x);
}

/** z = Poseidon of `count` consecutive elements in Montgomery form, 1 to 16 of them. */
export function hashElements(z: usize, inputs: usize, count: i32): void {
  const width = count + 1;
  if (table(MIX, width) === 0) derive(width);
  const row = (width as usize) * ELEMENT;
  const constants = table(CONSTANTS, width);
  copy(STATE, constants);
  for (let at = ELEMENT; at < row; at += ELEMENT) {
    add(STATE + at, inputs + at - ELEMENT, constants + at);
    power5(STATE + at, STATE + at);
  }
  let next = mixRounds(table(MIX, width), constants + row, width, HALF - 1);
  next = partialRoundsOf(width, next);
  powerAll(row);
  mixRounds(table(MIX, width), next, width, HALF - 1);
  dot(z, table(MIX, width), STATE, width, ZERO);
}

function powerAll(row: usize): void {
  for (let at: usize = 0; at < row; at += ELEMENT) power5(STATE + at, STATE + at);
}

/** Rounds of mix, constants and S-boxes; returns where the next constants are. */
function mixRounds(mix: usize, constants: usize, width: i32, rounds: i32): usize {
  const row = (width as usize) * ELEMENT;
  for (let round = 0; round < rounds; round++) {
    for (let at: usize = 0; at < row; at += ELEMENT) {
      dot(OTHER + at, mix + at * (width as usize), STATE, width, constants + at);
    }
    for (let at: usize = 0; at < row; at += ELEMENT) power5(STATE + at, OTHER + at);
    constants += row;
  }
  return constants;
}

/** From S-box outputs in STATE to the lanes of the next full round, constants included. */
function partialRoundsOf(width: i32, constants: usize): usize {
  const row = (width as usize) * ELEMENT;
  const past = row - ELEMENT;
  const entry = table(ENTRY, width);
  memory.fill(TAPE, 0, 2 * past);
  for (let at: usize = 0; at < row; at += ELEMENT) {
    // x[1-d] to x[-1] at every second place, then y[-1] and x[0] at the last two.
    const place: usize = at < past - ELEMENT ? at + at + ELEMENT : past + at - ELEMENT;
    dot(TAPE + place, entry + at * (width as usize), STATE, width, constants + at);
  }
  constants += row;
  const recurrence = table(RECURRENCE, width);
  const terms = 2 * width - 1;
  let window = TAPE;
  for (let round = partialRounds(width); round > 0; round--) {
    const y = window + 2 * past;
    power5(y, y - ELEMENT);
    dot(y + ELEMENT, recurrence, window, terms, constants);
    window += 2 * ELEMENT;
    constants += ELEMENT;
  }
  copy(STATE, window + 2 * past - ELEMENT);
  const exit = table(EXIT, width);
  for (let at: usize = 0; at < past; at += ELEMENT) {
    const rowOf = exit + at * ((2 * width - 2) as usize);
    dot(STATE + ELEMENT + at, rowOf, window, 2 * width - 2, constants + at);
  }
  return constants + past;
}

/** Poseidon of each of `rows` consecutive groups of `count` elements in Montgomery form. */
export function hashRows(z: usize, inputs: usize, count: i32, rows: i32): void {
  const row = (count as usize) * ELEMENT;
  for (let i = 0; i < rows; i++) {
    hashElements(z, inputs, count);
    z += ELEMENT;
    inputs += row;
  }
}

export function elementsFromWords(z: usize, words: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    fromWords(z, words);
    z += ELEMENT;
    words += WORDS;
  }
}

export function elementsToWords(words: usize, x: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    toWords(words, x);
    x += ELEMENT;
    words += WORDS;
  }
}

/**
 * The hash of each of `rows` vectors of `count` words, one behind the other in the word buffer,
 * left in its first words: Poseidon of the first 16, then of the result and the next 15, and so on.
 */
export function chains(count: i32, rows: i32): void {
  for (let row = 0; row < rows; row++) {
    elementsFromWords(INPUT_BUFFER, WORD_BUFFER + ((row * count) as usize) * WORDS, count);
    let inputs = INPUT_BUFFER;
    let rest = count;
    while (rest > BLOCK) {
      hashElements(RESULT, inputs, BLOCK);
      inputs += (BLOCK as usize) * ELEMENT - ELEMENT;
      rest -= BLOCK - 1;
      copy(inputs, RESULT);
    }
    hashElements(RESULT, inputs, rest);
    toWords(WORD_BUFFER + (row as usize) * WORDS, RESULT);
  }
}
