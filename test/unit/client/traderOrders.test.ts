// A trader on a real sequencer: orders in decimals, quotes, edits, and other programs' signatures.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Quote } from "../../../sequencer/client/trader.ts";
import { CALL_NAME, PUT_NAME } from "../api/rpcFixture.ts";
import { createMarket } from "../roles/market.ts";
import { startCutProxy } from "./cutProxy.ts";
import { startVenue } from "./liveSequencer.ts";

async function setUp(context: TestContext) {
  const { world, maker, taker } = await createMarket();
  const venue = await startVenue(context, world);
  return { ...venue, world, maker, taker, buyer: await venue.trader(taker) };
}

test("orders in decimals have trades and a verified receipt", async (context) => {
  const { trader, maker, buyer } = await setUp(context);
  const seller = await trader(maker);
  const asked = { instrument_name: CALL_NAME, amount: 0.1, price: "50.5", label: "mine" };
  const sold = await seller.sell({ ...asked, post_only: true });
  assert.deepEqual(
    [sold.order.order_state, sold.order.label, sold.order.amount, sold.order.post_only],
    ["open", "mine", 0.1, true],
  );
  const bought = await buyer.buy({
    ...asked,
    amount: "0.04",
    time_in_force: "immediate_or_cancel",
  });
  assert.deepEqual([bought.order.order_state, bought.trades.length], ["filled", 1]);
  assert.deepEqual([bought.trades[0]?.price, bought.trades[0]?.amount], [50.5, 0.04]);
  assert.equal(buyer.receipts.newest()?.position, bought.receipt.logPosition);
  const [position] = await buyer.positions();
  assert.deepEqual([position?.instrument_name, position?.size], [CALL_NAME, 0.04]);
  assert.equal((await buyer.summary()).id, buyer.account);
  const simulated = await buyer.simulate({ [PUT_NAME]: -1 });
  assert.ok(simulated.initial_margin > (await buyer.summary()).initial_margin!);
});

test("what has no effect rejects, its receipt counts, and the chain goes on", async (context) => {
  const { trader, maker, buyer } = await setUp(context);
  const seller = await trader(maker);
  const order = { instrument_name: CALL_NAME, amount: 0.1, price: 50.5 };
  const { order: resting } = await seller.sell(order);
  const crossing = buyer.buy({ ...order, price: 51, post_only: true });
  await assert.rejects(crossing, (error) => {
    const { reason, receipt } = error as { reason: string; receipt: { logPosition: number } };
    assert.equal(reason, "post_only_reject");
    return buyer.receipts.newest()?.position === receipt.logPosition;
  });
  const refused = buyer.buy({ ...order, amount: 40_000 });
  await assert.rejects(refused, { reason: "position_limit" });
  await assert.rejects(buyer.buy({ ...order, price: 50.55 }), /multiple of the tick/);
  await assert.rejects(buyer.buy({ ...order, amount: 0.001 }), /multiple of 0.01/);
  const nothing = buyer.buy({ ...order, instrument_name: "ETH-1" });
  await assert.rejects(nothing, { reason: "invalid_or_unsupported_instrument" });
  const both = { ...order, post_only: true, time_in_force: "fill_or_kill" } as const;
  await assert.rejects(buyer.buy(both), RangeError);
  const changed = await seller.edit(resting.order_id, { amount: 0.2, price: 50.6 });
  assert.deepEqual([changed.order.amount, changed.order.price], [0.2, 50.6]);
  const gone = seller.edit(resting.order_id, { amount: 0.2, price: 50.6 });
  await assert.rejects(gone, { reason: "not_open_order" });
  assert.equal((await seller.openOrders()).length, 1, "an edit of nothing places nothing");
});

test("quotes go in one request, each with its answer", async (context) => {
  const { trader, maker } = await setUp(context);
  const seller = await trader(maker);
  const quote = (direction: "buy" | "sell", price: number, amount = 0.05): Quote => {
    return { direction, instrument_name: CALL_NAME, price, amount, post_only: true };
  };
  let requests = 0;
  const { call } = seller.rpc;
  seller.rpc.call = ((method, ...params) => {
    if (method === "straddle/submit") requests += 1;
    return call(method, ...params);
  }) as typeof call;
  const first = await seller.massQuote([quote("buy", 49), quote("sell", 51), quote("sell", 51.5)]);
  const ids = first.map((result) => ("receipt" in result ? result.receipt.orderId! : ""));
  const again = await seller.massQuote(
    [quote("buy", 49.1), quote("sell", 51, 40_000), quote("sell", 51.2)],
    ids,
  );
  const said = again.map((result) =>
    "receipt" in result ? result.receipt.outcome : (result.error as { reason?: string }).reason,
  );
  assert.deepEqual(said, ["rested", "position_limit", "rested"]);
  assert.ok(requests <= 3, `${requests} requests: what stands behind a refusal is signed again`);
  assert.deepEqual((await seller.openOrders()).map(({ price }) => price).sort(), [49.1, 51.2]);
});

test("two programs that sign with one key both get through", async (context) => {
  const { trader, taker, buyer } = await setUp(context);
  const other = await trader(taker);
  // Their messages may be the same to the bit, and are orders of their own all the same.
  const order = { book: 0, isSell: false, price: 490, lots: 1, timeInForce: "ioc" } as const;
  const seqs: (number | null)[] = [];
  for (let round = 0; round < 4; round++) {
    const receipts = await Promise.all([
      ...[buyer.place(order), buyer.place(order)],
      ...(round % 2 === 0 ? [] : [other.place(order)]),
    ]);
    seqs.push(...receipts.map(({ seq }) => seq), (await other.place(order)).seq);
  }
  assert.equal(new Set(seqs).size, 14);
});

test("a sequencer that moves costs no order and no answer", async (context) => {
  const { server, another, trader, maker, buyer } = await setUp(context);
  buyer.close();
  const second = await another();
  const proxy = await startCutProxy(context, second.url);
  proxy.setAway(true);
  const seller = await trader(maker, { node: [server.url, proxy.url] });
  const order = { book: 0, isSell: true, price: 510, lots: 1, timeInForce: "ioc" } as const;
  const placed: number[] = [];
  let isDone = false;
  const placing = (async () => {
    while (!isDone) placed.push((await seller.place(order)).seq!);
  })();
  await new Promise((resolve) => setTimeout(resolve, 150));
  const before = placed.length;
  proxy.setAway(false);
  await server.stop();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  isDone = true;
  await placing;
  assert.ok(before > 0 && placed.length > before, `${before}, then ${placed.length}`);
  // Nobody else trades: each message has the number after the one before.
  assert.deepEqual(
    placed,
    placed.map((_, index) => placed[0]! + index),
  );
});

test("a connection has one account's session, and says whose", async (context) => {
  const { trader, maker, buyer } = await setUp(context);
  await buyer.summary();
  const guest = await trader(maker, { node: buyer.rpc });
  await assert.rejects(guest.summary(), /has the session of account `\d+`, key `0`/);
  assert.equal(
    (await guest.place({ book: 0, isSell: true, price: 510, lots: 1 })).outcome,
    "rested",
  );
});
