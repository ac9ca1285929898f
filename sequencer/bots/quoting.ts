/**
 * Where a market maker quotes. The middle is the reservation price of M. Avellaneda and S. Stoikov
 * ("High-frequency trading in a limit order book", Quantitative Finance 8, 2008): the fair
 * value, less a term that is linear in the inventory. Options share the inventory of vega, and
 * are moved by one shift of volatility (S. Stoikov and M. Saglam, "Option market making under
 * inventory risk", Review of Derivatives Research 12, 2009, hedged case):
 *
 *     half   = max(ticksMin, spreadVol * vega + |delta| * forward * hedgePpm / 10^6)
 *     middle = fair - skew * (half * clamp(lots / positionMax)
 *                             + spreadVol * vega * clamp(V / vegaMax))
 *     bid    = floor(middle - half - maker fee),  ask = ceil(middle + half + maker fee)
 *
 * with `clamp` to -1..1 and V the net vega. A forward's `lots` are the account's net delta, so that
 * its quotes lean against all of it. Whatever the inventory, bids stay below fair value and offers
 * above it: inventory is given away for nothing at most, never at a loss that is known.
 */
import { DEFAULT_POLICY } from "../engine/admission.ts";
import { makerFee } from "../engine/fees.ts";
import type { Exposure, FairValue } from "./fairValues.ts";
import {
  clamp,
  isForward,
  type Listed,
  type Own,
  type OwnOrder,
  type Picture,
  type Wanted,
} from "./picture.ts";

export interface QuoteSettings {
  /** Of one quote, and the most of one series that may be held, long or short. */
  readonly lots: number;
  readonly positionMax: number;
  /** Half of the spread: in volatility (0.01 is a point), for hedging, and at least. */
  readonly spreadVol: number;
  readonly hedgePpm: number;
  readonly ticksMin: number;
  /** Net vega at which quotes lean as far as they do; ticks times lots for 1 of volatility. */
  readonly vegaMax: number;
  /** Half-spreads by which quotes lean at most: 0 (never) to 1. */
  readonly skew: number;
  /** Which series are quoted. */
  readonly quotes: "all" | "options" | "forwards";
  /** A series that expires sooner (seconds), or marks that are older (ms), are not quoted. */
  readonly expirySecondsMin: number;
  readonly marksAgeMsMax: number;
}

/** All quotes that the maker would have now: at most one bid and one ask for each series. */
export function quotesOf(
  picture: Picture,
  values: ReadonlyMap<number, FairValue>,
  holdings: { readonly positions: readonly number[]; readonly exposure: Exposure },
  settings: QuoteSettings,
): Wanted[] {
  if (picture.now - picture.marksAt > settings.marksAgeMsMax) return [];
  return picture.series.flatMap((each) => {
    const value = values.get(each.slot);
    if (value === undefined || !isQuoted(each, picture.now, settings)) return [];
    const position = holdings.positions[each.slot] ?? 0;
    const middle = middleOf(each, value, { ...holdings, position }, settings);
    return [false, true].flatMap((isSell) => {
      const room = settings.positionMax + (isSell ? position : -position);
      const lots = Math.min(settings.lots, room);
      const price = priceOf(each, value, { isSell, middle, half: halfSpread(value, settings) });
      const isDeep = price === undefined || hasNoRoom(each, isSell, price, picture.depth);
      if (lots < 1 || isDeep) return [];
      return [{ book: each.book, name: each.name, isSell, price, lots }];
    });
  });
}

function isQuoted(series: Listed, now: number, settings: QuoteSettings): boolean {
  if (series.expiry * 1000 - now < settings.expirySecondsMin * 1000) return false;
  if (settings.quotes === "all") return true;
  return isForward(series) === (settings.quotes === "forwards");
}

/** In ticks, before fees. */
export function halfSpread({ vega, delta, forward }: FairValue, settings: QuoteSettings): number {
  const hedge = (Math.abs(delta) * forward * settings.hedgePpm) / 1e6;
  return Math.max(settings.ticksMin, settings.spreadVol * vega + hedge);
}

function middleOf(
  series: Listed,
  value: FairValue,
  { position, exposure }: { readonly position: number; readonly exposure: Exposure },
  settings: QuoteSettings,
): number {
  const { skew, spreadVol, positionMax, vegaMax } = settings;
  const inventory = isForward(series) ? exposure.delta : position;
  const own = halfSpread(value, settings) * clamp(inventory / positionMax, -1, 1);
  const shared = spreadVol * value.vega * clamp(exposure.vega / vegaMax, -1, 1);
  return value.price - skew * (own + shared);
}

