/** One order step: rows 0 to 8 of SPEC section 6. Twin: circuits, the order step of a place. */

import type { Removal } from "../../protocol/rejection.ts";
import type { Book, Carry, Entry } from "../../protocol/state.ts";
import { failEngine } from "../assertion.ts";
import { addCash, addPositions, positionsFit } from "../balance.ts";
import { exposure, isVoid } from "../bookState.ts";
import { addFees, makerFee, takerFee } from "../fees.ts";
import { bookRates } from "../kept.ts";
import type { Fill, OrderCase, OrderStep, RemovedOrder } from "../records.ts";
import {
  admissibility,
  bookValues,
  type Candidate,
  firstUnrelieved,
  maintenanceValues,
  type Risk,
} from "../risk.ts";
import type { StateView } from "../stateView.ts";
import { crosses, placeFor } from "./side.ts";

/**
 * Meets `order` with the opposite side's best entry and changes the state accordingly. A FOK that
 * fails is returned with `aborted`; the caller restores the state, for only it knows the point.
 * `exhibited`: the order reduces an account that is below maintenance in that scenario.
 */
export function stepOrder(
  view: StateView,
  order: Carry,
  risk: Risk,
  exhibited?: number,
): OrderStep {
  const { isSell } = order;
  const best = oppositeSide(view, order)[0];
  if (best === undefined || !crosses(order, best.price)) return endWithoutCross(view, order);
  if (isVoid(view, best)) return dropBest(view, order, "makerVoid", "void");
  if (order.postOnly) {
    return { ...still(order, "postOnly", best), outcome: "postOnlyWouldCross" };
  }
  if (best.account === order.account) return dropBest(view, order, "selfTrade", "selfTrade");
  let lots = Math.min(order.lots, best.lots);
  if (order.reduceOnly) {
    const held = exposure(view.account(order.account), bookOf(view, order.book).weights);
    const reducible = isSell ? held : -held;
    if (reducible <= 0) return { ...still(order, "nothingToReduce", best), ...killed(order) };
    lots = Math.min(lots, reducible);
  }
  return fillIfAdmissible(view, order, lots, { risk, exhibited });
}

/**
 * Row 0: an order that was carried into a batch in which its book is no longer open. It is killed
 * whatever its time in force is, and reported as one that nothing crosses.
 */
export function killOrder(order: Carry): OrderStep {
  return { ...still(order, "noCross", undefined), outcome: "killed" };
}

/** A step that is still being written. */
type OpenStep = { -readonly [K in keyof OrderStep]: OrderStep[K] };

function bookOf(view: StateView, id: number): Readonly<Book> {
  const book = view.book(id);
  if (book === undefined) failEngine(`Book \`${id}\` was never opened.`);
  return book;
}

function oppositeSide(view: StateView, order: Carry): readonly Entry[] {
  const book = bookOf(view, order.book);
  return order.isSell ? book.bids : book.asks;
}

/** A step that changed nothing: what the other steps are told apart from. */
function still(order: Carry, orderCase: OrderCase, best: Entry | undefined): OpenStep {
  return {
    orderCase,
    before: order,
    after: undefined,
    maker: best?.account,
    lots: 0,
    failedScenario: undefined,
    aborted: false,
    outcome: undefined,
    fill: undefined,
    removed: [],
  };
}

function killed(order: Carry): Pick<OrderStep, "aborted" | "outcome"> {
  const isFok = order.timeInForce === "fok";
  return { aborted: isFok, outcome: isFok ? "fokNotFillable" : "killed" };
}

/** Row 1. */
function endWithoutCross(view: StateView, order: Carry): OrderStep {
  const step = still(order, "noCross", undefined);
  if (order.timeInForce !== "gtc") return { ...step, ...killed(order) };
  const { account, seq, price, lots, isSell } = order;
  const { asks, bids } = bookOf(view, order.book);
  const side = isSell ? asks : bids;
  const entry = { account, seq, price, lots };
  // A full side loses its last entry, or refuses a later one.
  const place = placeFor(side, entry, isSell);
  if (place >= view.depth) return { ...step, outcome: "sideFull" };
  view.insertOrder(order.book, isSell, place, entry);
  step.outcome = "rested";
  if (side.length > view.depth) {
    const evicted = view.removeOrder(order.book, isSell, view.depth);
    step.removed = [removal(order.book, isSell, evicted, "evicted")];
  }
  return step;
}

