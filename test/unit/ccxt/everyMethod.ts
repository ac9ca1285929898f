/**
 * One call of each method that the class says it has, in an order in which each has something to
 * tell: against a sequencer in memory, and against a whole devnet.
 */
import assert from "node:assert/strict";
import type straddle from "../../../sequencer/ccxt/straddle.ts";

export interface Stage {
  readonly exchange: straddle;
  /** Somebody quotes it on both sides. */
  readonly symbol: string;
  /** An account of the same owner or of another one. */
  readonly otherAccount: string;
  /** Runs while the exchange waits for news: something trades in the symbol. */
  trade(): Promise<unknown>;
  /** Calls again while the venue has no room; calls once where absent. */
  attempt?<T>(call: () => Promise<T>): Promise<T>;
}

type Call = (stage: Stage) => Promise<unknown>;

const METHOD = /^(fetch|create|cancel|edit|watch|transfer|withdraw)/;
const AMOUNT = 0.01;
/** News that never comes fails the run. */
const NEWS_MS = 60_000;

/** Far from everything that trades: it rests. */
async function restingPrice({ exchange, symbol }: Stage): Promise<number> {
  const { bid } = await exchange.fetchTicker(symbol);
  return Number(exchange.priceToPrecision(symbol, Math.max(Number(bid) / 2, 0.1)));
}

async function rest(stage: Stage): Promise<string> {
  const { exchange, symbol } = stage;
  const price = await restingPrice(stage);
  const order = await exchange.createLimitOrder(symbol, "buy", AMOUNT, price);
  assert.equal(order.status, "open");
  return String(order.id);
}

async function some<T>(list: Promise<T[]>, isOwn: (one: T) => boolean = () => true): Promise<T> {
  const [first] = (await list).filter(isOwn);
  assert.ok(first !== undefined, "there is one");
  return first;
}

async function keys(dictionary: Promise<object>): Promise<string[]> {
  const names = Object.keys(await dictionary);
  assert.ok(names.length > 0, "there are some");
  return names;
}

/** What a watch tells when something trades. */
async function news(stage: Stage, watch: (exchange: straddle) => Promise<unknown>) {
  const first = watch(stage.exchange);
  first.catch(() => undefined);
  // The request must be there before the trade, or the trade is old news.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await stage.trade();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no news came")), NEWS_MS);
  });
  const told = await Promise.race([first, late]).finally(() => clearTimeout(timer));
  assert.ok(told !== undefined && told !== null);
  return told;
}

