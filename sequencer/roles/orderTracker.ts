/**
 * Live orders and public trades, followed step by step. The state knows what rests; this knows
 * what happened to each order, which is what its owner wants to be told.
 */
import { unchanging } from "../batch/unchangingJson.ts";
import type { Fill, OrderStep, StepRecord } from "../engine/records.ts";
import type { ExchangeEvent, OpenOrder, OrderUpdate, Trade } from "../exchangeService.ts";
import { type OrderPlace, orderIdText } from "../protocol/orderId.ts";
import type { Outcome, Removal } from "../protocol/rejection.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { EffectBatch } from "./effect.ts";

/** The seq of the operator's orders for accounts in liquidation. */
const LIQUIDATION_SEQ = 0;

/** Trades that a node keeps for questions. */
export const TRADES_KEPT = 2000;

export interface OrderTracker {
  /** Events of the steps of one log entry, in order. Called right after their execution. */
  observe(steps: readonly StepRecord[], batch: EffectBatch): ExchangeEvent[];
  /** A book was opened anew: what rested in it before is gone. */
  reopened(book: number, batch: EffectBatch): ExchangeEvent[];
  /** Layer one voided the orders of an account. */
  allCancelled(account: number, batch: EffectBatch): ExchangeEvent[];
  orders(account: number): OpenOrder[];
  /** Newest first. */
  trades(book: number | null, limit: number): Trade[];
  memory(): OrderMemory;
}

/** What the state does not tell; JSON-safe, kept in checkpoints. */
export interface OrderMemory {
  readonly nextTradeId: number;
  readonly trades: readonly Trade[];
}

interface Place extends OrderPlace {
  readonly account: number;
}

interface LiveOrder extends Place {
  lots: number;
  isCarried: boolean;
}

/** Live orders by id, and by account. */
interface LiveOrders {
  get(id: string): LiveOrder | undefined;
  set(id: string, order: LiveOrder): void;
  delete(id: string): void;
  of(account: number): LiveOrder[];
  all(): LiveOrder[];
}

interface Tracked {
  readonly live: LiveOrders;
  readonly trades: Trade[];
  nextTradeId: number;
}

/** Where the events of one entry go. */
interface Sink {
  readonly batch: EffectBatch;
  readonly events: ExchangeEvent[];
}

type Change = Place & Pick<OrderUpdate, "lots" | "state" | "reason" | "fill">;

/** Begins with what rests in `state`. */
export function createOrderTracker(options: {
  state: MemoryState;
  memory?: OrderMemory | undefined;
}): OrderTracker {
  const tracked: Tracked = {
    live: restingOrders(options.state),
    trades: [...(options.memory?.trades ?? [])],
    nextTradeId: options.memory?.nextTradeId ?? 1,
  };
  return {
    observe: (steps, batch) => {
      const sink: Sink = { batch, events: [] };
      observeSteps(tracked, steps, sink);
      return sink.events;
    },
    reopened: (book, batch) => {
      const sink: Sink = { batch, events: [] };
      for (const order of tracked.live.all()) {
        if (order.book === book) close(tracked, order, "void", sink);
      }
      return sink.events;
    },
    allCancelled: (account, batch) => {
      const sink: Sink = { batch, events: [] };
      closeAll(tracked, account, "allCancelled", sink);
      return sink.events;
    },
    orders: (account) =>
      tracked.live.of(account).map((order) => ({ ...order, orderId: orderIdText(order) })),
    trades: (book, limit) =>
      tracked.trades
        .filter((trade) => book === null || trade.book === book)
        .slice(-limit)
        .reverse(),
    memory: () => ({ nextTradeId: tracked.nextTradeId, trades: unchanging([...tracked.trades]) }),
  };
}

function createLiveOrders(): LiveOrders {
  const orders = new Map<string, LiveOrder>();
  const byAccount = new Map<number, Map<string, LiveOrder>>();
  return {
    get: (id) => orders.get(id),
    set(id, order) {
      orders.set(id, order);
      const own = byAccount.get(order.account);
      if (own === undefined) byAccount.set(order.account, new Map([[id, order]]));
      else own.set(id, order);
    },
    delete(id) {
      const order = orders.get(id);
      if (order === undefined) return;
      orders.delete(id);
      const own = byAccount.get(order.account)!;
      own.delete(id);
      if (own.size === 0) byAccount.delete(order.account);
    },
    of: (account) => [...(byAccount.get(account)?.values() ?? [])],
    all: () => [...orders.values()],
  };
}

function restingOrders(state: MemoryState): LiveOrders {
  const live = createLiveOrders();
  const keep = (order: LiveOrder): void => {
    live.set(orderIdText(order), order);
  };
  for (const id of state.bookIds()) {
    const book = state.book(id)!;
    const bids = book.bids.map((entry) => ({ ...entry, isSell: false }));
    const asks = book.asks.map((entry) => ({ ...entry, isSell: true }));
    for (const entry of [...bids, ...asks]) {
      if (entry.seq < state.session(entry.account).watermark) continue;
      keep({ ...entry, book: id, isCarried: false });
    }
  }
  const carry = state.carry();
  if (carry !== undefined) keep({ ...placeOf(carry), lots: carry.lots, isCarried: true });
  return live;
}

