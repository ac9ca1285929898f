/**
 * Surface SVI with a power law (Gatheral and Jacquier 2014, section 4): three parameters and one
 * at-the-money variance for each expiry, free of butterfly and calendar arbitrage by theorem. The
 * fallback where quotes cannot be fitted slice by slice without arbitrage.
 */
import { power } from "./deterministicMath.ts";
import { minimise } from "./levenbergMarquardt.ts";
import { type SviSmile, sviVariance } from "./svi.ts";

/**
 * `w(k, theta) = theta / 2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))` with
 * `phi = eta / (theta^gamma (1 + theta)^(1 - gamma))`. Free of arbitrage while theta never falls,
 * `0 < gamma <= 1/2` and `eta (1 + |rho|) <= 2` (their theorems 4.1 and 4.2, equation 4.5).
 */
export interface SsviShape {
  readonly rho: number;
  readonly eta: number;
  readonly gamma: number;
}

/** A quote of one expiry: log moneyness, total variance, weight (1 where it is left out). */
export interface VarianceQuote {
  readonly k: number;
  readonly variance: number;
  readonly weight?: number;
}

export interface SsviFit extends SsviShape {
  /** At-the-money total variance of each expiry, in the order given, never falling. */
  readonly thetas: readonly number[];
  /** Root mean square of the weighted errors of total volatility. */
  readonly error: number;
}

const GAMMA_MIN = 0.01;
const RHO_MAX = 0.999;
const STEEPNESS_MIN = 1e-4;
const VARIANCE_MIN = 1e-12;

/** The slice with at-the-money total variance `theta`, in the raw form. */
export function ssviSmile(shape: SsviShape, theta: number): SviSmile {
  const { rho, eta, gamma } = shape;
  const phi = eta / (power(theta, gamma) * power(1 + theta, 1 - gamma));
  const rest = 1 - rho * rho;
  return {
    a: (theta * rest) / 2,
    b: (theta * phi) / 2,
    rho,
    m: -rho / phi,
    sigma: Math.sqrt(rest) / phi,
  };
}

/**
 * The least-squares surface for quotes by expiry, the nearest first, each with at least one quote
 * of positive variance.
 */
export function fitSsvi(expiries: readonly (readonly VarianceQuote[])[]): SsviFit {
  const guesses = expiries.map(atTheMoney);
  const steps = guesses.map((theta, i) => Math.max(theta - (guesses[i - 1] ?? 0), 0));
  const count = expiries.length;
  const problem = {
    residuals: (point: readonly number[]) => surfaceResiduals(expiries, unpack(point)),
    start: [-0.3, 0.5, 0.4, ...steps],
    lower: [-RHO_MAX, STEEPNESS_MIN, GAMMA_MIN, ...new Array<number>(count).fill(0)],
    upper: [RHO_MAX, 1, 0.5, ...new Array<number>(count).fill(Math.max(...guesses) * 4 + 1)],
  };
  const fit = minimise(problem);
  const quotes = expiries.reduce((sum, expiry) => sum + expiry.length, 0);
  return { ...unpack(fit.point), error: Math.sqrt(fit.cost / quotes) };
}

/** Coordinates: rho, `eta (1 + |rho|) / 2`, gamma, and the steps from theta to theta. */
function unpack(point: readonly number[]): SsviShape & { readonly thetas: readonly number[] } {
  const [rho = 0, steepness = 0, gamma = 0, ...steps] = point;
  let sum = VARIANCE_MIN;
  const thetas = steps.map((step) => {
    sum += step;
    return sum;
  });
  return { rho, eta: (2 * steepness) / (1 + Math.abs(rho)), gamma, thetas };
}

function surfaceResiduals(
  expiries: readonly (readonly VarianceQuote[])[],
  surface: SsviShape & { readonly thetas: readonly number[] },
): number[] {
  return expiries.flatMap((quotes, i) => {
    const smile = ssviSmile(surface, surface.thetas[i]!);
    return quotes.map((quote) => volatilityError(smile, quote));
  });
}

/** The weighted error of `sqrt(w)` at a quote. */
export function volatilityError(smile: SviSmile, { k, variance, weight }: VarianceQuote): number {
  return (weight ?? 1) * (Math.sqrt(Math.max(sviVariance(smile, k), 0)) - Math.sqrt(variance));
}

/** Total variance of the quote nearest to the money. */
function atTheMoney(quotes: readonly VarianceQuote[]): number {
  let nearest = quotes[0];
  for (const quote of quotes) if (Math.abs(quote.k) < Math.abs(nearest!.k)) nearest = quote;
  if (nearest === undefined) throw new RangeError("an expiry has no quotes; it needs at least one");
  return nearest.variance;
}
