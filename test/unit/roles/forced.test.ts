// What layer one orders for owners who send nothing to the sequencer.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueuedOperation } from "../../../sequencer/ports.ts";
import { INSURANCE_ACCOUNT } from "../../../sequencer/protocol/constants.ts";
import { createMarket, createTrader, deployment, type TestTrader, type World } from "./market.ts";

const cancelAll = ({ account, owner }: TestTrader) =>
  ({ kind: "forcedCancelAll", account, owner }) as const;
const close = ({ account, owner }: TestTrader, lots: number, slot = 0) =>
  ({ kind: "forcedClose", account, owner, slot, lots }) as const;

async function served(world: World, ...operations: QueuedOperation["operation"][]): Promise<void> {
  for (const operation of operations) world.settlement.enqueue(operation);
  for (let count = 0; count < 8; count++) await world.step(400);
}

test("B6: a cancel-all from layer one takes the account's orders out of every book", async () => {
  const { world, maker, taker } = await createMarket();
  await world.place(maker, { price: 490, lots: 5 });
  await world.place(maker, { book: 1, isSell: true, price: 520, lots: 5 });
  await world.place(taker, { price: 489, lots: 1 });
  const { service } = world.sequencer;
  assert.equal((await service.book(0, 10))?.bids.length, 2);
  world.events.length = 0;
  await served(world, cancelAll(maker));
  assert.deepEqual(
    (await service.book(0, 10))?.bids.map(({ price }) => price),
    [489],
  );
  assert.equal((await service.book(1, 10))?.asks.length, 0);
  const closed = world.events.flatMap((event) => (event.type === "order" ? [event.update] : []));
  assert.deepEqual(
    closed.map(({ account, state, reason }) => [account, state, reason]),
    [
      [maker.account, "closed", "allCancelled"],
      [maker.account, "closed", "allCancelled"],
    ],
  );
  // Nobody fills what is void, and new orders rest as before.
  const sold = await world.place(taker, { isSell: true, price: 480, lots: 1, timeInForce: "ioc" });
  assert.equal(sold.fills.length, 0);
  assert.equal((await world.place(maker, { price: 490, lots: 5 })).outcome, "rested");
  await world.finish();
  assert.equal((await service.status()).halted, null);
});

test("B6: a close from layer one needs no counterparty's signature", async () => {
  const { world, maker, taker } = await createMarket();
  const fund = createTrader(INSURANCE_ACCOUNT);
  world.deposit(fund, 1_000_000_000);
  await served(world);
  await world.place(maker, { isSell: true, price: 500, lots: 10 });
  await world.place(taker, { price: 500, lots: 10 });
  world.events.length = 0;
  await served(world, close(taker, 4), close(maker, 100), close(maker, 1));
  const done = world.events.flatMap(({ type, ...rest }) =>
    type === "ledger" && "update" in rest && "operation" in rest.update ? [rest.update] : [],
  );
  const told = done.map(({ account, operation, outcome }) => [account, operation, outcome]);
  assert.deepEqual(told, [
    ...[INSURANCE_ACCOUNT, 4, INSURANCE_ACCOUNT, 3].map((id) => [id, "forcedClose", "executed"]),
    ...[INSURANCE_ACCOUNT, 3].map((id) => [id, "forcedClose", "refused"]),
  ]);
  // 4 lots at 500 ticks, less the minimum of 100 ticks for each.
  assert.deepEqual(done[1]!.amount, 4 * (500 - 100) * deployment.shape.unit);
  assert.deepEqual(done.at(-1)!.amount, 0);
  const { service } = world.sequencer;
  const positions = await Promise.all(
    [3, 4, INSURANCE_ACCOUNT].map(async (id) => {
      const account = await service.account({ id });
      return account?.positions[0];
    }),
  );
  assert.deepEqual(positions, [0, 6, -6]);
  await world.finish();
  assert.equal((await service.status()).halted, null);
});

