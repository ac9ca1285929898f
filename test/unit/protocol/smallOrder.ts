// Points of small order, and keys with a part of small order: on the curve, in no prime subgroup;
// and a key that is off it.
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import type { PublicKey } from "../../../sequencer/protocol/eddsa.ts";

export const orderTwo: PublicKey = { x: 0n, y: FIELD_MODULUS - 1n };
export const orderFour: PublicKey = { x: sqrtOf168700(), y: 0n };

/**
 * Off the curve: of it thrice doubled the formulas' Z is 0, so that what is added to it is 0 in
 * every coordinate, and X = x Z and Y = y Z hold for any R8 at all.
 */
export const vanishing: PublicKey = {
  x: 6856361211228884243248529182684096106707676774041515557391689033493398408198n,
  y: 12139886417148725659405195021622804286506222544546780273921862427910407122621n,
};

export function plusOrderTwo({ x, y }: PublicKey): PublicKey {
  return { x: modulo(-x), y: modulo(-y) };
}

/** The addition law with a point whose y is 0. */
export function plusOrderFour({ x, y }: PublicKey): PublicKey {
  return { x: modulo(y * orderFour.x), y: modulo(-168700n * x * orderFour.x) };
}

function modulo(value: bigint): bigint {
  const rest = value % FIELD_MODULUS;
  return rest < 0n ? rest + FIELD_MODULUS : rest;
}

/** `a x^2 = 1` at y = 0, so `x = 1 / sqrt(a)`; a is a square, which makes the law complete. */
function sqrtOf168700(): bigint {
  const inverse = power(168700n, FIELD_MODULUS - 2n);
  // Tonelli-Shanks is more than is needed: the root's order divides 2^28.
  const odd = (FIELD_MODULUS - 1n) >> 28n;
  let root = power(inverse, (odd + 1n) / 2n);
  const generator = power(5n, odd);
  for (let step = 0; (root * root) % FIELD_MODULUS !== inverse; step++) {
    const rest = (((root * root) % FIELD_MODULUS) * 168700n) % FIELD_MODULUS;
    let order = 0;
    for (let value = rest; value !== 1n; value = (value * value) % FIELD_MODULUS) order++;
    root = (root * power(generator, 1n << BigInt(28 - order - 1))) % FIELD_MODULUS;
    if (step === 28) throw new Error("168700 is no square");
  }
  return root;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let bits = exponent, square = base; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % FIELD_MODULUS;
    square = (square * square) % FIELD_MODULUS;
  }
  return result;
}