/** On the tick, within the venue's band, behind what others offer; undefined: there is none. */
function priceOf(
  { mark, fees, bids, asks }: Listed,
  { price: fair }: FairValue,
  { isSell, middle, half }: { isSell: boolean; middle: number; half: number },
): number | undefined {
  const { bandTicks } = DEFAULT_POLICY;
  if (isSell) {
    const wished = Math.ceil(middle + half);
    const price = Math.max(wished + makerFee(fees, wished), Math.floor(fair) + 1, mark - bandTicks);
    const bid = bids[0];
    return bid === undefined ? price : Math.max(price, bid.price + 1);
  }
  const wished = Math.floor(middle - half);
  const price = Math.min(wished - makerFee(fees, wished), Math.ceil(fair) - 1, mark + bandTicks);
  const ask = asks[0];
  const behind = ask === undefined ? price : Math.min(price, ask.price - 1);
  return behind < 1 ? undefined : behind;
}

/** A side that is full of better orders takes no further one. */
function hasNoRoom(series: Listed, isSell: boolean, price: number, depth: number): boolean {
  const levels = isSell ? series.asks : series.bids;
  const better = levels.filter((level) => (isSell ? level.price <= price : level.price >= price));
  return better.length >= depth;
}

/** What has to be sent so that the orders that rest are those that are wanted. */
export interface Changes {
  readonly cancel: readonly OwnOrder[];
  readonly place: readonly Wanted[];
}

export interface ChangeRules {
  /** An order this part of its half-spread away from where it should be stays where it is. */
  readonly tolerance: number;
  /** Messages at once. */
  readonly messagesMax: number;
}

/**
 * Book by book, the most urgent first, as far as `messagesMax` reaches: what is not wanted at all,
 * then what is furthest from where it should be.
 */
export function changesOf(
  wanted: readonly Wanted[],
  own: Pick<Own, "orders">,
  halfOf: (book: number) => number,
  { tolerance, messagesMax }: ChangeRules,
): Changes {
  const books = new Set([...wanted, ...own.orders].map(({ book }) => book));
  const steps = [...books].map((book) => {
    const half = halfOf(book);
    const sides = [false, true].map((isSell) => {
      const isHere = (each: Pick<Wanted, "book" | "isSell">): boolean =>
        each.book === book && each.isSell === isSell;
      const standing = own.orders.filter(isHere);
      return sideChange(wanted.find(isHere), standing, { half, tolerance });
    });
    const cancel = sides.flatMap((side) => side.cancel);
    const place = sides.flatMap((side) => side.place);
    return { cancel, place, urgency: Math.max(...sides.map((side) => side.urgency)) };
  });
  const cancel: OwnOrder[] = [];
  const place: Wanted[] = [];
  for (const step of steps.sort((a, b) => b.urgency - a.urgency)) {
    const room = messagesMax - cancel.length - place.length;
    // What does not fit comes next time: an order is placed once those before it are gone.
    cancel.push(...step.cancel.slice(0, room));
    if (step.cancel.length + step.place.length <= room) place.push(...step.place);
  }
  return { cancel, place };
}

/** More urgent than any distance. */
const UNWANTED = Number.MAX_VALUE;
/** A side without a quote: as one that is a half-spread off. */
const MISSING = 1;

function sideChange(
  wanted: Wanted | undefined,
  standing: readonly OwnOrder[],
  { half, tolerance }: { half: number; tolerance: number },
): Changes & { readonly urgency: number } {
  if (wanted === undefined) {
    return { cancel: standing, place: [], urgency: standing.length > 0 ? UNWANTED : 0 };
  }
  const off = ({ price }: OwnOrder): number => Math.abs(price - wanted.price) / half;
  const keeps = (order: OwnOrder): boolean => {
    const isWhole = 2 * order.lots >= wanted.lots && order.lots <= wanted.lots;
    return isWhole && off(order) <= tolerance;
  };
  const kept = standing.find(keeps);
  const cancel = standing.filter((order) => order !== kept);
  const place = kept === undefined ? [wanted] : [];
  const urgency = Math.max(kept === undefined ? MISSING : 0, ...cancel.map(off));
  return { cancel, place, urgency };
}
