/**
 * What an account's resting orders add up to, kept as they come and go: admission asks for sums,
 * not for each order. `count` is the one place that changes a sum; whatever else a sum hangs on
 * (risk, watermark, listings, time) is compared before it is used, and where it differs all is
 * counted anew. `test/property/pendingOrders.test.ts` holds the sums to a walk over all books.
 */
import type { Book, Entry } from "../protocol/state.ts";
import { openUntil, secondsOf } from "./bookState.ts";
import { makerFee } from "./fees.ts";
import { bookRates, SCENARIO_ROWS } from "./kept.ts";
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
  { fee, risk }: { fee: number; risk: Risk },
): Weighed {
  const rates = bookRates(book.weights, risk);
  return { book, rates, price, signedLots: isSell ? -lots : lots, fee };
}

/** Sums over orders. All are integers and exact below 2^53; `isExact` says that they are. */
export interface PendingSums {
  /** `|price| * lots`, in lot ticks. */
  notional: number;
  /** What each can cost in the scenario that is worst for it, never above 0, in lot ticks. */
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
export function count(sums: PendingSums, order: Weighed, sign: 1 | -1): void {
  sums.notional += sign * Math.abs(order.price * order.signedLots);
  sums.worstCosts += sign * Math.min(0, worstChange(order));
  const { reach } = sums;
  for (const { slot, weight } of order.rates.legs) {
    const lots = weight * order.signedLots;
    reach[placeOf(slot, lots)]! += sign * Math.abs(lots);
  }
  if (!(sums.notional < EXACT_LIMIT && sums.worstCosts > -EXACT_LIMIT)) sums.isExact = false;
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

/** The resting orders of one account. */
export interface AccountOrders {
  /** Those with at least this seq, in no order. */
  list(seq: number): OpenOrder[];
  /**
   * Sums over those that may still fill: that are not void, in books that are open at `time` (unix
   * ms). Good until the next change; undefined where they are too large to be exact.
   */
  sums(view: StateView, options: { risk: Risk; time: number }): PendingSums | undefined;
  /** The orders that the last sums are of. */
  counted(): Weighed[];
  size(): number;
  add(entry: Entry, book: number, isSell: boolean): void;
  drop(entry: Entry): void;
}

interface Resting {
  readonly entry: Entry;
  readonly book: number;
  readonly isSell: boolean;
  /** As it was counted in. */
  weighed: Weighed | undefined;
  isGone: boolean;
}

/** What sums were made under. They hold for `from <= now < until` (unix seconds). */
interface Grounds {
  risk: Risk | undefined;
  watermark: number;
  listings: number;
  from: number;
  until: number;
}

export function createAccountOrders(account: number, slots: number): AccountOrders {
  const orders = new Map<Entry, Resting>();
  let fresh: Resting[] = [];
  const sums = emptySums(slots);
  const grounds: Grounds = { risk: undefined, watermark: 0, listings: 0, from: 0, until: 0 };

  function countIn(view: StateView, order: Resting, risk: Risk, now: number): void {
    order.weighed = undefined;
    const { entry, isSell } = order;
    if (entry.seq < grounds.watermark) return;
    const book = view.book(order.book);
    if (book === undefined) return;
    const until = openUntil(view, book);
    if (now >= until) {
      grounds.from = Math.max(grounds.from, until);
      return;
    }
    grounds.until = Math.min(grounds.until, until);
    const fee = makerFee(book.fees, entry.price);
    const { price, lots } = entry;
    order.weighed = weigh(book, { price, lots, isSell }, { fee, risk });
    count(sums, order.weighed, 1);
  }

  function countAnew(view: StateView, risk: Risk, now: number): void {
    grounds.risk = risk;
    grounds.watermark = view.session(account).watermark;
    grounds.listings = view.listings();
    grounds.from = 0;
    grounds.until = Number.POSITIVE_INFINITY;
    Object.assign(sums, { notional: 0, worstCosts: 0, isExact: true });
    sums.reach.fill(0);
    for (const order of orders.values()) countIn(view, order, risk, now);
  }

  function holds(view: StateView, risk: Risk, now: number): boolean {
    return (
      sums.isExact &&
      grounds.risk === risk &&
      grounds.listings === view.listings() &&
      grounds.watermark === view.session(account).watermark &&
      grounds.from <= now &&
      now < grounds.until
    );
  }

  return {
    list(seq) {
      const found: OpenOrder[] = [];
      for (const { entry, book, isSell } of orders.values()) {
        if (entry.seq >= seq) found.push({ ...entry, book, isSell });
      }
      return found;
    },
    sums(view, { risk, time }) {
      const now = secondsOf(time);
      if (!holds(view, risk, now)) countAnew(view, risk, now);
      else for (const order of fresh) if (!order.isGone) countIn(view, order, risk, now);
      if (fresh.length > 0) fresh = [];
      return sums.isExact ? sums : undefined;
    },
    counted: () => [...orders.values()].flatMap(({ weighed }) => weighed ?? []),
    size: () => orders.size,
    add(entry, book, isSell) {
      const order = { entry, book, isSell, weighed: undefined, isGone: false };
      orders.set(entry, order);
      fresh.push(order);
    },
    drop(entry) {
      const order = orders.get(entry);
      if (order === undefined) return;
      orders.delete(entry);
      order.isGone = true;
      if (order.weighed !== undefined) count(sums, order.weighed, -1);
    },
  };
}
