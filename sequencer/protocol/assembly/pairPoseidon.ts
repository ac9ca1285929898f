/** Poseidon of two rows at once, in pairs: the rounds of `poseidon.ts`, term for term. */
import { reserve } from "./heap";
import { addendOf, elementsOfPair, factorOf, pairOf } from "./pairElements";
import { dotPair, mulPair, squarePair } from "./pairProducts";
import { PAIR, SINGLE } from "./pairs";
import {
  CONSTANTS,
  derive,
  ENTRY,
  EXIT,
  FULL_ROUNDS,
  HALF,
  MIX,
  partialRounds,
  RECURRENCE,
  table,
} from "./poseidonParameters";
import { ELEMENT, ZERO } from "./products";

/** For each width where its tables begin: constants (addends), then factors; 0 until needed. */
const TABLES = memory.data(4 * 18);
const STATE = memory.data(17 * 80, 16);
const OTHER = memory.data(17 * 80, 16);
/** As in `poseidon.ts`. */
const TAPE = memory.data((2 * 70 + 2 * 17) * 80, 16);
const POWER = memory.data(80, 16);
const NO_ADDEND = memory.data<i64>([0, 0, 0, 0, 0]);

let constants: usize = 0;
let mix: usize = 0;
let entry: usize = 0;
let recurrence: usize = 0;
let exit: usize = 0;

/** Poseidon of the `count` elements at x to z, and of those at y to w. */
export function hashPair(z: usize, w: usize, x: usize, y: usize, count: i32): void {
  const width = count + 1;
  chooseTables(width);
  const row = (width as usize) * PAIR;
  const span = (width as usize) * SINGLE;
  pairOf(STATE, ZERO, ZERO, constants);
  for (let lane = 1; lane < width; lane++) {
    const at = (lane - 1) as usize;
    const to = STATE + (lane as usize) * PAIR;
    pairOf(to, x + at * ELEMENT, y + at * ELEMENT, constants + (lane as usize) * SINGLE);
    power5(to, to);
  }
  let next = mixRounds(width, constants + span, HALF - 1);
  next = partialRoundsOf(width, next);
  for (let at: usize = 0; at < row; at += PAIR) power5(STATE + at, STATE + at);
  mixRounds(width, next, HALF - 1);
  dotPair(OTHER, mix, STATE, width, NO_ADDEND);
  elementsOfPair(z, w, OTHER);
}

function power5(z: usize, x: usize): void {
  squarePair(POWER, x);
  squarePair(POWER, POWER);
  mulPair(z, POWER, x);
}

/** Rounds of mix, constants and S-boxes; returns where the next constants are. */
function mixRounds(width: i32, addends: usize, rounds: i32): usize {
  const row = (width as usize) * PAIR;
  const span = (width as usize) * SINGLE;
  for (let round = 0; round < rounds; round++) {
    let factors = mix;
    for (let at: usize = 0; at < row; at += PAIR) {
      dotPair(OTHER + at, factors, STATE, width, addends);
      factors += span;
      addends += SINGLE;
    }
    for (let at: usize = 0; at < row; at += PAIR) power5(STATE + at, OTHER + at);
  }
  return addends;
}

/** From S-box outputs in STATE to the lanes of the next full round; returns as `mixRounds`. */
function partialRoundsOf(width: i32, addends: usize): usize {
  const span = (width as usize) * SINGLE;
  const past = width - 1;
  const pastEnd = TAPE + ((2 * past) as usize) * PAIR;
  memory.fill(TAPE, 0, ((2 * past) as usize) * PAIR);
  for (let lane = 0; lane < width; lane++) {
    const place = lane < past - 1 ? 2 * lane + 1 : past + lane - 1;
    const to = TAPE + (place as usize) * PAIR;
    dotPair(to, entry + (lane as usize) * span, STATE, width, addends);
    addends += SINGLE;
  }
  let window = TAPE;
  let y = pastEnd;
  for (let round = partialRounds(width); round > 0; round--) {
    power5(y, y - PAIR);
    dotPair(y + PAIR, recurrence, window, 2 * width - 1, addends);
    window += 2 * PAIR;
    y += 2 * PAIR;
    addends += SINGLE;
  }
  memory.copy(STATE, y - PAIR, PAIR);
  const rowOfExit = ((2 * past) as usize) * SINGLE;
  for (let lane = 0; lane < past; lane++) {
    const to = STATE + ((lane + 1) as usize) * PAIR;
    dotPair(to, exit + (lane as usize) * rowOfExit, window, 2 * past, addends);
    addends += SINGLE;
  }
  return addends;
}

function chooseTables(width: i32): void {
  const place = TABLES + ((width as usize) << 2);
  if (load<usize>(place) === 0) store<usize>(place, fillTables(width));
  const addends = (FULL_ROUNDS + 1) * width + partialRounds(width);
  constants = load<usize>(place);
  mix = constants + (addends as usize) * SINGLE;
  entry = mix + ((width * width) as usize) * SINGLE;
  recurrence = entry + ((width * width) as usize) * SINGLE;
  exit = recurrence + ((2 * width - 1) as usize) * SINGLE;
}

function fillTables(width: i32): usize {
  if (table(MIX, width) === 0) derive(width);
  const addends = (FULL_ROUNDS + 1) * width + partialRounds(width);
  const square = width * width;
  const exits = 2 * (width - 1) * (width - 1);
  const start = reserve(((addends + 2 * square + 2 * width - 1 + exits) as usize) * SINGLE);
  for (let i = 0; i < addends; i++) {
    addendOf(start + (i as usize) * SINGLE, table(CONSTANTS, width) + (i as usize) * ELEMENT);
  }
  let z = start + (addends as usize) * SINGLE;
  z = putFactors(z, table(MIX, width), square);
  z = putFactors(z, table(ENTRY, width), square);
  z = putFactors(z, table(RECURRENCE, width), 2 * width - 1);
  putFactors(z, table(EXIT, width), exits);
  return start;
}

function putFactors(z: usize, x: usize, count: i32): usize {
  for (let i = 0; i < count; i++) {
    factorOf(z, x);
    z += SINGLE;
    x += ELEMENT;
  }
  return z;
}
