/** ccxt's unified methods of one account: each order is a word that the trading key has signed. */
import ccxt, { type Market, type Num, type Order, type Position, type Strings } from "ccxt";
import { DecimalError, parsePrice, parseQuantity } from "../market/decimal.ts";
import { TIME_IN_FORCE_NAMES } from "../market/timeInForce.ts";
import type { TimeInForce } from "../protocol/constants.ts";
import type { CancelMessage, PlaceMessage } from "../protocol/messages.ts";
import { parseOrderId } from "../protocol/orderId.ts";
import type { Dict } from "./access.ts";
import { StraddleMarketData } from "./marketData.ts";
import { SETTLE } from "./markets.ts";

const { ArgumentsRequired, InvalidOrder, NotSupported } = ccxt;

/** What only the sequencer could keep for a trader; a signed word says nothing of it. */
const TRIGGERS = [
  ...["triggerPrice", "stopPrice", "stopLossPrice", "takeProfitPrice", "trailingAmount"],
  ...["stopLoss", "takeProfit", "trigger_price", "trigger_offset"],
];

const HISTORY_MAX = 1000;

interface PlaceRequest {
  readonly message: PlaceMessage;
  /** The readable fields, which must say what the message says. */
  readonly fields: Dict;
}

export class StraddleTrading extends StraddleMarketData {
  override async createOrder(
    symbol: string,
    type: string,
    side: string,
    amount: number,
    price?: Num,
    params: Dict = {},
  ): Promise<Order> {
    await this.loadMarkets();
    const order = { symbol, type, side, amount, price };
    const { message, fields } = await this.placeRequest(order, params);
    const method = message.isSell ? "private/sell" : "private/buy";
    const instrument_name = this.market(symbol).id;
    const answer = await this.sendWord(message, method, (signed) => {
      return { instrument_name, ...fields, signed };
    });
    return this.parsePlaced(answer, symbol);
  }

  /** Cancels the order and, if it was still open, places another: never are there both. */
  override async editOrder(
    id: string,
    symbol: string,
    type: string,
    side: string,
    amount?: Num,
    price?: Num,
    params: Dict = {},
  ): Promise<Order> {
    if (amount === undefined) throw new ArgumentsRequired(`${this.id} editOrder() needs an amount`);
    await this.loadMarkets();
    // What no word can say is refused before anything is cancelled.
    await this.placeRequest({ symbol, type, side, amount, price }, params);
    await this.cancelOrder(id, symbol, params);
    return this.createOrder(symbol, type, side, amount, price, params);
  }

  override async cancelOrder(id: string, symbol?: string, params: Dict = {}): Promise<Order> {
    await this.loadMarkets();
    const message = this.cancelMessage(id, params);
    const order = await this.sendWord(message, "private/cancel", (signed) => {
      return { order_id: id, signed };
    });
    return this.parseOrder(order, symbol === undefined ? undefined : this.market(symbol));
  }

  async cancelOrders(ids: string[], symbol?: string, params: Dict = {}): Promise<Order[]> {
    return Promise.all(ids.map((id) => this.cancelOrder(id, symbol, params)));
  }

  /** One word for all of them; with a symbol, one for each order of that book. */
  override async cancelAllOrders(symbol?: string, params: Dict = {}): Promise<Order[]> {
    await this.loadMarkets();
    if (symbol !== undefined) {
      const open = await this.fetchOpenOrders(symbol);
      const ids = open.map(({ id }) => String(id));
      return this.cancelOrders(ids, symbol, params);
    }
    const deadline = this.deadline(params);
    const message = { kind: "cancelAll", deadline } as const;
    const info = await this.sendWord(message, "private/cancel_all", (signed) => ({ signed }));
    return [this.safeOrder({ info })];
  }

  override async fetchClosedOrders(
    symbol?: string,
    since?: number,
    limit?: number,
    params: Dict = {},
  ): Promise<Order[]> {
    await this.loadMarkets();
    const market = symbol === undefined ? undefined : this.market(symbol);
    const request = this.extend({ count: HISTORY_MAX }, params);
    const path = "get_order_history_by_currency";
    const { result } = await this.request(path, "private", "GET", request);
    return this.parseOrders(result as object[], market, since, limit);
  }

  override async fetchBalance(params: Dict = {}) {
    await this.loadMarkets();
    const { result } = await this.request("get_account_summary", "private", "GET", params);
    return this.parseBalance(result);
  }

  override parseBalance(summary: Dict) {
    const account = this.account();
    account.free = this.safeString(summary, "available_funds");
    account.total = this.safeString(summary, "equity");
    return this.safeBalance({ info: summary, [SETTLE]: account });
  }

  override async fetchPositions(symbols?: Strings, params: Dict = {}): Promise<Position[]> {
    await this.loadMarkets();
    const request = this.extend({ currency: "any" }, this.omit(params, "currency"));
    const { result } = await this.request("get_positions", "private", "GET", request);
    const positions = this.parsePositions(result as object[]);
    return this.filterByArrayPositions(positions, "symbol", this.marketSymbols(symbols), false);
  }

