/**
 * Calibrates Heston's model to implied volatilities by least squares (Levenberg-Marquardt) from
 * several starts. Errors are measured in volatility, the way quotes are.
 */
import { type HestonParameters, hestonTimeValues } from "./heston.ts";
import { impliedDeviation } from "./letsBeRational.ts";
import { minimise } from "./levenbergMarquardt.ts";

/** Options of one expiry on one forward. */
export interface HestonExpiry {
  readonly years: number;
  readonly forward: number;
  readonly quotes: readonly {
    readonly strike: number;
    readonly volatility: number;
    readonly weight?: number;
  }[];
}

export interface HestonFit extends HestonParameters {
  /** Root mean square of the weighted errors of volatility. */
  readonly error: number;
  readonly converged: boolean;
  /** Whether `2 kappa theta >= sigma^2` (Feller): the variance never reaches 0. */
  readonly feller: boolean;
}

/** Prices within a calibration need no more than what a quote can show. */
const TOLERANCE = 1e-9;
const LOWER = [1e-6, 0.01, 1e-6, 1e-3, -0.999];
const UPPER = [10, 50, 10, 20, 0.999];
/** Where a model price has no volatility, its quote is wrong by this much. */
const ERROR_MAX = 10;

/** Black volatility of the model at each strike; NaN where rounding leaves no time value. */
export function hestonVolatilities(
  parameters: HestonParameters,
  forward: number,
  strikes: readonly number[],
  years: number,
  tolerance?: number,
): number[] {
  const values = hestonTimeValues(parameters, forward, strikes, years, tolerance);
  return strikes.map((strike, i) => {
    const unit = Math.sqrt(forward) * Math.sqrt(strike);
    const bound = Math.min(forward, strike);
    const value = values[i]!;
    if (!(value > 0 && value < bound)) return Number.NaN;
    const x = -Math.abs(Math.log(forward / strike));
    return impliedDeviation(x, value / unit, (bound - value) / unit) / Math.sqrt(years);
  });
}

/** At least five quotes altogether, of positive volatility, strike and time. */
export function fitHeston(
  expiries: readonly HestonExpiry[],
  starts: readonly HestonParameters[] = startsFor(expiries),
): HestonFit {
  const count = expiries.reduce((sum, { quotes }) => sum + quotes.length, 0);
  if (count < 5) throw new RangeError(`\`${count}\` quotes do not determine Heston; 5 or more do`);
  const residuals = (point: readonly number[]) => {
    const parameters = unpack(point);
    return expiries.flatMap(({ years, forward, quotes }) => {
      const strikes = quotes.map(({ strike }) => strike);
      const model = hestonVolatilities(parameters, forward, strikes, years, TOLERANCE);
      return quotes.map(({ volatility, weight }, i) => {
        const error = model[i]! - volatility;
        return (weight ?? 1) * (Number.isFinite(error) ? error : ERROR_MAX);
      });
    });
  };
  let best: ReturnType<typeof minimise> | undefined;
  for (const { v0, kappa, theta, sigma, rho } of starts) {
    const start = [v0, kappa, theta, sigma, rho];
    const fit = minimise({ residuals, start, lower: LOWER, upper: UPPER, iterationsMax: 100 });
    if (!best || fit.cost < best.cost) best = fit;
  }
  const { point, cost, converged } = best!;
  const parameters = unpack(point);
  const { kappa, theta, sigma } = parameters;
  const feller = 2 * kappa * theta >= sigma * sigma;
  return { ...parameters, error: Math.sqrt(cost / count), converged, feller };
}

function unpack(point: readonly number[]): HestonParameters {
  const [v0 = 0, kappa = 0, theta = 0, sigma = 0, rho = 0] = point;
  return { v0, kappa, theta, sigma, rho };
}

/** From the mean variance of the first and of the last expiry, reverting slowly and fast. */
function startsFor(expiries: readonly HestonExpiry[]): HestonParameters[] {
  const v0 = meanVariance(expiries[0]);
  const theta = meanVariance(expiries.at(-1));
  const base = { v0, theta, rho: -0.3 };
  return [
    { ...base, kappa: 1.5, sigma: Math.sqrt(v0) * 1.5 },
    { ...base, kappa: 6, sigma: Math.sqrt(v0) * 4 },
  ];
}

function meanVariance(expiry: HestonExpiry | undefined): number {
  const quotes = expiry?.quotes ?? [];
  const sum = quotes.reduce((total, { volatility }) => total + volatility * volatility, 0);
  return sum / Math.max(quotes.length, 1);
}
