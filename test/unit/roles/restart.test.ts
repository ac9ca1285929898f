// A crash may come at any moment: what was acknowledged is there afterwards, and all goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogCorruptionError } from "../../../sequencer/batch/log.ts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { OpenOrder, Receipt } from "../../../sequencer/exchangeService.ts";
import { createMarket, createWorld, turns, VALIDATORS, type World } from "./market.ts";
import { createBatches, createCheckpoints, createClock } from "./ports.ts";

interface Story {
  readonly world: World;
  readonly receipts: readonly Receipt[];
  /** The maker's orders when the log had that many records. */
  readonly orders: ReadonlyMap<number, readonly OpenOrder[]>;
}

/** Trades, an interrupted order, a withdrawal, several batches and checkpoints. */
async function tell(): Promise<Story> {
  const { world, maker, taker } = await createMarket();
  const receipts: Receipt[] = [];
  const orders = new Map<number, readonly OpenOrder[]>();
  const note = async (): Promise<void> => {
    const found = await world.sequencer.service.orders(maker.account);
    orders.set(world.log.records.length, found);
  };
  for (let count = 0; count < 8; count++) {
    receipts.push(await world.place(maker, { isSell: true, price: 500 + count, lots: 2 }));
    await note();
  }
  receipts.push(await world.place(taker, { price: 520, lots: 9 }));
  await note();
  const deadline = world.clock.now() + 60_000;
  const withdrawal = world.submit(taker, { kind: "withdraw", amount: 5_000_000, deadline });
  for (let count = 0; count < 3; count++) await world.step(1000);
  const result = await withdrawal;
  assert.ok(result.accepted);
  receipts.push(result.receipt);
  receipts.push(await world.place(maker, { price: 450, lots: 1 }));
  await note();
  await world.finish();
  return { world, receipts, orders };
}

test("a restart from every position of the log has all that was acknowledged", async () => {
  const { world, receipts, orders } = await tell();
  const records = world.log.survivors();
  assert.ok(world.checkpoints.saved.length >= 1);
  for (let length = 0; length <= records.length; length++) {
    const checkpoints = createCheckpoints();
    for (const checkpoint of world.checkpoints.saved) {
      if (checkpoint.position <= length) await checkpoints.save(checkpoint);
    }
    const disk = {
      clock: createClock(world.clock.now()),
      batches: createBatches(),
      checkpoints,
      settlement: world.settlement,
      records: records.slice(0, length),
    };
    const again = await createWorld({}, disk);
    const { service } = again.sequencer;
    const status = await service.status();
    assert.equal(status.logPosition, length);
    assert.equal(status.halted, null);
    const expected = orders.get(length);
    if (expected !== undefined) {
      assert.deepEqual(await service.orders(3), expected, `at ${length}`);
    }
    const known = receipts.filter(({ logPosition }) => logPosition < length);
    for (const receipt of known) {
      assert.equal(again.log.records[receipt.logPosition]?.hash, receipt.logHash);
    }
    for (const account of [1, 2]) {
      const last = known.filter((receipt) => receipt.account === account).at(-1);
      if (last === undefined) continue;
      assert.equal((await service.session(account, 0))?.head, last.head, `head at ${length}`);
    }
  }
});

test("a restarted sequencer goes on where the old one stopped", async () => {
  const { world, maker, taker } = await createMarket();
  for (let count = 0; count < 8; count++) {
    await world.place(maker, { isSell: true, price: 500 + count, lots: 2 });
  }
  // The order is interrupted, and the process ends with a batch open.
  await world.place(taker, { price: 520, lots: 9 });
  const again = await world.restart();
  for (let count = 0; count < 4; count++) await again.step(1000);
  const receipt = await again.place(taker, { price: 400, lots: 1 });
  assert.equal(receipt.outcome, "rested");
  await again.finish();
  const { service } = again.sequencer;
  const status = await service.status();
  assert.equal(status.anchored, status.sealed);
  assert.equal((await service.trades(0, 10)).length, 5);
  // Both processes sealed the same batches: the store would have refused another one.
  const numbers = again.settlement.anchoredBatches.map(({ number }) => number);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test("what validators have signed is there after a restart: nobody must repeat it", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 490, lots: 1 });
  await world.step(10_000);
  await world.prove();
  const { service } = world.sequencer;
  const anchored = () => world.settlement.anchoredBatches.length;
  const start = anchored();
  for (const batch of world.batches.batches.values()) {
    const { number, rootAfter } = batch;
    const seal = world.log.records.find(
      ({ entry }) => entry.type === "seal" && entry.number === number,
    );
    const hashes = { wordsHash: wordsHash(batch.words), logHash: seal!.hash };
    const said = { number, root: `0x${rootAfter.toString(16)}`, ...hashes, signature: "0x" };
    for (const validator of VALIDATORS.slice(1)) world.network.attest({ validator, ...said });
  }
  await turns();
  const { sealed } = await service.status();
  assert.ok(sealed > start);
  const again = await world.restart();
  assert.equal((await again.sequencer.service.batch(sealed))?.attestations, 2);
  // Not a moment passes in which validators could be waited for.
  await again.step(0);
  assert.equal(anchored(), sealed);
});

test("what was executed but never durable is gone, and nobody was told of it", async () => {
  const { world, maker } = await createMarket();
  world.log.hold();
  let isAnswered = false;
  void world.place(maker, {}).then(() => {
    isAnswered = true;
  });
  const again = await world.restart(world.log.survivors());
  assert.equal(isAnswered, false);
  assert.deepEqual(await again.sequencer.service.orders(3), []);
  assert.equal((await again.sequencer.service.session(3, 0))?.version, 1);
});

test("a log that ends before its checkpoint stops the node", async () => {
  const { world } = await tell();
  const checkpoint = await world.checkpoints.latest();
  assert.ok(checkpoint);
  const records = world.log.survivors().slice(0, checkpoint.position - 1);
  await assert.rejects(world.restart(records), (error: unknown) => {
    assert.ok(error instanceof LogCorruptionError);
    assert.equal(error.position, checkpoint.position - 1);
    return true;
  });
});

test("a log that cannot be written stops the node", async () => {
  const { world, maker } = await createMarket();
  const append = world.log.append;
  world.log.append = async () => {
    throw new Error("the disk is full");
  };
  await assert.rejects(world.place(maker, {}), /disk is full/);
  assert.match((await world.sequencer.service.status()).halted ?? "", /disk is full/);
  world.log.append = append;
  await assert.rejects(world.place(maker, {}), /the node has stopped/);
});
