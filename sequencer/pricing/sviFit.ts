/**
 * Fits raw SVI to the quotes of one expiry, without butterfly arbitrage anywhere and without
 * calendar arbitrage against an earlier expiry. The start is the best of a grid of quasi-explicit
 * solutions: for given m and sigma the smile is linear in the rest (Zeliade Systems,
 * "Quasi-explicit calibration of Gatheral's SVI model", 2009). Coordinates are chosen so that the
 * bounds on the parameters (positive variance, Lee's bound on the wings) are a box.
 */
import { minimise, solvePositive } from "./levenbergMarquardt.ts";
import { fitSsvi, ssviSmile, type VarianceQuote, volatilityError } from "./ssvi.ts";
import { calendarFault, durrleman, type SviSmile, smileFault, sviVariance } from "./svi.ts";

export interface SmileFit {
  readonly smile: SviSmile;
  /** Root mean square of the weighted errors of total volatility, `volatility sqrt(years)`. */
  readonly error: number;
  /** How the smile came about: without constraint, with penalties, or as an SSVI slice. */
  readonly kind: "free" | "penalised" | "ssvi";
}

const RHO_MAX = 0.999;
/** Of Lee's bound `b (1 + |rho|) <= 2`. */
const STEEPNESS_MAX = 0.999;
const SIGMA_MIN = 1e-3;
const SIGMA_MAX = 10;
/** Starts: where the smile's bottom may lie, and how round it is, in widths of the quotes. */
const CENTRES = [-0.5, -0.2, 0, 0.2, 0.5];
const ROUNDNESSES = [0.05, 0.15, 0.4, 1];
/** Penalties are summed over this many moneynesses in each direction, geometrically outwards. */
const PENALTY_POINTS = 16;
const PENALTY_REACH = 12;
const PENALTY_STARTS = [1, 30, 1000] as const;
const PENALTY_MARGIN = 2e-3;

/**
 * The smile of quotes with finite moneyness and positive variance; below three different
 * moneynesses, and where no raw smile is found without arbitrage, a slice of SSVI. With `earlier`
 * the smile nowhere lies below that one, unless the quotes contradict it so much that only the
 * SSVI slice is left: `calendarFault` tells.
 */
export function fitSmile(quotes: readonly VarianceQuote[], earlier?: SviSmile): SmileFit {
  const distinct = new Set(quotes.map(({ k }) => k)).size;
  if (distinct < 3) return ssviFallback(quotes);
  const free = improve(quotes, quasiExplicit(quotes), []);
  if (isSound(free, earlier)) return { smile: free, error: errorOf(quotes, free), kind: "free" };
  let start = free;
  for (const strength of PENALTY_STARTS) {
    start = improve(quotes, start, penalties(quotes, strength, earlier));
    if (isSound(start, earlier)) {
      return { smile: start, error: errorOf(quotes, start), kind: "penalised" };
    }
  }
  return ssviFallback(quotes);
}

function isSound(smile: SviSmile, earlier: SviSmile | undefined): boolean {
  if (smileFault(smile) !== undefined) return false;
  return earlier === undefined || calendarFault(earlier, smile) === undefined;
}

function ssviFallback(quotes: readonly VarianceQuote[]): SmileFit {
  const fit = fitSsvi([quotes]);
  return { smile: ssviSmile(fit, fit.thetas[0]!), error: fit.error, kind: "ssvi" };
}

function errorOf(quotes: readonly VarianceQuote[], smile: SviSmile): number {
  let sum = 0;
  for (const quote of quotes) sum += volatilityError(smile, quote) ** 2;
  return Math.sqrt(sum / quotes.length);
}

type Penalty = (smile: SviSmile) => number;

/** What is missing to a small positive density, and to the earlier smile, at many moneynesses. */
function penalties(
  quotes: readonly VarianceQuote[],
  strength: number,
  earlier: SviSmile | undefined,
): Penalty[] {
  const [low, high] = range(quotes);
  const width = high - low;
  const points: number[] = [];
  for (let i = 0; i <= 2 * PENALTY_POINTS; i++)
    points.push(low + (i * width) / (2 * PENALTY_POINTS));
  for (let i = 1; i <= PENALTY_POINTS; i++) {
    const out = width * (PENALTY_REACH ** (i / PENALTY_POINTS) - 1);
    points.push(low - out, high + out);
  }
  const scale = (strength * Math.sqrt(quotes[0]!.variance)) / points.length;
  const convex = points.map((k): Penalty => {
    return (smile) => scale * Math.max(PENALTY_MARGIN - durrleman(smile, k), 0);
  });
  if (earlier === undefined) return convex;
  const above = points.map((k): Penalty => {
    const floor = sviVariance(earlier, k) * (1 + PENALTY_MARGIN);
    return (smile) => scale * Math.max(1 - sviVariance(smile, k) / floor, 0);
  });
  // Further out than any point the steeper wing wins.
  const wings = [-1, 1].map((side): Penalty => {
    const floor = wing(earlier, side) * (1 + PENALTY_MARGIN);
    return (smile) => scale * points.length * Math.max(1 - wing(smile, side) / floor, 0);
  });
  return [...convex, ...above, ...wings];
}