  override parsePosition(position: Dict, market?: Market): Position {
    const parsed = super.parsePosition(position, market);
    const size = Number(position.size);
    const value = this.safeNumber(position, "value");
    const side = size === 0 ? undefined : size > 0 ? "long" : "short";
    return {
      ...{ ...parsed, side, contracts: Math.abs(size), contractSize: 1, hedged: false },
      ...{ notional: value === undefined ? undefined : Math.abs(value), marginMode: "cross" },
    } as Position;
  }

  override parseOrder(order: Dict, market?: Market): Order {
    const parsed = super.parseOrder(order, market);
    const { fee } = parsed;
    const label = this.safeString(order, "label");
    return {
      ...parsed,
      clientOrderId: label === "" ? undefined : label,
      reduceOnly: this.safeBool(order, "reduce_only"),
      // A fee below 0 is a rebate: it keeps its sign.
      fee: fee && { ...fee, currency: SETTLE, cost: this.safeNumber(order, "commission") },
    } as Order;
  }

  private parsePlaced({ order, trades }: Dict, symbol: string): Order {
    return this.parseOrder({ ...(order as Dict), trades }, this.market(symbol));
  }

  /** Throws InvalidOrder for what no word can say. */
  private async placeRequest(
    order: {
      readonly symbol: string;
      readonly type: string;
      readonly side: string;
      readonly amount: number;
      readonly price?: Num;
    },
    params: Dict,
  ): Promise<PlaceRequest> {
    const given = TRIGGERS.find((name) => params[name] !== undefined);
    if (given !== undefined) throw new NotSupported(`${this.id} does not support \`${given}\` yet`);
    const isMarket = order.type === "market";
    if (!isMarket && order.type !== "limit") {
      throw new InvalidOrder(`${this.id} \`type\` must be limit or market. Got \`${order.type}\`.`);
    }
    const isSell = order.side === "sell";
    const price = order.price ?? (isMarket ? await this.bound(order.symbol, isSell) : undefined);
    if (price === undefined) throw new ArgumentsRequired(`${this.id} a limit order needs a price`);
    const amountText = String(this.amountToPrecision(order.symbol, order.amount));
    const priceText = String(this.priceToPrecision(order.symbol, price));
    const isPostOnly = this.isPostOnly(isMarket, params.post_only, params);
    const isReduceOnly = this.safeBool2(params, "reduceOnly", "reduce_only") ?? false;
    const standard = isMarket || isReduceOnly ? "IOC" : "GTC";
    const code = this.safeStringUpper(params, "timeInForce") ?? standard;
    const timeInForce = (code === "PO" ? "gtc" : code.toLowerCase()) as TimeInForce;
    const timeName = TIME_IN_FORCE_NAMES[timeInForce];
    if (timeName === undefined) {
      throw new InvalidOrder(`${this.id} \`timeInForce\` must be GTC, IOC, FOK or PO.`);
    }
    const label = this.safeString2(params, "clientOrderId", "label") ?? "";
    const message = this.placeMessage(order.symbol, [amountText, priceText], {
      ...{ isSell, timeInForce, postOnly: isPostOnly, reduceOnly: isReduceOnly },
      deadline: this.deadline(params),
    });
    return {
      message,
      fields: {
        ...{ amount: amountText, price: priceText, time_in_force: timeName, label },
        ...{ post_only: isPostOnly, reduce_only: isReduceOnly, valid_until: message.deadline },
      },
    };
  }

  private placeMessage(
    symbol: string,
    [amount, price]: readonly [string, string],
    rest: Omit<PlaceMessage, "kind" | "book" | "price" | "lots">,
  ): PlaceMessage {
    const { book } = this.market(symbol).info as { book?: number | null };
    if (typeof book !== "number") throw new InvalidOrder(`${this.id} ${symbol} has no open book`);
    const info = this.venueInfo();
    try {
      const [ticks, lots] = [parsePrice(price, info), parseQuantity(amount, info, "amount")];
      return { kind: "place", book, price: ticks, lots, ...rest };
    } catch (error) {
      throw error instanceof DecimalError ? new InvalidOrder(`${this.id} ${error.message}`) : error;
    }
  }

  /** A market order's limit: the best price, and a little beyond. */
  private async bound(symbol: string, isSell: boolean): Promise<number> {
    const { bid, ask } = await this.fetchTicker(symbol);
    const best = isSell ? bid : ask;
    if (best === undefined) throw new InvalidOrder(`${this.id} ${symbol}: nobody is on that side`);
    const slippage = Math.abs(best) * Number(this.options.slippage);
    const tick = Number(this.market(symbol).precision.price);
    const worst = isSell ? best - slippage : best + slippage;
    return isSell ? Math.min(best, Math.max(worst, tick)) : worst;
  }

  private cancelMessage(id: string, params: Dict): CancelMessage {
    const place = parseOrderId(id);
    if (place === undefined) {
      throw new InvalidOrder(`${this.id} an order id is book-side-price-seq. Got \`${id}\`.`);
    }
    return { kind: "cancel", ...place, deadline: this.deadline(params) };
  }
}
