/** The volatility at which Black's formula gives a price, for every price that has one. */
import type { OptionInputs } from "./black76.ts";
import { log, logRatio } from "./deterministicMath.ts";
import { impliedDeviation } from "./letsBeRational.ts";

/** Normalised prices below this have lost digits or may be 0. */
const BETA_SMALL = 1e-290;

/** `price` is undiscounted and in the unit of `forward`. */
export interface ImpliedInputs extends Omit<OptionInputs, "volatility"> {
  readonly price: number;
}

export type ImpliedFault =
  /** A number is not finite, or forward or strike is negative. */
  | "invalid"
  /** The price is less than what exercise at the forward would bring. */
  | "belowIntrinsic"
  /** The price is at or above its bound: the forward for a call, the strike for a put. */
  | "aboveMaximum"
  /** The option is worth more than its intrinsic value and has no time left. */
  | "noTime";

export type ImpliedOutcome =
  | { readonly volatility: number }
  | { readonly volatility: undefined; readonly fault: ImpliedFault };

/** The volatility as a fraction for one year, or why there is none. Never NaN. */
export function impliedOutcome(inputs: ImpliedInputs): ImpliedOutcome {
  const { isCall, forward, strike, yearsToExpiry, price } = inputs;
  if (![forward, strike, yearsToExpiry, price].every(Number.isFinite)) return none("invalid");
  if (forward < 0 || strike < 0) return none("invalid");
  const exercise = isCall ? forward - strike : strike - forward;
  const target = exercise > 0 ? price - exercise : price;
  if (target < 0) return none("belowIntrinsic");
  if (target === 0) return { volatility: 0 };
  const bound = Math.min(forward, strike);
  if (target >= bound) return none("aboveMaximum");
  if (!(yearsToExpiry > 0)) return none("noTime");
  const unit = Math.sqrt(forward) * Math.sqrt(strike);
  const x = -Math.abs(logRatio(forward, strike));
  const beta = target / unit;
  const logBeta = beta < BETA_SMALL ? log(target) - log(unit) : undefined;
  const deviation = impliedDeviation(x, beta, (bound - target) / unit, logBeta);
  return { volatility: deviation / Math.sqrt(yearsToExpiry) };
}

/** `impliedOutcome`'s volatility alone. */
export function impliedVolatility(inputs: ImpliedInputs): number | undefined {
  return impliedOutcome(inputs).volatility;
}

function none(fault: ImpliedFault): ImpliedOutcome {
  return { volatility: undefined, fault };
}