/** The slope of total variance far out on one side. */
function wing({ b, rho }: SviSmile, side: number): number {
  return b * (1 + side * rho) + Number.MIN_VALUE;
}

function range(quotes: readonly VarianceQuote[]): [number, number] {
  const ks = quotes.map(({ k }) => k);
  return [Math.min(...ks), Math.max(...ks)];
}

/** Coordinates: smallest variance, steepness, rho, m, ln sigma. */
function improve(
  quotes: readonly VarianceQuote[],
  start: SviSmile,
  penalised: readonly Penalty[],
): SviSmile {
  const [low, high] = range(quotes);
  const width = high - low;
  const highest = Math.max(...quotes.map(({ variance }) => variance));
  const fit = minimise({
    residuals: (point) => {
      const smile = unpack(point);
      const errors = quotes.map((quote) => volatilityError(smile, quote));
      for (const penalty of penalised) errors.push(penalty(smile));
      return errors;
    },
    start: pack(start),
    lower: [0, 0, -RHO_MAX, low - width, Math.log(SIGMA_MIN)],
    upper: [highest, STEEPNESS_MAX, RHO_MAX, high + width, Math.log(SIGMA_MAX)],
  });
  return unpack(fit.point);
}

function unpack(point: readonly number[]): SviSmile {
  const [minimum = 0, steepness = 0, rho = 0, m = 0, logSigma = 0] = point;
  const b = (2 * steepness) / (1 + Math.abs(rho));
  const sigma = Math.exp(logSigma);
  return { a: minimum - b * sigma * Math.sqrt(1 - rho * rho), b, rho, m, sigma };
}

function pack({ a, b, rho, m, sigma }: SviSmile): number[] {
  const minimum = a + b * sigma * Math.sqrt(1 - rho * rho);
  return [minimum, (b * (1 + Math.abs(rho))) / 2, rho, m, Math.log(sigma)];
}

/** The best of the linear fits on a grid of m and sigma, brought into the bounds. */
function quasiExplicit(quotes: readonly VarianceQuote[]): SviSmile {
  const [low, high] = range(quotes);
  const width = high - low;
  let best: SviSmile | undefined;
  let bestError = Number.POSITIVE_INFINITY;
  for (const centre of CENTRES) {
    for (const roundness of ROUNDNESSES) {
      const smile = linearFit(quotes, (low + high) / 2 + centre * width, roundness * width);
      const error = errorOf(quotes, smile);
      if (!best || error < bestError) [best, bestError] = [smile, error];
    }
  }
  return best!;
}

/** Least squares of `w = a + d y + c sqrt(y^2 + 1)`, `y = (k - m) / sigma`, then bounded. */
function linearFit(quotes: readonly VarianceQuote[], m: number, sigma: number): SviSmile {
  const rows = quotes.map(({ k, variance, weight }) => {
    const y = (k - m) / sigma;
    // An error of variance is 2 sqrt(w) errors of volatility.
    const scale = (weight ?? 1) / (2 * Math.sqrt(variance));
    return { basis: [scale, scale * y, scale * Math.sqrt(y * y + 1)], value: scale * variance };
  });
  const matrix = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => rows.reduce((sum, { basis }) => sum + basis[i]! * basis[j]!, 0)),
  );
  const right = [0, 1, 2].map((i) =>
    rows.reduce((sum, { basis, value }) => sum + basis[i]! * value, 0),
  );
  const [a = 0, d = 0, c = 0] = solvePositive(matrix, right) ?? [quotes[0]!.variance, 0, 0];
  const slope = Math.max(c, Math.abs(d), 1e-9);
  const rho = Math.min(Math.max(d / slope, -0.95), 0.95);
  const b = Math.min(slope / sigma, (1.9 * STEEPNESS_MAX) / (1 + Math.abs(rho)));
  return { a: Math.max(a, -b * sigma * Math.sqrt(1 - rho * rho)), b, rho, m, sigma };
}
