/**
 * What to list as the market moves: strikes around the forward of daily, weekly and monthly
 * expiries, and books over them. Pure, some additions at a time; what is listed stays until it
 * expires, so a ladder only ever adds, and fills the slots that settled series have left.
 */

import { type Combination, combinationLegs, type ListedSeries } from "./combinations.ts";
import { SECONDS_PER_DAY, wantedExpiries } from "./expiryCalendar.ts";
import type { PlannedBook, PlannedSeries } from "./marketPlan.ts";

export interface LadderConfig {
  /** How many daily (08:00 UTC), weekly (Friday) and monthly (last Friday) expiries to keep. */
  readonly dailies: number;
  readonly weeklies: number;
  readonly monthlies: number;
  /** Nothing is listed that expires sooner than this (seconds). */
  readonly minimumSeconds: number;
  /** Strikes reach this many standard deviations from the forward, one each `stepSigmas`. */
  readonly widthSigmas: number;
  readonly stepSigmas: number;
  /** On each side of the money, whatever the width asks for. */
  readonly strikesPerSideMax: number;
  /** Price of the underlying (ticks) and volatility (1 is 100 %) while no marks tell them. */
  readonly startTicks: number;
  readonly startVolatility: number;
  /** Slots that the ladder may fill, and those of them that only strikes at the money may take. */
  readonly slotsMax: number;
  readonly spareSlots: number;
  /** Books of several legs for each expiry, and how many of them may be open in all. */
  readonly combinations: readonly Combination[];
  readonly combinationsMax: number;
}

export const DEFAULT_LADDER: Omit<LadderConfig, "startTicks"> = {
  dailies: 2,
  weeklies: 2,
  monthlies: 2,
  minimumSeconds: 3600,
  widthSigmas: 1.5,
  stepSigmas: 0.5,
  strikesPerSideMax: 4,
  startVolatility: 0.7,
  slotsMax: 64,
  spareSlots: 6,
  combinations: ["straddle", "vertical"],
  combinationsMax: 24,
};

/** A slot as the ladder sees it: `isFree` to be listed in, `terms` where it is listed. */
export interface LadderSlot {
  readonly slot: number;
  readonly isFree: boolean;
  readonly terms: ListedSeries | undefined;
}

export interface LadderBook {
  readonly book: number;
  readonly weights: readonly number[];
  readonly isOpen: boolean;
  /** Opened because somebody asked for it: it takes nothing of what the ladder may open. */
  readonly isAsked?: boolean;
}

export interface LadderMarket {
  /** Unix seconds. */
  readonly seconds: number;
  /** Series in all slots, also in those that the plan has taken: none is listed twice. */
  readonly listed: readonly ListedSeries[];
  /** The slots that are the ladder's. */
  readonly slots: readonly LadderSlot[];
  /** Books that have been opened, and the ids that the ladder may open books in. */
  readonly books: readonly LadderBook[];
  readonly bookIds: readonly number[];
  /** Ticks, and 1 for 100 %; by expiry (unix seconds). */
  forward(expiry: number): number;
  volatility(expiry: number): number;
}

/** In the ladder's own slots. */
function listedIn({ slots }: LadderMarket): ListedSeries[] {
  return slots.flatMap(({ terms }) => terms ?? []);
}

/** What to list, at most `most` of it, in this order; empty: the ladder is complete, or full. */
export function missingSeries(
  config: LadderConfig,
  market: LadderMarket,
  most: number,
): PlannedSeries[] {
  const free = market.slots.filter(({ isFree }) => isFree);
  const room = Math.min(free.length, config.slotsMax - listedIn(market).length);
  const listed: ListedSeries[] = [...market.listed];
  const missing: PlannedSeries[] = [];
  const rungs = wantedExpiries(config, market.seconds).map((expiry) => ({
    expiry,
    ...strikesOf(config, market, expiry),
  }));
  // At the money first, in every expiry: outer strikes take what is left.
  for (let ring = 0; ring <= config.strikesPerSideMax; ring++) {
    const last = Math.min(most, ring === 0 ? room : room - config.spareSlots);
    for (const { expiry, step, rings } of rungs) {
      for (const [strike, isCall] of (rings[ring] ?? []).flatMap(bothKinds)) {
        const { length } = missing;
        if (length >= last) return missing;
        const isThere = listed.some((known) => {
          const isLike = known.expiry === expiry && known.isCall === isCall;
          return isLike && 2 * Math.abs(known.strike - strike) < step;
        });
        if (isThere) continue;
        const series = { slot: free[length]!.slot, isCall, strike, expiry };
        missing.push(series);
        listed.push(series);
      }
    }
  }
  return missing;
}

