/** Volatility, delta and the underlying's price, as far as the marks of one snapshot tell them. */
import { blackGreeks, type Greeks, MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import type { Series } from "../protocol/state.ts";

/** `greeks` of one contract, by the forward in ticks. */
export interface SlotGreeks {
  readonly markIv: number | null;
  readonly greeks: Greeks | null;
}

const UNKNOWN: SlotGreeks = { markIv: null, greeks: null };

/** The part of a series that its price depends on. */
export type SeriesTerms = Readonly<Pick<Series, "status" | "isCall" | "strike" | "expiry">>;

/** Marks in ticks by slot. */
type Marks = readonly number[];

/** A forward in ticks, and the slots that it is the difference of. */
export interface ForwardSource {
  readonly forward: number;
  readonly callSlot: number;
  /** Undefined: the call has strike 0 and is the forward. */
  readonly putSlot: number | undefined;
}

/**
 * The forward of an expiry: the mark of a call with strike 0, or put-call parity at the pair of
 * equal strikes whose marks are closest, where rounding to ticks hurts least. What was listed after
 * the snapshot has mark 0 in it and tells nothing.
 */
export function forwardSourceOf(
  series: readonly SeriesTerms[],
  marks: Marks,
  expiry: number,
): ForwardSource | undefined {
  const listed = [...series.entries()].filter(
    ([, terms]) => terms.status === "listed" && terms.expiry === expiry,
  );
  const zero = listed.find(([slot, { isCall, strike }]) => {
    return isCall && strike === 0 && marks[slot]! > 0;
  });
  if (zero !== undefined)
    return { forward: marks[zero[0]]!, callSlot: zero[0], putSlot: undefined };
  let best: (ForwardSource & { distance: number }) | undefined;
  for (const [callSlot, call] of listed.filter(([, { isCall }]) => isCall)) {
    const put = listed.find(([, { isCall, strike }]) => !isCall && strike === call.strike);
    if (put === undefined) continue;
    const [putSlot] = put;
    if (marks[callSlot] === 0 && marks[putSlot] === 0) continue;
    const difference = marks[callSlot]! - marks[putSlot]!;
    const distance = Math.abs(difference);
    if (best !== undefined && distance >= best.distance) continue;
    best = { distance, forward: call.strike + difference, callSlot, putSlot };
  }
  return best;
}

/** See {@link forwardSourceOf}. */
export function forwardOf(
  series: readonly SeriesTerms[],
  marks: Marks,
  expiry: number,
): number | undefined {
  return forwardSourceOf(series, marks, expiry)?.forward;
}

/** Price of the underlying: the forward of the nearest expiry that tells one. */
export function underlyingPrice(
  series: readonly SeriesTerms[],
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
  series: readonly SeriesTerms[],
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
  if (strike === 0) return { markIv: null, greeks: isCall ? FORWARD : NOTHING };
  const option = { isCall, forward, strike, yearsToExpiry };
  const volatility = impliedVolatility({ ...option, price: mark });
  if (volatility === undefined) return UNKNOWN;
  return { markIv: volatility, greeks: blackGreeks({ ...option, volatility }) };
}

const NOTHING: Greeks = { delta: 0, gamma: 0, vega: 0, theta: 0 };
const FORWARD: Greeks = { ...NOTHING, delta: 1 };
