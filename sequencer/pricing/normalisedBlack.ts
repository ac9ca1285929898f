/**
 * Black's formula in P. Jaeckel's normalised coordinates ("Let's be rational", Wilmott 2015; "By
 * implication", Wilmott 2006): for an out-of-the-money call with `x = ln(F / K) <= 0` and total
 * standard deviation `s`,
 *
 *   b(x, s) = price / sqrt(F K) = e^(x/2) N(h + t) - e^(-x/2) N(h - t),   h = x / s, t = s / 2.
 *
 * With `Y(z) = N(z) / n(z)` this is `n(h) e^(-t^2/2) (Y(h + t) - Y(h - t))`, and the first factor
 * is vega. The difference of Y cancels nowhere: it is summed in four regions so that prices keep
 * their relative accuracy down to the smallest double. Deterministic on every machine.
 */
import { exp } from "./deterministicMath.ts";
import { cdfOverPdf, normalCdf } from "./normalDistribution.ts";

const INVERSE_SQRT_2PI = 0.3989422804014327;
const LN_SQRT_2PI = 0.9189385332046728;
/** Left of this the asymptotic series of Y is exact to a double. */
const ASYMPTOTIC = -10;
/** Below this t the difference is summed as a power series in t. */
const SMALL_T = 0.25;
/** Right of this h + t there is nothing to gain from scaling. */
const DIRECT = 0.5;
/** Left of this h the first coefficient comes from a continued fraction. */
const FRACTION_FROM = -2.5;
const TERMS_MAX = 40;

/** `b(x, s)` for `x <= 0`, `s >= 0`. Who has the vega already may give it. */
export function normalisedBlack(x: number, s: number, vega = normalisedVega(x, s)): number {
  if (s === 0) return 0;
  const h = x / s;
  const t = s / 2;
  if (t >= SMALL_T && h + t > DIRECT) {
    // The second term is e^(-x/2) N(h - t), written so that neither factor leaves the doubles.
    return exp(x / 2) * normalCdf(h + t) - vega * cdfOverPdf(h - t);
  }
  return vega * blackOverVega(x, s);
}

/** `e^(x/2) - b(x, s)`: how far the price is below its bound, with its own relative accuracy. */
export function normalisedComplement(x: number, s: number): number {
  if (s === 0) return exp(x / 2);
  const h = x / s;
  const t = s / 2;
  if (h + t > 0) return normalisedVega(x, s) * complementOverVega(x, s);
  return exp(x / 2) * normalCdf(-h - t) + normalisedVega(x, s) * cdfOverPdf(h - t);
}

/** `(e^(x/2) - b) / (db / ds) = Y(-h - t) + Y(h - t)`; does not underflow. `s > 0`. */
export function complementOverVega(x: number, s: number): number {
  const h = x / s;
  const t = s / 2;
  return cdfOverPdf(-h - t) + cdfOverPdf(h - t);
}

/** `db / ds = n(h) e^(-t^2 / 2)`. */
export function normalisedVega(x: number, s: number): number {
  if (s === 0) return x === 0 ? INVERSE_SQRT_2PI : 0;
  return exp(logVega(x, s));
}

/** Its logarithm, which does not underflow. `s > 0`. */
export function logVega(x: number, s: number): number {
  const h = x / s;
  return -0.5 * (h * h + 0.25 * s * s) - LN_SQRT_2PI;
}

/** `b / (db / ds) = Y(h + t) - Y(h - t)`, which neither underflows nor cancels. `s > 0`. */
export function blackOverVega(x: number, s: number): number {
  const h = x / s;
  const t = s / 2;
  if (h + t <= ASYMPTOTIC) return asymptoticDifference(-h, t);
  if (t < SMALL_T) return smallDifference(h, t);
  return cdfOverPdf(h + t) - cdfOverPdf(h - t);
}

/**
 * `Y(-w) = 1/w - 1/w^3 + 3/w^5 - ...` (Abramowitz and Stegun 26.2.12) at `a - t` and `a + t`. The
 * differences `D_k = (a - t)^-(2k+1) - (a + t)^-(2k+1)` follow
 * `D_(k+1) = D_k / (a - t)^2 + 4 a t / (a^2 - t^2)^2 (a + t)^-(2k+1)`, all of them positive.
 */
function asymptoticDifference(a: number, t: number): number {
  const product = (a - t) * (a + t);
  const near = 1 / ((a - t) * (a - t));
  const far = 1 / ((a + t) * (a + t));
  const spread = (4 * a * t) / (product * product);
  let difference = (2 * t) / product;
  let power = 1 / (a + t);
  let factor = 1;
  let sum = difference;
  for (let k = 1; k < TERMS_MAX; k++) {
    difference = difference * near + spread * power;
    power *= far;
    factor *= -(2 * k - 1);
    const term = factor * difference;
    sum += term;
    if (Math.abs(term) <= Number.EPSILON * 0.25 * sum) break;
  }
  return sum;
}

/**
 * `2 (I_1 t + I_3 t^3 / 3! + I_5 t^5 / 5! + ...)` with the derivatives of Y at h,
 * `I_n = integral of u^n e^(h u - u^2 / 2) over u > 0`, `I_(n+1) = h I_n + n I_(n-1)`.
 */
function smallDifference(h: number, t: number): number {
  let previous: number;
  let current: number;
  if (h < FRACTION_FROM) {
    const ratio = firstRatio(-h);
    previous = 1 / (ratio - h);
    current = ratio * previous;
  } else {
    previous = cdfOverPdf(h);
    current = 1 + h * previous;
  }
  let power = t;
  let sum = current * t;
  for (let n = 1; n < TERMS_MAX; n += 2) {
    const even = h * current + n * previous;
    current = h * even + (n + 1) * current;
    previous = even;
    power *= (t * t) / ((n + 1) * (n + 2));
    const term = current * power;
    sum += term;
    if (Math.abs(term) <= Number.EPSILON * 0.25 * sum) break;
  }
  return 2 * sum;
}

/**
 * `I_1 / I_0` at `h = -w` by the continued fraction `1 / (w + 2 / (w + 3 / (w + ...)))`, from a
 * depth at which the error has died away as `e^(-2 w sqrt(n))`.
 */
function firstRatio(w: number): number {
  const root = 1.8 + 15 / w;
  let n = Math.ceil(root * root);
  let ratio = (Math.sqrt(w * w + 4 * n + 4) - w) / 2;
  for (; n > 0; n--) ratio = n / (w + ratio);
  return ratio;
}
