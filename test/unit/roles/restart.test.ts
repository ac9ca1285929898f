// A crash may come at any moment: what was acknowledged is there afterwards, and all goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogCorruptionError, type LogRecord, logOrigin } from "../../../sequencer/batch/log.ts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { AccountInfo, OpenOrder, Receipt } from "../../../sequencer/exchangeService.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { DEFAULT_BREAKERS } from "../../../sequencer/roles/circuitBreakers.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { SNAPSHOT_AGE_MS_MAX } from "../../../sequencer/roles/opening.ts";
import {
  createMarket,
  createWorld,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  turns,
  VALIDATORS,
  type World,
} from "./market.ts";
import { createBatches, createCheckpoints, createClock } from "./ports.ts";

interface Story {
  readonly world: World;
  readonly receipts: readonly Receipt[];
  /** The maker's orders when the log had that many records. */
  readonly orders: ReadonlyMap<number, readonly OpenOrder[]>;
  /** What the maker's positions had cost then. */
  readonly costs: ReadonlyMap<number, AccountInfo["costs"]>;
}

/** Trades, an interrupted order, a withdrawal, several batches and checkpoints. */
async function tell(): Promise<Story> {
  const { world, maker, taker } = await createMarket();
  const receipts: Receipt[] = [];
  const orders = new Map<number, readonly OpenOrder[]>();
  const costs = new Map<number, AccountInfo["costs"]>();
  const note = async (): Promise<void> => {
    const { service } = world.sequencer;
    const found = await service.orders(maker.account);
    orders.set(world.log.records.length, found);
    const account = await service.account({ id: maker.account });
    costs.set(world.log.records.length, account!.costs);
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
  return { world, receipts, orders, costs };
}

test("a restart from every position of the log has all that was acknowledged", async () => {
  const { world, receipts, orders, costs } = await tell();
  assert.ok(
    [...costs.values()].some((known) => known[0]?.cost !== undefined),
    "none was kept",
  );
  const records = world.log.survivors();
  assert.ok(world.checkpoints.saved.length >= 1);
  for (let length = 0; length <= records.length; length++) {
    const checkpoints = createCheckpoints();
    const kept = records.slice(0, length);
    const sealed = kept.findLast(({ entry }) => entry.type === "seal")?.entry;
    const sealedNumber = sealed?.type === "seal" ? sealed.number : 0;
    // They are saved when their batch's seal is durable.
    for (const checkpoint of world.checkpoints.saved) {
      if (checkpoint.batchNumber <= sealedNumber) checkpoints.saved.push(checkpoint);
    }
    const disk = {
      clock: createClock(world.clock.now()),
      batches: createBatches(),
      checkpoints,
      settlement: world.settlement,
      records: kept,
    };
    const again = await createWorld({}, disk);
    const { service } = again.sequencer;
    const status = await service.status();
    const ended = kept.findLast(({ entry }) => entry.type === "end")?.entry;
    const isUnsealed = ended?.type === "end" && ended.number > sealedNumber;
    // What was killed between the two is sealed at once.
    assert.equal(status.logPosition, isUnsealed ? length + 1 : length);
    assert.equal(status.halted, null);
    const expected = orders.get(length);
    if (expected !== undefined) {
      assert.deepEqual(await service.orders(3), expected, `at ${length}`);
      const account = await service.account({ id: 3 });
      assert.deepEqual(account?.costs, costs.get(length), `costs at ${length}`);
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

/** Why the trader's order is not taken, or what came of it. */
async function outcomeOf(world: World, who: TestTrader, message: Message): Promise<string | null> {
  const { account } = who;
  const result = await world.sequencer.service.submit({
    account,
    keyIndex: 0,
    ...who.peek(message),
  });
  if (!result.accepted) return result.code;
  who.next(message);
  return result.receipt.outcome;
}

/** Nobody could tell the log from another: executed without fault, by marks young enough. */
function assertValid({ log }: World): void {
  const node = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  for (const record of log.records) {
    node.apply(record);
    const { entry } = record;
    if (entry.type !== "open") continue;
    assert.ok(entry.time - entry.snapshot.time < SNAPSHOT_AGE_MS_MAX);
  }
}

test("orders are taken back after a restart before any oracle has answered", async () => {
  const hour = 3_600_000;
  // [time away, whether the process ended right after the seal of a checkpoint's batch]
  for (const [away, atCheckpoint] of [
    [1_000, false],
    [1_000, true],
    [hour, false],
    [hour, true],
  ] as const) {
    const where = `${away} ms away, ${atCheckpoint ? "at" : "after"} a checkpoint`;
    const { world, maker, taker } = await createMarket({ checkpointEvery: atCheckpoint ? 1 : 100 });
    const resting = await world.place(maker, { price: 490, lots: 5 });
    await world.place(maker, { price: 480, lots: 5 });
    await world.finish();
    const isAt = world.checkpoints.saved.at(-1)?.position === world.log.records.length - 1;
    assert.equal(isAt, atCheckpoint, where);
    world.clock.advance(away);
    const again = await world.restart();
    again.isOracleAway = true;
    const deadline = again.clock.now() + hour;
    const order = { book: 0, isSell: false, price: 490, seq: resting.seq ?? 0 };
    assert.equal(
      await outcomeOf(again, maker, { kind: "cancel", ...order, deadline }),
      "cancelled",
    );
    assert.equal(await outcomeOf(again, taker, { ...PLACE, deadline }), "noSnapshot", where);
    // A pause for the time away takes none of it back.
    await again.step(1_000);
    const all = await outcomeOf(again, maker, { kind: "cancelAll", deadline });
    assert.equal(all, "allCancelled", where);
    assert.deepEqual(await again.sequencer.service.orders(maker.account), []);
    const refused = await outcomeOf(again, taker, { ...PLACE, deadline });
    assert.match(refused ?? "", /^(noSnapshot|tradingPaused)$/, where);
    assertValid(again);
    again.isOracleAway = false;
    for (let count = 0; count < 4; count++) await again.step(DEFAULT_BREAKERS.cancelOnlyMs);
    assert.equal((await again.place(taker, { price: 490 })).outcome, "rested", where);
    await again.finish();
    assert.equal((await again.sequencer.service.status()).halted, null);
    assertValid(again);
  }
});

/** The log up to the first seal behind which an order is carried. */
function untilInterrupted({ log }: World): readonly LogRecord[] {
  const node = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  const last = log.records.findIndex((record) => {
    const { sealed } = node.apply(record);
    return sealed !== undefined && node.state.carry() !== undefined;
  });
  assert.ok(last > 0);
  return log.records.slice(0, last + 1);
}

test("but not before the end of an order that waits for fresh marks", async () => {
  const { world, maker, taker } = await createMarket();
  for (let count = 0; count < 8; count++) {
    await world.place(maker, { isSell: true, price: 500 + count, lots: 2 });
  }
  await world.place(taker, { price: 520, lots: 17 });
  await world.step(1_500);
  // The process ended when the order had been interrupted and its next batch was not begun.
  const interrupted = untilInterrupted(world);
  const again = await world.restart(interrupted);
  again.isOracleAway = true;
  const deadline = again.clock.now() + 60_000;
  assert.equal(await outcomeOf(again, maker, { kind: "cancelAll", deadline }), "noSnapshot");
  again.isOracleAway = false;
  await again.step(1_000);
  assert.equal(await outcomeOf(again, maker, { kind: "cancelAll", deadline }), "allCancelled");
  assertValid(again);
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
