/**
 * The generalised Black-Scholes-Merton model with every derivative of the price up to the third
 * order that a desk uses. Formulas: E. G. Haug, "The Complete Guide to Option Pricing Formulas",
 * 2nd edition, chapters 1 and 2, with cost of carry `b = rate - yield`. Black-76 on a forward is
 * the case `spot = forward`, `yield = rate`. Deterministic on every machine.
 */
import { blackPrice } from "./black76.ts";
import { exp, logRatio } from "./deterministicMath.ts";
import { normalCdf, normalPdf } from "./normalDistribution.ts";

/** Prices in one unit; years, and rates and volatility as fractions for one year, continuous. */
export interface SpotInputs {
  readonly isCall: boolean;
  readonly spot: number;
  readonly strike: number;
  readonly yearsToExpiry: number;
  readonly volatility: number;
  readonly rate: number;
  /** What holding the underlying pays: a dividend, a foreign rate, a funding rate. */
  readonly yield: number;
}

/**
 * Derivatives of the price V by spot S, volatility v, time t that passes (one year, not a day),
 * rate r, yield q and strike K, each for 1 of its unit.
 */
export interface FullGreeks {
  readonly price: number;
  /** dV/dS */
  readonly delta: number;
  /** d2V/dS2 */
  readonly gamma: number;
  /** dV/dv */
  readonly vega: number;
  /** dV/dt */
  readonly theta: number;
  /** dV/dr with the yield unchanged */
  readonly rho: number;
  /** dV/dq, also called psi */
  readonly epsilon: number;
  /** d2V/dS dv */
  readonly vanna: number;
  /** d2V/dv2, also called vomma */
  readonly volga: number;
  /** d2V/dS dt */
  readonly charm: number;
  /** d2V/dv dt */
  readonly veta: number;
  /** d3V/dS3 */
  readonly speed: number;
  /** d3V/dS2 dt */
  readonly color: number;
  /** d3V/dS2 dv */
  readonly zomma: number;
  /** d3V/dv3 */
  readonly ultima: number;
  /** dV/dK */
  readonly dualDelta: number;
  /** d2V/dK2: the discounted density at the strike */
  readonly dualGamma: number;
}

/** `e^(-rT)` times Black's price on the forward `S e^((r - q) T)`. */
export function spotPrice(inputs: SpotInputs): number {
  const { isCall, spot, strike, yearsToExpiry, volatility, rate } = inputs;
  const forward = spot * exp((rate - inputs.yield) * yearsToExpiry);
  const undiscounted = blackPrice({ isCall, forward, strike, yearsToExpiry, volatility });
  return exp(-rate * yearsToExpiry) * undiscounted;
}

/**
 * Price and greeks. Where no time, volatility, spot or strike is left the price is the discounted
 * intrinsic value and the greeks are its derivatives; those that are infinite at the strike are 0.
 */
export function spotGreeks(inputs: SpotInputs): FullGreeks {
  const price = spotPrice(inputs);
  const { spot, strike, yearsToExpiry: years, volatility, rate } = inputs;
  const deviation = volatility * Math.sqrt(years);
  const discount = exp(-rate * years);
  const growth = exp(-inputs.yield * years);
  const carry = rate - inputs.yield;
  if (deviation === 0 || spot === 0 || strike === 0) {
    return { ...firstOrder(inputs, settledOdds(inputs), discount, growth), ...NO_CURVATURE, price };
  }
  const d1 = (logRatio(spot, strike) + carry * years) / deviation + deviation / 2;
  const d2 = d1 - deviation;
  const sign = inputs.isCall ? 1 : -1;
  const odds = { spot: normalCdf(sign * d1), strike: normalCdf(sign * d2) };
  const density = growth * normalPdf(d1);
  const first = firstOrder(inputs, odds, discount, growth);
  const vega = spot * density * Math.sqrt(years);
  const gamma = density / (spot * deviation);
  const product = d1 * d2;
  const drift = inputs.yield + (carry * d1) / deviation;
  const tilt = carry / deviation - d2 / (2 * years);
  return {
    ...first,
    price,
    gamma,
    vega,
    theta: first.theta - (spot * density * volatility) / (2 * Math.sqrt(years)),
    vanna: (-density * d2) / volatility,
    volga: (vega * product) / volatility,
    charm: first.charm - density * tilt,
    veta: vega * (drift - (1 + product) / (2 * years)),
    speed: (-gamma / spot) * (1 + d1 / deviation),
    color: gamma * (drift + (1 - product) / (2 * years)),
    zomma: (gamma * (product - 1)) / volatility,
    ultima: (-vega / (volatility * volatility)) * (product * (1 - product) + d1 * d1 + d2 * d2),
    dualGamma: (discount * normalPdf(d2)) / (strike * deviation),
  };
}

/** Probabilities of exercise, by the spot's and by the strike's measure. */
interface Odds {
  readonly spot: number;
  readonly strike: number;
}

/** What needs no density. */
function firstOrder(inputs: SpotInputs, odds: Odds, discount: number, growth: number) {
  const { isCall, spot, strike, yearsToExpiry: years, rate } = inputs;
  const sign = isCall ? 1 : -1;
  const delta = sign * growth * odds.spot;
  const dualDelta = -sign * discount * odds.strike;
  return {
    delta,
    dualDelta,
    theta: inputs.yield * spot * delta + rate * strike * dualDelta,
    rho: -strike * years * dualDelta,
    epsilon: -spot * years * delta,
    charm: inputs.yield * delta,
  };
}

/** Certain exercise or none; half exactly at the money. */
function settledOdds({ isCall, spot, strike, yearsToExpiry, rate, ...rest }: SpotInputs): Odds {
  const forward = spot * exp((rate - rest.yield) * yearsToExpiry);
  const call = forward > strike ? 1 : forward < strike ? 0 : 0.5;
  const odds = isCall ? call : 1 - call;
  return { spot: odds, strike: odds };
}

const NO_CURVATURE = {
  gamma: 0,
  vega: 0,
  vanna: 0,
  volga: 0,
  veta: 0,
  speed: 0,
  color: 0,
  zomma: 0,
  ultima: 0,
  dualGamma: 0,
} as const;

/**
 * Black-76 with all greeks: delta, gamma and their kin by the forward, discounted at `rate` (0:
 * undiscounted). Rho is that of a forward that does not move with the rate: `-T V`.
 */
export function forwardGreeks(
  inputs: Omit<SpotInputs, "spot" | "yield"> & { readonly forward: number },
): FullGreeks {
  const { forward, ...rest } = inputs;
  const greeks = spotGreeks({ ...rest, spot: forward, yield: inputs.rate });
  return { ...greeks, rho: greeks.rho + greeks.epsilon };
}
