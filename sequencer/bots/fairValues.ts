/**
 * What each series is worth: one SVI smile for each expiry, through the volatilities of the marks
 * (Gatheral 2004; pricing/svi.ts has the formula, pricing/sviFit.ts the fit without arbitrage), and
 * Black's formula on it. A smile smooths what single marks are off by, and prices all strikes by
 * one view; who has data of his own puts it in the place of the marks here.
 */
import { forwardOf } from "../market/marketData.ts";
import { blackGreeks, blackPrice, MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import type { VarianceQuote } from "../pricing/ssvi.ts";
import { type SviSmile, sviVolatility } from "../pricing/svi.ts";
import { fitSmile } from "../pricing/sviFit.ts";
import { isForward, type Listed, type Picture } from "./picture.ts";

/** Of one lot in ticks; not integers. */
export interface FairValue {
  readonly price: number;
  /** By the forward: 1 for the forward itself. */
  readonly delta: number;
  /** In ticks for 1 of volatility (100 points). */
  readonly vega: number;
  /** Of the expiry, in ticks. */
  readonly forward: number;
}

/** By slot. What has no smile (no forward, no volatility, no time left) has no value. */
export function fairValues({ series, marksAt }: Picture): ReadonlyMap<number, FairValue> {
  const values = new Map<number, FairValue>();
  const marks = series.map(({ mark }) => mark);
  for (const expiry of new Set(series.map((each) => each.expiry))) {
    const forward = forwardOf(series, marks, expiry);
    const years = (expiry * 1000 - marksAt) / MS_PER_YEAR;
    if (forward === undefined || forward <= 0 || years <= 0) continue;
    const own = series.filter((each) => each.expiry === expiry);
    const smile = smileOf(own, forward, years);
    for (const each of own) {
      const value = isForward(each)
        ? { price: forward, delta: 1, vega: 0, forward }
        : smile && optionValue(each, { smile, forward, years });
      if (value !== undefined) values.set(each.slot, value);
    }
  }
  return values;
}

/** Through the marks of the options of one expiry; undefined where none has a volatility. */
export function smileOf(
  options: readonly Pick<Listed, "isCall" | "strike" | "mark">[],
  forward: number,
  years: number,
): SviSmile | undefined {
  const quotes = options.flatMap((option): VarianceQuote[] => {
    const { isCall, strike, mark } = option;
    if (strike === 0 || !isOutOfTheMoney(option, forward, options)) return [];
    const inputs = { isCall, strike, forward, yearsToExpiry: years, price: mark };
    const volatility = impliedVolatility(inputs);
    if (volatility === undefined || volatility <= 0) return [];
    return [{ k: Math.log(strike / forward), variance: volatility * volatility * years }];
  });
  return quotes.length === 0 ? undefined : fitSmile(quotes).smile;
}

/** Of a call and a put with one strike, the one whose price is all time value tells more. */
function isOutOfTheMoney(
  { isCall, strike }: Pick<Listed, "isCall" | "strike">,
  forward: number,
  options: readonly Pick<Listed, "isCall" | "strike">[],
): boolean {
  if (isCall === strike >= forward) return true;
  return !options.some((other) => other.strike === strike && other.isCall !== isCall);
}

function optionValue(
  { isCall, strike }: Listed,
  { smile, forward, years }: { smile: SviSmile; forward: number; years: number },
): FairValue | undefined {
  if (strike === 0) return undefined;
  const volatility = sviVolatility(smile, Math.log(strike / forward), years);
  const inputs = { isCall, strike, forward, yearsToExpiry: years, volatility };
  const { delta, vega } = blackGreeks(inputs);
  return { price: blackPrice(inputs), delta, vega, forward };
}

/** Sums over an account's positions: `delta` in lots of the underlying, `vega` as above. */
export interface Exposure {
  readonly delta: number;
  readonly vega: number;
}

/** Positions without a fair value are left out: they are settled, or about to be. */
export function exposureOf(
  positions: readonly number[],
  values: ReadonlyMap<number, FairValue>,
): Exposure {
  let [delta, vega] = [0, 0];
  for (const [slot, lots] of positions.entries()) {
    const value = values.get(slot);
    if (value === undefined || lots === 0) continue;
    delta += lots * value.delta;
    vega += lots * value.vega;
  }
  return { delta, vega };
}
