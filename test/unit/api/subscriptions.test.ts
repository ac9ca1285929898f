import assert from "node:assert/strict";
import { test } from "node:test";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { Trade } from "../../../sequencer/exchangeService.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import { readRequestHash } from "../../../sequencer/protocol/receipt.ts";
import { type RawSocket, startFixture } from "./apiFixture.ts";
import { ACCOUNT, DOMAIN, SECRET } from "./fakeService.ts";

const trade: Trade = {
  tradeId: 1,
  book: 1,
  price: 100,
  lots: 5,
  takerIsSell: true,
  takerSeq: 3,
  makerSeq: 2,
  takerFee: 15_000,
  makerFee: -5000,
  time: 1,
  batchNumber: 1,
};

async function ask(raw: RawSocket, method: string, params: object) {
  raw.send({ jsonrpc: "2.0", id: 1, method, params });
  return raw.next();
}

function readerAt(time: number, secret = SECRET) {
  const hash = readRequestHash({ domain: DOMAIN, account: ACCOUNT, keyIndex: 0, time });
  return { account: ACCOUNT, keyIndex: 0, time, signature: wireSignature(sign(secret, hash)) };
}

test("trades reach their subscribers, and no longer after unsubscribing", async (context) => {
  const { socket, service } = await startFixture(context);
  const raw = await socket();
  const { result } = await ask(raw, "subscribe", { channels: ["trades.1", "batches"] });
  assert.deepEqual(result, ["trades.1", "batches"]);
  service.publish({ type: "trade", trade: { ...trade, book: 2 } });
  service.publish({ type: "trade", trade });
  assert.deepEqual((await raw.next()).params, { channel: "trades.1", data: trade });
  const left = await ask(raw, "unsubscribe", { channels: ["trades.1"] });
  assert.deepEqual(left.result, ["batches"]);
  service.publish({ type: "trade", trade });
  const batch = {
    number: 1,
    kind: "trade",
    time: 1,
    root: 255n,
    logPosition: 9,
    stage: "proven",
    attestations: 0,
    transaction: null,
  } as const;
  service.publish({ type: "batch", batch });
  assert.deepEqual((await raw.next()).params?.data, { ...batch, root: "0xff" });
});

test("changes of the trading mode reach their subscribers", async (context) => {
  const { socket, service } = await startFixture(context);
  const raw = await socket();
  await ask(raw, "subscribe", { channels: ["trading"] });
  const pause = { mode: "paused", reason: "oracleStale", detail: "61 s", since: 5 } as const;
  const trading = { ...pause, opensAt: null };
  service.publish({ type: "trading", trading });
  assert.deepEqual((await raw.next()).params, { channel: "trading", data: trading });
});

test("tickers and liquidations have channels; an account hears of its own", async (context) => {
  const { socket, service, clock } = await startFixture(context);
  const raw = await socket();
  const channels = ["ticker.2", "liquidations", `account.${ACCOUNT}`];
  const { result } = await ask(raw, "subscribe", { channels, reader: readerAt(clock.time) });
  assert.deepEqual(result, channels);
  const implied = { bid: { price: 60, lots: 2 }, ask: null };
  const ticker = { book: 2, time: 5, bestBid: null, bestAsk: null, implied };
  service.publish({ type: "ticker", ticker: { ...ticker, book: 1 } });
  service.publish({ type: "ticker", ticker });
  assert.deepEqual((await raw.next()).params, { channel: "ticker.2", data: ticker });
  const update = {
    account: ACCOUNT,
    action: "backstop",
    book: null,
    slot: 0,
    isSell: false,
    lots: 5,
    price: 100,
    amount: 2500,
    counterparty: 9,
    time: 5,
    batchNumber: 2,
  } as const;
  service.publish({ type: "liquidation", update: { ...update, account: 8 } });
  service.publish({ type: "liquidation", update });
  const heard = [await raw.next(), await raw.next(), await raw.next()].map(({ params }) => params);
  const data = { type: "liquidation", ...update };
  assert.deepEqual(heard, [
    { channel: "liquidations", data: { ...data, account: 8 } },
    { channel: "liquidations", data },
    { channel: `account.${ACCOUNT}`, data },
  ]);
});

