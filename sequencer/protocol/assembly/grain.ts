/**
 * The bits from which Poseidon's parameters are drawn: the Grain LFSR of 80 bits in self-shrinking
 * mode, as in the authors' generate_parameters_grain.sage (called there with field 1, S-box 0, 254
 * bits, t, 8 full rounds, the number of partial rounds, and the modulus). circomlib's tables came
 * out of that script, so nothing need be copied: what is drawn here equals them.
 */
import { fromWords, isCanonical } from "./field";

const FIELD_BITS = 254;
const FULL_ROUNDS = 8;
const DISCARDED_BITS = 160;
/** Bits that can be made at once: the highest tap stands 18 below the top. */
const STEP = 16;

const DRAWN = memory.data(32);
/** Register bits 0 to 63, oldest first, and 64 to 79. */
let low: u64 = 0;
let high: u64 = 0;
/** New bits that are not used yet. */
let fresh: u64 = 0;
let freshCount = 0;
let seeded = 0;

export function seedGrain(width: i32, partialRounds: i32): void {
  low = 0;
  high = 0;
  seeded = 0;
  seedBits(1, 2);
  seedBits(0, 4);
  seedBits(FIELD_BITS, 12);
  seedBits(width, 12);
  seedBits(FULL_ROUNDS, 10);
  seedBits(partialRounds, 10);
  seedBits((1 << 30) - 1, 30);
  for (let bit = 0; bit < DISCARDED_BITS; bit += STEP) step();
  freshCount = 0;
}

/** Appends a number, most significant bit first. */
function seedBits(value: i32, count: i32): void {
  for (let bit = count - 1; bit >= 0; bit--, seeded++) {
    const one: u64 = (value >> bit) & 1;
    if (seeded < 64) low |= one << seeded;
    else high |= one << (seeded - 64);
  }
}

function step(): void {
  const taps = low ^ (low >> 13) ^ (low >> 23) ^ (low >> 38);
  const spanning = ((low >> 51) | (high << 13)) ^ ((low >> 62) | (high << 2));
  fresh = (taps ^ spanning) & 0xffff;
  freshCount = STEP;
  low = (low >> STEP) | (high << (64 - STEP));
  high = fresh;
}

/** Bits come in pairs: the second counts if the first is 1. */
function nextBit(): u64 {
  let pair: u64 = 0;
  while ((pair & 1) === 0) {
    if (freshCount === 0) step();
    pair = fresh & 3;
    fresh >>= 2;
    freshCount -= 2;
  }
  return pair >> 1;
}

function draw(): void {
  memory.fill(DRAWN, 0, 32);
  for (let bit = FIELD_BITS - 1; bit >= 0; bit--) {
    const word = DRAWN + (((bit >> 6) << 3) as usize);
    store<u64>(word, load<u64>(word) | (nextBit() << (bit & 63)));
  }
}

/** A round constant: values of p and above are drawn again. */
export function drawConstant(z: usize): void {
  do draw();
  while (!isCanonical(DRAWN));
  fromWords(z, DRAWN);
}

/** A coordinate of the Cauchy matrix: reduced modulo p. */
export function drawCoordinate(z: usize): void {
  draw();
  fromWords(z, DRAWN);
}
