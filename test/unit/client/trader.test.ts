// A trader against a real API server with the fake service behind it: chains, receipts, loss.
import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { type AccountMessage, createExchange } from "../../../sequencer/client/exchange.ts";
import { UncertainError } from "../../../sequencer/client/keyChain.ts";
import { followBook } from "../../../sequencer/client/liveBook.ts";
import { ReceiptError } from "../../../sequencer/client/receipt.ts";
import { ConnectionError } from "../../../sequencer/client/rpc.ts";
import { createTrader, type TraderOptions } from "../../../sequencer/client/trader.ts";
import type { Submission, SubmitResult } from "../../../sequencer/exchangeService.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import { startFixture } from "../api/apiFixture.ts";
import { ACCOUNT, createFakeService, DOMAIN, SECRET, signDigest } from "../api/fakeService.ts";

/** Between client and server, to cut their connection without either's doing. */
async function startProxy(context: TestContext, port: number) {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => open.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
  });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    cut();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

async function setUp(context: TestContext, options: Partial<TraderOptions> = {}) {
  const fixture = await startFixture(context);
  const proxy = await startProxy(context, fixture.server.port);
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

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited++) {
    if (waited > 500) throw new Error("it did not happen within 2.5 seconds");
    await pause(5);
  }
}

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
  assert.match(String(third?.status === "rejected" && third.reason.reason), /insufficientMargin/);
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

test("a lost connection is not a second order: the chain head tells", async (context) => {
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
    const error = await trader.place(order).then(
      () => assert.fail("the receipt was lost"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof UncertainError, String(error));
    assert.equal(error.isSequenced, isSequenced);
    assert.equal((await trader.place(order)).outcome, "rested", "and trading goes on");
    assert.equal(service.state.messages.length, isSequenced ? 3 : 2);
  }
});

const OVERLOADED: SubmitResult = { accepted: false, code: "overloaded", reason: null, data: {} };

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

test("subscriptions come back after a lost connection", async (context) => {
  const { trader, exchange, service, proxy } = await setUp(context);
  const seen: AccountMessage[] = [];
  await trader.onAccount((message) => seen.push(message));
  const books: number[] = [];
  const live = await followBook(exchange, 1, ({ changeId }) => books.push(changeId));
  const ledger = {
    type: "ledger",
    update: {
      account: ACCOUNT,
      operation: "deposit",
      outcome: "executed",
      amount: 5,
      cash: 6,
      time: 1,
      batchNumber: 1,
    },
  } as const;
  service.publish(ledger);
  service.change(1);
  await until(() => seen.length === 1 && live.current()?.changeId === 11);
  proxy.cut();
  service.change(2);
  service.change(3);
  await until(() => live.current()?.changeId === 13);
  service.change(4);
  await until(() => live.current()?.changeId === 14);
  assert.deepEqual(live.current()?.bids, [{ price: 100, lots: 4, orders: 1 }]);
  service.publish(ledger);
  await until(() => seen.length === 2);
  assert.deepEqual(
    books,
    [...books].sort((a, b) => a - b),
    "never backwards",
  );
  live.stop();
});

test("a gap in a book's changes makes the client fetch the whole book", async (context) => {
  const { exchange, service } = await setUp(context);
  const live = await followBook(exchange, 1);
  const level = { action: "new", price: 100, lots: 9, orders: 1 } as const;
  service.state.book = { ...service.state.book, changeId: 21, bids: [level] };
  const ids = { changeId: 21, prevChangeId: 20 };
  service.publish({ type: "book", change: { book: 1, ...ids, time: 3, bids: [], asks: [] } });
  await until(() => live.current()?.changeId === 21);
  assert.equal(live.current()?.bids[0]?.lots, 9);
});

test("waiting for a stage ends when it is reached, or says where it stands", async (context) => {
  const { trader, service } = await setUp(context);
  const { logPosition } = await trader.place(order);
  assert.equal((await trader.reached({ logPosition, stage: "proven" })).stage, "anchored");
  service.state.nextStage = "sequenced";
  const late = trader.reached({ logPosition, stage: "proven", timeoutMs: -1 });
  await assert.rejects(late, /is `sequenced`, not yet proven/);
  assert.equal((await trader.orders())[0]?.orderId, "1-B-100-4");
});

test("no node at all is said plainly", async () => {
  const exchange = createExchange({ url: "http://127.0.0.1:9" });
  await assert.rejects(exchange.info(), /no connection to `ws:\/\/127.0.0.1:9`. Is the node/);
  exchange.close();
  await assert.rejects(exchange.info(), ConnectionError);
});
