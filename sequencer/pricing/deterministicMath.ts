/**
 * Elementary functions that give the same bits on every machine. ECMAScript leaves `Math.exp`,
 * `Math.log` and `**` to each engine's approximation, and two oracles that differ in the last bit
 * could round a mark to different ticks and never reach a quorum. Everything here consists of
 * + - * / and comparisons, which IEEE 754 rounds in one way only, plus `Math.sqrt`, which is the
 * IEEE square root in every engine. Error below 1 unit in the last place.
 *
 * `exp` and `log` follow fdlibm's e_exp.c and e_log.c:
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that
 * this notice is preserved.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Beyond these, `exp` overflows and underflows. */
const EXP_MAX = 709.782712893384;
const EXP_MIN = -745.1332191019411;
const SCALE_STEP = 512;

/** e^x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > EXP_MAX) return Number.POSITIVE_INFINITY;
  if (x < EXP_MIN) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * expPolynomial(t);
  const y = 1 - (low - (r * c) / (2 - c) - high);
  return scale(y, k);
}

/** Remez polynomial of `r (e^r + 1) / (e^r - 1)` in `r^2`, from fdlibm. */
function expPolynomial(t: number): number {
  const p4 = -1.6533902205465252e-6 + t * 4.1381367970572385e-8;
  const p3 = 0.00006613756321437934 + t * p4;
  return 0.16666666666666602 + t * (-0.0027777777777015593 + t * p3);
}

/** `x * 2^k`, by exact multiplications (the last may round into the subnormal numbers). */
function scale(x: number, k: number): number {
  if (k > -SCALE_STEP && k < SCALE_STEP) return x * POWERS[k + SCALE_STEP]!;
  let result = x;
  let rest = k;
  for (; rest >= SCALE_STEP; rest -= SCALE_STEP) result *= powerOfTwo(SCALE_STEP);
  for (; rest <= -SCALE_STEP; rest += SCALE_STEP) result *= powerOfTwo(-SCALE_STEP);
  return result * powerOfTwo(rest);
}

const bits = new DataView(new ArrayBuffer(8));

/** 2^k for -1022 <= k <= 1023, written as the exponent of a double. */
function powerOfTwo(k: number): number {
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** 2^k at index `k + SCALE_STEP`. */
const POWERS = Float64Array.from({ length: 2 * SCALE_STEP }, (_, i) => powerOfTwo(i - SCALE_STEP));

/** Natural logarithm; NaN below 0. */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  // x = fraction * 2^exponent with the fraction between sqrt(1/2) and sqrt(2).
  const isSubnormal = x < 2.2250738585072014e-308;
  bits.setFloat64(0, isSubnormal ? x * 18014398509481984 : x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023 - (isSubnormal ? 54 : 0);
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let fraction = bits.getFloat64(0);
  if (fraction > Math.SQRT2) {
    exponent += 1;
    fraction *= 0.5;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const z = s * s;
  const half = 0.5 * f * f;
  const tail = s * (half + logPolynomial(z)) + exponent * LN2_LOW;
  return exponent * LN2_HIGH - (half - tail - f);
}

/** `ln(numerator / denominator)` of positive numbers, right in its last digits also near 0. */
export function logRatio(numerator: number, denominator: number): number {
  const excess = (numerator - denominator) / denominator;
  if (Math.abs(excess) < 0.25) {
    // What rounding 1 + excess did to it is divided out again (Kahan).
    const rounded = 1 + excess;
    return rounded === 1 ? excess : (log(rounded) * excess) / (rounded - 1);
  }
  const ratio = numerator / denominator;
  const isInRange = ratio > 1e-290 && ratio < 1e290;
  return isInRange ? log(ratio) : log(numerator) - log(denominator);
}

/** Remez polynomial of `(log(1 + f) - f + s f) / s`, `z = s^2`, from fdlibm. */
function logPolynomial(z: number): number {
  const w = z * z;
  const w6 = 0.22222198432149784 + w * 0.15313837699209373;
  const w7 = 0.1818357216161805 + w * 0.14798198605116586;
  const even = w * (0.3999999999940942 + w * w6);
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * w7));
  return even + odd;
}

/** `base^exponent` for a base above 0. A few units in the last place for moderate results. */
export function power(base: number, exponent: number): number {
  return exp(exponent * log(base));
}

/** Nearest integer, halves away from 0, never -0. */
export function roundHalfAway(x: number): number {
  const magnitude = Math.floor(Math.abs(x) + 0.5);
  return x < 0 && magnitude !== 0 ? -magnitude : magnitude;
}
