/**
 * The BN254 scalar field but for its products: sums, differences, words, inverses. `products.ts`
 * says what an element is and how large its limbs may be.
 */
import { ELEMENT, LIMB, MASK, mul, square } from "./products";

const MODULUS = memory.data<u32>([
  0x10000001, 0x1f0fac9f, 0xe5c2450, 0x7d090f3, 0x1585d283, 0x2db40c0, 0xa6e141, 0xe5c2634,
  0x30644e,
]);
/** 4 p: what `sub` adds, so that no difference is negative. */
const MODULUS_4 = memory.data<u32>([
  0x4, 0x1c3eb27e, 0x19709143, 0x1f4243cd, 0x16174a0c, 0xb6d0302, 0x29b8504, 0x197098d0, 0xc19139,
]);
/** 4 p with 2^29 lent by each limb to the one below. */
const LENDER = memory.data<u32>([
  0x20000004, 0x3c3eb27d, 0x39709142, 0x3f4243cc, 0x36174a0b, 0x2b6d0301, 0x229b8503, 0x397098cf,
  0xc19138,
]);
const R_SQUARED = memory.data<u32>([
  0x5b69bd4, 0x6170a5a, 0x20cddce, 0x1db6310b, 0xe54d0ff, 0x1cf855e3, 0x1c15e103, 0x7d09161,
  0xa054a,
]);
/** The integer 1, not in Montgomery form: multiplying by it leaves that form. */
const UNIT = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
export const ONE = memory.data<u32>([
  0xfffff57, 0x1ea70ab4, 0x52c068b, 0x17504f49, 0xaa8075b, 0x1d4240ce, 0x11d54c07, 0x52ac7a8,
  0xdc836,
]);
const SCRATCH = memory.data(64);
const POWER = memory.data(64);
const INVERSE_OF_REST = memory.data(64);

export function copy(z: usize, x: usize): void {
  memory.copy(z, x, ELEMENT);
}

/** z = x + y with limbs of 29 bits. */
export function add(z: usize, x: usize, y: usize): void {
  let sum: u64 = (load<u32>(x) as u64) + load<u32>(y);
  store<u32>(z, (sum & MASK) as u32);
  sum = (sum >> 29) + load<u32>(x, 4) + load<u32>(y, 4);
  store<u32>(z, (sum & MASK) as u32, 4);
  sum = (sum >> 29) + load<u32>(x, 8) + load<u32>(y, 8);
  store<u32>(z, (sum & MASK) as u32, 8);
  sum = (sum >> 29) + load<u32>(x, 12) + load<u32>(y, 12);
  store<u32>(z, (sum & MASK) as u32, 12);
  sum = (sum >> 29) + load<u32>(x, 16) + load<u32>(y, 16);
  store<u32>(z, (sum & MASK) as u32, 16);
  sum = (sum >> 29) + load<u32>(x, 20) + load<u32>(y, 20);
  store<u32>(z, (sum & MASK) as u32, 20);
  sum = (sum >> 29) + load<u32>(x, 24) + load<u32>(y, 24);
  store<u32>(z, (sum & MASK) as u32, 24);
  sum = (sum >> 29) + load<u32>(x, 28) + load<u32>(y, 28);
  store<u32>(z, (sum & MASK) as u32, 28);
  sum = (sum >> 29) + load<u32>(x, 32) + load<u32>(y, 32);
  store<u32>(z, sum as u32, 32);
}

/** z = x + y without carries: limbs of 30 bits from limbs of 29, two at once. */
export function addLazy(z: usize, x: usize, y: usize): void {
  store<u64>(z, load<u64>(x) + load<u64>(y));
  store<u64>(z, load<u64>(x, 8) + load<u64>(y, 8), 8);
  store<u64>(z, load<u64>(x, 16) + load<u64>(y, 16), 16);
  store<u64>(z, load<u64>(x, 24) + load<u64>(y, 24), 24);
  store<u32>(z, load<u32>(x, 32) + load<u32>(y, 32), 32);
}

