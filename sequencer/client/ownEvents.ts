/**
 * An account's own news, each once and in its order, whatever becomes of the connection: what a
 * loss took of the channels is read afterwards and told before what came since.
 */
import { createEmitter, type Emitter } from "./emitter.ts";
import type { Methods } from "./generated/api.ts";
import type { RpcConnection } from "./rpcConnection.ts";

export type Order = Methods["private/get_order_state"]["result"];
export type UserTrade = Methods["private/get_user_trades_by_order"]["result"][number];
export type Summary = Methods["private/get_account_summary"]["result"];

export interface OwnEvents {
  /** An order as it is now: placed, filled in part, or ended. */
  readonly order: Order;
  readonly trade: UserTrade;
  /** The account summary, at most once a second. */
  readonly portfolio: Summary;
  /** More happened than the node could tell afterwards: read what you need anew. */
  readonly missed: undefined;
  /** Nothing more comes: the node refuses the session, for example because its key has expired. */
  readonly ended: { readonly error: Error };
}

export interface OwnNews {
  on: Emitter<OwnEvents>["on"];
  stop(): void;
}

/** Trades and ended orders that are remembered as told; news that waits; rows of one answer. */
const TOLD_MAX = 10_000;
const WAITING_MAX = 10_000;
const ROWS_MAX = 1000;

interface State {
  readonly connection: RpcConnection;
  readonly emitter: Emitter<OwnEvents>;
  /** Open orders as they were last told. */
  readonly open: Map<string, Order>;
  /** Ended orders and trades that were told, the oldest first. */
  readonly ended: Set<string>;
  readonly trades: Set<string>;
  /** Unix ms of the newest trade that was told; that of its batch, which others share. */
  newestAt: number;
  losses: number;
  /** What has come since the loss, until it is known what came before. */
  waiting: (() => void)[] | undefined;
}

/** The connection must have a session. */
export async function followOwn(connection: RpcConnection): Promise<OwnNews> {
  const emitter = createEmitter<OwnEvents>();
  const state: State = {
    ...{ connection, emitter, open: new Map(), ended: new Set(), trades: new Set() },
    ...{ newestAt: 0, losses: 0, waiting: [] },
  };
  const now = (tell: () => void): void => {
    if (state.waiting === undefined) tell();
    else if (state.waiting.length < WAITING_MAX) state.waiting.push(tell);
    else emitter.emit("missed", undefined);
  };
  const ends = await Promise.all([
    connection.subscribe("user.orders.any.any.raw", (data) => {
      for (const order of [data].flat()) now(() => tellOrder(state, order));
    }),
    connection.subscribe("user.trades.any.any.raw", (trades) => {
      for (const trade of trades) now(() => tellTrade(state, trade));
    }),
    connection.subscribe("user.portfolio.any", (data) => emitter.emit("portfolio", data)),
  ]);
  ends.push(
    connection.on("closed", () => {
      state.losses += 1;
      state.waiting ??= [];
    }),
    connection.on("reconnected", () => void catchUp(state)),
    connection.on("sessionLost", ({ error }) => emitter.emit("ended", { error })),
  );
  await begin(state);
  return {
    on: emitter.on,
    stop: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** What there is already is no news. */
async function begin(state: State): Promise<void> {
  const { open, ended, trades } = await read(state);
  for (const order of open) state.open.set(order.order_id, order);
  for (const { order_id } of ended) remember(state.ended, order_id);
  for (const trade of trades.trades.toReversed()) noteTrade(state, trade);
  flush(state);
}

async function read({ connection, newestAt }: State) {
  const [open, ended, trades] = await Promise.all([
    connection.call("private/get_open_orders"),
    connection.call("private/get_order_history_by_currency", { count: ROWS_MAX }),
    connection.call("private/get_user_trades_by_currency", {
      ...{ start_timestamp: newestAt, count: ROWS_MAX },
    }),
  ]);
  return { open, ended, trades };
}

function flush(state: State): void {
  const held = state.waiting ?? [];
  state.waiting = undefined;
  for (const tell of held) tell();
}

async function catchUp(state: State): Promise<void> {
  const { emitter, losses } = state;
  // Lost again: the next connection begins it anew.
  const isOver = () => state.losses !== losses;
  try {
    const { open, ended, trades } = await read(state);
    if (isOver()) return;
    if (trades.has_more) emitter.emit("missed", undefined);
    for (const trade of trades.trades.toReversed()) tellTrade(state, trade);
    for (const order of [...ended.toReversed(), ...open]) tellOrder(state, order);
    forgetUnknown(state, open);
    flush(state);
  } catch {
    if (isOver()) return;
    // Refused, or too late: what happened is not known.
    emitter.emit("missed", undefined);
    flush(state);
  }
}

/** Of those that are gone, and of which the node does not remember how they ended. */
function forgetUnknown({ open, emitter }: State, present: readonly Order[]): void {
  const ids = new Set(present.map(({ order_id }) => order_id));
  for (const id of [...open.keys()].filter((known) => !ids.has(known))) {
    open.delete(id);
    emitter.emit("missed", undefined);
  }
}

function tellOrder({ open, ended, emitter }: State, order: Order): void {
  const { order_id } = order;
  const before = open.get(order_id);
  if (ended.has(order_id) || (before !== undefined && isSame(before, order))) return;
  if (isLive(order)) open.set(order_id, order);
  else {
    open.delete(order_id);
    remember(ended, order_id);
  }
  emitter.emit("order", order);
}

/** One that waits for its condition lives, and has an end of its own when that comes true. */
export function isLive({ order_state }: Pick<Order, "order_state">): boolean {
  return order_state === "open" || order_state === "untriggered";
}

function isSame(a: Order, b: Order): boolean {
  const isAsFilled = a.filled_amount === b.filled_amount;
  return a.order_state === b.order_state && isAsFilled && a.price === b.price;
}

function tellTrade(state: State, trade: UserTrade): void {
  if (noteTrade(state, trade)) state.emitter.emit("trade", trade);
}

/** Whether it is new. */
function noteTrade(state: State, { trade_id, order_id, timestamp }: UserTrade): boolean {
  // Who trades with himself has two of one number.
  const key = `${trade_id}/${order_id}`;
  if (state.trades.has(key)) return false;
  remember(state.trades, key);
  state.newestAt = Math.max(state.newestAt, timestamp);
  return true;
}

function remember(told: Set<string>, key: string): void {
  told.add(key);
  const [oldest] = told;
  if (told.size > TOLD_MAX && oldest !== undefined) told.delete(oldest);
}
