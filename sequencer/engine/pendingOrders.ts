/**
 * What an account's resting orders add up to, kept as they come and go: admission asks for sums,
 * not for each order. `count` is the one place that changes a sum; whatever else a sum hangs on
 * (risk, watermark, listings, time) is compared before it is used, and where it differs all is
 * counted anew. `test/property/pendingOrders.test.ts` holds the sums to a walk over all books.
 */
import type { Book, Entry } from "../protocol/state.ts";
import { openUntil, secondsOf } from "./bookState.ts";
import { makerFee } from "./fees.ts";
import { type BookRates, type Leg, SCENARIO_ROWS } from "./kept.ts";
import { changeOf, type Exchange, type Risk, worstChange } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/** A resting order with its place. */
export interface OpenOrder extends Readonly<Entry> {
  readonly book: number;
  readonly isSell: boolean;
}

/** An order as it is weighed: `fee` is the most ticks for each lot that it may come to pay. */
export interface Weighed extends Exchange {
  readonly book: Readonly<Book>;
}

export function weigh(
  book: Readonly<Book>,
  { price, lots, isSell }: { price: number; lots: number; isSell: boolean },
  { fee, rates }: { fee: number; rates: BookRates },
): Weighed {
  return { book, rates, price, signedLots: isSell ? -lots : lots, fee };
}

/** What an order adds to sums. */
interface Share {
  readonly legs: readonly Leg[];
  readonly signedLots: number;
  /** `|price| * lots`, in lot ticks. */
  readonly notional: number;
  /** What it can cost in the scenario that is worst for it, never above 0, in lot ticks. */
  readonly worstCost: number;
}

/** Sums over orders. All are integers and exact below 2^53; `isExact` says that they are. */
export interface PendingSums {
  notional: number;
  worstCosts: number;
  /** For each slot the lots that could be bought, and those that could be sold. */
  readonly reach: number[];
  isExact: boolean;
}

/** Half of what is exact: one more order does not leave it unnoticed. */
const EXACT_LIMIT = 2 ** 52;

export function emptySums(slots: number): PendingSums {
  const reach = new Array<number>(2 * slots).fill(0);
  return { notional: 0, worstCosts: 0, reach, isExact: true };
}

/** Counts an order in (`sign` 1) or out again (-1). */
function count(sums: PendingSums, share: Share, sign: 1 | -1): void {
  sums.notional += sign * share.notional;
  sums.worstCosts += sign * share.worstCost;
  const { reach } = sums;
  for (const { slot, weight } of share.legs) {
    const lots = weight * share.signedLots;
    reach[placeOf(slot, lots)]! += sign * Math.abs(lots);
  }
  if (!(sums.notional < EXACT_LIMIT && sums.worstCosts > -EXACT_LIMIT)) sums.isExact = false;
}

export function sumsOver(orders: readonly Weighed[], slots: number): PendingSums {
  const sums = emptySums(slots);
  for (const order of orders) {
    const { price, signedLots } = order;
    const { legs } = order.rates;
    const [notional, worstCost] = [Math.abs(price * signedLots), Math.min(0, worstChange(order))];
    count(sums, { legs, signedLots, notional, worstCost }, 1);
  }
  return sums;
}

/** Where `reach` has the lots of a slot that go in the direction of `sign`. */
export function placeOf(slot: number, sign: number): number {
  return 2 * slot + (sign > 0 ? 0 : 1);
}

/** For s = 0..17 the sum of what each order can cost, never above 0, in lot ticks. */
export function pendingCosts(orders: Iterable<Weighed>): number[] {
  const costs = new Array<number>(SCENARIO_ROWS).fill(0);
  for (const order of orders) {
    for (let row = 0; row < SCENARIO_ROWS; row++) {
      const change = changeOf(order, row);
      if (change < 0) costs[row]! += change;
    }
  }
  return costs;
}

/** A resting order, and its share of the sums while it is counted in. */
export interface Resting extends Share {
  entry: Entry;
  readonly book: number;
  readonly isSell: boolean;
  /** Where it stands among the orders of its account. */
  place: number;
  isCounted: boolean;
  legs: readonly Leg[];
  signedLots: number;
  notional: number;
  worstCost: number;
}

/**
 * The resting orders of one account, in no order, and sums over those that may still fill. In one
 * object, as most accounts are far from the processor; changed in this file only.
 */
export interface AccountOrders extends PendingSums {
  readonly account: number;
  readonly orders: Resting[];
  /** So many of the first are in the sums, or were found to be void or of a closed book. */
  seen: number;
  /** What the sums were made under; they hold for `from <= now < until` (unix seconds). */
  risk: Risk | undefined;
  watermark: number;
  listings: number;
  from: number;
  until: number;
}