export const CALLS: Readonly<Record<string, Call>> = {
  fetchTime: async ({ exchange }) => assert.ok(Number(await exchange.fetchTime()) > 0),
  fetchStatus: async ({ exchange }) => assert.equal((await exchange.fetchStatus()).status, "ok"),
  fetchCurrencies: async ({ exchange }) =>
    assert.ok((await keys(exchange.fetchCurrencies())).includes("USDC")),
  fetchMarkets: async ({ exchange, symbol }) => {
    const own = await some(exchange.fetchMarkets(), (market) => market?.symbol === symbol);
    assert.equal(own?.option, true);
  },
  fetchTicker: async ({ exchange, symbol }) => {
    const { bid, ask } = await exchange.fetchTicker(symbol);
    assert.ok(Number(bid) < Number(ask));
  },
  fetchTickers: async ({ exchange, symbol }) =>
    assert.ok((await keys(exchange.fetchTickers())).includes(symbol)),
  fetchOrderBook: async ({ exchange, symbol }) => {
    const { bids, asks } = await exchange.fetchOrderBook(symbol);
    assert.ok(Number(bids[0]?.[0]) < Number(asks[0]?.[0]));
  },
  fetchL2OrderBook: ({ exchange, symbol }) => exchange.fetchL2OrderBook(symbol),
  fetchOpenInterest: async ({ exchange, symbol }) =>
    assert.ok(Number((await exchange.fetchOpenInterest(symbol)).openInterestAmount) >= 0),
  fetchGreeks: async ({ exchange, symbol }) =>
    assert.equal((await exchange.fetchGreeks(symbol)).symbol, symbol),
  fetchAllGreeks: async ({ exchange, symbol }) =>
    assert.ok((await keys(exchange.fetchAllGreeks())).includes(symbol)),
  fetchOption: async ({ exchange, symbol }) =>
    assert.equal((await exchange.fetchOption(symbol)).symbol, symbol),
  fetchOptionChain: async ({ exchange, symbol }) =>
    assert.ok((await keys(exchange.fetchOptionChain("ETH"))).includes(symbol)),
  fetchVolatilityHistory: async ({ exchange }) =>
    assert.ok(Array.isArray(await exchange.fetchVolatilityHistory("ETH"))),
  fetchSettlementHistory: async ({ exchange }) =>
    assert.ok(Array.isArray(await exchange.fetchSettlementHistory())),
  fetchAccounts: async ({ exchange }) => {
    const account = await some(exchange.fetchAccounts());
    assert.equal(exchange.apiKey.startsWith(`${account.id}/`), true);
  },
  fetchBalance: async ({ exchange }) => {
    const { total } = (await exchange.fetchBalance()) as unknown as { total: { USDC: number } };
    assert.ok(total.USDC > 0);
  },
  createLimitOrder: rest,
  createOrder: async ({ exchange, symbol }) => {
    const order = await exchange.createOrder(symbol, "market", "buy", AMOUNT);
    assert.deepEqual([order.status, order.filled], ["closed", AMOUNT]);
  },
  createMarketOrder: async ({ exchange, symbol }) =>
    assert.equal((await exchange.createMarketOrder(symbol, "buy", AMOUNT)).filled, AMOUNT),
  editOrder: async (stage) => {
    const { exchange, symbol } = stage;
    const [id, price] = [await rest(stage), await restingPrice(stage)];
    const edited = await exchange.editOrder(id, symbol, "limit", "buy", 2 * AMOUNT, price);
    assert.deepEqual([edited.status, edited.amount], ["open", 2 * AMOUNT]);
  },
  fetchOrder: async (stage) => {
    const id = await rest(stage);
    assert.equal((await stage.exchange.fetchOrder(id, stage.symbol)).id, id);
  },
  fetchOpenOrders: async ({ exchange, symbol }) =>
    assert.ok((await exchange.fetchOpenOrders(symbol)).length > 0),
  cancelOrder: async (stage) => {
    const cancelled = await stage.exchange.cancelOrder(await rest(stage), stage.symbol);
    assert.equal(cancelled.status, "canceled");
  },
  cancelOrders: async (stage) => {
    const ids = [await rest(stage), await rest(stage)];
    assert.equal((await stage.exchange.cancelOrders(ids, stage.symbol)).length, 2);
  },
  cancelAllOrders: async ({ exchange }) => {
    await exchange.cancelAllOrders();
    assert.deepEqual(await exchange.fetchOpenOrders(), []);
  },
  fetchClosedOrders: async ({ exchange, symbol }) => {
    await some(exchange.fetchClosedOrders(symbol), ({ status }) => status === "closed");
  },
  fetchMyTrades: async ({ exchange, symbol }) =>
    assert.equal((await some(exchange.fetchMyTrades(symbol))).takerOrMaker, "taker"),
  fetchOrderTrades: async ({ exchange, symbol }) => {
    const { order } = await some(exchange.fetchMyTrades(symbol));
    await some(exchange.fetchOrderTrades(String(order)));
  },
  fetchTrades: async ({ exchange, symbol }) =>
    assert.equal((await some(exchange.fetchTrades(symbol))).symbol, symbol),
  fetchOHLCV: async ({ exchange, symbol }) => {
    assert.equal((await some(exchange.fetchOHLCV(symbol, "1m"))).length, 6);
  },
  fetchPosition: async ({ exchange, symbol }) =>
    assert.equal((await exchange.fetchPosition(symbol)).side, "long"),
  fetchPositions: async ({ exchange, symbol }) => {
    await some(exchange.fetchPositions(), (position) => position.symbol === symbol);
  },
  watchTicker: async ({ exchange, symbol }) =>
    assert.equal((await exchange.watchTicker(symbol)).symbol, symbol),
  watchTickers: (stage) => news(stage, (exchange) => exchange.watchTickers([stage.symbol])),
  watchBidsAsks: async ({ exchange, symbol }) =>
    assert.ok((await keys(exchange.watchBidsAsks([symbol]))).includes(symbol)),
  watchOrderBook: async ({ exchange, symbol }) =>
    assert.ok((await exchange.watchOrderBook(symbol)).bids.length > 0),
  watchOrderBookForSymbols: (stage) =>
    news(stage, (exchange) => exchange.watchOrderBookForSymbols([stage.symbol])),
  watchBalance: async ({ exchange }) => assert.ok(await exchange.watchBalance()),
  watchTrades: (stage) => news(stage, (exchange) => exchange.watchTrades(stage.symbol)),
  watchTradesForSymbols: (stage) =>
    news(stage, (exchange) => exchange.watchTradesForSymbols([stage.symbol])),
  watchMyTrades: (stage) => news(stage, (exchange) => exchange.watchMyTrades(stage.symbol)),
  watchOrders: (stage) => news(stage, (exchange) => exchange.watchOrders(stage.symbol)),
  transfer: async ({ exchange, otherAccount }) => {
    const own = exchange.apiKey.split("/")[0]!;
    const moved = await exchange.transfer("USDC", 1, own, otherAccount);
    assert.equal(moved.status, "ok");
  },
  withdraw: async ({ exchange }) => {
    const { info } = await some(exchange.fetchAccounts());
    const { owner } = info as { owner: string };
    assert.equal((await exchange.withdraw("USDC", 2, owner)).status, "pending");
  },
  fetchWithdrawals: async ({ exchange }) =>
    assert.equal((await some(exchange.fetchWithdrawals("USDC"))).amount, 2),
};

/** Unified methods that the class says it has. */
export function methodsOf(exchange: straddle): string[] {
  const has = Object.entries(exchange.has as Record<string, unknown>);
  return has
    .filter(([name, value]) => METHOD.test(name) && (value === true || value === "emulated"))
    .map(([name]) => name)
    .sort();
}

/** Calls all of them; rejects with the name of the first that fails. */
export async function callEveryMethod(stage: Stage): Promise<void> {
  assert.deepEqual(Object.keys(CALLS).sort(), methodsOf(stage.exchange));
  const { attempt = (call) => call() } = stage;
  for (const [name, call] of Object.entries(CALLS)) {
    try {
      await attempt(() => call(stage));
    } catch (cause) {
      throw new Error(`${name}: ${String(cause)}`, { cause });
    }
  }
}
