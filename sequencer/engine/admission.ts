/**
 * The venue's limits for orders: policy, which no proof needs (SPEC section 5). It keeps numbers in
 * the ranges that proofs demand, and resting orders good when they are hit.
 */
import type { PlaceMessage } from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { Account, Book, Entry } from "../protocol/state.ts";
import { CASH_LIMIT, POSITION_LIMIT } from "./balance.ts";
import { exposure, isBookOpen } from "./bookState.ts";
import { makerFee, worstFee } from "./fees.ts";
import { bookRates, followedValues, legsOf, SCENARIO_ROWS } from "./kept.ts";
import { bookRisk, bookValues, cashQuotient, headroomChange, type Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/** `|price| * lots * unit` of one order stays below this (1e-6 USDC). */
export const ORDER_NOTIONAL_LIMIT = 2 ** 45;

export interface AdmissionPolicy {
  /** What an account's orders could bring its position in a series to stays below this (lots). */
  readonly positionLimit: number;
  /** Nothing is opened that could bring a series' long lots above this. */
  readonly openInterestLimit: number;
  /**
   * How far beyond the mark a bid may be above or an offer below it: as many times the book's
   * largest scenario change, and never less than `bandTicks`. On the other side of the mark an
   * order waits for the market to come to it and harms nobody.
   */
  readonly bandMoves: number;
  readonly bandTicks: number;
}

/** Half of the range of positions, 2^24 lots open in a series, one scenario beyond the mark. */
export const DEFAULT_POLICY: AdmissionPolicy = {
  positionLimit: POSITION_LIMIT,
  openInterestLimit: 2 ** 24,
  bandMoves: 1,
  bandTicks: 100,
};

/** A resting order with its place. */
export interface OpenOrder extends Readonly<Entry> {
  readonly book: number;
  readonly isSell: boolean;
}

/** `time` now (unix ms); `openOrders` the live orders of the author's account. */
export interface AdmissionContext {
  readonly time: number;
  readonly openOrders: readonly OpenOrder[];
  /** {@link DEFAULT_POLICY} where it is not given. */
  readonly policy?: AdmissionPolicy;
  /** Long lots of all accounts in a slot; without it there is no cap on them. */
  readonly openInterest?: (slot: number) => number;
}

/** An order as it is weighed: `fee` is the most ticks for each lot that it may come to pay. */
interface Weighed {
  readonly book: Readonly<Book>;
  readonly price: number;
  readonly signedLots: number;
  readonly fee: number;
}

/** Why the venue does not take the order of account `id` in an open book, if so. */
export function checkAdmission(
  view: StateView,
  id: number,
  message: PlaceMessage,
  context: AdmissionContext & { readonly risk: Risk },
): DoorReject | undefined {
  const account = view.account(id);
  const book = view.book(message.book)!;
  const order = weigh(book, message, worstFee(book.fees, message.price));
  // What only reduces takes no more than that, from orders that were admitted themselves.
  if (message.reduceOnly) return checkReduceOnly(view, account, order);
  const others = pendingOrders(view, id, context);
  if (exceedsCash(view, account, order, others)) return "limitExceeded";
  const { policy = DEFAULT_POLICY, openInterest, risk } = context;
  const reject = checkCaps(account, order, others, { policy, openInterest });
  if (reject !== undefined) return reject;
  if (isOutOfBand(order, risk, policy)) return "priceOutOfBand";
  return hasMargin(view, account, { order, others, risk }) ? undefined : "insufficientMargin";
}

function weigh(
  book: Readonly<Book>,
  { price, lots, isSell }: { price: number; lots: number; isSell: boolean },
  fee: number,
): Weighed {
  return { book, price, signedLots: isSell ? -lots : lots, fee };
}

function checkReduceOnly(
  view: StateView,
  account: Readonly<Account>,
  order: Weighed,
): DoorReject | undefined {
  const held = exposure(account, order.book.weights);
  const reducible = held * order.signedLots < 0 ? Math.abs(held) : 0;
  const lots = Math.min(Math.abs(order.signedLots), reducible);
  const isTooLarge = notionalOf(view, { ...order, signedLots: lots }) >= ORDER_NOTIONAL_LIMIT;
  return isTooLarge ? "limitExceeded" : undefined;
}

/** The other orders that may still fill: those that rest in open books, and a carried one. */
function pendingOrders(
  view: StateView,
  id: number,
  { openOrders, time }: AdmissionContext,
): Weighed[] {
  const pending: Weighed[] = [];
  for (const resting of openOrders) {
    const book = view.book(resting.book);
    if (book === undefined || !isBookOpen(view, book, time)) continue;
    pending.push(weigh(book, resting, makerFee(book.fees, resting.price)));
  }
  const carried = view.carry();
  const book = carried && view.book(carried.book);
  if (carried?.account === id && book !== undefined) {
    pending.push(weigh(book, carried, worstFee(book.fees, carried.price)));
  }
  return pending;
}

/**
 * Cash and what all orders cost stay below half of the range of cash. That leaves room for fees: a
 * fee is at most `ceil(|price| / 8) <= |price|` ticks for each lot.
 */
function exceedsCash(
  view: StateView,
  account: Readonly<Account>,
  order: Weighed,
  others: readonly Weighed[],
): boolean {
  const own = notionalOf(view, order);
  if (own >= ORDER_NOTIONAL_LIMIT) return true;
  // Sums that round are far above the limit that they are compared with.
  let sum = Math.abs(account.cash) + own;
  for (const other of others) sum += notionalOf(view, other);
  return sum >= CASH_LIMIT;
}

function notionalOf(view: StateView, { price, signedLots }: Weighed): number {
  return Math.abs(price * signedLots) * view.unit;
}

/** The furthest that the orders bring the position in a slot; `sign`: 1 for long, -1 for short. */
function reachOf(
  account: Readonly<Account>,
  orders: readonly Weighed[],
  { slot, sign }: { readonly slot: number; readonly sign: number },
): number {
  let reach = sign * account.positions[slot]!;
  for (const { book, signedLots } of orders) {
    const lots = sign * book.weights[slot]! * signedLots;
    if (lots > 0) reach += lots;
  }
  return reach;
}

/** Caps meet what an order opens: one that only brings positions nearer to 0 passes both. */
function checkCaps(
  account: Readonly<Account>,
  order: Weighed,
  others: readonly Weighed[],
  {
    policy,
    openInterest,
  }: {
    policy: AdmissionPolicy;
    openInterest: AdmissionContext["openInterest"];
  },
): DoorReject | undefined {
  const limit = Math.min(policy.positionLimit, POSITION_LIMIT);
  let opens: DoorReject | undefined;
  for (const { slot, weight } of legsOf(order.book.weights)) {
    const lots = weight * order.signedLots;
    const before = reachOf(account, others, { slot, sign: Math.sign(lots) });
    const reached = Math.max(0, before + Math.abs(lots));
    const opened = reached - Math.max(0, before);
    if (opened === 0) continue;
    if (reached >= limit) return "limitExceeded";
    const open = openInterest?.(slot) ?? 0;
    if (open + opened > policy.openInterestLimit) opens = "openInterestExceeded";
  }
  return opens;
}

function isOutOfBand(order: Weighed, risk: Risk, policy: AdmissionPolicy): boolean {
  const values = bookValues(order.book.weights, risk);
  const mark = values[SCENARIO_ROWS - 1]!;
  let move = 0;
  for (const value of values) move = Math.max(move, Math.abs(value - mark));
  const band = Math.max(policy.bandTicks, policy.bandMoves * move);
  const beyond = order.price - mark;
  return (order.signedLots > 0 ? beyond : -beyond) > band;
}

/**
 * Whether the account stays covered, or the order makes it no worse, in every scenario, whichever
 * of its orders fill before and however far: what is linear in lots is worst at either end, so each
 * other order counts with what it can cost. A fill at a better price than the limit only helps.
 */
function hasMargin(
  view: StateView,
  account: Readonly<Account>,
  { order, others, risk }: { order: Weighed; others: readonly Weighed[]; risk: Risk },
): boolean {
  const quotient = cashQuotient(account.cash, view.unit);
  const values = followedValues(account.positions, risk);
  let lowest = Number.POSITIVE_INFINITY;
  for (const value of values) lowest = Math.min(lowest, value);
  if (quotient + (lowest + worstCosts(order, others, risk)) >= 0) return true;
  const pending = pendingCosts(others, risk);
  const own = candidateOf(order, risk);
  for (let row = 0; row < SCENARIO_ROWS; row++) {
    const change = headroomChange(own, row);
    if (change < 0 && quotient + (values[row]! + pending[row]! + change) < 0) return false;
  }
  return true;
}

/**
 * The sum of what each order can cost in the scenario that is worst for it, in lot ticks: no
 * scenario costs more, and who can bear this need not be asked about each.
 */
function worstCosts(order: Weighed, others: readonly Weighed[], risk: Risk): number {
  let costs = worstChange(order, risk);
  for (const other of others) costs += Math.min(0, worstChange(other, risk));
  return costs;
}

function worstChange({ book, price, signedLots, fee }: Weighed, risk: Risk): number {
  const rates = bookRates(book.weights, risk).extremes;
  return headroomChange({ rates, price, signedLots, fee }, signedLots > 0 ? 0 : 1);
}

/** For s = 0..17 the sum of what each order can cost, never above 0, in lot ticks. */
function pendingCosts(orders: readonly Weighed[], risk: Risk): number[] {
  const costs = new Array<number>(SCENARIO_ROWS).fill(0);
  for (const order of orders) {
    const candidate = candidateOf(order, risk);
    for (let row = 0; row < SCENARIO_ROWS; row++) {
      const change = headroomChange(candidate, row);
      if (change < 0) costs[row]! += change;
    }
  }
  return costs;
}

function candidateOf({ book, price, signedLots, fee }: Weighed, risk: Risk) {
  return { rates: bookRisk(book.weights, risk), price, signedLots, fee };
}