export function createAccountOrders(account: number, slots: number): AccountOrders {
  const { notional, worstCosts, reach, isExact } = emptySums(slots);
  // Written out: what is spread lies in a second object.
  return {
    account,
    orders: [],
    seen: 0,
    notional,
    worstCosts,
    reach,
    isExact,
    risk: undefined,
    watermark: 0,
    listings: 0,
    from: 0,
    until: 0,
  };
}

const NO_LEGS: readonly Leg[] = [];

/** The order has come into a book. */
export function addOrder(
  { orders }: AccountOrders,
  entry: Entry,
  book: number,
  isSell: boolean,
): Resting {
  const order: Resting = {
    entry,
    book,
    isSell,
    place: orders.length,
    isCounted: false,
    legs: NO_LEGS,
    signedLots: 0,
    notional: 0,
    worstCost: 0,
  };
  orders.push(order);
  return order;
}

/** It has left its book. */
export function dropOrder(own: AccountOrders, order: Resting): void {
  const { orders } = own;
  if (order.isCounted) count(own, order, -1);
  let hole = order.place;
  if (hole < own.seen) {
    own.seen -= 1;
    move(orders, own.seen, hole);
    hole = own.seen;
  }
  move(orders, orders.length - 1, hole);
  orders.pop();
}

/** Another entry stands in its place. */
export function replaceOrder(own: AccountOrders, order: Resting, entry: Entry): void {
  dropOrder(own, order);
  order.entry = entry;
  order.isCounted = false;
  order.place = own.orders.length;
  own.orders.push(order);
}

function move(orders: Resting[], from: number, to: number): void {
  if (from === to) return;
  const order = orders[from]!;
  orders[to] = order;
  order.place = to;
}

/** Those with at least this seq. */
export function listOrders({ orders }: AccountOrders, seq: number): OpenOrder[] {
  const found: OpenOrder[] = [];
  for (const { entry, book, isSell } of orders) {
    if (entry.seq >= seq) found.push({ ...entry, book, isSell });
  }
  return found;
}

/**
 * Sums over those that may still fill: that are not void, in books that are open at `time` (unix
 * ms). Good until the next change; undefined where they are too large to be exact.
 */
export function sumsOf(
  own: AccountOrders,
  view: StateView,
  { risk, time }: { readonly risk: Risk; readonly time: number },
): PendingSums | undefined {
  const now = secondsOf(time);
  if (!holds(own, view, risk, now)) beginAnew(own, view, risk);
  const { orders } = own;
  for (; own.seen < orders.length; own.seen++) countIn(own, orders[own.seen]!, view, now);
  return own.isExact ? own : undefined;
}

/** The orders that the last sums are of, as they were weighed. */
export function countedOrders({ orders, risk }: AccountOrders, view: StateView): Weighed[] {
  return orders.flatMap(({ entry, isCounted, isSell, book: id }) => {
    if (!isCounted) return [];
    const book = view.book(id)!;
    const terms = { price: entry.price, lots: entry.lots, isSell };
    const fee = makerFee(book.fees, entry.price);
    return weigh(book, terms, { fee, rates: view.ratesOf(id, risk!) });
  });
}

function holds(own: AccountOrders, view: StateView, risk: Risk, now: number): boolean {
  return (
    own.isExact &&
    own.risk === risk &&
    own.listings === view.listings() &&
    own.watermark === view.session(own.account).watermark &&
    own.from <= now &&
    now < own.until
  );
}

function beginAnew(own: AccountOrders, view: StateView, risk: Risk): void {
  own.risk = risk;
  own.watermark = view.session(own.account).watermark;
  own.listings = view.listings();
  own.from = 0;
  own.until = Number.POSITIVE_INFINITY;
  // While sums are exact and no order was seen, nothing is in them.
  if (own.seen > 0 || !own.isExact) own.reach.fill(0);
  own.notional = 0;
  own.worstCosts = 0;
  own.isExact = true;
  own.seen = 0;
}

function countIn(own: AccountOrders, order: Resting, view: StateView, now: number): void {
  order.isCounted = false;
  const { entry } = order;
  if (entry.seq < own.watermark) return;
  const book = view.book(order.book);
  if (book === undefined) return;
  const rates = view.ratesOf(order.book, own.risk!);
  const until = openUntil(view, book, rates.legs);
  if (now >= until) {
    own.from = Math.max(own.from, until);
    return;
  }
  own.until = Math.min(own.until, until);
  const { price, lots } = entry;
  const signedLots = order.isSell ? -lots : lots;
  const worst = worstChange({ rates, price, signedLots, fee: makerFee(book.fees, price) });
  order.isCounted = true;
  order.legs = rates.legs;
  order.signedLots = signedLots;
  order.notional = Math.abs(price * lots);
  order.worstCost = Math.min(0, worst);
  count(own, order, 1);
}
