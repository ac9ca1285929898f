/**
 * Riskless packages in the books, net of fees. Prices here are undiscounted, so that at one strike
 * and expiry a call less a put pays what the forward less the strike pays (put-call parity: H.
 * Stoll, "The relationship between put and call option prices", Journal of Finance 24, 1969),
 * and a bull spread of calls with a bear spread of puts pays the distance of the strikes (a box: A.
 * Ronn and E. Ronn, "The box spread arbitrage conditions", Review of Financial Studies 2, 1989):
 *
 *     conversion  buy P(K), buy F, sell C(K)                      pays  K
 *     reversal    buy C(K), sell P(K), sell F                     pays -K
 *     long box    buy C(K1), sell C(K2), buy P(K2), sell P(K1)    pays  K2 - K1
 *     short box   the reverse                                     pays  K1 - K2
 */
import { takerFee } from "../engine/fees.ts";
import { isForward, type Level, type Listed, type Picture, type Wanted } from "./picture.ts";

export interface Leg {
  readonly series: Listed;
  readonly isSell: boolean;
}

export interface Package {
  readonly name: string;
  readonly legs: readonly Leg[];
  /** What one lot of each leg pays together at expiry, wherever the underlying is: ticks. */
  readonly payoff: number;
}

export interface EdgeSettings {
  /** Ticks for each lot that must be left after fees. */
  readonly edgeMin: number;
  /** Of each leg at once, and the most of one series that may be held, long or short. */
  readonly lots: number;
  readonly positionMax: number;
}

export interface Opportunity {
  readonly name: string;
  readonly lots: number;
  /** In lot ticks, after fees. */
  readonly profit: number;
  /** Immediate, one for each leg, in the order of the package's legs. */
  readonly orders: readonly LegOrder[];
}

export interface LegOrder extends Wanted {
  readonly slot: number;
}

/** Strikes of one expiry that are looked at. */
const STRIKES_MAX = 100;

export function packagesOf({ series }: Pick<Picture, "series">): Package[] {
  const expiries = [...new Set(series.map(({ expiry }) => expiry))];
  return expiries.flatMap((expiry) => {
    const own = series.filter((each) => each.expiry === expiry);
    const pairs = pairsOf(own);
    const forward = own.find(isForward);
    const parities = forward === undefined ? [] : pairs.flatMap((pair) => parity(pair, forward));
    const boxes = pairs.flatMap((low, at) => pairs.slice(at + 1).flatMap((high) => box(low, high)));
    return [...parities, ...boxes];
  });
}

interface Pair {
  readonly strike: number;
  readonly call: Listed;
  readonly put: Listed;
}

/** Ascending by strike. */
function pairsOf(series: readonly Listed[]): Pair[] {
  const pairs = series.flatMap((call) => {
    if (!call.isCall || call.strike === 0) return [];
    const put = series.find(({ isCall, strike }) => !isCall && strike === call.strike);
    return put === undefined ? [] : [{ strike: call.strike, call, put }];
  });
  return pairs.sort((a, b) => a.strike - b.strike).slice(0, STRIKES_MAX);
}

const buy = (series: Listed): Leg => ({ series, isSell: false });
const sell = (series: Listed): Leg => ({ series, isSell: true });

function parity({ strike, call, put }: Pair, forward: Listed): Package[] {
  const conversion = [buy(put), buy(forward), sell(call)];
  return withReverse(`conversion at ${call.name}`, `reversal at ${call.name}`, conversion, strike);
}

function box(low: Pair, high: Pair): Package[] {
  const long = [buy(low.call), sell(high.call), buy(high.put), sell(low.put)];
  const name = `box of ${low.call.name} and ${high.call.name}`;
  return withReverse(`long ${name}`, `short ${name}`, long, high.strike - low.strike);
}

function withReverse(name: string, reverse: string, legs: Leg[], payoff: number): Package[] {
  const turned = legs.map(({ series, isSell }) => ({ series, isSell: !isSell }));
  return [
    { name, legs, payoff },
    { name: reverse, legs: turned, payoff: 0 - payoff },
  ];
}

/** The package that brings the most now, within what the account may hold. */
export function bestOpportunity(
  picture: Pick<Picture, "series">,
  positions: readonly number[],
  settings: EdgeSettings,
): Opportunity | undefined {
  let best: Opportunity | undefined;
  for (const each of packagesOf(picture)) {
    const found = opportunityOf(each, positions, settings);
    if (found !== undefined && found.profit > (best?.profit ?? 0)) best = found;
  }
  return best;
}

/**
 * As many lots as the books have at a profit: all legs are walked together, level by level, until
 * the next lot would bring less than `edgeMin`.
 */
export function opportunityOf(
  { name, legs, payoff }: Package,
  positions: readonly number[],
  { edgeMin, lots: lotsMax, positionMax }: EdgeSettings,
): Opportunity | undefined {
  const rooms = legs.map(({ series, isSell }) => {
    const position = positions[series.slot] ?? 0;
    return positionMax + (isSell ? position : -position);
  });
  const allowed = Math.min(lotsMax, ...rooms);
  const walks = legs.map((leg) => createWalk(leg));
  let [lots, profit] = [0, 0];
  const worst = legs.map(() => 0);
  while (lots < allowed) {
    const levels = walks.map((walk) => walk.level());
    if (levels.includes(undefined)) break;
    const here = levels as Level[];
    const edge = payoff + legs.reduce((sum, leg, at) => sum + cashOf(leg, here[at]!.price), 0);
    if (edge < edgeMin || edge <= 0) break;
    const taken = Math.min(allowed - lots, ...here.map((level) => level.lots));
    for (const [at, walk] of walks.entries()) {
      worst[at] = here[at]!.price;
      walk.take(taken);
    }
    lots += taken;
    profit += edge * taken;
  }
  if (lots === 0) return undefined;
  const orders = legs.map(({ series: { slot, book, name: instrument }, isSell }, at) => {
    return { slot, book, name: instrument, isSell, price: worst[at]!, lots };
  });
  return { name, lots, profit, orders };
}

/** What one lot of the leg brings (positive) or costs at the price, fee included, in ticks. */
export function cashOf({ series, isSell }: Leg, price: number): number {
  return (isSell ? price : -price) - takerFee(series.fees, price);
}

/** The levels that a leg meets, with what is left of the one that it has come to. */
function createWalk({ series, isSell }: Leg) {
  const levels = isSell ? series.bids : series.asks;
  let [at, taken] = [0, 0];
  return {
    level(): Level | undefined {
      const level = levels[at];
      return level && { price: level.price, lots: level.lots - taken };
    },
    take(lots: number): void {
      taken += lots;
      if (taken < levels[at]!.lots) return;
      at += 1;
      taken = 0;
    },
  };
}

/**
 * What is to be traded back where legs were not filled alike, as positions tell that were `before`
 * and are `now`: no leg stays that another does not cover. `slippage`: ticks beyond the order's own
 * price that getting out of it may cost.
 */
export function unwindOf(
  orders: readonly LegOrder[],
  before: readonly number[],
  now: readonly number[],
  slippage: number,
): LegOrder[] {
  const filled = orders.map(({ slot, isSell }) => {
    const change = (now[slot] ?? 0) - (before[slot] ?? 0);
    return Math.max(0, isSell ? -change : change);
  });
  const whole = Math.min(...filled);
  return orders.flatMap((order, at) => {
    const lots = filled[at]! - whole;
    if (lots === 0) return [];
    const price = order.isSell ? order.price + slippage : Math.max(1, order.price - slippage);
    return [{ ...order, isSell: !order.isSell, price, lots }];
  });
}
