/** One order step: rows 0 to 8 of SPEC section 6. Twin: circuits, the order step of a place. */

import type { Removal } from "../../protocol/rejection.ts";
import type { Account, Book, BookFees, Carry, Entry } from "../../protocol/state.ts";
import { failEngine } from "../assertion.ts";
import { exchange, positionsFit } from "../balance.ts";
import { exposure, isVoid } from "../bookState.ts";
import { addFees, makerFee, takerFee } from "../fees.ts";
import type { BookRates } from "../kept.ts";
import type { Fill, OrderCase, OrderStep, RemovedOrder } from "../records.ts";
import {
  admissibility,
  type Exchange,
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
  const book = bookOf(view, order.book);
  const best = (isSell ? book.bids : book.asks)[0];
  if (best === undefined || !crosses(order, best.price)) return endWithoutCross(view, order, book);
  if (isVoid(view, best)) return dropBest(view, order, "makerVoid", "void");
  if (order.postOnly) {
    const step = still(order, "postOnly", best);
    step.outcome = "postOnlyWouldCross";
    return step;
  }
  if (best.account === order.account) return dropBest(view, order, "selfTrade", "selfTrade");
  let lots = Math.min(order.lots, best.lots);
  if (order.reduceOnly) {
    const held = exposure(view.account(order.account), book.weights);
    const reducible = isSell ? held : -held;
    if (reducible <= 0) return kill(still(order, "nothingToReduce", best));
    lots = Math.min(lots, reducible);
  }
  return fillIfAdmissible(view, order, { book, best, lots }, { risk, exhibited });
}

/**
 * Row 0: an order that was carried into a batch in which its book is no longer open. It is killed
 * whatever its time in force is, and reported as one that nothing crosses.
 */
export function killOrder(order: Carry): OrderStep {
  const step = still(order, "noCross", undefined);
  step.outcome = "killed";
  return step;
}

/** A step that is still being written. */
type OpenStep = { -readonly [K in keyof OrderStep]: OrderStep[K] };

function bookOf(view: StateView, id: number): Readonly<Book> {
  const book = view.book(id);
  if (book === undefined) failEngine(`Book \`${id}\` was never opened.`);
  return book;
}

const NOTHING_REMOVED: readonly RemovedOrder[] = [];

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
    removed: NOTHING_REMOVED,
  };
}

function kill(step: OpenStep): OrderStep {
  step.aborted = step.before.timeInForce === "fok";
  step.outcome = step.aborted ? "fokNotFillable" : "killed";
  return step;
}

/** Row 1. */
function endWithoutCross(view: StateView, order: Carry, book: Readonly<Book>): OrderStep {
  const step = still(order, "noCross", undefined);
  if (order.timeInForce !== "gtc") return kill(step);
  const { account, seq, price, lots, isSell } = order;
  const side = isSell ? book.asks : book.bids;
  const entry = { account, seq, price, lots };
  // A full side loses its last entry, or refuses a later one.
  const place = placeFor(side, entry, isSell);
  if (place >= view.depth) {
    step.outcome = "sideFull";
    return step;
  }
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
): OpenStep {
  const best = view.removeOrder(order.book, !order.isSell, 0);
  const step = still(order, orderCase, best);
  step.after = order;
  step.removed = [removal(order.book, !order.isSell, best, reason)];
  return step;
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
  { book, best, lots }: { book: Readonly<Book>; best: Entry; lots: number },
  { risk, exhibited }: { risk: Risk; exhibited: number | undefined },
): OrderStep {
  const rates = view.ratesOf(order.book, risk);
  const takerLots = order.isSell ? -lots : lots;
  requireFit(view, best.account, { rates, signedLots: -takerLots, book: order.book });
  requireFit(view, order.account, { rates, signedLots: takerLots, book: order.book });
  const { price } = best;
  const fees = { maker: makerFee(book.fees, price), taker: takerFee(book.fees, price) };
  const ofMaker = { rates, price, signedLots: -takerLots, fee: fees.maker };
  const makerFails = admissibility(view, best.account, ofMaker);
  if (makerFails !== undefined) {
    const step = dropBest(view, order, "makerMargin", "makerMargin");
    step.lots = lots;
    step.failedScenario = makerFails;
    return step;
  }
  const ofTaker = { rates, price, signedLots: takerLots, fee: fees.taker };
  const failedScenario =
    exhibited === undefined
      ? admissibility(view, order.account, ofTaker)
      : unrelieved(view.account(order.account), ofTaker, exhibited);
  if (failedScenario !== undefined) {
    const step = still(order, "takerMargin", best);
    step.lots = lots;
    step.failedScenario = failedScenario;
    step.aborted = order.timeInForce === "fok";
    step.outcome = "takerMargin";
    return step;
  }
  const fill = fillOf(view, order, best, { lots, fees });
  return fillBest(view, order, best, { fill, rates });
}

