/**
 * The volatility at which Black's formula gives a price: Newton's iteration inside a bracket, with
 * bisection wherever Newton would leave it. Slower than P. Jaeckel's "Let's be rational" (2015),
 * but it cannot diverge.
 */
import { type OptionInputs, timeValue } from "./black76.ts";
import { log } from "./deterministicMath.ts";
import { normalPdf } from "./normalDistribution.ts";

const ITERATIONS_MAX = 200;
/** Total standard deviation at which every option is worth its upper bound as a double. */
const DEVIATION_MAX = 128;
const RELATIVE_STEP_MIN = 4e-16;

/** `price` is undiscounted and in the unit of `forward`. */
export interface ImpliedInputs extends Omit<OptionInputs, "volatility"> {
  readonly price: number;
}

/**
 * The volatility as a fraction for one year. `undefined` where there is none: a price below the
 * intrinsic value, at or above the bound (call: the forward, put: the strike), or time value
 * where no time is left or the option cannot have any.
 */
export function impliedVolatility(inputs: ImpliedInputs): number | undefined {
  const { isCall, forward, strike, yearsToExpiry, price } = inputs;
  const target = price - Math.max(isCall ? forward - strike : strike - forward, 0);
  if (!(target >= 0)) return undefined;
  if (target === 0) return 0;
  if (!(yearsToExpiry > 0) || target >= Math.min(forward, strike)) return undefined;
  const deviation = solveDeviation(forward, strike, target);
  return deviation === undefined ? undefined : deviation / Math.sqrt(yearsToExpiry);
}

/**
 * Starts at the inflection point `sqrt(2 |ln(F/K)|)`, from where Newton's iteration is monotone
 * (Manaster and Koehler, J. Finance 37, 1982), or at the money from `sqrt(2 pi) price / F`.
 */
function solveDeviation(forward: number, strike: number, target: number): number | undefined {
  const moneyness = Math.abs(log(forward / strike));
  const inflection = Math.sqrt(2 * moneyness);
  let low = 0;
  let high = DEVIATION_MAX;
  let guess = Math.min(
    Math.max(inflection, (2.5066282746310002 * target) / Math.max(forward, strike)),
    high / 2,
  );
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    const value = timeValue(forward, strike, guess);
    if (value === target) return guess;
    if (value > target) high = guess;
    else low = guess;
    const d1 = log(forward / strike) / guess + guess / 2;
    const slope = forward * normalPdf(d1);
    // Far out of the money the logarithm of the price is much closer to linear than the price.
    const error = guess < inflection ? value * log(value / target) : value - target;
    const newton = guess - error / slope;
    const next = newton > low && newton < high ? newton : low + (high - low) / 2;
    if (Math.abs(next - guess) <= RELATIVE_STEP_MIN * guess) return next;
    guess = next;
  }
  return guess;
}