/** Rows 2, 4 and 6: the best entry goes, the order goes on. */
function dropBest(
  view: StateView,
  order: Carry,
  orderCase: "makerVoid" | "selfTrade" | "makerMargin",
  reason: Removal,
): OrderStep {
  const best = view.removeOrder(order.book, !order.isSell, 0);
  const removed = [removal(order.book, !order.isSell, best, reason)];
  return { ...still(order, orderCase, best), after: order, removed };
}

function removal(
  book: number,
  isSell: boolean,
  { price, seq, account, lots }: Entry,
  reason: Removal,
): RemovedOrder {
  return { book, isSell, price, seq, account, lots, reason };
}

/** Rows 6 to 8. */
function fillIfAdmissible(
  view: StateView,
  order: Carry,
  lots: number,
  { risk, exhibited }: { risk: Risk; exhibited: number | undefined },
): OrderStep {
  const best = oppositeSide(view, order)[0]!;
  const { weights, fees } = bookOf(view, order.book);
  const { price } = best;
  const { unit } = view;
  const rates = bookRates(weights, risk);
  const takerLots = order.isSell ? -lots : lots;
  const maker: Candidate = {
    account: view.account(best.account),
    rates,
    price,
    signedLots: -takerLots,
    risk,
    fee: makerFee(fees, price),
    unit,
  };
  const taker: Candidate = {
    account: view.account(order.account),
    rates,
    price,
    signedLots: takerLots,
    risk,
    fee: takerFee(fees, price),
    unit,
  };
  requireFit(maker, weights, order.book);
  requireFit(taker, weights, order.book);
  const makerFails = admissibility(maker);
  if (makerFails !== undefined) {
    const step = dropBest(view, order, "makerMargin", "makerMargin");
    return { ...step, lots, failedScenario: makerFails };
  }
  const failedScenario =
    exhibited === undefined ? admissibility(taker) : unrelieved(taker, weights, exhibited);
  if (failedScenario !== undefined) {
    const step = still(order, "takerMargin", best);
    const aborted = order.timeInForce === "fok";
    return { ...step, lots, failedScenario, aborted, outcome: "takerMargin" };
  }
  return fillBest(view, order, lots);
}

function requireFit({ account, signedLots }: Candidate, weights: readonly number[], book: number) {
  if (positionsFit(account, weights, signedLots)) return;
  failEngine(`\`${signedLots}\` lots of book \`${book}\` do not fit positions inside +-2^22.`);
}

/** Row 7 of a liquidation that reduces. */
function unrelieved(
  { account, price, signedLots, fee, risk }: Candidate,
  weights: readonly number[],
  exhibited: number,
): number | undefined {
  const paid = fee * Math.abs(signedLots);
  const changes = bookValues(weights, risk).map((value) => signedLots * (value - price) - paid);
  const before = maintenanceValues(account, risk);
  return firstUnrelieved(before, changes, before[exhibited]!);
}

/** Row 8. */
function fillBest(view: StateView, order: Carry, lots: number): OrderStep {
  const { book: id, isSell } = order;
  const book = bookOf(view, id);
  const best = (isSell ? book.bids : book.asks)[0]!;
  const step = still(order, "fill", best);
  const size = lots * view.unit;
  const fill: Fill = {
    taker: order.account,
    maker: best.account,
    book: id,
    takerIsSell: isSell,
    price: best.price,
    lots,
    makerSeq: best.seq,
    takerSeq: order.seq,
    takerFee: size * takerFee(book.fees, best.price),
    makerFee: size * makerFee(book.fees, best.price),
  };
  settleFill(view, fill, book.weights);
  if (best.lots === lots) view.removeOrder(id, !isSell, 0);
  else {
    const { account, seq, price } = best;
    view.replaceOrder(id, !isSell, 0, { account, seq, price, lots: best.lots - lots });
  }
  const rest = order.lots - lots;
  step.lots = lots;
  step.fill = fill;
  if (rest === 0) step.outcome = "filled";
  else step.after = { ...order, lots: rest };
  return step;
}

/**
 * Moves positions and `price * lots * unit` of cash between the two accounts of a fill, and their
 * fees to those that nobody has collected.
 */
function settleFill(view: StateView, fill: Fill, weights: readonly number[]): void {
  const { taker, maker, takerFee: ofTaker, makerFee: ofMaker } = fill;
  const signedLots = fill.takerIsSell ? -fill.lots : fill.lots;
  // lots * unit < 2^32 is exact; a product that is not exact is above 2^53 and no cash fits it.
  const paid = fill.price * (signedLots * view.unit);
  addCash(view, taker, -paid - ofTaker);
  addCash(view, maker, paid - ofMaker);
  addFees(view, ofTaker + ofMaker);
  addPositions(view, taker, weights, signedLots);
  addPositions(view, maker, weights, -signedLots);
}