function requireFit(
  view: StateView,
  account: number,
  { rates, signedLots, book }: { rates: BookRates; signedLots: number; book: number },
): void {
  if (positionsFit(view.account(account), rates.legs, signedLots)) return;
  failEngine(`\`${signedLots}\` lots of book \`${book}\` do not fit positions inside +-2^22.`);
}

/** Row 7 of a liquidation that reduces. */
function unrelieved(
  account: Readonly<Account>,
  { rates, price, signedLots, fee }: Exchange,
  exhibited: number,
): number | undefined {
  const paid = fee * Math.abs(signedLots);
  const changes = rates.values.map((value) => signedLots * (value - price) - paid);
  const before = maintenanceValues(account, rates.risk);
  return firstUnrelieved(before, changes, before[exhibited]!);
}

/** `fees` in ticks for each lot. */
function fillOf(
  view: StateView,
  order: Carry,
  best: Entry,
  { lots, fees }: { lots: number; fees: BookFees },
): Fill {
  const { price } = best;
  const size = lots * view.unit;
  return {
    taker: order.account,
    maker: best.account,
    book: order.book,
    takerIsSell: order.isSell,
    price,
    lots,
    makerSeq: best.seq,
    takerSeq: order.seq,
    takerFee: size * fees.taker,
    makerFee: size * fees.maker,
  };
}

/** Row 8. */
function fillBest(
  view: StateView,
  order: Carry,
  best: Entry,
  { fill, rates }: { fill: Fill; rates: BookRates },
): OrderStep {
  const { book, isSell } = order;
  const { lots } = fill;
  const step = still(order, "fill", best);
  settleFill(view, fill, rates);
  if (best.lots === lots) view.removeOrder(book, !isSell, 0);
  else {
    const { account, seq, price } = best;
    view.replaceOrder(book, !isSell, 0, { account, seq, price, lots: best.lots - lots });
  }
  step.lots = lots;
  step.fill = fill;
  if (order.lots === lots) step.outcome = "filled";
  else step.after = withLots(order, order.lots - lots);
  return step;
}

/** Written out: one shape for all orders, and no search for its members. */
function withLots(order: Carry, lots: number): Carry {
  const { account, book, isSell, price, timeInForce, postOnly, reduceOnly, seq } = order;
  return { account, book, isSell, price, lots, timeInForce, postOnly, reduceOnly, seq };
}

/**
 * Moves positions and `price * lots * unit` of cash between the two accounts of a fill, and their
 * fees to those that nobody has collected.
 */
function settleFill(view: StateView, fill: Fill, rates: BookRates): void {
  const { taker, maker, takerFee: ofTaker, makerFee: ofMaker } = fill;
  const signedLots = fill.takerIsSell ? -fill.lots : fill.lots;
  // lots * unit < 2^32 is exact; a product that is not exact is above 2^53 and no cash fits it.
  const paid = fill.price * (signedLots * view.unit);
  exchange(view, taker, -paid - ofTaker, { rates, signedLots });
  exchange(view, maker, paid - ofMaker, { rates, signedLots: -signedLots });
  addFees(view, ofTaker + ofMaker);
}
