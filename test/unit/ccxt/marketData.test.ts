// ccxt's unified methods of market data, each against the real sequencer.
import assert from "node:assert/strict";
import { test } from "node:test";
import ccxt from "ccxt";
import { UNSUPPORTED } from "../../../sequencer/ccxt/description.ts";
import { CALL, PUT, startVenue } from "./exchange.ts";

test("markets have ccxt's symbols, sizes and terms", async (context) => {
  const { taker } = await startVenue(context);
  const call = taker.market(CALL);
  const { id, base, quote, settle, strike, optionType, contractSize, linear, active } = call;
  assert.deepEqual(
    { id, base, quote, settle, strike, optionType, contractSize, linear, active },
    {
      ...{ id: "ETH-20270116-2000-C", base: "ETH", quote: "USDC", settle: "USDC" },
      ...{ strike: 2000, optionType: "call", contractSize: 1, linear: true, active: true },
    },
  );
  assert.equal(call.expiryDatetime, "2027-01-16T08:00:00.000Z");
  assert.deepEqual(call.precision, { amount: 0.01, price: 0.1 });
  assert.equal(taker.market(PUT).optionType, "put");
});

test("an expired option keeps a market, by symbol and by name", async (context) => {
  const { taker } = await startVenue(context);
  const symbol = "ETH/USDC:USDC-250627T1630-2500.5-P";
  for (const name of [symbol, "ETH-20250627T1630-2500.5-P"]) {
    const market = taker.createExpiredOptionMarket(name);
    assert.deepEqual(
      [market.symbol, market.id, market.strike, market.optionType, market.active],
      [symbol, "ETH-20250627T1630-2500.5-P", 2500.5, "put", false],
    );
    assert.equal(market.expiryDatetime, "2025-06-27T16:30:00.000Z");
  }
  const forward = taker.createExpiredOptionMarket("ETH-20250627-F");
  assert.equal(forward.symbol, "ETH/USDC:USDC-250627-0-C");
  assert.equal(taker.createExpiredOptionMarket(forward.symbol).id, "ETH-20250627-F");
  assert.throws(() => taker.createExpiredOptionMarket("XRP-20250627-1-C"), ccxt.BadSymbol);
});

test("books, tickers, greeks, trades and candles", async (context) => {
  const { maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  await taker.createOrder(CALL, "limit", "buy", 0.05, 50.5);
  const book = await taker.fetchOrderBook(CALL);
  assert.deepEqual([book.asks, book.bids], [[[50.5, 0.15]], []]);
  assert.ok(Number(book.nonce) > 0);
  const ticker = await taker.fetchTicker(CALL);
  assert.deepEqual([ticker.ask, ticker.last, ticker.baseVolume], [50.5, 50.5, 0.05]);
  const tickers = await taker.fetchTickers([CALL, PUT]);
  assert.deepEqual(new Set(Object.keys(tickers)), new Set([CALL, PUT]));
  assert.equal(Object.keys(await taker.fetchTickers()).length, 2);
  const greeks = await taker.fetchGreeks(CALL);
  assert.ok(greeks.delta! > 0 && greeks.markImpliedVolatility! > 0);
  const all = await taker.fetchAllGreeks();
  assert.equal(Object.keys(all).length, 2);
  assert.ok(all[PUT]!.delta! < 0);
  const chain = await taker.fetchOptionChain("ETH");
  assert.equal(chain[CALL]?.impliedVolatility, greeks.markImpliedVolatility);
  const option = await taker.fetchOption(PUT);
  assert.equal(option.symbol, PUT);
  const [trade] = await taker.fetchTrades(CALL);
  assert.deepEqual([trade?.price, trade?.amount, trade?.side], [50.5, 0.05, "buy"]);
  assert.equal((await taker.fetchTrades(CALL, trade!.timestamp)).length, 1);
  assert.equal((await taker.fetchTrades(CALL, trade!.timestamp! + 1)).length, 0);
  const [candle] = await taker.fetchOHLCV(CALL, "1m");
  assert.deepEqual(candle?.slice(1), [50.5, 50.5, 50.5, 50.5, 0.05]);
  assert.ok((await taker.fetchOpenInterest(CALL)).openInterestAmount! >= 0);
});

test("status, time, currencies, volatility and settlements", async (context) => {
  const { taker, rpc } = await startVenue(context);
  assert.equal((await taker.fetchStatus()).status, "ok");
  assert.equal(await taker.fetchTime(), rpc.world.clock.now());
  assert.ok(Object.keys(await taker.fetchCurrencies()).includes("USDC"));
  const volatility = await taker.fetchVolatilityHistory("ETH");
  assert.ok(volatility.every((point) => Number(point.volatility) > 0));
  assert.deepEqual(await taker.fetchSettlementHistory(), []);
});

test("what the venue has not is said to be missing", async (context) => {
  const { taker } = await startVenue(context);
  for (const name of UNSUPPORTED) {
    assert.equal(taker.has[name], false, name);
    const method: unknown = Reflect.get(taker, name);
    if (typeof method === "function") assert.throws(() => method.call(taker), ccxt.NotSupported);
  }
});
