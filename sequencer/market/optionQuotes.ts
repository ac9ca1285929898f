/** What a price of an option says: volatilities of mark, bid and ask, and greeks for people. */
import { blackGreeks, MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import { USDC } from "../protocol/usdc.ts";
import { forwardOf, type SeriesTerms } from "./marketData.ts";

/**
 * Of one contract, in USDC: `delta` by the forward, `gamma` its change for 1 USDC, `vega` for one
 * volatility point (0.01), `theta` for one day, `rho` for one point of the interest rate.
 */
export interface OptionGreeks {
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
  readonly theta: number;
  readonly rho: number;
}

/** Volatilities as fractions (0.8 is 80 %); null where the price has none. */
export interface OptionQuote {
  readonly forward: number | null;
  readonly markIv: number | null;
  readonly bidIv: number | null;
  readonly askIv: number | null;
  readonly greeks: OptionGreeks | null;
}

export interface QuoteInputs {
  readonly terms: SeriesTerms;
  /** Of the series' expiry, in ticks; undefined: not known. */
  readonly forward: number | undefined;
  /** In ticks. */
  readonly mark: number | null;
  readonly bid: number | null;
  readonly ask: number | null;
  /** Unix ms. */
  readonly time: number;
  /** 1e-6 USDC of one tick for one contract. */
  readonly tickSize: number;
}

const NOTHING: OptionQuote = {
  ...{ forward: null, markIv: null, bidIv: null, askIv: null, greeks: null },
};
const DAYS_PER_YEAR = 365;

export function quoteOption(inputs: QuoteInputs): OptionQuote {
  const { terms, forward, time, tickSize, mark } = inputs;
  const yearsToExpiry = (terms.expiry * 1000 - time) / MS_PER_YEAR;
  if (forward === undefined || forward <= 0 || yearsToExpiry <= 0) return NOTHING;
  if (terms.status !== "listed") return { ...NOTHING, forward };
  const { isCall, strike } = terms;
  // A call with strike 0 is the forward itself: it has no volatility.
  if (strike === 0) {
    return { ...NOTHING, forward, greeks: isCall ? { ...FLAT, delta: 1 } : null };
  }
  const option = { isCall, forward, strike, yearsToExpiry };
  const volatilityOf = (price: number | null) =>
    price === null ? null : (impliedVolatility({ ...option, price }) ?? null);
  const markIv = volatilityOf(mark);
  const greeks = markIv === null ? null : greeksOf({ ...option, volatility: markIv }, tickSize);
  const [bidIv, askIv] = [volatilityOf(inputs.bid), volatilityOf(inputs.ask)];
  return { forward, markIv, bidIv, askIv, greeks };
}

const FLAT: OptionGreeks = { delta: 0, gamma: 0, vega: 0, theta: 0, rho: 0 };

/** Prices are undiscounted, so nothing hangs on an interest rate: rho is 0. */
function greeksOf(option: Parameters<typeof blackGreeks>[0], tickSize: number): OptionGreeks {
  const { delta, gamma, vega, theta } = blackGreeks(option);
  const tick = tickSize / USDC;
  return {
    delta,
    gamma: gamma / tick,
    vega: (vega * tick) / 100,
    theta: (theta * tick) / DAYS_PER_YEAR,
    rho: 0,
  };
}

/** Forwards in ticks by expiry (unix seconds), as far as the marks tell them. */
export function forwardsOf(
  series: readonly (SeriesTerms & { readonly mark: number })[],
): ReadonlyMap<number, number> {
  const marks = series.map(({ mark }) => mark);
  const forwards = new Map<number, number>();
  for (const { status, expiry } of series) {
    if (status !== "listed" || forwards.has(expiry)) continue;
    const forward = forwardOf(series, marks, expiry);
    if (forward !== undefined) forwards.set(expiry, forward);
  }
  return forwards;
}
