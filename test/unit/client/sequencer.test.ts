// Client, API and the real sequencer role together: what one signs, the others understand.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openLocalBook } from "../../../sequencer/client/localBook.ts";
import type { Order, UserTrade } from "../../../sequencer/client/ownEvents.ts";
import { CALL_NAME } from "../api/rpcFixture.ts";
import { createTrader as createIdentity, createWorld } from "../roles/market.ts";
import { connect } from "./liveSequencer.ts";

async function setUp(context: TestContext) {
  const world = await createWorld();
  const identities = [createIdentity(1), createIdentity(2)];
  for (const identity of identities) world.open(identity, 900_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  const [maker, taker] = await connect(context, world, identities);
  return { maker: maker!, taker: taker! };
}

test("orders trade, books and accounts follow, and every receipt holds", async (context) => {
  const { maker, taker } = await setUp(context);
  const orders: Order[] = [];
  const trades: UserTrade[] = [];
  const news = await maker.follow();
  news.on("order", (order) => orders.push(order));
  news.on("trade", (trade) => trades.push(trade));
  const live = await openLocalBook(maker.rpc, { instrument: CALL_NAME });
  const order = { book: 0, isSell: true, price: 510, lots: 10 };
  const [first, second] = await Promise.all([maker.place(order), maker.place(order)]);
  assert.deepEqual([first.outcome, second.outcome], ["rested", "rested"]);
  const bought = await taker.place({ ...order, isSell: false, lots: 15 });
  assert.equal(bought.outcome, "filled");
  assert.deepEqual(
    bought.fills.map(({ price, lots, makerSeq }) => [price, lots, makerSeq]),
    [
      [510, 10, first.seq],
      [510, 5, second.seq],
    ],
  );
  assert.deepEqual(
    (await maker.openOrders()).map(({ order_id, amount, filled_amount }) => [
      ...[order_id, amount, filled_amount],
    ]),
    [[second.orderId, 0.1, 0.05]],
  );
  assert.equal((await maker.exchange.account({ account: 1 })).positions[0], -15);
  const asked = { instrument_name: CALL_NAME };
  const tape = await maker.rpc.call("public/get_last_trades_by_instrument", asked);
  assert.equal(tape.trades.length, 2);
  assert.equal((await maker.cancel(second.orderId ?? "")).outcome, "cancelled");
  assert.equal((await maker.cancelAll()).outcome, "allCancelled");
  for (let waited = 0; live.current()?.asks.length !== 0 && waited < 200; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(live.current()?.asks, []);
  assert.deepEqual(
    orders.map(({ order_id, order_state, filled_amount }) => [
      order_id,
      order_state,
      filled_amount,
    ]),
    [
      [first.orderId, "open", 0],
      [second.orderId, "open", 0],
      [first.orderId, "filled", 0.1],
      [second.orderId, "open", 0.05],
      [second.orderId, "cancelled", 0.05],
    ],
  );
  assert.deepEqual(
    trades.map(({ order_id, amount, price, liquidity }) => [order_id, amount, price, liquidity]),
    [
      [first.orderId, 0.1, 51, "M"],
      [second.orderId, 0.05, 51, "M"],
    ],
  );
});

test("withdrawals and transfers are in the same chain", async (context) => {
  const { maker, taker } = await setUp(context);
  const results = await Promise.all([
    maker.withdraw(1_000_000),
    maker.transfer(2, 5_000_000),
    maker.place({ book: 0, isSell: false, price: 490, lots: 1 }),
  ]);
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ["executed", "executed", "rested"],
  );
  const { cash } = await taker.exchange.account({ account: 2 });
  assert.equal(cash, 900_005_000_000);
  await assert.rejects(maker.withdraw(2 ** 45), { reason: "not_enough_funds" });
  await assert.rejects(maker.place({ book: 9, isSell: true, price: 1, lots: 1 }), {
    reason: "invalid_or_unsupported_instrument",
  });
  assert.equal((await maker.cancelAll()).outcome, "allCancelled", "refusals leave it whole");
});
