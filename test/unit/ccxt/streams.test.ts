// ccxt's `watch*` methods, each against the real sequencer.
import assert from "node:assert/strict";
import { test } from "node:test";
import ccxt from "ccxt";
import { CALL, startVenue } from "./exchange.ts";

test("a watched book follows its changes", async (context) => {
  const { maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  const first = await taker.watchOrderBook(CALL);
  assert.deepEqual([first.asks[0]?.slice(0, 2), first.bids.length], [[50.5, 0.2], 0]);
  const next = taker.watchOrderBook(CALL);
  await maker.createOrder(CALL, "limit", "buy", 0.1, 49);
  assert.deepEqual((await next).bids[0]?.slice(0, 2), [49, 0.1]);
  const gone = taker.watchOrderBook(CALL);
  await maker.cancelAllOrders(CALL);
  const book = await gone;
  assert.ok(book.asks.length + book.bids.length < 2);
});

test("a book that lost a change is not shown, and begins anew", async (context) => {
  const { maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  const { handleMessage } = taker;
  let isLost = false;
  taker.handleMessage = (client, message) => {
    const { params } = message as { params?: { data?: { type?: string } } };
    if (params?.data?.type === "change" && !isLost) isLost = true;
    else handleMessage.call(taker, client, message);
  };
  await taker.watchOrderBook(CALL);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.6);
  while (!isLost) await new Promise((resolve) => setTimeout(resolve, 20));
  const next = taker.watchOrderBook(CALL);
  const noticed = assert.rejects(next, ccxt.ChecksumError);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.7);
  await noticed;
  const whole = await taker.watchOrderBook(CALL);
  assert.deepEqual(
    Array.from(whole.asks, ([price]) => price),
    [50.5, 50.6, 50.7],
  );
});

test("tickers, trades, own orders, own trades and the balance are told", async (context) => {
  const { maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  const waiting = Promise.all([
    taker.watchTrades(CALL),
    taker.watchMyTrades(CALL),
    taker.watchOrders(CALL),
  ]);
  const ticker = await taker.watchTicker(CALL);
  assert.equal(ticker.ask, 50.5);
  const quotes = await taker.watchBidsAsks([CALL]);
  assert.equal(quotes[CALL]?.ask, 50.5);
  const balance = await taker.watchBalance();
  assert.ok(balance.USDC !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const order = await taker.createOrder(CALL, "limit", "buy", 0.1, 50.5);
  const [trades, own, orders] = await waiting;
  assert.deepEqual([trades[0]?.price, trades[0]?.amount], [50.5, 0.1]);
  assert.equal(own[0]?.order, order.id);
  assert.equal(orders.at(-1)?.id, order.id);
});

test("a key that is not the account's opens no session", async (context) => {
  const { taker } = await startVenue(context);
  taker.secret = "0x2a";
  await assert.rejects(taker.watchOrders(CALL), ccxt.AuthenticationError);
});