function bothKinds(strike: number): [strike: number, isCall: boolean][] {
  return [
    [strike, true],
    [strike, false],
  ];
}

const YEAR_SECONDS = 365 * SECONDS_PER_DAY;

/** Strikes by their distance from the money: the nearest, then those on both sides of it. */
export function strikesOf(
  config: LadderConfig,
  { seconds, forward, volatility }: Pick<LadderMarket, "seconds" | "forward" | "volatility">,
  expiry: number,
): { readonly step: number; readonly rings: readonly (readonly number[])[] } {
  const price = forward(expiry);
  // A standard deviation of the price at expiry: the width of equal deltas grows with it.
  const deviation = price * volatility(expiry) * Math.sqrt((expiry - seconds) / YEAR_SECONDS);
  const step = niceStep(deviation * config.stepSigmas);
  const width = deviation * config.widthSigmas;
  const centre = Math.max(Math.round(price / step) * step, step);
  const rings: number[][] = [[centre]];
  for (let ring = 1; ring <= config.strikesPerSideMax; ring++) {
    const strikes = [centre + ring * step, centre - ring * step];
    rings.push(strikes.filter((strike) => strike > 0 && Math.abs(strike - price) <= width));
  }
  return { step, rings };
}

/** The nearest of 1, 2 and 5 times a power of ten, in whole ticks. */
export function niceStep(wanted: number): number {
  if (!(wanted > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const candidates = [1, 2, 5, 10].map((factor) => factor * power);
  const distance = (candidate: number): number => Math.abs(Math.log(candidate / wanted));
  return candidates.reduce((best, candidate) => {
    return distance(candidate) < distance(best) ? candidate : best;
  });
}

/** The next book to open over what is listed; undefined: the ladder is complete, or full. */
export function missingBook(config: LadderConfig, market: LadderMarket): PlannedBook | undefined {
  const open = market.books.filter(({ isOpen }) => isOpen);
  const taken = new Set(open.map(({ book }) => book));
  const free = market.bookIds.filter((id) => !taken.has(id));
  if (free.length === 0) return undefined;
  const live = listedIn(market).filter(({ expiry }) => expiry > market.seconds);
  for (const { slot } of live) {
    if (open.some(({ weights }) => hasLegs(weights, [[slot, 1]]))) continue;
    const book = free.includes(slot) ? slot : free[0]!;
    return { book, legs: [[slot, 1]] };
  }
  const combined = open.filter((each) => each.isAsked !== true && legCount(each.weights) > 1);
  if (combined.length >= config.combinationsMax) return undefined;
  const wanted = wantedCombinations(config, market, live);
  const legs = wanted.find((each) => !open.some(({ weights }) => hasLegs(weights, each)));
  return legs === undefined ? undefined : { book: free.at(-1)!, legs };
}

type Legs = PlannedBook["legs"];

function wantedCombinations(
  config: LadderConfig,
  market: LadderMarket,
  live: readonly ListedSeries[],
): Legs[] {
  const earliest = market.seconds + config.minimumSeconds;
  const expiries = [...new Set(live.map(({ expiry }) => expiry))].sort((one, other) => one - other);
  return expiries
    .filter((expiry) => expiry >= earliest)
    .flatMap((expiry) => {
      const place = { expiry, forward: market.forward(expiry) };
      return config.combinations.flatMap((kind) => {
        const legs = combinationLegs(kind, market.listed, place);
        return legs === undefined ? [] : [legs];
      });
    });
}

function legCount(weights: readonly number[]): number {
  return weights.filter((weight) => weight !== 0).length;
}

function hasLegs(weights: readonly number[], legs: Legs): boolean {
  return (
    legCount(weights) === legs.length && legs.every(([slot, weight]) => weights[slot] === weight)
  );
}