/** z = x - y + 4 p with limbs of 29 bits; y is below 4 p. */
export function sub(z: usize, x: usize, y: usize): void {
  let sum: i64 = (load<u32>(x) as i64) + load<u32>(MODULUS_4) - load<u32>(y);
  store<u32>(z, ((sum as u64) & MASK) as u32);
  sum = (sum >> 29) + load<u32>(x, 4) + load<u32>(MODULUS_4, 4) - load<u32>(y, 4);
  store<u32>(z, ((sum as u64) & MASK) as u32, 4);
  sum = (sum >> 29) + load<u32>(x, 8) + load<u32>(MODULUS_4, 8) - load<u32>(y, 8);
  store<u32>(z, ((sum as u64) & MASK) as u32, 8);
  sum = (sum >> 29) + load<u32>(x, 12) + load<u32>(MODULUS_4, 12) - load<u32>(y, 12);
  store<u32>(z, ((sum as u64) & MASK) as u32, 12);
  sum = (sum >> 29) + load<u32>(x, 16) + load<u32>(MODULUS_4, 16) - load<u32>(y, 16);
  store<u32>(z, ((sum as u64) & MASK) as u32, 16);
  sum = (sum >> 29) + load<u32>(x, 20) + load<u32>(MODULUS_4, 20) - load<u32>(y, 20);
  store<u32>(z, ((sum as u64) & MASK) as u32, 20);
  sum = (sum >> 29) + load<u32>(x, 24) + load<u32>(MODULUS_4, 24) - load<u32>(y, 24);
  store<u32>(z, ((sum as u64) & MASK) as u32, 24);
  sum = (sum >> 29) + load<u32>(x, 28) + load<u32>(MODULUS_4, 28) - load<u32>(y, 28);
  store<u32>(z, ((sum as u64) & MASK) as u32, 28);
  sum = (sum >> 29) + load<u32>(x, 32) + load<u32>(MODULUS_4, 32) - load<u32>(y, 32);
  store<u32>(z, sum as u32, 32);
}

/** z = x - y + 4 p without carries: limbs below 1.5 2^30 if those of x and y are below 2^29. */
export function subLazy(z: usize, x: usize, y: usize): void {
  store<u64>(z, load<u64>(x) + load<u64>(LENDER) - load<u64>(y));
  store<u64>(z, load<u64>(x, 8) + load<u64>(LENDER, 8) - load<u64>(y, 8), 8);
  store<u64>(z, load<u64>(x, 16) + load<u64>(LENDER, 16) - load<u64>(y, 16), 16);
  store<u64>(z, load<u64>(x, 24) + load<u64>(LENDER, 24) - load<u64>(y, 24), 24);
  store<u32>(z, load<u32>(x, 32) + load<u32>(LENDER, 32) - load<u32>(y, 32), 32);
}

/** The one representative below p, still in Montgomery form or not, of x below 2^7 p. */
export function canonical(z: usize, x: usize): void {
  if (z !== x) copy(z, x);
  while (!isBelow(z, MODULUS)) subtractModulus(z);
}

function isBelow(x: usize, y: usize): bool {
  for (let at = ELEMENT; at > 0; at -= LIMB) {
    const left = load<u32>(x + at - LIMB);
    const right = load<u32>(y + at - LIMB);
    if (left !== right) return left < right;
  }
  return false;
}

function subtractModulus(z: usize): void {
  let sum: i64 = 0;
  for (let at: usize = 0; at < ELEMENT; at += LIMB) {
    sum = (sum >> 29) + load<u32>(z + at) - load<u32>(MODULUS + at);
    store<u32>(z + at, (sum & (MASK as i64)) as u32);
  }
}

export function equal(x: usize, y: usize): bool {
  sub(SCRATCH, x, y);
  return isZero(SCRATCH);
}

export function isZero(x: usize): bool {
  // Montgomery reduction of what is 0 modulo p leaves 0 or p.
  mul(SCRATCH, x, UNIT);
  canonical(SCRATCH, SCRATCH);
  let bits: u32 = 0;
  for (let at: usize = 0; at < ELEMENT; at += LIMB) bits |= load<u32>(SCRATCH + at);
  return bits === 0;
}

