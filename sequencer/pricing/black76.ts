/**
 * Black's formula for European options on a forward (F. Black, "The pricing of commodity
 * contracts", J. Financial Economics 3, 1976; Haug, "The Complete Guide to Option Pricing
 * Formulas", 2nd ed., chapter 1), undiscounted: margins and marks are in the settlement currency at
 * expiry. Multiply by a discount factor where one is wanted. Deterministic on every machine.
 */
import { log } from "./deterministicMath.ts";
import { normalCdf, normalPdf } from "./normalDistribution.ts";

/** Milliseconds of the 365-day year in which volatilities are quoted. */
export const MS_PER_YEAR = 31_536_000_000;

/**
 * `forward` and `strike` in the same unit of price, which results share; `volatility` as a
 * fraction for one year (0.65), `yearsToExpiry` in 365-day years. All at least 0.
 */
export interface OptionInputs {
  readonly isCall: boolean;
  readonly forward: number;
  readonly strike: number;
  readonly yearsToExpiry: number;
  readonly volatility: number;
}

/**
 * Derivatives of the price: `delta` and `gamma` by the forward, `vega` for 1 of volatility,
 * `theta` for one year that passes with forward and volatility unchanged.
 */
export interface Greeks {
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
  readonly theta: number;
}

/** What an option pays when the underlying settles at `price`. */
export function intrinsic(isCall: boolean, strike: number, price: number): number {
  return Math.max(isCall ? price - strike : strike - price, 0);
}

/**
 * `F N(d1) - K N(d2)` for a call, `K N(-d2) - F N(-d1)` for a put, computed as intrinsic value plus
 * the out-of-the-money option, so that put-call parity holds to the last rounding. With no time,
 * volatility or strike left this is the intrinsic value; a call with strike 0 is the forward.
 */
export function blackPrice(inputs: OptionInputs): number {
  checkInputs(inputs);
  const { isCall, forward, strike, yearsToExpiry, volatility } = inputs;
  const deviation = volatility * Math.sqrt(yearsToExpiry);
  return intrinsic(isCall, strike, forward) + timeValue(forward, strike, deviation);
}

/**
 * The out-of-the-money option's price at a total standard deviation `volatility * sqrt(years)`:
 * what both the call and the put are worth above their intrinsic value.
 */
export function timeValue(forward: number, strike: number, deviation: number): number {
  if (forward === 0 || strike === 0 || deviation === 0) return 0;
  const d1 = log(forward / strike) / deviation + deviation / 2;
  const d2 = d1 - deviation;
  const value =
    strike >= forward
      ? forward * normalCdf(d1) - strike * normalCdf(d2)
      : strike * normalCdf(-d2) - forward * normalCdf(-d1);
  return Math.max(value, 0);
}

/**
 * Delta `N(d1)` (put: minus `N(-d1)`), gamma `n(d1) / (F s)`, vega `F n(d1) sqrt(T)`, theta
 * `-F n(d1) vol / (2 sqrt(T))`, `s = vol sqrt(T)` (Haug, chapter 2, with b = 0 and r = 0). Where
 * `s` is 0, delta is the payoff's slope (half of it exactly at the money) and the rest is 0.
 */
export function blackGreeks(inputs: OptionInputs): Greeks {
  checkInputs(inputs);
  const { isCall, forward, strike, yearsToExpiry, volatility } = inputs;
  const rootTime = Math.sqrt(yearsToExpiry);
  const deviation = volatility * rootTime;
  if (forward === 0 || strike === 0 || deviation === 0) {
    const callDelta = forward > strike ? 1 : forward < strike ? 0 : 0.5;
    return { delta: isCall ? callDelta : callDelta - 1, gamma: 0, vega: 0, theta: 0 };
  }
  const d1 = log(forward / strike) / deviation + deviation / 2;
  const density = normalPdf(d1);
  return {
    delta: isCall ? normalCdf(d1) : -normalCdf(-d1),
    gamma: density / (forward * deviation),
    vega: forward * density * rootTime,
    theta: (-forward * density * volatility) / (2 * rootTime),
  };
}

function checkInputs(inputs: OptionInputs): void {
  for (const name of ["forward", "strike", "yearsToExpiry", "volatility"] as const) {
    const value = inputs[name];
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`\`${name}\` must be a finite number, at least 0. Got \`${value}\`.`);
    }
  }
}
