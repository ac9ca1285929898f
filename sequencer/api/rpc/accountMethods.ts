/** What an account's sessions may read. */
import { z } from "zod";
import type { OrderUpdate } from "../../exchangeService.ts";
import { type HeldInfo, isHeldId } from "../../protocol/heldWord.ts";
import { DOOR_REJECTS } from "../../protocol/rejection.ts";
import { ROWS_MAX } from "../limits.ts";
import * as schemas from "./accountSchemas.ts";
import {
  orderShape,
  positionShape,
  positionShapes,
  positionsOf,
  receiptShape,
  simulatedShape,
  summaryShape,
  userTradeShape,
} from "./accountShapes.ts";
import { lotsOf, ticksOf, usdcOf } from "./amounts.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { TRIGGER_TYPES } from "./heldSchemas.ts";
import { heldOrderShape } from "./heldShapes.ts";
import { assertCurrency } from "./marketMethods.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import { bookNameAt, namedOrder } from "./pastNames.ts";
import { transactionShapes } from "./transactionShapes.ts";

const { currency, decimal, instrumentName, kind, label, orderId } = fields;

/** Which open orders: `trigger_all` are those that wait for a price. */
const orderType = z.enum(["all", "limit", "trigger_all", ...TRIGGER_TYPES]).default("all");

const listed = z.strictObject({
  currency: currency.default("any"),
  kind,
  type: orderType,
});

const tradeRange = {
  start_timestamp: fields.timestamp.optional(),
  end_timestamp: fields.timestamp.optional(),
  count: fields.count.default(10),
};

const NOTHING_HELD = { positions: [], costs: [] };

