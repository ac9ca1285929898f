/**
 * European options in S. Heston's model ("A closed-form solution for options with stochastic
 * volatility", Review of Financial Studies 6, 1993):
 * `dv = kappa (theta - v) dt + sigma sqrt(v) dZ`.
 * The characteristic function is in the form without branch cuts of H. Albrecher, P. Mayer, W.
 * Schoutens and J. Tistaert ("The little Heston trap", Wilmott 2007); the price is A. Lewis's
 * single integral ("Option Valuation under Stochastic Volatility", 2000) of its difference to
 * Black's with the same expected variance (L. Andersen and V. Piterbarg, "Interest Rate Modeling",
 * 2010, section 8.4). That integrand is even and analytic, so the trapezoidal rule converges
 * exponentially; the step is halved until nothing changes. Uses the platform's functions: close
 * to the last digits everywhere, but not the same bits.
 */
import { intrinsic } from "./black76.ts";
import { normalisedBlack } from "./normalisedBlack.ts";

/** All for one year; `v0 >= 0`, `kappa > 0`, `theta >= 0`, `sigma >= 0`, `|rho| <= 1`. */
export interface HestonParameters {
  readonly v0: number;
  readonly kappa: number;
  readonly theta: number;
  readonly sigma: number;
  readonly rho: number;
}

/** The integral is cut where the integrand's bound falls below this. */
const CUT = 1e-17;
const CUT_MAX = 1e7;
const POINTS_START = 16;
const POINTS_MAX = 1 << 17;
/** Of the geometric mean of forward and strike. */
const TOLERANCE = 1e-14;

/** Undiscounted price in the unit of `forward` and `strike`, both above 0. */
export function hestonPrice(
  parameters: HestonParameters,
  option: {
    readonly isCall: boolean;
    readonly forward: number;
    readonly strike: number;
    readonly yearsToExpiry: number;
  },
  tolerance = TOLERANCE,
): number {
  const { isCall, forward, strike, yearsToExpiry } = option;
  const [value = 0] = hestonTimeValues(parameters, forward, [strike], yearsToExpiry, tolerance);
  return intrinsic(isCall, strike, forward) + value;
}

/**
 * What calls and puts at each strike are worth above their intrinsic value. The strikes of one
 * expiry share the characteristic function, which is most of the work.
 */
export function hestonTimeValues(
  parameters: HestonParameters,
  forward: number,
  strikes: readonly number[],
  years: number,
  tolerance = TOLERANCE,
): number[] {
  const variance = expectedVariance(parameters, years);
  const logs = strikes.map((strike) => Math.log(forward / strike));
  const integrals = integrate(parameters, years, variance, logs, tolerance);
  return strikes.map((strike, i) => {
    const unit = Math.sqrt(forward) * Math.sqrt(strike);
    const black = normalisedBlack(-Math.abs(logs[i]!), Math.sqrt(variance));
    return Math.max(unit * (black + integrals[i]! / Math.PI), 0);
  });
}

/** Expectation of the variance integrated over `years`. */
function expectedVariance({ v0, kappa, theta }: HestonParameters, years: number): number {
  const decay = kappa * years;
  const share = decay < 1e-8 ? 1 - decay / 2 : -Math.expm1(-decay) / decay;
  return years * (theta + (v0 - theta) * share);
}

/** For each `k = ln(F/K)`: `int_0^inf Re[e^(iuk) (phiBlack - phiHeston)] / (u^2 + 1/4) du`. */
function integrate(
  parameters: HestonParameters,
  years: number,
  variance: number,
  logs: readonly number[],
  tolerance: number,
): number[] {
  if (parameters.sigma === 0 || variance === 0) return logs.map(() => 0);
  const integrand = integrandOf(parameters, years, variance);
  const end = cutOf(integrand);
  const sums = logs.map(() => 0);
  let points = POINTS_START;
  let step = end / points;
  const first = integrand(0);
  for (const i of logs.keys()) sums[i] = first.re / 2;
  add(sums, integrand, logs, step, step, points);
  let values = sums.map((sum) => sum * step);
  while (points < POINTS_MAX) {
    add(sums, integrand, logs, step / 2, step, points);
    points *= 2;
    step /= 2;
    const finer = sums.map((sum) => sum * step);
    const isDone = finer.every((value, i) => Math.abs(value - values[i]!) <= tolerance);
    values = finer;
    if (isDone) break;
  }
  return values;
}

