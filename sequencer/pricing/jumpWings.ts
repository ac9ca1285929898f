/**
 * SVI in the jump-wings parameters that traders quote, and the closed-form repair of a smile with
 * butterfly arbitrage (Gatheral and Jacquier 2014, sections 3.3 and 5.1).
 */
import { type SviSmile, sviMinimum, sviVariance } from "./svi.ts";

/** All for an expiry in `years`. */
export interface JumpWings {
  readonly years: number;
  /** At-the-money variance for one year. */
  readonly variance: number;
  /** At-the-money skew: the slope of the total volatility, `d sqrt(w) / dk`. */
  readonly skew: number;
  /** Slopes of the left and of the right wing. */
  readonly putWing: number;
  readonly callWing: number;
  /** The smallest variance for one year. */
  readonly minimum: number;
}

/** Equation 3.5. */
export function toJumpWings(smile: SviSmile, years: number): JumpWings {
  const { b, rho, m, sigma } = smile;
  const total = sviVariance(smile, 0);
  const deviation = Math.sqrt(total);
  return {
    years,
    variance: total / years,
    skew: (b / (2 * deviation)) * (rho - m / Math.sqrt(m * m + sigma * sigma)),
    putWing: (b * (1 - rho)) / deviation,
    callWing: (b * (1 + rho)) / deviation,
    minimum: sviMinimum(smile) / years,
  };
}

/** Lemma 3.2, for wings that are not both 0 and a skew between them: `-p < 2 skew < c`. */
export function fromJumpWings(wings: JumpWings): SviSmile {
  const { years, variance, skew, putWing, callWing, minimum } = wings;
  const deviation = Math.sqrt(variance * years);
  const b = (deviation * (callWing + putWing)) / 2;
  const rho = (callWing - putWing) / (callWing + putWing);
  const root = Math.sqrt(1 - rho * rho);
  const beta = rho - (2 * skew * deviation) / b;
  const excess = (variance - minimum) * years;
  // beta is m / sqrt(m^2 + sigma^2), so this is sqrt(m^2 + sigma^2) by the excess over the minimum.
  const radius = excess / (b * (1 - rho * beta - root * Math.sqrt(1 - beta * beta)));
  const sigma = radius * Math.sqrt(1 - beta * beta);
  return { a: minimum * years - b * sigma * root, b, rho, m: radius * beta, sigma };
}

/**
 * The smile with the same at-the-money variance, skew and put wing that has no butterfly
 * arbitrage: `c' = p + 2 skew`, `minimum' = variance 4 p c' / (p + c')^2`. `undefined` where
 * `p + 2 skew` is not positive.
 */
export function repairedWings(wings: JumpWings): JumpWings | undefined {
  const { variance, putWing, skew } = wings;
  const callWing = putWing + 2 * skew;
  if (!(callWing > 0 && putWing > 0)) return undefined;
  const sum = putWing + callWing;
  return { ...wings, callWing, minimum: (variance * 4 * putWing * callWing) / (sum * sum) };
}
