/** What a list of option legs is worth, by Black's formula: now, later, at other prices. */
import { blackGreeks, blackPrice, MS_PER_YEAR } from "../../pricing/black76.ts";

/** Prices in USDC, times in unix ms; `contracts` below 0: sold. */
export interface PricedLeg {
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
  readonly contracts: number;
  /** A fraction for one year; undefined: not known, so the leg counts as what exercise brings. */
  readonly volatility: number | undefined;
  /** Of the leg's expiry now. */
  readonly forward: number;
}

export interface Scene {
  /** Price of the underlying, of which `base` is today's: forwards move in proportion. */
  readonly price: number;
  readonly base: number;
  readonly time: number;
  /** Of volatilities: 0.1 makes 50 % to 55 %. */
  readonly volatilityShift?: number;
}

function inputsOf(leg: PricedLeg, { price, base, time, volatilityShift = 0 }: Scene) {
  const { isCall, strike, expiry, forward, volatility = 0 } = leg;
  return {
    ...{ isCall, strike, forward: Math.max(0, (price * forward) / base) },
    yearsToExpiry: Math.max(0, expiry - time) / MS_PER_YEAR,
    volatility: Math.max(0, volatility * (1 + volatilityShift)),
  };
}

export function presentValue(legs: readonly PricedLeg[], scene: Scene): number {
  return legs.reduce((sum, leg) => sum + leg.contracts * blackPrice(inputsOf(leg, scene)), 0);
}

export interface Totals {
  readonly delta: number;
  /** Of delta, for 1 USDC. */
  readonly gamma: number;
  /** USDC for one volatility point, and for one day. */
  readonly vega: number;
  readonly theta: number;
}

export function greeksOf(legs: readonly PricedLeg[], scene: Scene): Totals {
  const total = { delta: 0, gamma: 0, vega: 0, theta: 0 };
  for (const leg of legs) {
    const { delta, gamma, vega, theta } = blackGreeks(inputsOf(leg, scene));
    total.delta += leg.contracts * delta;
    total.gamma += leg.contracts * gamma;
    total.vega += (leg.contracts * vega) / 100;
    total.theta += (leg.contracts * theta) / 365;
  }
  return total;
}

/** Profit by price of the underlying, `cost` paid at the start. */
export interface Curve {
  readonly prices: readonly number[];
  readonly now: readonly number[];
  /** When the first leg expires. */
  readonly later: readonly number[];
}

export interface CurveOptions {
  readonly base: number;
  readonly time: number;
  readonly cost: number;
  readonly from: number;
  readonly to: number;
  readonly points?: number;
}

export function profitCurve(legs: readonly PricedLeg[], options: CurveOptions): Curve {
  const { base, time, cost, from, to, points = 161 } = options;
  const grid = Array.from({ length: points }, (_, at) => from + ((to - from) * at) / (points - 1));
  // Kinks of the payoff are where strikes are: they must be on the curve.
  const strikes = legs.map(({ strike, forward }) => (strike * base) / forward);
  const within = strikes.filter((price) => price > from && price < to);
  const prices = [...new Set([...grid, ...within])].sort((a, b) => a - b);
  const end = firstExpiry(legs);
  return {
    prices,
    now: prices.map((price) => presentValue(legs, { price, base, time }) - cost),
    later: prices.map((price) => presentValue(legs, { price, base, time: end }) - cost),
  };
}

export function firstExpiry(legs: readonly PricedLeg[]): number {
  return Math.min(...legs.map(({ expiry }) => expiry));
}

/** Prices at which the profit at the first expiry changes its sign, by straight lines between. */
export function breakEvens({ prices, later }: Curve): number[] {
  return prices.slice(1).flatMap((price, index) => {
    const [a, b] = [later[index]!, later[index + 1]!];
    if (a === 0 || a < 0 === b < 0) return [];
    const before = prices[index]!;
    return [before + ((price - before) * -a) / (b - a)];
  });
}

/** Infinite where it has no bound; only the first expiry is looked at. */
export interface Bounds {
  readonly gain: number;
  readonly loss: number;
}

/** Exact where all legs expire together; else of the curve alone, as its options say. */
export function profitBounds(legs: readonly PricedLeg[], options: CurveOptions): Bounds {
  const { base, cost } = options;
  const time = firstExpiry(legs);
  const isOneExpiry = legs.every(({ expiry }) => expiry === time);
  const curve = profitCurve(legs, options);
  const corners = [0, ...legs.map(({ strike, forward }) => (strike * base) / forward)];
  const exact = corners.map((price) => presentValue(legs, { price, base, time }) - cost);
  const values = isOneExpiry ? exact : [...curve.later, ...exact];
  const calls = legs.filter(({ isCall }) => isCall);
  const slope = calls.reduce((sum, { contracts }) => sum + contracts, 0);
  const none = Math.abs(slope) < 1e-9;
  return {
    gain: !none && slope > 0 ? Number.POSITIVE_INFINITY : Math.max(...values),
    loss: !none && slope < 0 ? Number.NEGATIVE_INFINITY : Math.min(...values),
  };
}

export interface Matrix {
  /** Moves of the price and of volatilities, as fractions. */
  readonly moves: readonly number[];
  readonly shifts: readonly number[];
  /** Profit by volatility shift, then by move. */
  readonly profits: readonly (readonly number[])[];
}

export const MOVES = [-0.15, -0.1, -0.05, -0.02, 0, 0.02, 0.05, 0.1, 0.15] as const;
export const SHIFTS = [0.4, 0.2, 0.1, 0, -0.1, -0.2, -0.4] as const;

export function profitMatrix(
  legs: readonly PricedLeg[],
  { base, time, cost }: Pick<CurveOptions, "base" | "time" | "cost">,
): Matrix {
  const profits = SHIFTS.map((volatilityShift) =>
    MOVES.map((move) => {
      const price = base * (1 + move);
      return presentValue(legs, { price, base, time, volatilityShift }) - cost;
    }),
  );
  return { moves: MOVES, shifts: SHIFTS, profits };
}

/** Positive weights' greatest common divisor: `2 -4 2` is twice `1 -2 1`. */
export function commonPart(weights: readonly number[]): number {
  const divide = (a: number, b: number): number => (b === 0 ? a : divide(b, a % b));
  return weights.map(Math.abs).reduce(divide, 0);
}