/** Adds the integrand at `start, start + step, ...`, `count` points, to every strike's sum. */
function add(
  sums: number[],
  integrand: Integrand,
  logs: readonly number[],
  start: number,
  step: number,
  count: number,
): void {
  for (let j = 0; j < count; j++) {
    const u = start + j * step;
    const { re, im } = integrand(u);
    for (const [i, k] of logs.entries()) {
      sums[i] = sums[i]! + re * Math.cos(u * k) - im * Math.sin(u * k);
    }
  }
}

interface Complex {
  readonly re: number;
  readonly im: number;
}

type Integrand = (u: number) => Complex;

/** `(phiBlack - phiHeston) / (u^2 + 1/4)` at `u - i/2`, without the strike's factor. */
function integrandOf(parameters: HestonParameters, years: number, variance: number): Integrand {
  return (u) => {
    const q = u * u + 0.25;
    const { re, im } = hestonExponent(parameters, years, u);
    const black = Math.exp((-variance * q) / 2);
    const size = Math.exp(re);
    return { re: (black - size * Math.cos(im)) / q, im: (-size * Math.sin(im)) / q };
  };
}

/** Where the integrand has died away: a step beyond which its size stays below `CUT`. */
function cutOf(integrand: Integrand): number {
  let end = 4;
  while (end < CUT_MAX) {
    const { re, im } = integrand(end);
    if (Math.hypot(re, im) < CUT) break;
    end *= 1.4;
  }
  return end;
}

/**
 * `ln phi(u - i/2)`. With `beta = kappa - rho sigma (1/2 + iu)`, `q = u^2 + 1/4` and
 * `d = sqrt(beta^2 + sigma^2 q)`: `(beta - d) / sigma^2 = -q / (beta + d) = r`,
 * `g = (beta - d) / (beta + d)`, and the exponent is
 * `kappa theta (r T - 2 / sigma^2 ln((1 - g e^(-dT)) / (1 - g)))`
 * `+ v0 r (1 - e^(-dT)) / (1 - g e^(-dT))`.
 */
function hestonExponent(parameters: HestonParameters, years: number, u: number): Complex {
  const { v0, kappa, theta, sigma, rho } = parameters;
  const q = u * u + 0.25;
  const variance = sigma * sigma;
  const beta = { re: kappa - (rho * sigma) / 2, im: -rho * sigma * u };
  const d = squareRoot({
    re: beta.re * beta.re - beta.im * beta.im + variance * q,
    im: 2 * beta.re * beta.im,
  });
  const sum = { re: beta.re + d.re, im: beta.im + d.im };
  const r = divide({ re: -q, im: 0 }, sum);
  const g = divide({ re: variance * r.re, im: variance * r.im }, sum);
  const size = Math.exp(-d.re * years);
  const decay = { re: size * Math.cos(d.im * years), im: -size * Math.sin(d.im * years) };
  const risen = { re: 1 - decay.re, im: -decay.im };
  const denominator = { re: 1 - g.re, im: -g.im };
  const excess = multiply(g, divide(risen, denominator));
  const logarithm = logOnePlus(excess);
  const faded = {
    re: denominator.re + multiply(g, risen).re,
    im: denominator.im + multiply(g, risen).im,
  };
  const weight = divide(risen, faded);
  const fromStart = multiply(r, weight);
  return {
    re: kappa * theta * (r.re * years - (2 * logarithm.re) / variance) + v0 * fromStart.re,
    im: kappa * theta * (r.im * years - (2 * logarithm.im) / variance) + v0 * fromStart.im,
  };
}

function multiply(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

function divide(a: Complex, b: Complex): Complex {
  const size = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size };
}

/** The root with a real part that is not negative. */
function squareRoot({ re, im }: Complex): Complex {
  const size = Math.sqrt((Math.abs(re) + Math.hypot(re, im)) / 2);
  if (size === 0) return { re: 0, im: 0 };
  if (re >= 0) return { re: size, im: im / (2 * size) };
  return { re: Math.abs(im) / (2 * size), im: im < 0 ? -size : size };
}

/** `ln(1 + z)`, also where z is far below a rounding of 1. */
function logOnePlus({ re, im }: Complex): Complex {
  return { re: Math.log1p(2 * re + re * re + im * im) / 2, im: Math.atan2(im, 1 + re) };
}