test("a close waits for marks from after its order, and what stands behind it too", async () => {
  const { world, maker, taker } = await createMarket();
  world.deposit(createTrader(INSURANCE_ACCOUNT), 1_000_000_000);
  await served(world);
  await world.place(maker, { isSell: true, price: 500, lots: 10 });
  await world.place(taker, { price: 500, lots: 10 });
  await world.step(1000);
  const { service } = world.sequencer;
  const next = async () => (await service.status()).nextQueueId;
  const first = await next();
  const ordered = world.clock.now();
  world.isOracleAway = true;
  world.settlement.enqueue(cancelAll(maker));
  world.settlement.enqueue(close(taker, 4), ordered + 1);
  world.settlement.enqueue(cancelAll(taker));
  for (let count = 0; count < 10; count++) await world.step(1000);
  // The first goes by the marks that there are, and its batch stays open.
  assert.equal(await next(), first + 1);
  assert.equal((await world.place(maker, { price: 490, lots: 1 })).outcome, "rested");
  world.isOracleAway = false;
  for (let count = 0; count < 4; count++) await world.step(400);
  assert.equal(await next(), first + 3);
  const entries = world.log.records.map(({ entry }) => entry);
  const at = entries.findIndex(
    (entry) => entry.type === "operation" && entry.queueId === first + 1,
  );
  const opened = entries.slice(0, at).findLast((entry) => entry.type === "open");
  assert.ok(opened?.type === "open" && opened.snapshot.time > ordered);
  assert.equal((await service.account({ id: taker.account }))?.positions[0], 6);
});

test("layer one's client hears of a served close's marks, after a restart too", async () => {
  const { world, taker } = await createMarket({ checkpointEvery: 1 });
  world.settlement.enqueue(close(taker, 4), world.clock.now() + 1);
  for (let count = 0; count < 4; count++) await world.step(1000);
  const { entry } = world.log.records.findLast(({ entry: each }) => each.type === "operation")!;
  assert.ok(entry.type === "operation" && entry.operation.kind === "forcedClose");
  const opened = world.log.records.findLast(({ entry: each }) => each.type === "open")!.entry;
  assert.ok(opened.type === "open");
  const { queueId } = entry;
  const snapshotTime = opened.snapshot.time;
  assert.deepEqual(world.settlement.served, [{ queueId, snapshotTime, isAnchored: false }]);
  await world.finish();
  await world.step(0);
  assert.deepEqual(world.settlement.served, [{ queueId, snapshotTime, isAnchored: true }]);
  // From the checkpoint as well as from the log.
  assert.ok(world.checkpoints.saved.length > 0);
  const again = await world.restart();
  world.settlement.served = [];
  // What is anchored is heard of with the first look, after the queue's.
  for (let count = 0; count < 2; count++) await again.step(0);
  assert.deepEqual(world.settlement.served, [{ queueId, snapshotTime, isAnchored: true }]);
});

/** Those that may wait in the ordinary lane, and more. */
const WAITING = 520;
/** Seconds in which a batch is proven and anchored, with plenty to spare. */
const SECONDS_PER_BATCH = 120;
const DEADLINE_SECONDS = 7 * 86_400;

test("B4: a full queue of invalid requests is cleared in a tenth of the deadline", async (t) => {
  const { world, maker } = await createMarket();
  const { account, owner } = maker;
  const ledgerBatches = () =>
    [...world.batches.batches.values()].filter(({ kind }) => kind === "ledger").length;
  const before = ledgerBatches();
  const invalid = Array.from({ length: WAITING }, (_, index) =>
    index % 2 === 0
      ? ({ kind: "forcedWithdraw", account, owner, amount: 2 ** 50 - 1 } as const)
      : close(maker, 1 + index, index % 16),
  );
  const begun = performance.now();
  await served(world, ...invalid);
  // They come in groups, between which others trade.
  assert.equal((await world.place(maker, { price: 490, lots: 1 })).outcome, "rested");
  for (let count = 0; count < 4; count++) await world.step(3000);
  const seconds = (performance.now() - begun) / 1000;
  const records = world.log.records.flatMap(({ entry }) =>
    entry.type === "operation" && entry.queueId !== undefined ? [entry.queueId] : [],
  );
  assert.equal(records.filter((id) => id >= 2).length, WAITING);
  const batches = ledgerBatches() - before;
  assert.equal(batches, Math.ceil(WAITING / deployment.sizes.ledger.steps));
  const needed = seconds + batches * SECONDS_PER_BATCH;
  const rate = Math.round(WAITING / seconds);
  t.diagnostic(`B4: ${WAITING} no-ops executed at ${rate} a second, in ${batches} batches`);
  assert.ok(needed <= DEADLINE_SECONDS / 10, `it would take ${needed} s`);
});