/** Reads 32 bytes, least significant first: any value, reduced modulo p. */
export function fromWords(z: usize, words: usize): void {
  unpack(z, words);
  mul(z, z, R_SQUARED);
}

/** Whether 32 bytes are a value below p. */
export function isCanonical(words: usize): bool {
  unpack(SCRATCH, words);
  return isBelow(SCRATCH, MODULUS);
}

/** Splits 32 bytes into limbs. */
export function unpack(z: usize, words: usize): void {
  const w0 = load<u64>(words);
  const w1 = load<u64>(words, 8);
  const w2 = load<u64>(words, 16);
  const w3 = load<u64>(words, 24);
  store<u32>(z, (w0 & MASK) as u32);
  store<u32>(z, ((w0 >> 29) & MASK) as u32, 4);
  store<u32>(z, (((w0 >> 58) | (w1 << 6)) & MASK) as u32, 8);
  store<u32>(z, ((w1 >> 23) & MASK) as u32, 12);
  store<u32>(z, (((w1 >> 52) | (w2 << 12)) & MASK) as u32, 16);
  store<u32>(z, ((w2 >> 17) & MASK) as u32, 20);
  store<u32>(z, (((w2 >> 46) | (w3 << 18)) & MASK) as u32, 24);
  store<u32>(z, ((w3 >> 11) & MASK) as u32, 28);
  store<u32>(z, (w3 >> 40) as u32, 32);
}

/** Writes the value below p as 32 bytes, least significant first. */
export function toWords(words: usize, x: usize): void {
  mul(SCRATCH, x, UNIT);
  canonical(SCRATCH, SCRATCH);
  const l2: u64 = load<u32>(SCRATCH, 8);
  const l4: u64 = load<u32>(SCRATCH, 16);
  const l6: u64 = load<u32>(SCRATCH, 24);
  const low = (load<u32>(SCRATCH) as u64) | ((load<u32>(SCRATCH, 4) as u64) << 29);
  store<u64>(words, low | (l2 << 58));
  store<u64>(words, (l2 >> 6) | ((load<u32>(SCRATCH, 12) as u64) << 23) | (l4 << 52), 8);
  store<u64>(words, (l4 >> 12) | ((load<u32>(SCRATCH, 20) as u64) << 17) | (l6 << 46), 16);
  const high = ((load<u32>(SCRATCH, 28) as u64) << 11) | ((load<u32>(SCRATCH, 32) as u64) << 40);
  store<u64>(words, (l6 >> 18) | high, 24);
}

/** z = 1 / x by Fermat: x^(p - 2), and 0 of 0. z is not x. */
export function invert(z: usize, x: usize): void {
  copy(POWER, x);
  copy(z, ONE);
  for (let limb: usize = 0; limb < ELEMENT; limb += LIMB) {
    // p ends in 1, with a zero bit above it: p - 2 borrows from the 28th bit.
    let bits = load<u32>(MODULUS + limb) - (limb === 0 ? 2 : 0);
    for (let bit = 0; bit < 29; bit++) {
      if (bits & 1) mul(z, z, POWER);
      square(POWER, POWER);
      bits >>= 1;
    }
  }
}

/** Inverts `count` consecutive elements in place by one inversion; `products` is as large. */
export function invertMany(x: usize, count: i32, products: usize): void {
  const end = (count as usize) * ELEMENT;
  copy(products, x);
  for (let at = ELEMENT; at < end; at += ELEMENT)
    mul(products + at, products + at - ELEMENT, x + at);
  const rest = INVERSE_OF_REST;
  invert(rest, products + end - ELEMENT);
  for (let at = end - ELEMENT; at > 0; at -= ELEMENT) {
    mul(products + at, products + at - ELEMENT, rest);
    mul(rest, rest, x + at);
    copy(x + at, products + at);
  }
  copy(x, rest);
}
