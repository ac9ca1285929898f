/**
 * Smiles in the raw SVI form (J. Gatheral, "A parsimonious arbitrage-free implied volatility
 * parameterization", Global Derivatives 2004) and when they admit arbitrage (J. Gatheral and A.
 * Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14, 2014). Only
 * + - * / and square roots: the same bits on every machine, so marks may be computed from it.
 */
import { combine, largest, multiply, negativePoint } from "./polynomialSign.ts";

/** Of the total variance. */
const CALENDAR_SLACK = 1e-11;

/**
 * Total variance `w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2))` at the log moneyness
 * `k = ln(K / F)`; total variance is `volatility^2 * years`.
 */
export interface SviSmile {
  readonly a: number;
  readonly b: number;
  readonly rho: number;
  readonly m: number;
  readonly sigma: number;
}

export type SmileFault =
  /** A parameter is not finite, `b < 0`, `|rho| > 1`, `sigma <= 0`, or the variance is negative. */
  | { readonly fault: "parameters" }
  /** Butterflies at log moneyness `at` have a negative price; infinite: a wing is too steep. */
  | { readonly fault: "butterfly"; readonly at: number };

/** Total variance at log moneyness k. */
export function sviVariance(smile: SviSmile, k: number): number {
  const { a, b, rho, m, sigma } = smile;
  const x = k - m;
  return a + b * (rho * x + Math.sqrt(x * x + sigma * sigma));
}

/** The volatility, as a fraction for one year, of an option at log moneyness k. */
export function sviVolatility(smile: SviSmile, k: number, years: number): number {
  return Math.sqrt(sviVariance(smile, k) / years);
}

/** `[w, w', w'']` by k. */
export function sviDerivatives(smile: SviSmile, k: number): [number, number, number] {
  const { a, b, rho, m, sigma } = smile;
  const x = k - m;
  const root = Math.sqrt(x * x + sigma * sigma);
  const curvature = (b * sigma * sigma) / (root * root * root);
  return [a + b * (rho * x + root), b * (rho + x / root), curvature];
}

/**
 * Durrleman's `g(k) = (1 - k w' / 2w)^2 - w'^2 / 4 (1 / w + 1 / 4) + w'' / 2`: the risk-neutral
 * density is g times a positive factor (Gatheral and Jacquier, equation 2.1).
 */
export function durrleman(smile: SviSmile, k: number): number {
  const [w, slope, curvature] = sviDerivatives(smile, k);
  const first = 1 - (k * slope) / (2 * w);
  return first * first - ((slope * slope) / 4) * (1 / w + 0.25) + curvature / 2;
}

/** The smallest total variance, `a + b sigma sqrt(1 - rho^2)`. */
export function sviMinimum({ a, b, rho, sigma }: SviSmile): number {
  return a + b * sigma * Math.sqrt(1 - rho * rho);
}

/**
 * What is wrong with a smile by itself, `undefined` where it is free of butterfly arbitrage on
 * the whole line. With `(k - m) / sigma = (t - 1 / t) / 2` every part of g is rational in t, and
 * `16 g w^2` times positive factors is a polynomial of degree 10 whose sign is decided exactly.
 */
export function smileFault(smile: SviSmile): SmileFault | undefined {
  const { a, b, rho, m, sigma } = smile;
  const finite = [a, b, rho, m, sigma].every(Number.isFinite);
  if (!finite || b < 0 || Math.abs(rho) > 1 || !(sigma > 0) || !(sviMinimum(smile) >= 0)) {
    return { fault: "parameters" };
  }
  const t = negativePoint(butterflyPolynomial(smile));
  if (t === undefined) return undefined;
  if (Number.isNaN(t)) return { fault: "parameters" };
  return { fault: "butterfly", at: moneynessOf(smile, t) };
}

/** `4 Q (2 Q W - K P)^2 - Q P^2 W (4 t + W) + 64 b / sigma t^3 W^2`; see `smileFault`. */
function butterflyPolynomial(smile: SviSmile): number[] {
  const { b, rho, sigma } = smile;
  const q = [1, 0, 1];
  const w = variancePolynomial(smile);
  const k = moneynessPolynomial(smile, 0);
  const slope = [-b * (1 - rho), 0, b * (1 + rho)];
  const first = combine([2, multiply(q, w)], [-1, multiply(k, slope)]);
  const bracket = combine([1, w], [4, [0, 1]]);
  const second = multiply(multiply(q, multiply(slope, slope)), multiply(w, bracket));
  const third = multiply([0, 0, 0, 1], multiply(w, w));
  return combine([4, multiply(q, multiply(first, first))], [-1, second], [(64 * b) / sigma, third]);
}

/** `t w(k(t))`. */
function variancePolynomial({ a, b, rho, sigma }: SviSmile): number[] {
  const half = (b * sigma) / 2;
  return [half * (1 - rho), a, half * (1 + rho)];
}

/** `t (k(t) - origin)`. */
function moneynessPolynomial({ m, sigma }: SviSmile, origin: number): number[] {
  return [-sigma / 2, m - origin, sigma / 2];
}

function moneynessOf({ m, sigma }: SviSmile, t: number): number {
  return m + (sigma * (t - 1 / t)) / 2;
}

/**
 * A log moneyness at which the later smile has less total variance than the earlier, which is
 * calendar arbitrage (Gatheral and Jacquier, lemma 2.1); `undefined` if there is none on the
 * whole line. Both must pass `smileFault`'s test of parameters. The condition
 * `w2 - a1 - b1 rho1 (k - m1) >= b1 sqrt((k - m1)^2 + sigma1^2)` holds where its left side and the
 * difference of the squares are not negative, both polynomials in the later smile's t.
 */
export function calendarFault(earlier: SviSmile, later: SviSmile): number | undefined {
  const { b, rho, m, sigma } = earlier;
  const x = moneynessPolynomial(later, m);
  // What rounding alone can take away from equal smiles.
  const a = earlier.a - CALENDAR_SLACK * sviVariance(later, m);
  const left = combine([1, variancePolynomial(later)], [-b * rho, x], [-a, [0, 1]]);
  const squares = combine(
    [1, multiply(left, left)],
    [-b * b, multiply(x, x)],
    [-b * b * sigma * sigma, [0, 0, 1]],
  );
  const size = largest(variancePolynomial(later));
  const t = negativePoint(left, size) ?? negativePoint(squares, size * size);
  return t === undefined ? undefined : moneynessOf(later, t);
}
