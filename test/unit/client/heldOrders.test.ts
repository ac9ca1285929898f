// Orders that wait, left by the client with a real sequencer.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createHeldOrders, HeldKeyError } from "../../../sequencer/client/heldOrders.ts";
import type { Quote, Trader } from "../../../sequencer/client/trader.ts";
import { CALL_NAME } from "../api/rpcFixture.ts";
import { createHeldMarket } from "../roles/heldFixture.ts";
import { startVenue } from "./liveSequencer.ts";

async function setUp(context: TestContext) {
  const { world, maker, taker, keys } = await createHeldMarket();
  const venue = await startVenue(context, world);
  const [seller, buyer] = [await venue.trader(maker), await venue.trader(taker)];
  const now = (): number => world.clock.now();
  const holder = (place: number) => {
    const { keyIndex, secret } = keys[place]!;
    return createHeldOrders({ trader: seller, keyIndex, secret, now, lifetimeMs: 3_600_000 });
  };
  return { ...venue, world, seller, buyer, holder, now };
}

const SELL: Quote = { instrument_name: CALL_NAME, amount: 0.1, price: 51, direction: "sell" };

/** In the book: what waits for a trigger is open too. */
async function resting(trader: Trader) {
  const open = await trader.openOrders();
  return open.filter(({ order_state }) => order_state === "open");
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a stop and a profit wait for opposite prices, one excludes the other", async (context) => {
  const { holder, seller } = await setUp(context);
  const mark = (await seller.rpc.call("public/ticker", { instrument_name: CALL_NAME })).mark_price!;
  const own = holder(0);
  const left = await own.oneCancelsOther(
    { order: SELL, trigger: { price: mark - 20 } },
    { order: { ...SELL, price: 60 }, trigger: { price: 1, of: "index_price" } },
  );
  assert.deepEqual(
    left.map(({ conditions: [condition], key_index }) => [
      condition?.type,
      condition?.is,
      key_index,
    ]),
    [
      ["mark_price", "at_or_below", 1],
      ["index_price", "at_or_above", 1],
    ],
  );
  // The underlying is far above 1: the profit goes out, and the stop's head is used.
  await until("the profit is in the book", async () => (await resting(seller)).length === 1);
  const [order] = await resting(seller);
  assert.deepEqual([order?.price, order?.amount], [60, 0.1]);
  await until("the stop is dropped", async () => (await own.held()).length === 0);
  const { ended } = await seller.rpc.call("straddle/get_held", {});
  assert.deepEqual(new Set(ended.map(({ state }) => state)), new Set(["sent", "dropped"]));
});

test("a key serves one purpose at a time, and its words can be taken back", async (context) => {
  const { holder } = await setUp(context);
  const own = holder(0);
  const below = { price: 1 };
  const [stop] = await own.stop(SELL, below);
  assert.deepEqual(
    (await own.held()).map(({ held_id }) => held_id),
    [stop?.held_id],
  );
  await assert.rejects(own.takeProfit(SELL, { price: 500 }), HeldKeyError);
  // Another key is another purpose.
  const [gone] = await holder(1).cancelAllWhenGone();
  assert.equal(gone?.kind, "cancelAll");
  assert.deepEqual(await own.withdraw(), [stop?.held_id]);
  assert.deepEqual(await own.withdraw(), []);
  const [profit] = await own.takeProfit(SELL, { price: 500 });
  assert.deepEqual([profit?.conditions[0]?.is, profit?.conditions[0]?.price], ["at_or_above", 500]);
});

test("an iceberg shows a slice at a time", async (context) => {
  const { holder, seller, buyer } = await setUp(context);
  const left = await holder(2).iceberg({ ...SELL, amount: 0.25 }, 0.1);
  assert.equal(left.length, 3);
  const taken: number[] = [];
  for (const amount of [0.1, 0.1, 0.05]) {
    await until("a slice is shown", async () => (await resting(seller)).length === 1);
    const [order] = await resting(seller);
    taken.push(order!.amount);
    const { order: bought } = await buyer.buy({
      ...{ instrument_name: CALL_NAME, amount, price: 51 },
      time_in_force: "immediate_or_cancel",
    });
    assert.equal(bought.order_state, "filled");
  }
  assert.deepEqual(taken, [0.1, 0.1, 0.05]);
  await assert.rejects(holder(2).iceberg({ ...SELL, amount: 2 }, 0.1), /at most 16 slices/);
});

test("an order is cancelled at its time", async (context) => {
  const { holder, seller, now } = await setUp(context);
  const { instrument_name, amount, price } = SELL;
  const { order } = await seller.sell({ instrument_name, amount, price });
  await holder(0).cancelAt(order.order_id, now() + 2000);
  assert.equal((await resting(seller)).length, 1);
  await until("it is gone", async () => (await resting(seller)).length === 0);
  await assert.rejects(holder(1).cancelAt("nothing", now()), /is no order id/);
});

test("the second of two orders goes out when the first is filled", async (context) => {
  const { holder, seller, buyer } = await setUp(context);
  const back = { ...SELL, direction: "buy", price: 45 } as const;
  await holder(1).oneTriggersOther([SELL, back]);
  await until("the first rests", async () => (await resting(seller)).length === 1);
  const { instrument_name, amount, price } = SELL;
  await buyer.buy({ instrument_name, amount, price });
  await until("the second rests", async () => {
    return (await resting(seller)).some(({ direction }) => direction === "buy");
  });
  const [order] = await resting(seller);
  assert.deepEqual([order?.price, order?.amount], [45, 0.1]);
});
