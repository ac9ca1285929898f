/**
 * A volatility index from marks alone: the at-the-money volatility of the two expiries on either
 * side of 30 days, interpolated in total variance. Simpler than a variance swap over all strikes,
 * which a market of a few strikes has not got the wings for; nothing hangs on it.
 */
import { MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import type { SeriesTerms } from "./marketData.ts";
import { forwardsOf } from "./optionQuotes.ts";

/** 30 days in 365-day years. */
const TENOR = 30 / 365;

type MarkedSeries = SeriesTerms & { readonly mark: number };

interface Tenor {
  readonly years: number;
  readonly volatility: number;
}

/** A fraction (0.8 is 80 %); undefined where no expiry tells one. */
export function volatilityIndex(series: readonly MarkedSeries[], time: number): number | undefined {
  const tenors: Tenor[] = [];
  for (const [expiry, forward] of forwardsOf(series)) {
    const years = (expiry * 1000 - time) / MS_PER_YEAR;
    if (years <= 0 || forward <= 0) continue;
    const volatility = atTheMoney(series, expiry, forward, years);
    if (volatility !== undefined) tenors.push({ years, volatility });
  }
  tenors.sort((a, b) => a.years - b.years);
  const after = tenors.find(({ years }) => years >= TENOR);
  const before = tenors.findLast(({ years }) => years < TENOR);
  if (after === undefined || before === undefined) return (after ?? before)?.volatility;
  const share = (TENOR - before.years) / (after.years - before.years);
  const variance = (tenor: Tenor) => tenor.volatility ** 2 * tenor.years;
  const total = variance(before) * (1 - share) + variance(after) * share;
  return Math.sqrt(total / TENOR);
}

/** Of the two strikes around the forward, weighted by how near it each is. */
function atTheMoney(
  series: readonly MarkedSeries[],
  expiry: number,
  forward: number,
  yearsToExpiry: number,
): number | undefined {
  const known = new Map<number, number>();
  for (const { status, isCall, strike, mark, expiry: own } of series) {
    if (status !== "listed" || own !== expiry || strike === 0) continue;
    // The option out of the money has the sharper mark.
    if (isCall !== strike >= forward) continue;
    const option = { isCall, forward, strike, yearsToExpiry, price: mark };
    const volatility = impliedVolatility(option);
    if (volatility !== undefined && volatility > 0) known.set(strike, volatility);
  }
  const strikes = [...known.keys()].sort((a, b) => a - b);
  const above = strikes.find((strike) => strike >= forward);
  const below = strikes.findLast((strike) => strike < forward);
  if (above === undefined || below === undefined) return known.get(above ?? below ?? -1);
  const share = (forward - below) / (above - below);
  return known.get(below)! * (1 - share) + known.get(above)! * share;
}
