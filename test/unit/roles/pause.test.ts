// Oracles fall silent: trading pauses, cancels go on, and everything comes back with them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import { DEFAULT_BREAKERS } from "../../../sequencer/roles/circuitBreakers.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { SNAPSHOT_AGE_MS_MAX, TRADING_AGE_MS_MAX } from "../../../sequencer/roles/opening.ts";
import {
  createMarket,
  DOMAIN,
  deployment,
  PATIENT,
  PLACE,
  type TestTrader,
  turns,
  type World,
} from "./market.ts";

const { cancelOnlyMs } = DEFAULT_BREAKERS;

async function placing(world: World, trader: TestTrader): Promise<string> {
  const signed = trader.peek({ ...PLACE, deadline: world.clock.now() + 60_000 });
  const result = await world.sequencer.service.submit({
    ...{ account: trader.account, keyIndex: 0, ...signed },
  });
  return result.accepted ? "accepted" : result.code;
}

test("while snapshots are too old nothing trades, and orders are still taken back", async () => {
  const { world, maker, taker } = await createMarket();
  const first = await world.place(maker, { price: 490, lots: 5 });
  const second = await world.place(maker, { price: 480, lots: 5 });
  await world.step(10_000);
  world.isOracleAway = true;
  await world.step(TRADING_AGE_MS_MAX + 1000);
  assert.equal(await placing(world, taker), "tradingPaused");
  const deadline = world.clock.now() + 1_000_000;
  const order = { book: 0, isSell: false, price: 490, seq: first.seq ?? 0 };
  const cancelled = await world.submit(maker, { kind: "cancel", ...order, deadline });
  assert.equal(cancelled.accepted && cancelled.receipt.outcome, "cancelled");
  assert.equal(await placing(world, taker), "tradingPaused", "nor into the batch of the cancel");
  // Far beyond the age that any proof takes, batch after batch.
  for (let count = 0; count < 3; count++) {
    await world.step(4 * SNAPSHOT_AGE_MS_MAX);
    const message = { kind: "cancelAll", deadline: world.clock.now() + 1000 } as const;
    assert.equal((await world.submit(maker, message)).accepted, true);
  }
  assert.ok(second.orderId);
  assert.deepEqual(await world.sequencer.service.orders(maker.account), []);
  assert.equal(await placing(world, taker), "tradingPaused");
  world.isOracleAway = false;
  await world.step(1000);
  assert.equal(await placing(world, taker), "tradingPaused", "nor by the first snapshot alone");
  for (let count = 0; count < 2; count++) await world.step(cancelOnlyMs);
  assert.equal((await world.place(taker, { price: 490 })).outcome, "rested");
  await world.finish();
  assert.equal((await world.sequencer.service.status()).halted, null);
  const other = createNodeState(deployment, logOrigin(DOMAIN), undefined);
  for (const record of world.log.records) other.apply(record);
  assert.equal(other.position(), world.log.records.length);
  const kinds = world.log.records.filter(({ entry }) => entry.type === "open");
  for (const { entry } of kinds) {
    if (entry.type !== "open") continue;
    assert.ok(entry.time - entry.snapshot.time < SNAPSHOT_AGE_MS_MAX);
  }
});

test("marks that are too old are refused whether or not trading has paused", async () => {
  const { world, taker } = await createMarket({ breakers: PATIENT });
  await world.step(10_000);
  world.isOracleAway = true;
  await world.step(TRADING_AGE_MS_MAX + 1000);
  assert.equal(await placing(world, taker), "noSnapshot");
  world.isOracleAway = false;
  await world.step(1000);
  assert.equal((await world.place(taker, { price: 490 })).outcome, "rested");
});

test("payments wait for fresh marks", async () => {
  const { world, maker } = await createMarket();
  await world.step(10_000);
  world.isOracleAway = true;
  await world.step(TRADING_AGE_MS_MAX + 1000);
  const deadline = world.clock.now() + 1_000_000;
  const message = { kind: "withdraw", amount: 1_000_000, deadline } as const;
  const answer = world.submit(maker, message);
  await world.step(1000);
  await world.step(1000);
  const paid = () =>
    world.log.records.some(({ entry }) => {
      return entry.type === "operation" && entry.operation.kind === "withdraw";
    });
  assert.equal(paid(), false);
  world.isOracleAway = false;
  await world.step(1000);
  await world.step(1000);
  const result = await answer;
  assert.equal(result.accepted && result.receipt.outcome, "executed");
  assert.equal(paid(), true);
});

test("an append that a stalled node finds late once is no reason", async () => {
  const { world, maker } = await createMarket();
  world.isOracleAway = true;
  world.log.hold();
  const placed = world.place(maker, { price: 470 });
  await world.step(20_000);
  world.log.release();
  await placed;
  await world.step(50);
  assert.equal((await world.sequencer.service.status()).trading.mode, "open");
});

test("status answers while the log stalls, whatever else trading is paused for", async () => {
  const { world, maker } = await createMarket();
  await world.step(10_000);
  world.isOracleAway = true;
  await world.step(TRADING_AGE_MS_MAX + 1000);
  world.log.hold();
  const message = { kind: "cancelAll", deadline: world.clock.now() + 60_000 } as const;
  const cancelled = world.submit(maker, message);
  await turns();
  world.clock.advance(20_000);
  const soon = turns().then(() => undefined);
  const status = await Promise.race([world.sequencer.service.status(), soon]);
  assert.equal(status?.trading.reason, "oracleStale");
  world.log.release();
  assert.equal((await cancelled).accepted, true);
});
