/** Elements of nine limbs as pairs and as factors, and back. */
import { canonical, toWords } from "./field";
import { dotPair } from "./pairProducts";
import { INTEGER, LIMB_BITS, LIMB_MASK, NEAREST, SINGLE } from "./pairs";
import { MASK } from "./products";

/** 2^-261 and 2^261 modulo p, as factors: out of Montgomery form and into it. */
const LEAVE = memory.data<f64>([
  1715611732170.0, 478532065334822.0, 902359888348936.0, 645768986294182.0, -360399974917881.0,
]);
const ENTER = memory.data<f64>([
  -878138007486633.0, -856989487643141.0, -436875452551519.0, 627449641386561.0, 242456852784084.0,
]);
/** p, with limbs of either sign. */
const MODULUS = memory.data<i64>([
  551490712240129, 298204647270524, -557033826758751, 22935798733633, 851317936231194,
]);
const TWO_52: f64 = 4503599627370496.0;
const NO_ADDEND = memory.data<i64>([0, 0, 0, 0, 0]);
const WORDS = memory.data(32);
const INPUT = memory.data(80, 16);
const RESULT = memory.data(80, 16);

/** z = the values of x and y, plus c, whose limbs are i64. */
export function pairOf(z: usize, x: usize, y: usize, c: usize): void {
  splitLimbs(INPUT, x);
  splitLimbs(INPUT + 8, y);
  dotPair(z, LEAVE, INPUT, 1, c);
}

/** Nine limbs of 29 bits as five of 51, at every second place. The value is below 2^255. */
function splitLimbs(z: usize, x: usize): void {
  const x3: u64 = load<u32>(x, 12);
  const x5: u64 = load<u32>(x, 20);
  const x7: u64 = load<u32>(x, 28);
  const low = (load<u32>(x) as u64) | ((load<u32>(x, 4) as u64) << 29);
  putFloat(z, low);
  putFloat(z + 16, (low >> 51) | ((load<u32>(x, 8) as u64) << 7) | (x3 << 36));
  putFloat(z + 32, (x3 >> 15) | ((load<u32>(x, 16) as u64) << 14) | (x5 << 43));
  putFloat(z + 48, (x5 >> 8) | ((load<u32>(x, 24) as u64) << 21) | (x7 << 50));
  putFloat(z + 64, (x7 >> 1) | ((load<u32>(x, 32) as u64) << 28));
}

function putFloat(z: usize, limb: u64): void {
  store<f64>(z, reinterpret<f64>((limb & LIMB_MASK) | INTEGER) - TWO_52);
}

/** z and w = the two values, below p and in Montgomery form. */
export function elementsOfPair(z: usize, w: usize, pair: usize): void {
  dotPair(RESULT, ENTER, pair, 1, NO_ADDEND);
  joinLimbs(z, RESULT);
  joinLimbs(w, RESULT + 8);
}

/** Five limbs, at every second place, as nine. p is added first: the value may be negative. */
function joinLimbs(z: usize, x: usize): void {
  const t0 = (load<f64>(x) as i64) + load<i64>(MODULUS);
  const t1 = (load<f64>(x, 16) as i64) + load<i64>(MODULUS, 8) + (t0 >> LIMB_BITS);
  const t2 = (load<f64>(x, 32) as i64) + load<i64>(MODULUS, 16) + (t1 >> LIMB_BITS);
  const t3 = (load<f64>(x, 48) as i64) + load<i64>(MODULUS, 24) + (t2 >> LIMB_BITS);
  const a0 = t0 & LIMB_MASK;
  const a1 = t1 & LIMB_MASK;
  const a2 = t2 & LIMB_MASK;
  const a3 = t3 & LIMB_MASK;
  const a4 = (load<f64>(x, 64) as i64) + load<i64>(MODULUS, 32) + (t3 >> LIMB_BITS);
  putLimb(z, a0);
  putLimb(z + 4, (a0 >> 29) | (a1 << 22));
  putLimb(z + 8, a1 >> 7);
  putLimb(z + 12, (a1 >> 36) | (a2 << 15));
  putLimb(z + 16, a2 >> 14);
  putLimb(z + 20, (a2 >> 43) | (a3 << 8));
  putLimb(z + 24, a3 >> 21);
  putLimb(z + 28, (a3 >> 50) | (a4 << 1));
  putLimb(z + 32, a4 >> 28);
  canonical(z, z);
}

function putLimb(z: usize, bits: i64): void {
  store<u32>(z, (bits & MASK) as u32);
}

/** z = the value of an element, below p, as five i64: what a sum of pairs may add. */
export function addendOf(z: usize, x: usize): void {
  toWords(WORDS, x);
  const w0 = load<u64>(WORDS);
  const w1 = load<u64>(WORDS, 8);
  const w2 = load<u64>(WORDS, 16);
  const w3 = load<u64>(WORDS, 24);
  store<u64>(z, w0 & LIMB_MASK);
  store<u64>(z, ((w0 >> 51) | (w1 << 13)) & LIMB_MASK, 8);
  store<u64>(z, ((w1 >> 38) | (w2 << 26)) & LIMB_MASK, 16);
  store<u64>(z, ((w2 >> 25) | (w3 << 39)) & LIMB_MASK, 24);
  store<u64>(z, w3 >> 12, 32);
}

/** z = the value of an element, between about -p / 2 and p / 2, as five f64: a factor of pairs. */
export function factorOf(z: usize, x: usize): void {
  addendOf(z, x);
  const top = load<i64>(z, 32);
  const isAbove = 2 * top > load<i64>(MODULUS, 32);
  let carry: i64 = 0;
  for (let at: usize = 0; at < SINGLE; at += 8) {
    const limb = load<i64>(z + at) + carry - (isAbove ? load<i64>(MODULUS + at) : 0);
    const kept = at === SINGLE - 8 ? limb : ((limb + NEAREST) & LIMB_MASK) - NEAREST;
    carry = (limb - kept) >> LIMB_BITS;
    store<f64>(z + at, kept as f64);
  }
}