function observeSteps(tracked: Tracked, steps: readonly StepRecord[], sink: Sink): void {
  const [first] = steps;
  const last = steps.at(-1);
  if (first !== undefined && "order" in first && last !== undefined && "order" in last) {
    if (last.order.aborted) {
      // What an aborted fill-or-kill did before its abort never happened.
      end(first.order, last.order.outcome ?? "fokNotFillable", sink);
      return;
    }
  }
  for (const step of steps) {
    if (step.kind === "cancelAll") {
      closeAll(tracked, step.author.account, "allCancelled", sink);
    } else if (step.kind === "cancel") {
      const { message } = step;
      if (step.outcome === "cancelled" && message.kind === "cancel") {
        close(tracked, message, "cancelled", sink);
      }
    } else if (step.kind === "liquidate") {
      // The lock voids what the account has in the books; its own order has no owner to tell.
      closeAll(tracked, step.account, "void", sink);
      observeMeeting(tracked, step.order, sink);
    } else if (step.kind !== "purge") observeOrder(tracked, step.order, sink);
  }
}

/** What the step did to orders that rested. Lots of the order itself that are left. */
function observeMeeting(tracked: Tracked, step: OrderStep, sink: Sink): number {
  let left = step.before.lots;
  if (step.fill !== undefined) {
    left -= step.fill.lots;
    observeFill(tracked, { step, fill: step.fill, left }, sink);
  }
  for (const removed of step.removed) close(tracked, removed, removed.reason, sink);
  return left;
}

function observeOrder(tracked: Tracked, step: OrderStep, sink: Sink): void {
  const left = observeMeeting(tracked, step, sink);
  const order = placeOf(step.before);
  const id = orderIdText(order);
  if (step.outcome === undefined) {
    tracked.live.set(id, { ...order, lots: left, isCarried: true });
  } else if (step.outcome === "rested") {
    tracked.live.set(id, { ...order, lots: left, isCarried: false });
    emit(sink, { ...order, lots: left, state: "open", reason: null, fill: null });
  } else {
    tracked.live.delete(id);
    if (step.outcome !== "filled") end(step, step.outcome, sink);
  }
}

function observeFill(
  tracked: Tracked,
  { step, fill, left }: { step: OrderStep; fill: Fill; left: number },
  sink: Sink,
): void {
  const { book, price, lots, takerIsSell, takerSeq, makerSeq, takerFee, makerFee } = fill;
  const trade: Trade = {
    tradeId: tracked.nextTradeId,
    ...{ book, price, lots, takerIsSell, takerSeq, makerSeq, takerFee, makerFee },
    time: sink.batch.time,
    batchNumber: sink.batch.number,
  };
  tracked.nextTradeId += 1;
  tracked.trades.push(trade);
  if (tracked.trades.length > TRADES_KEPT) tracked.trades.shift();
  sink.events.push({ type: "trade", trade });
  const maker = { account: fill.maker, book, isSell: !takerIsSell, price, seq: makerSeq };
  const order = tracked.live.get(orderIdText(maker));
  const makerLeft = (order?.lots ?? lots) - lots;
  if (order !== undefined) order.lots = makerLeft;
  if (makerLeft === 0) tracked.live.delete(orderIdText(maker));
  emitFill(sink, { order: maker, left: makerLeft, trade, isTaker: false });
  if (takerSeq === LIQUIDATION_SEQ) return;
  emitFill(sink, { order: placeOf(step.before), left, trade, isTaker: true });
}

function emitFill(
  sink: Sink,
  options: { order: Place; left: number; trade: Trade; isTaker: boolean },
): void {
  const { order, left, trade, isTaker } = options;
  const { tradeId, price, lots } = trade;
  const fee = isTaker ? trade.takerFee : trade.makerFee;
  const end = left === 0 ? ({ state: "closed", reason: "filled" } as const) : LIVES;
  emit(sink, { ...order, lots: left, ...end, fill: { tradeId, price, lots, isTaker, fee } });
}

const LIVES = { state: "open", reason: null } as const;

function close(tracked: Tracked, place: OrderPlace, reason: Outcome | Removal, sink: Sink): void {
  const order = tracked.live.get(orderIdText(place));
  // A void order was closed when its owner voided it; that it is cleared away now is no news.
  if (order === undefined) return;
  tracked.live.delete(orderIdText(place));
  emit(sink, { ...placeOf(order), lots: order.lots, state: "closed", reason, fill: null });
}

function closeAll(
  tracked: Tracked,
  account: number,
  reason: "allCancelled" | "void",
  sink: Sink,
): void {
  for (const order of tracked.live.of(account)) close(tracked, order, reason, sink);
}

/** The end of an order that does not rest, with what of it was not filled. */
function end(step: OrderStep, reason: Outcome, sink: Sink): void {
  const { before } = step;
  emit(sink, { ...placeOf(before), lots: before.lots, state: "closed", reason, fill: null });
}

function emit({ events, batch }: Sink, change: Change): void {
  const orderId = orderIdText(change);
  const update = { ...change, orderId, time: batch.time, batchNumber: batch.number };
  events.push({ type: "order", update });
}

function placeOf({ account, book, isSell, price, seq }: Place): Place {
  return { account, book, isSell, price, seq };
}
