// The operator's part of the ledger in a running venue: ladder, books, fees, open interest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_FEES, feesFor } from "../../../sequencer/roles/feeSchedule.ts";
import { DEFAULT_LADDER } from "../../../sequencer/roles/listingLadder.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import {
  createMarket,
  createTrader,
  createWorld,
  deployment,
  EXPIRY,
  START,
  snapshotAt,
  type World,
} from "./market.ts";

async function bookOf(world: World, legs: readonly (readonly [number, number])[]) {
  const books = await world.sequencer.service.books();
  return books.find(({ weights }) => {
    const isSame = legs.every(([slot, weight]) => weights[slot] === weight);
    return isSame && weights.filter((weight) => weight !== 0).length === legs.length;
  });
}

test("a ladder lists around the forward and opens books in its slots", async () => {
  const ladder = {
    ...{ ...DEFAULT_LADDER, startTicks: 20_000, dailies: 2, weeklies: 0, monthlies: 0 },
    ...{ slotsMax: 10, spareSlots: 4, combinations: ["straddle"] as const },
  };
  const world = await createWorld({ plan: { series: [], books: [] }, ladder });
  for (let count = 0; count < 60; count++) {
    await world.step(1000);
    await world.prove();
  }
  const { service } = world.sequencer;
  const { series } = await service.chain();
  const listed = series.filter(({ status }) => status === "listed");
  assert.ok(listed.length >= 6 && listed.length <= 10);
  const now = world.clock.now() / 1000;
  assert.ok(listed.every(({ expiry }) => expiry - now >= ladder.minimumSeconds - 60));
  const expiries = new Set(listed.map(({ expiry }) => expiry));
  assert.equal(expiries.size, 2);
  for (const { slot } of listed) assert.ok((await bookOf(world, [[slot, 1]]))?.isOpen);
  for (const expiry of expiries) {
    const [call, put] = [true, false].map((isCall) => {
      return listed.find((terms) => {
        return terms.expiry === expiry && terms.isCall === isCall && terms.strike === 20_000;
      });
    });
    assert.ok(call && put, "both options at the money");
    assert.ok(
      (
        await bookOf(world, [
          [call.slot, 1],
          [put.slot, 1],
        ])
      )?.isOpen,
      "a straddle",
    );
  }
  assert.equal((await service.status()).halted, null);
});

test("a ladder lists nothing again that the plan has listed", async () => {
  // The plan's expiry is the ladder's first.
  const ladder = {
    ...{ ...DEFAULT_LADDER, startTicks: 20_000, dailies: 1, weeklies: 0, monthlies: 0 },
    ...{ slotsMax: 4, spareSlots: 0, combinations: ["vertical"] as const },
  };
  const world = await createWorld({ ladder });
  for (let count = 0; count < 40; count++) {
    await world.step(1000);
    await world.prove();
  }
  const { series } = await world.sequencer.service.chain();
  const listed = series.filter(({ status }) => status === "listed");
  assert.ok(listed.every(({ expiry }) => expiry === EXPIRY));
  const terms = listed.map(({ isCall, strike }) => `${strike} ${isCall ? "call" : "put"}`);
  assert.equal(new Set(terms).size, terms.length, `${terms}`);
  assert.equal(terms.length, 2 + ladder.slotsMax, "planned slots are not the ladder's");
  const above = listed.filter(({ isCall, strike }) => isCall && strike > 20_000);
  const { slot } = above.sort((one, other) => one.strike - other.strike)[0]!;
  const vertical = await bookOf(world, [
    [0, 1],
    [slot, -1],
  ]);
  assert.ok(vertical?.isOpen, "with the plan's call at the money");
});

test("the fees of a book are of the price that is known, not of a strike", () => {
  const state = createMemoryState(deployment.shape);
  for (const [slot, terms] of [
    { isCall: true, strike: 20_000, expiry: EXPIRY },
    { isCall: false, strike: 20_000, expiry: EXPIRY },
    // Newer than the snapshot: their marks are 0.
    { isCall: true, strike: 0, expiry: EXPIRY + 1 },
    { isCall: true, strike: 50_000, expiry: EXPIRY + 2 },
    { isCall: false, strike: 50_000, expiry: EXPIRY + 2 },
  ].entries()) {
    Object.assign(state.editSeries(slot), { ...terms, status: "listed", generation: 1 });
  }
  const takerFees = (marks: number[]) => {
    const snapshot = snapshotAt(START, { marks });
    return [0, 1, 2, 3, 4].map((book) => {
      const weights = Array.from({ length: state.slots }, (_, slot) => (slot === book ? 1 : 0));
      return feesFor(DEFAULT_FEES, { state, snapshot, weights }).taker;
    });
  };
  // 0.03 % of 30000 ticks.
  assert.deepEqual(takerFees([11_000, 1000, 0, 0, 0]), [9, 9, 9, 9, 9]);
  assert.deepEqual(takerFees([0, 0, 0, 0, 0]), [6, 6, 0, 15, 15], "nothing is known yet");
});

test("fees come to their account when they are enough, or after some batches", async () => {
  for (const collection of [
    { threshold: 100_000, everyBatches: 1000 },
    { threshold: 1e12, everyBatches: 3 },
  ]) {
    const { world, maker, taker } = await createMarket({ collection });
    world.deposit(createTrader(1), 1);
    const { service } = world.sequencer;
    await world.place(maker, { isSell: true, price: 500, lots: 20 });
    await world.place(taker, { price: 500, lots: 20 });
    assert.equal((await service.status()).feesUncollected, 20 * 6 * 1000);
    for (let count = 0; count < 5; count++) {
      await world.step(2000);
      await world.prove();
      await world.place(taker, { price: 400 + count, lots: 1 });
    }
    const status = await service.status();
    assert.deepEqual([status.feesUncollected, status.feeAccount], [0, 20 * 6 * 1000 + 1]);
    const update = world.events.find((event) => {
      return event.type === "ledger" && event.update.operation === "collectFees";
    });
    assert.equal(update?.type === "ledger" && update.update.amount, 20 * 6 * 1000);
  }
});

test("open interest is capped over all accounts, and what closes is let through", async () => {
  const limit = { positionLimit: 1000, openInterestLimit: 30, bandMoves: 1, bandTicks: 100 };
  const { world, maker, taker } = await createMarket({ policy: limit });
  await world.place(maker, { isSell: true, price: 500, lots: 30 });
  await world.place(taker, { price: 500, lots: 30 });
  const more = { lots: 1, price: 490 };
  await assert.rejects(world.place(taker, more), /openInterestExceeded/);
  const closing = await world.place(maker, { price: 490, lots: 10 });
  assert.equal(closing.outcome, "rested");
});
