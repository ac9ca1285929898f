/** Volatility, delta and the underlying's price, as far as the marks of one snapshot tell them. */
import { blackGreeks, MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import type { Series } from "../protocol/state.ts";

export interface SlotGreeks {
  readonly markIv: number | null;
  readonly delta: number | null;
}

const UNKNOWN: SlotGreeks = { markIv: null, delta: null };

/** The part of a series that its price depends on. */
type SeriesTerms = Pick<Series, "status" | "isCall" | "strike" | "expiry">;

/** Marks in ticks by slot. */
type Marks = readonly number[];

/**
 * The forward of an expiry in ticks: the mark of a call with strike 0, or put-call parity at the
 * pair of equal strikes whose marks are closest, where rounding to ticks hurts least.
 */
export function forwardOf(
  series: readonly SeriesTerms[],
  marks: Marks,
  expiry: number,
): number | undefined {
  const listed = [...series.entries()].filter(
    ([, terms]) => terms.status === "listed" && terms.expiry === expiry,
  );
  const forward = listed.find(([, { isCall, strike }]) => isCall && strike === 0);
  if (forward !== undefined) return marks[forward[0]];
  let best: { distance: number; forward: number } | undefined;
  for (const [callSlot, call] of listed.filter(([, { isCall }]) => isCall)) {
    const put = listed.find(([, { isCall, strike }]) => !isCall && strike === call.strike);
    if (put === undefined) continue;
    const difference = marks[callSlot]! - marks[put[0]]!;
    if (best === undefined || Math.abs(difference) < best.distance) {
      best = { distance: Math.abs(difference), forward: call.strike + difference };
    }
  }
  return best?.forward;
}

/** Price of the underlying: the forward of the nearest expiry that tells one. */
export function underlyingPrice(
  series: readonly Series[],
  marks: Marks,
  time: number,
): number | null {
  const live = series.filter(({ status, expiry }) => status === "listed" && expiry * 1000 > time);
  const expiries = [...new Set(live.map(({ expiry }) => expiry))].sort((a, b) => a - b);
  for (const expiry of expiries) {
    const forward = forwardOf(series, marks, expiry);
    if (forward !== undefined) return forward;
  }
  return null;
}

/** `time` of the snapshot in unix ms. */
export function slotGreeks(
  series: readonly Series[],
  marks: Marks,
  slot: number,
  time: number,
): SlotGreeks {
  const terms = series[slot];
  const mark = marks[slot];
  if (terms === undefined || mark === undefined || terms.status !== "listed") return UNKNOWN;
  const forward = forwardOf(series, marks, terms.expiry);
  const yearsToExpiry = (terms.expiry * 1000 - time) / MS_PER_YEAR;
  if (forward === undefined || forward <= 0 || yearsToExpiry <= 0) return UNKNOWN;
  const { isCall, strike } = terms;
  if (strike === 0) return { markIv: null, delta: isCall ? 1 : 0 };
  const option = { isCall, forward, strike, yearsToExpiry };
  const volatility = impliedVolatility({ ...option, price: mark });
  if (volatility === undefined) return UNKNOWN;
  return { markIv: volatility, delta: blackGreeks({ ...option, volatility }).delta };
}
