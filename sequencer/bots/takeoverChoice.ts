/**
 * What a backstop account takes over from accounts in liquidation (SPEC section 7, T1 to T6), and
 * how it gets out of it. A position comes at the mark, with a payment that grows for 256 s; what it
 * costs to be rid of it again is the distance to the other side of the book, and the fee.
 */
import { takerFee } from "../engine/fees.ts";
import { cashQuotient, type Risk, scenarioValues } from "../engine/risk.ts";
import type { AuctionOffer, LiquidationInfo } from "../market/liquidation.ts";
import { MARGIN_INITIAL_FACTOR } from "../protocol/constants.ts";
import {
  bestAgainst,
  beyondMark,
  isForward,
  type Listed,
  type Own,
  type Picture,
  type Wanted,
} from "./picture.ts";

export interface TakeoverSettings {
  /** Of one takeover, and the most of one series that may be held, long or short. */
  readonly lots: number;
  readonly positionMax: number;
  /** Ticks for each lot that must be left of the payment after the way out. */
  readonly edgeMin: number;
  /** Seconds since the lock that it waits at least: the payment grows, others may come first. */
  readonly patienceSeconds: number;
  /** What getting out may cost beyond the mark, fee included, in ticks for each lot. */
  readonly exitTicksMax: number;
}

/** As `trader.takeOver` takes it. */
export interface ChosenTakeover {
  readonly from: number;
  readonly slot: number;
  readonly lots: number;
  /** 1e-6 USDC. */
  readonly amount: number;
  /** What is expected to be left, in lot ticks. */
  readonly profit: number;
}

/** Where nobody quotes, the way out is taken to cost this part of what the scenario threatens. */
const UNQUOTED_PART = 1 / 4;

export interface TakeoverView {
  readonly picture: Pick<Picture, "series" | "unit">;
  readonly own: Pick<Own, "account" | "cash" | "positions">;
  readonly risk: Risk;
}

/** The offer that leaves the most, or undefined. */
export function takeoverOf(
  liquidations: readonly LiquidationInfo[],
  view: TakeoverView,
  settings: TakeoverSettings,
): ChosenTakeover | undefined {
  let best: ChosenTakeover | undefined;
  for (const { account, lockedFor, offers } of liquidations) {
    if (account === view.own.account || lockedFor < settings.patienceSeconds) continue;
    for (const offer of offers) {
      const terms = termsOf(offer, view, settings);
      if (terms === undefined || terms.profit <= (best?.profit ?? 0)) continue;
      best = { from: account, ...terms };
    }
  }
  return best;
}

function termsOf(
  offer: AuctionOffer,
  { picture, own, risk }: TakeoverView,
  settings: TakeoverSettings,
): Omit<ChosenTakeover, "from"> | undefined {
  const { slot, position, amountPerLot, lossPerLot } = offer;
  const { unit } = picture;
  const listed = picture.series.find((each) => each.slot === slot);
  const exit = exitCost(listed, position > 0) ?? (UNQUOTED_PART * lossPerLot) / unit;
  const edge = amountPerLot / unit - exit;
  if (edge <= 0 || edge < settings.edgeMin) return undefined;
  const held = own.positions[slot] ?? 0;
  const room = settings.positionMax - Math.sign(position) * held;
  const covered = affordableLots(own, { slot, position }, risk, unit);
  const lots = Math.min(offer.lotsMax, settings.lots, room, covered);
  if (lots < 1) return undefined;
  return { slot, lots, amount: Math.floor(amountPerLot * lots), profit: edge * lots };
}

/** Ticks for each lot beyond the mark, fee included; undefined: nobody is on the other side. */
function exitCost(listed: Listed | undefined, isSell: boolean): number | undefined {
  const level = listed && bestAgainst(isSell, listed);
  if (listed === undefined || level === undefined) return undefined;
  return beyondMark(listed, isSell, level.price) + takerFee(listed.fees, level.price);
}

/**
 * How many lots of the position the account can take at the mark and stay covered in every scenario
 * (section 4): a lot changes the headroom by `5 unit * sign * change`. The payment does not count.
 */
export function affordableLots(
  { cash, positions }: Pick<Own, "cash" | "positions">,
  { slot, position }: { readonly slot: number; readonly position: number },
  risk: Risk,
  unit: number,
): number {
  const quotient = cashQuotient(cash, unit);
  const rooms = scenarioValues({ owner: 0n, cash, positions: [...positions] }, risk);
  return rooms.reduce((lots, value, scenario) => {
    const change = MARGIN_INITIAL_FACTOR * Math.sign(position);
    const loss = -change * (risk.changes[slot]?.[scenario] ?? 0);
    if (loss <= 0) return lots;
    return Math.min(lots, Math.max(0, Math.floor((quotient + value) / loss)));
  }, Number.MAX_SAFE_INTEGER);
}

/**
 * A reduce-only order that gets out of some option at a bearable cost; the largest first. Forwards
 * are hedges: they go with the deltas that they are against.
 */
export function exitOf(
  { series }: Pick<Picture, "series">,
  positions: readonly number[],
  { lots: lotsMax, exitTicksMax }: Pick<TakeoverSettings, "lots" | "exitTicksMax">,
): Wanted | undefined {
  const size = (listed: Listed): number => Math.abs(positions[listed.slot] ?? 0);
  for (const listed of series.toSorted((a, b) => size(b) - size(a))) {
    const isSell = (positions[listed.slot] ?? 0) > 0;
    const level = bestAgainst(isSell, listed);
    const cost = exitCost(listed, isSell);
    if (size(listed) === 0 || isForward(listed)) continue;
    if (level === undefined || cost === undefined || cost > exitTicksMax) continue;
    const lots = Math.min(size(listed), level.lots, lotsMax);
    return { book: listed.book, name: listed.name, isSell, price: level.price, lots };
  }
  return undefined;
}
