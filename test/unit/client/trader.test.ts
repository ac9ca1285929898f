// A trader against a real API server with the fake service behind it: chains, receipts, loss.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createExchange } from "../../../sequencer/client/exchange.ts";
import { UncertainError } from "../../../sequencer/client/keyChain.ts";
import { ReceiptError } from "../../../sequencer/client/receipt.ts";
import { ConnectionError } from "../../../sequencer/client/rpcErrors.ts";
import { createTrader, type TraderOptions } from "../../../sequencer/client/trader.ts";
import type { Submission, SubmitResult } from "../../../sequencer/exchangeService.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import { startFixture } from "../api/apiFixture.ts";
import { ACCOUNT, createFakeService, DOMAIN, SECRET, signDigest } from "../api/fakeService.ts";
import { startCutProxy } from "./cutProxy.ts";

async function setUp(context: TestContext, options: Partial<TraderOptions> = {}) {
  const fixture = await startFixture(context);
  const proxy = await startCutProxy(context, fixture.server.url);
  const exchange = createExchange({ url: proxy.url, retryMs: 5, timeoutMs: 5000 });
  const trader = await createTrader({
    node: exchange,
    account: ACCOUNT,
    keyIndex: 0,
    key: { secret: SECRET },
    now: () => fixture.clock.time,
    ...options,
  });
  context.after(() => trader.close());
  return { ...fixture, proxy, trader, exchange };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const order = { book: 1, isSell: false, price: 100, lots: 5 };

test("messages of every kind are sequenced in the order given", async (context) => {
  const { trader, service } = await setUp(context);
  const receipts = await Promise.all([
    trader.place(order),
    trader.place({ ...order, timeInForce: "ioc", reduceOnly: true }),
    trader.cancel("1-B-100-1"),
    trader.cancelAll(),
    trader.withdraw(1_000_000),
    trader.transfer(3, 5),
  ]);
  assert.deepEqual(
    receipts.map(({ outcome }) => outcome),
    ["rested", "killed", "cancelled", "allCancelled", "executed", "executed"],
  );
  assert.deepEqual(
    service.state.messages.map(({ kind }) => kind),
    ["place", "place", "cancel", "cancelAll", "withdraw", "transfer"],
  );
  assert.equal(receipts[0]?.orderId, "1-B-100-1");
  assert.deepEqual(
    receipts.map(({ logPosition }) => logPosition),
    [0, 1, 2, 3, 4, 5],
  );
});

test("a refusal in the middle re-signs what came after it, in order", async (context) => {
  const { trader, service } = await setUp(context);
  let count = 0;
  service.state.before = async (): Promise<SubmitResult | undefined> =>
    ++count === 3
      ? { accepted: false, code: "insufficientMargin", reason: null, data: { needed: 5 } }
      : undefined;
  const lots = [1, 2, 3, 4, 5, 6, 7, 8];
  const results = await Promise.allSettled(lots.map((n) => trader.place({ ...order, lots: n })));
  assert.deepEqual(
    results.map(({ status }) => status),
    lots.map((n) => (n === 3 ? "rejected" : "fulfilled")),
  );
  const [, , third] = results;
  assert.match(String(third?.status === "rejected" && third.reason.reason), /not_enough_funds/);
  const sequenced = service.state.messages.map((message) => "lots" in message && message.lots);
  assert.deepEqual(sequenced, [1, 2, 4, 5, 6, 7, 8]);
});

test("another program that uses the same key costs a try, not the order", async (context) => {
  const { trader, server, service } = await setUp(context);
  await trader.place(order);
  const key = { secret: SECRET };
  const other = await createTrader({ node: server.url, account: ACCOUNT, keyIndex: 0, key });
  context.after(() => other.close());
  await other.place(order);
  await trader.place(order);
  assert.equal(service.state.messages.length, 3);
});

test("messages that cannot be are refused before they are signed", async (context) => {
  const { trader, service } = await setUp(context);
  await assert.rejects(trader.place({ ...order, lots: 0 }), /not well formed/);
  await assert.rejects(trader.place({ ...order, postOnly: true, timeInForce: "fok" }), RangeError);
  await assert.rejects(trader.place({ ...order, lots: 2 ** 22 }), /`lots` must be an integer/);
  await assert.rejects(trader.cancel("nonsense"), /book-side-price-seq.* Got `nonsense`/);
  assert.equal((await trader.place(order)).outcome, "rested");
  assert.equal(service.state.messages.length, 1);
});

const OVERLOADED: SubmitResult = { accepted: false, code: "overloaded", reason: null, data: {} };

test("a word whose answer was lost is sent again, and has the same receipt", async (context) => {
  for (const isSequenced of [true, false]) {
    const { trader, service, proxy } = await setUp(context);
    await trader.place(order);
    const cut = async () => {
      service.state.before = async () => undefined;
      service.state.after = async () => undefined;
      proxy.cut();
      await pause(50);
    };
    if (isSequenced) service.state.after = cut;
    else service.state.before = () => cut().then(() => OVERLOADED);
    const orders = [1, 2, 3].map((lots) => trader.place({ ...order, lots }));
    const receipts = await Promise.all(orders);
    assert.deepEqual(
      receipts.map(({ logPosition, outcome }) => [logPosition, outcome]),
      [1, 2, 3].map((position) => [position, "rested"]),
    );
    assert.equal((await trader.place(order)).outcome, "rested", "and trading goes on");
    assert.equal(service.state.messages.length, 5, "each once");
  }
});

test("where a node remembers nothing, the chain's head says what was done", async (context) => {
  const { trader, service, proxy } = await setUp(context);
  await trader.place(order);
  const other = await startFixture(context, { service });
  service.state.after = async () => {
    service.state.after = async () => undefined;
    proxy.moveTo(other.server.url);
    proxy.cut();
    await pause(50);
  };
  const placed = await Promise.allSettled([1, 2].map((lots) => trader.place({ ...order, lots })));
  for (const result of placed) {
    assert.ok(result.status === "rejected" && result.reason instanceof UncertainError);
    assert.equal(result.reason.isSequenced, true);
  }
  assert.equal(service.state.messages.length, 3, "each once");
  assert.equal((await trader.place(order)).outcome, "rested", "and trading goes on");
});

test("a closed trader waits no longer", async (context) => {
  const { trader, proxy } = await setUp(context);
  await trader.place(order);
  proxy.setAway(true);
  proxy.cut();
  const began = performance.now();
  setTimeout(() => trader.close(), 50);
  await assert.rejects(trader.place(order), (error) => {
    return error instanceof ConnectionError || error instanceof UncertainError;
  });
  assert.ok(performance.now() - began < 5000);
});

test("who gets no answer for too long is told what is not known", async (context) => {
  const { trader, proxy } = await setUp(context, { resendMs: 300 });
  await trader.place(order);
  proxy.mute();
  setTimeout(() => {
    proxy.setAway(true);
    proxy.cut();
  }, 50);
  await assert.rejects(trader.place(order), (error) => {
    return error instanceof UncertainError && !error.isSequenced;
  });
});

test("receipts that prove nothing are refused", async (context) => {
  const service = createFakeService();
  const genuine = service.submit;
  let forge: (result: Accepted) => object = () => ({});
  service.submit = async (submission: Submission) => {
    const result = (await genuine(submission)) as Accepted;
    return { ...result, receipt: { ...result.receipt, ...forge(result) } } as SubmitResult;
  };
  const { server } = await startFixture(context, { service });
  const key = { secret: SECRET };
  const trader = await createTrader({ node: server.url, account: ACCOUNT, keyIndex: 0, key });
  context.after(() => trader.close());
  const signed = (position: number, logHash: string) => ({
    logHash,
    signature: signDigest(receiptDigest(DOMAIN, position, logHash)),
  });
  const forgeries: readonly (readonly [RegExp, typeof forge])[] = [
    [/another key/, () => ({ account: 8 })],
    [/chain head/, () => ({ head: 1n })],
    [/kind is `cancel`/, () => ({ kind: "cancel" })],
    [/not of the message/, () => ({ logHash: "0".repeat(64) })],
    [/not of the message/, () => ({ logPrevious: "nonsense" })],
    [/not of the message/, ({ receipt }) => ({ logEpoch: receipt.logEpoch + 1 })],
    [/not of the message/, () => ({ logEpoch: 0.5 })],
    [/not of the message/, ({ receipt }) => signed(receipt.logPosition, "1".repeat(64))],
    [/not by the sequencer/, ({ receipt }) => ({ ...signed(99, receipt.logHash) })],
    [/signed by `nobody`/, () => ({ signature: `0x${"0".repeat(130)}` })],
    [/signed by `nobody`/, () => ({ signature: "0x12" })],
    [/beyond the limit/, () => ({ fills: [{ price: 101, lots: 1, makerSeq: 1 }] })],
    [/more than was ordered/, () => ({ fills: [{ price: 9, lots: 1, makerSeq: 1 }] })],
  ];
  for (const [words, make] of forgeries) {
    forge = make;
    const placed = trader.place(order);
    await assert.rejects(placed, words);
    await assert.rejects(placed, ReceiptError);
  }
  forge = () => ({});
  assert.equal((await trader.place(order)).outcome, "rested");
  const stranger = { sequencer: `0x${"1".repeat(40)}` };
  const pinned = await setUp(context, stranger);
  await assert.rejects(pinned.trader.place(order), /not by the sequencer `0x1111/);
});

type Accepted = Extract<SubmitResult, { accepted: true }>;

test("waiting for a stage ends when it is reached, or says where it stands", async (context) => {
  const { trader, service } = await setUp(context);
  const { logPosition } = await trader.place(order);
  assert.equal((await trader.reached({ logPosition, stage: "proven" })).stage, "anchored");
  service.state.nextStage = "sequenced";
  const late = trader.reached({ logPosition, stage: "proven", timeoutMs: -1 });
  await assert.rejects(late, /is `sequenced`, not yet proven/);
  assert.equal((await trader.openOrders())[0]?.order_id, "1-B-100-4");
});

test("no node at all is said plainly", async () => {
  const exchange = createExchange({ url: "http://127.0.0.1:9" });
  await assert.rejects(
    exchange.info(),
    /no connection to `ws:\/\/127.0.0.1:9\/ws\/api\/v2`: it was refused. Is/,
  );
  exchange.close();
  await assert.rejects(exchange.info(), ConnectionError);
});