/** Weighing an account takes the node some milliseconds. */
const RISK_CALLS = 20;
export const ACCOUNT_METHODS: readonly Method[] = [
  method("private/get_positions", {
    summary: "Positions with average prices, profits and greeks.",
    calls: 2,
    params: z.strictObject({ currency: currency.default("any"), kind }),
    result: z.array(schemas.POSITION),
    call: async ({ currency: wanted }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      assertCurrency(catalogue.info.underlying, wanted);
      const found = await context.service.account({ id: account });
      return positionShapes(found ?? NOTHING_HELD, catalogue);
    },
  }),
  method("private/get_position", {
    summary: "The position in one option.",
    params: z.strictObject({ instrument_name: instrumentName }),
    result: schemas.POSITION,
    call: async ({ instrument_name }, context) => {
      const { account } = await context.session();
      const instrument = await context.market.catalogues.find(instrument_name);
      const { catalogue } = await context.market.view();
      if (instrument.kind !== "option") {
        throw new RpcError("not_found", "a combination's legs are positions of their own.");
      }
      const found = await context.service.account({ id: account });
      return positionShape(instrument, found ?? NOTHING_HELD, catalogue);
    },
  }),
  method("private/get_account_summary", {
    summary: "Balance, equity, margins and greeks.",
    calls: 2,
    params: z.strictObject({
      currency: currency.default("USDC"),
      extended: z.boolean().default(false),
    }),
    result: schemas.ACCOUNT_SUMMARY,
    call: async ({ currency: wanted }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      assertCurrency(catalogue.info.underlying, wanted);
      const found = await context.service.account({ id: account });
      if (found === null) throw new RpcError("unknown_account");
      return summaryShape(found, catalogue);
    },
  }),
  method("private/simulate_portfolio", {
    summary: "Margins and all scenarios with positions that the account has not got.",
    calls: RISK_CALLS,
    params: z.strictObject({
      currency: currency.default("USDC"),
      add_positions: z.boolean().default(true),
      simulated_positions: z
        .record(z.string().max(200), decimal)
        .refine((positions) => Object.keys(positions).length <= 64, "at most 64 positions")
        .default({}),
    }),
    result: schemas.SIMULATED,
    call: async ({ add_positions, simulated_positions }, context) => {
      const { account } = await context.session();
      const answer = await context.service.risk(account);
      if (answer === null) throw new RpcError("no_snapshot");
      const { info } = (await context.market.view()).catalogue;
      const positions = positionsOf(answer).map((lots) => (add_positions ? lots : 0));
      for (const [name, amount] of Object.entries(simulated_positions)) {
        const { legs } = await context.market.catalogues.find(name);
        const lots = lotsOf(amount, info, name);
        for (const [slot, weight] of legs) positions[slot] = (positions[slot] ?? 0) + lots * weight;
      }
      return simulatedShape(answer, positions);
    },
  }),
  method("private/get_margins", {
    summary: "What an order's worst fill adds to the initial margin, and the door's verdict.",
    calls: 2 * RISK_CALLS,
    params: z.strictObject({ instrument_name: instrumentName, amount: decimal, price: decimal }),
    result: schemas.MARGINS,
    call: async (order, context) => {
      const { account, keyIndex } = await context.session();
      const { book } = await context.market.catalogues.find(order.instrument_name);
      if (book === null) throw new RpcError("book_closed");
      const info = infoOf(context);
      const flags = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
      const [price, lots] = [ticksOf(order.price, info), lotsOf(order.amount, info)];
      const asked = { account, keyIndex, book, price, lots, ...flags };
      const weigh = async (isSell: boolean) => {
        const preview = await context.service.preview({ ...asked, isSell });
        if (preview === null) throw new RpcError("no_snapshot");
        const { before, after, verdict } = preview;
        const margin = usdcOf(Math.max(0, after.initialMargin - before.initialMargin));
        return { margin, verdict: verdict === null ? null : DOOR_REJECTS[verdict][1] };
      };
      const [buy, sell] = [await weigh(false), await weigh(true)];
      const verdicts = { buy_verdict: buy.verdict, sell_verdict: sell.verdict };
      return { buy: buy.margin, sell: sell.margin, ...verdicts, min_price: null, max_price: null };
    },
  }),
  method("private/get_open_orders", {
    summary: "Orders that rest or wait, of all instruments.",
    calls: 2,
    params: z.strictObject({ kind, type: orderType }),
    result: z.array(schemas.ORDER),
    call: (filter, context) =>
      openOrders(context, filter.type, ({ kind: own }) => isKind(own, filter.kind)),
  }),
  method("private/get_open_orders_by_currency", {
    summary: "Orders that rest or wait, of all instruments.",
    calls: 2,
    params: listed,
    result: z.array(schemas.ORDER),
    call: (filter, context) => {
      assertCurrency(infoOf(context).underlying, filter.currency);
      return openOrders(context, filter.type, ({ kind: own }) => isKind(own, filter.kind));
    },
  }),
  method("private/get_open_orders_by_instrument", {
    summary: "Orders that rest in one book, or wait to.",
    calls: 2,
    params: z.strictObject({
      instrument_name: instrumentName,
      type: orderType,
    }),
    result: z.array(schemas.ORDER),
    call: async ({ instrument_name, type }, context) => {
      const { name } = await context.market.catalogues.find(instrument_name);
      return openOrders(context, type, (instrument) => instrument.name === name);
    },
  }),
  method("private/get_order_state", {
    summary: "One order, open or ended lately.",
    params: z.strictObject({ order_id: orderId }),
    result: schemas.ORDER,
    call: async ({ order_id }, context) => {
      const { account } = await context.session();
      if (isHeldId(order_id)) return heldOrder(account, order_id, context);
      await openOrders(context, "limit", () => true);
      const order = context.orders.byId(account, order_id);
      if (order === undefined) throw new RpcError("order_not_found");
      const { catalogue } = await context.market.view();
      return orderShape(namedOrder(order, catalogue), catalogue);
    },
  }),
  method("private/get_order_state_by_label", {
    summary: "Orders with a label, the latest first.",
    params: z.strictObject({ currency: currency.default("any"), label }),
    result: z.array(schemas.ORDER),
    call: async ({ label: wanted }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      const found = context.orders.byLabel(account, wanted);
      const newest = found.slice(0, ROWS_MAX);
      return newest.map((order) => orderShape(namedOrder(order, catalogue), catalogue));
    },
  }),
  method("private/get_order_history_by_currency", {
    summary: "Orders that have ended, the latest first, as far as the node remembers.",
    calls: 2,
    params: z.strictObject({
      ...listed.shape,
      count: fields.count.default(20),
      offset: fields.natural.default(0),
    }),
    result: z.array(schemas.ORDER),
    call: async ({ count, offset }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      const ended = context.orders.closed(account).slice(offset, offset + count);
      return ended.map((order) => orderShape(namedOrder(order, catalogue), catalogue));
    },
  }),
  method("private/get_user_trades_by_currency", {
    summary: "The account's trades, the latest first.",
    calls: 3,
    params: z.strictObject({ ...listed.shape, ...tradeRange }),
    result: schemas.USER_TRADES,
    call: (range, context) => userTrades(context, () => true, range),
  }),
  method("private/get_user_trades_by_instrument", {
    summary: "The account's trades in one instrument, the latest first.",
    calls: 3,
    params: z.strictObject({ instrument_name: instrumentName, ...tradeRange }),
    result: schemas.USER_TRADES,
    call: async ({ instrument_name, ...range }, context) => {
      const { name } = await context.market.catalogues.find(instrument_name);
      return userTrades(context, ({ instrument }) => instrument === name, range);
    },
  }),
  method("private/get_user_trades_by_order", {
    summary: "The trades of one order.",
    calls: 3,
    params: z.strictObject({ order_id: orderId }),
    result: z.array(schemas.USER_TRADE),
    call: async ({ order_id }, context) => {
      const isWanted = ({ update }: Owned) => update.orderId === order_id;
      return (await userTrades(context, isWanted, { count: ROWS_MAX })).trades;
    },
  }),
  method("private/get_transaction_log", {
    summary: "What moved the account's cash lately: trades, deposits, settlements, takeovers.",
    calls: 3,
    params: z.strictObject({ currency: currency.default("any"), count: fields.count.default(100) }),
    result: schemas.TRANSACTIONS,
    call: async ({ count }, context) => {
      const { account } = await context.session();
      const events = await context.service.history(account, count);
      return { logs: transactionShapes(events, (await context.market.view()).catalogue) };
    },
  }),
  method("straddle/get_receipt", {
    summary: "The receipt of a message that this node has taken: by log position or chain head.",
    scope: "private",
    params: z
      .strictObject({
        log_position: fields.natural.optional(),
        head: fields.fieldElement.optional(),
      })
      .refine(({ log_position, head }) => (log_position === undefined) !== (head === undefined), {
        message: "must have either `log_position` or `head`",
      }),
    result: schemas.RECEIPT,
    call: async ({ log_position, head }, { session, submissions }) => {
      const { account } = await session();
      const receipt = submissions.receipt(
        head === undefined
          ? { account, logPosition: log_position ?? 0 }
          : { account, head: BigInt(head) },
      );
      if (receipt === undefined) throw new RpcError("not_found", "no such receipt is remembered.");
      return receiptShape(receipt);
    },
  }),
];

