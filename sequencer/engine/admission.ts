/**
 * The venue's limits for orders: policy, which no proof needs (SPEC section 5). It keeps numbers in
 * the ranges that proofs demand, and resting orders good when they are hit.
 */
import { SLOTS_MAX } from "../protocol/constants.ts";
import type { PlaceMessage } from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { Account } from "../protocol/state.ts";
import { CASH_LIMIT, POSITION_LIMIT } from "./balance.ts";
import { exposure, isBookOpen } from "./bookState.ts";
import { makerFee, worstFee } from "./fees.ts";
import { followedValues, SCENARIO_ROWS } from "./kept.ts";
import {
  countedOrders,
  emptySums,
  listOrders,
  type OpenOrder,
  type PendingSums,
  pendingCosts,
  placeOf,
  sumsOf,
  sumsOver,
  type Weighed,
  weigh,
} from "./pendingOrders.ts";
import { cashQuotient, changeOf, type Risk, worstChange } from "./risk.ts";
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

/**
 * `time` now (unix ms); `openOrders` the live orders of the author's account, where other ones than
 * those that rest in the state are to be counted.
 */
export interface AdmissionContext {
  readonly time: number;
  readonly openOrders?: readonly OpenOrder[];
  /** {@link DEFAULT_POLICY} where it is not given. */
  readonly policy?: AdmissionPolicy;
  /** Long lots of all accounts in a slot; without it there is no cap on them. */
  readonly openInterest?: (slot: number) => number;
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
  const { policy = DEFAULT_POLICY, openInterest, risk } = context;
  const rates = view.ratesOf(message.book, risk);
  const order = weigh(book, message, { fee: worstFee(book.fees, message.price), rates });
  // What only reduces takes no more than that, from orders that were admitted themselves.
  if (message.reduceOnly) return checkReduceOnly(view, account, order);
  const pending = pendingOf(view, id, context);
  if (exceedsCash(view, account, order, pending)) return "limitExceeded";
  const reject = checkCaps(account, order, pending, { policy, openInterest });
  if (reject !== undefined) return reject;
  if (isOutOfBand(order, policy)) return "priceOutOfBand";
  return hasMargin(view, id, { order, pending, risk }) ? undefined : "insufficientMargin";
}

function checkReduceOnly(
  view: StateView,
  account: Readonly<Account>,
  order: Weighed,
): DoorReject | undefined {
  const held = exposure(account, order.book.weights);
  const reducible = held * order.signedLots < 0 ? Math.abs(held) : 0;
  const lots = Math.min(Math.abs(order.signedLots), reducible);
  const isTooLarge = Math.abs(order.price * lots) * view.unit >= ORDER_NOTIONAL_LIMIT;
  return isTooLarge ? "limitExceeded" : undefined;
}

/** The other orders that may still fill: those that rest in open books, and a carried one. */
interface Pending {
  readonly sums: PendingSums;
  /** One by one; undefined: those that the view counts. */
  readonly orders: readonly Weighed[] | undefined;
}

const NOTHING_PENDING: Pending = { sums: emptySums(SLOTS_MAX), orders: [] };

function pendingOf(
  view: StateView,
  id: number,
  context: AdmissionContext & { readonly risk: Risk },
): Pending {
  if (context.openOrders === undefined && view.carry()?.account !== id) {
    const own = view.ordersOf(id);
    if (own === undefined) return NOTHING_PENDING;
    const sums = sumsOf(own, view, context);
    if (sums !== undefined) return { sums, orders: undefined };
  }
  const orders = walkOrders(view, id, context);
  return { sums: sumsOver(orders, view.slots), orders };
}

/** One by one, for sums that are not kept. */
function walkOrders(
  view: StateView,
  id: number,
  { openOrders, time, risk }: AdmissionContext & { readonly risk: Risk },
): Weighed[] {
  const found: Weighed[] = [];
  const resting = openOrders ?? restingOf(view, id);
  for (const order of resting) {
    const book = view.book(order.book);
    if (book === undefined || !isBookOpen(view, book, time)) continue;
    const rates = view.ratesOf(order.book, risk);
    found.push(weigh(book, order, { fee: makerFee(book.fees, order.price), rates }));
  }
  const carried = view.carry();
  const book = carried && view.book(carried.book);
  if (carried?.account === id && book !== undefined) {
    const rates = view.ratesOf(carried.book, risk);
    found.push(weigh(book, carried, { fee: worstFee(book.fees, carried.price), rates }));
  }
  return found;
}

function restingOf(view: StateView, id: number): readonly OpenOrder[] {
  const own = view.ordersOf(id);
  return own === undefined ? [] : listOrders(own, view.session(id).watermark);
}

/**
 * Cash and what all orders cost stay below half of the range of cash. That leaves room for fees: a
 * fee is at most `ceil(|price| / 8) <= |price|` ticks for each lot.
 */
function exceedsCash(
  view: StateView,
  account: Readonly<Account>,
  order: Weighed,
  { sums }: Pending,
): boolean {
  const own = Math.abs(order.price * order.signedLots) * view.unit;
  if (own >= ORDER_NOTIONAL_LIMIT) return true;
  // Sums that round are far above the limit that they are compared with.
  return Math.abs(account.cash) + own + sums.notional * view.unit >= CASH_LIMIT;
}

/** Caps meet what an order opens: one that only brings positions nearer to 0 passes both. */
function checkCaps(
  account: Readonly<Account>,
  order: Weighed,
  { sums }: Pending,
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
  for (const { slot, weight } of order.rates.legs) {
    const lots = weight * order.signedLots;
    // The furthest that the other orders bring the position in the same direction.
    const held = account.positions[slot]!;
    const before = (lots > 0 ? held : 0 - held) + sums.reach[placeOf(slot, lots)]!;
    const reached = Math.max(0, before + Math.abs(lots));
    const opened = reached - Math.max(0, before);
    if (opened === 0) continue;
    if (reached >= limit) return "limitExceeded";
    const open = openInterest?.(slot) ?? 0;
    if (open + opened > policy.openInterestLimit) opens = "openInterestExceeded";
  }
  return opens;
}

function isOutOfBand({ rates, price, signedLots }: Weighed, policy: AdmissionPolicy): boolean {
  const band = Math.max(policy.bandTicks, policy.bandMoves * rates.move);
  const beyond = price - rates.values[SCENARIO_ROWS - 1]!;
  return (signedLots > 0 ? beyond : -beyond) > band;
}

/**
 * Whether the account stays covered, or the order makes it no worse, in every scenario, whichever
 * of its orders fill before and however far: what is linear in lots is worst at either end, so each
 * other order counts with what it can cost. A fill at a better price than the limit only helps. Who
 * can bear every order in the scenario that is worst for it need not be asked about each.
 */
function hasMargin(
  view: StateView,
  id: number,
  { order, pending, risk }: { order: Weighed; pending: Pending; risk: Risk },
): boolean {
  const { cash, positions } = view.account(id);
  const quotient = cashQuotient(cash, view.unit);
  const costs = worstChange(order) + pending.sums.worstCosts;
  const floor = view.floorOf(id, risk, -quotient - costs);
  if (quotient + (floor + costs) >= 0) return true;
  const values = followedValues(positions, risk);
  const others = pendingCosts(pending.orders ?? countedOrders(view.ordersOf(id)!, view));
  for (let row = 0; row < SCENARIO_ROWS; row++) {
    const change = changeOf(order, row);
    if (change < 0 && quotient + (values[row]! + others[row]! + change) < 0) return false;
  }
  return true;
}