test("a book's changes join its snapshot without gap or repeat", async (context) => {
  const { socket, service } = await startFixture(context);
  const raw = await socket();
  let release: () => void = () => undefined;
  service.state.beforeBook = () => new Promise((resolve) => (release = resolve));
  raw.send({ jsonrpc: "2.0", id: 1, method: "subscribe", params: { channels: ["book.1"] } });
  while (release.length !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
  service.change(1);
  service.change(2);
  const whole = service.state.book;
  // The service read the book here, but its answer takes longer than the next change.
  service.book = async () => whole;
  release();
  service.state.book = whole;
  const answers = [await raw.next(), await raw.next()];
  const snapshot = answers.find(({ params }) => params !== undefined);
  assert.equal(snapshot?.params?.data.type, "snapshot");
  assert.equal(snapshot?.params?.data.changeId, 12);
  service.change(3);
  const { params } = await raw.next();
  assert.deepEqual(
    [params?.data.type, params?.data.prevChangeId, params?.data.changeId],
    ["change", 12, 13],
  );
});

test("an account's channel and its orders need its key", async (context) => {
  const { socket, service, clock, call } = await startFixture(context);
  const raw = await socket();
  const channels = [`account.${ACCOUNT}`];
  const refused = [
    {},
    { reader: readerAt(clock.time, 5n) },
    { reader: readerAt(clock.time - 60_001) },
    { reader: { ...readerAt(clock.time), time: clock.time + 1 } },
    { reader: { ...readerAt(clock.time), account: ACCOUNT + 1 } },
  ];
  for (const [index, extra] of refused.entries()) {
    const { error } = await ask(raw, "subscribe", { channels, ...extra });
    assert.equal(error?.code, -32051, `case ${index}`);
  }
  const reader = readerAt(clock.time);
  assert.equal((await call("private/orders", readerAt(clock.time, 5n))).error?.code, -32051);
  const orders = (await call("private/orders", reader)).result as { orderId: string }[];
  assert.deepEqual(orders[0]?.orderId, "1-B-100-4");
  assert.deepEqual((await ask(raw, "subscribe", { channels, reader })).result, channels);
  const update = {
    account: ACCOUNT,
    operation: "deposit",
    outcome: "executed",
    amount: 5,
    cash: 6,
    time: 1,
    batchNumber: 1,
  } as const;
  service.publish({ type: "ledger", update: { ...update, account: 99 } });
  service.publish({ type: "ledger", update });
  assert.deepEqual((await raw.next()).params?.data, { type: "ledger", ...update });
});

test("unknown books and too many channels are refused and leave nothing", async (context) => {
  const limits = { subscriptionsPerConnection: 2 };
  const { socket, service } = await startFixture(context, { limits });
  const raw = await socket();
  const unknown = await ask(raw, "subscribe", { channels: ["trades.1", "book.3"] });
  assert.equal(unknown.error?.code, -32050);
  service.publish({ type: "trade", trade });
  const channels = ["trades.1", "trades.2", "trades.3"];
  const many = await ask(raw, "subscribe", { channels });
  assert.equal(many.error?.data.reason, "tooManySubscriptions");
  assert.match(many.error?.message ?? "", /`3` subscriptions on this connection; at most 2/);
});

test("heartbeats come to those who ask", async (context) => {
  const { socket, clock } = await startFixture(context, { limits: { heartbeatMs: 20 } });
  const raw = await socket();
  await ask(raw, "subscribe", { channels: ["heartbeat"] });
  const { params } = await raw.next();
  assert.deepEqual(params, { channel: "heartbeat", data: { time: clock.time } });
});
