import assert from "node:assert/strict";
import { test } from "node:test";
import { type FeeLimits, openFeeBudget } from "../../../sequencer/l1/feeBudget.ts";
import { costMax, raisedFees } from "../../../sequencer/l1/fees.ts";
import { createClock, createValues } from "../roles/ports.ts";

const HOUR_MS = 3_600_000;

test("E11 a replacement pays a tenth more at least, with blobs twice as much", () => {
  const current = { maxFeePerGas: 10n, maxPriorityFeePerGas: 1n };
  assert.deepEqual(raisedFees(current, undefined), current);
  const last = { maxFeePerGas: 1000n, maxPriorityFeePerGas: 1n };
  const raised = raisedFees(current, last);
  assert.ok(raised.maxFeePerGas * 10n >= 1000n * 11n);
  assert.ok(raised.maxPriorityFeePerGas * 10n >= 11n);
  // Where the market has gone beyond that, what it wants.
  assert.equal(raisedFees({ ...current, maxFeePerGas: 9000n }, last).maxFeePerGas, 9000n);
  const blobs = raisedFees(current, { ...last, maxFeePerBlobGas: 7n });
  assert.ok(blobs.maxFeePerBlobGas! >= 14n && blobs.maxFeePerGas >= 2000n);
  assert.ok(blobs.maxPriorityFeePerGas >= 2n);
  assert.equal(costMax(blobs, 10n, 100n), 10n * blobs.maxFeePerGas + 100n * 15n);
});

async function open(limits: FeeLimits) {
  const clock = createClock(1_000 * HOUR_MS);
  const values = createValues();
  const parts = { limits, clock, values };
  return { clock, budget: await openFeeBudget(parts), again: () => openFeeBudget(parts) };
}

test("E11 an hour's budget is never exceeded and comes free again", async () => {
  const { clock, budget, again } = await open({ weiPerHour: 100n, weiPerDay: 1000n });
  assert.equal(await budget.reserve(1, 60n), undefined);
  // A replacement takes the place of what it replaces.
  assert.equal(await budget.reserve(1, 90n), undefined);
  assert.match((await budget.reserve(1, 101n)) ?? "", /the hour's fee budget: `0` wei spent/);
  await budget.settle(1, 50n);
  assert.match((await budget.reserve(2, 51n)) ?? "", /`50` wei spent, `51` wanted, at most 100/);
  assert.match((await (await again()).reserve(2, 51n)) ?? "", /`50` wei spent/);
  assert.equal(await budget.reserve(2, 50n), undefined);
  // Batch 2 may have been mined unheard of: it counts in full.
  assert.match((await budget.reserve(3, 1n)) ?? "", /`100` wei spent/);
  clock.advance(HOUR_MS + 60_000);
  assert.equal(await budget.reserve(3, 100n), undefined);
  assert.deepEqual(budget.spent(), { hour: 0n, day: 100n });
});

test("E11 a day's budget holds across its hours", async () => {
  const { clock, budget } = await open({ weiPerHour: 100n, weiPerDay: 250n });
  for (let batch = 1; batch <= 2; batch++) {
    assert.equal(await budget.reserve(batch, 100n), undefined);
    await budget.settle(batch, 100n);
    clock.advance(2 * HOUR_MS);
  }
  assert.match((await budget.reserve(3, 51n)) ?? "", /the day's fee budget: `200` wei spent/);
  assert.equal(await budget.reserve(3, 50n), undefined);
  await budget.settle(3, 20n);
  assert.equal(budget.spent().day, 220n);
  clock.advance(25 * HOUR_MS);
  assert.deepEqual(budget.spent(), { hour: 0n, day: 0n });
});

test("E11 what nobody knows the price of counts as if at its highest", async () => {
  const { budget } = await open({ weiPerHour: 100n });
  await budget.reserve(1, 60n);
  await budget.settle(1, undefined);
  assert.match((await budget.reserve(1, 50n)) ?? "", /`60` wei spent, `50` wanted/);
  // Nothing is in flight: nothing is counted twice.
  await budget.settle(1, undefined);
  assert.equal(budget.spent().hour, 60n);
});

test("E11 a clock that goes back frees nothing", async () => {
  const { clock, budget } = await open({ weiPerHour: 100n });
  await budget.reserve(1, 100n);
  await budget.settle(1, 100n);
  clock.advance(-10 * HOUR_MS);
  assert.match((await budget.reserve(2, 1n)) ?? "", /`100` wei spent/);
});
