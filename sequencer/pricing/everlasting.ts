/**
 * Everlasting (perpetual) options: never expire, and the holder pays `mark - payoff` for each
 * funding period (D. White and S. Bankman-Fried, "Everlasting options", Paradigm, 2021). With
 * continuous funding the price is the average of dated options over exponentially distributed
 * times to expiry of mean one funding period, which has a closed form (the zero-rate case: Deri
 * Protocol, "Pricing continuously funded everlasting options", 2021). With time's average taken,
 * V solves `v^2 S^2 V'' / 2 + (r - q) S V' - (r + 1/P) V + payoff / P = 0`, whose solutions are
 * powers of S on each side of the strike. Deterministic on every machine.
 */
import { intrinsic } from "./black76.ts";
import { spotPrice } from "./blackScholes.ts";
import { log, power } from "./deterministicMath.ts";

/** Spot and strike in one unit; volatility, rate and yield as fractions for one year. */
export interface EverlastingInputs {
  readonly isCall: boolean;
  readonly spot: number;
  readonly strike: number;
  readonly volatility: number;
  /** Years in which `mark - payoff` is paid once. */
  readonly periodYears: number;
  readonly rate?: number;
  readonly yield?: number;
}

/** There is no theta: the price does not age, funding takes its place. */
export interface EverlastingQuote {
  readonly price: number;
  readonly delta: number;
  readonly gamma: number;
  /** For 1 of volatility. */
  readonly vega: number;
  /** What a long position pays over one whole funding period at this price: price less payoff. */
  readonly funding: number;
}

/** Weights of the discrete sum below this are left out. */
const WEIGHT_MIN = 1e-17;
const TERMS_MAX = 1_000_000;

/** Price and greeks under continuous funding. */
export function everlastingQuote(inputs: EverlastingInputs): EverlastingQuote {
  checkInputs(inputs);
  const { isCall, spot, strike } = inputs;
  const model = rootsOf(inputs);
  const { upper, lower, held, paid } = model;
  const isBelow = spot < strike;
  const root = isBelow ? upper : lower;
  const other = isBelow ? lower : upper;
  // The time value is `level (S / K)^root`; it and its slope are continuous at the strike.
  const gap = upper.value - lower.value;
  const numerator = held - other.value * (held - paid);
  const level = (strike * numerator) / gap;
  const shape = power(spot / strike, root.value);
  const time = level * shape;
  const isInside = isBelow !== isCall;
  const sign = isCall ? 1 : -1;
  const price = time + (isInside ? sign * (held * spot - paid * strike) : 0);
  const levelSlope =
    (-strike * other.slope * (held - paid) - level * (upper.slope - lower.slope)) / gap;
  return {
    price,
    delta: (time * root.value) / spot + (isInside ? sign * held : 0),
    gamma: (time * root.value * (root.value - 1)) / (spot * spot),
    vega: levelSlope * shape + time * root.slope * log(spot / strike),
    funding: price - intrinsic(isCall, strike, spot),
  };
}

/** What a long position pays (receives, if negative) while `elapsedYears` pass. */
export function everlastingFunding(
  mark: number,
  payoff: number,
  elapsedYears: number,
  periodYears: number,
): number {
  return ((mark - payoff) * elapsedYears) / periodYears;
}

/**
 * The price just after a payment when funding is paid at intervals, each time the share
 * `f = interval / period` of `mark - payoff`: `sum f / (1 + f)^i V(i intervals)` over i = 1, 2, ...
 * (White and Bankman-Fried, where f = 1 gives 1/2, 1/4, ...).
 */
export function everlastingDiscrete(inputs: EverlastingInputs, intervalYears: number): number {
  checkInputs(inputs);
  const share = intervalYears / inputs.periodYears;
  const dated = { ...inputs, rate: inputs.rate ?? 0, yield: inputs.yield ?? 0 };
  let weight = share;
  let sum = 0;
  for (let i = 1; i <= TERMS_MAX; i++) {
    weight /= 1 + share;
    if (weight < WEIGHT_MIN) break;
    sum += weight * spotPrice({ ...dated, yearsToExpiry: i * intervalYears });
  }
  return sum;
}

interface Root {
  readonly value: number;
  /** Its derivative by volatility. */
  readonly slope: number;
}

/** Roots of `v^2 m (m - 1) / 2 + b m - (r + 1/P) = 0`, and the averages of the forward and of K. */
function rootsOf(inputs: EverlastingInputs) {
  const { volatility, periodYears, rate = 0 } = inputs;
  const carry = rate - (inputs.yield ?? 0);
  const intensity = 1 / periodYears;
  const variance = volatility * volatility;
  const half = 0.5 - carry / variance;
  const width = Math.sqrt(half * half + (2 * (rate + intensity)) / variance);
  const rootAt = (value: number): Root => ({
    value,
    slope: (-volatility * value * (value - 1)) / (variance * (value - 0.5) + carry),
  });
  return {
    upper: rootAt(half + width),
    lower: rootAt(half - width),
    held: intensity / (intensity + rate - carry),
    paid: intensity / (intensity + rate),
  };
}

function checkInputs(inputs: EverlastingInputs): void {
  for (const name of ["spot", "strike", "volatility", "periodYears"] as const) {
    const value = inputs[name];
    if (!(Number.isFinite(value) && value > 0)) {
      throw new RangeError(`\`${name}\` must be a finite number above 0. Got \`${value}\`.`);
    }
  }
  const least = -1 / inputs.periodYears;
  for (const name of ["rate", "yield"] as const) {
    const value = inputs[name] ?? 0;
    if (!(Number.isFinite(value) && value > least)) {
      throw new RangeError(
        `\`${name}\` must be above minus one for each period. Got \`${value}\`.`,
      );
    }
  }
}