function isKind(own: Instrument["kind"], wanted: z.output<typeof kind>): boolean {
  return wanted === "any" || own === wanted;
}

async function openOrders(
  context: CallContext,
  type: z.output<typeof orderType>,
  wanted: (instrument: Instrument) => boolean,
) {
  const { account } = await context.session();
  const { catalogue } = await context.market.view();
  const open = await context.service.orders(account);
  const resting = open.flatMap((order) => {
    const instrument = catalogue.byBook.get(order.book);
    if (instrument === undefined || !wanted(instrument)) return [];
    const known = context.orders.resting(order, instrument.name, context.clock.now());
    return [orderShape(namedOrder(known, catalogue), catalogue)];
  });
  const held = await heldOrdersOf(await context.service.policy.held(account), context);
  const waiting = held.filter(({ instrument_name }) => {
    const instrument = catalogue.byName.get(instrument_name);
    return instrument !== undefined && wanted(instrument);
  });
  return [...resting, ...waiting].filter(({ order_type, trigger }) => {
    if (type === "all") return true;
    return type === "trigger_all" ? trigger !== undefined : order_type === type;
  });
}

/** Held orders, not cancels, as orders are told. */
export async function heldOrdersOf(held: readonly HeldInfo[], { market }: CallContext) {
  const { catalogue } = await market.view();
  return held.flatMap((each) => heldOrderShape(each, catalogue) ?? []);
}

async function heldOrder(account: number, id: string, context: CallContext) {
  const { policy } = context.service;
  const known = [...(await policy.held(account)), ...(await policy.heldHistory(account))];
  const [order] = await heldOrdersOf(
    known.filter((each) => each.id === id),
    context,
  );
  if (order === undefined) throw new RpcError("order_not_found");
  return order;
}

interface Owned {
  readonly update: OrderUpdate;
  readonly instrument: string;
}

async function userTrades(
  context: CallContext,
  wanted: (owned: Owned) => boolean,
  range: {
    readonly count: number;
    readonly start_timestamp?: number | undefined;
    readonly end_timestamp?: number | undefined;
  },
) {
  const { account } = await context.session();
  const { catalogue } = await context.market.view();
  const { start_timestamp: from = 0, end_timestamp: to = Number.MAX_SAFE_INTEGER } = range;
  const events = await context.service.history(account, ROWS_MAX);
  const found = events.flatMap((event) => {
    if (event.type !== "order" || event.update.fill === null) return [];
    const { update } = event;
    const instrument = bookNameAt(update.book, update.time, catalogue) ?? "";
    const isWanted = update.time >= from && update.time <= to && wanted({ update, instrument });
    if (!isWanted) return [];
    const order = context.orders.byId(account, update.orderId);
    return [userTradeShape(update, event.update.fill, { instrument, order, info: catalogue.info })];
  });
  return { trades: found.slice(0, range.count), has_more: found.length > range.count };
}
