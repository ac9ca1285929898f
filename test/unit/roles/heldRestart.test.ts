// What is held outlives the process, and does not act because of that.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldCondition } from "../../../sequencer/protocol/heldWord.ts";
import { atIndex, BUY, CANCEL_ALL, createHeldMarket, hold, ordersOf, SELL } from "./heldFixture.ts";
import { createWorld, DOMAIN } from "./market.ts";
import { createLog } from "./ports.ts";

const below = (price: number): HeldCondition => ({ type: "index", is: "atOrBelow", price });
const FILLED = { type: "filled", orderId: null, part: "all" } as const;

test("what is held outlives the process, and what has acted does not come again", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [acted] = await hold(world, keys[0], { message: SELL, conditions: [below(19_800)] });
  const [waits] = await hold(world, keys[1], { message: BUY, conditions: [below(19_500)] });
  world.snapshotOptions = atIndex(19_800);
  for (let count = 0; count < 3; count++) await world.step();
  const again = await world.restart();
  again.snapshotOptions = atIndex(19_800);
  for (let count = 0; count < 4; count++) await again.step();
  assert.deepEqual(await ordersOf(again, maker.account), ["S5@510"]);
  const { policy } = again.sequencer.service;
  assert.deepEqual(
    (await policy.held(maker.account)).map(({ id }) => id),
    [waits!.id],
  );
  assert.equal((await policy.heldHistory(maker.account))[0]?.id, acted!.id);
  again.snapshotOptions = atIndex(19_500);
  for (let count = 0; count < 4; count++) await again.step();
  assert.deepEqual(await ordersOf(again, maker.account), ["B5@490", "S5@510"]);
});

test("a restart ends every connection, and what waits for that goes out", async () => {
  const { world, maker, keys } = await createHeldMarket();
  await world.place(maker, { price: 480, lots: 3 });
  const { policy } = world.sequencer.service;
  policy.joined("one", maker.account);
  const condition = { type: "disconnected", connection: "one" } as const;
  await hold(world, keys[0], { message: CANCEL_ALL, conditions: [condition] });
  policy.left("two", false);
  for (let count = 0; count < 3; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@480"]);
  const again = await world.restart();
  for (let count = 0; count < 3; count++) await again.step();
  assert.deepEqual(await ordersOf(again, maker.account), []);
});

test("where others write too, nothing of before acts after a restart", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const conditions = [below(19_800)];
  const next = { message: BUY, conditions };
  const held = await hold(world, keys[0], { message: SELL, conditions }, next);
  const policy = { ...world.log.policy(), engine: "simplex" as const };
  const log = { ...createLog(DOMAIN, world.log.survivors()), policy: () => policy };
  const { clock, batches, checkpoints, settlement, accounts } = world;
  const disk = { clock, batches, checkpoints, settlement, accounts, records: [] };
  const again = await createWorld({}, disk, { log });
  again.snapshotOptions = atIndex(19_700);
  for (let count = 0; count < 4; count++) await again.step();
  assert.deepEqual(await ordersOf(again, maker.account), []);
  const ended = await again.sequencer.service.policy.heldHistory(maker.account);
  assert.deepEqual(
    ended.map(({ id, state }) => [id, state]),
    [...held].reverse().map(({ id }) => [id, "dropped"]),
  );
  assert.equal(ended.at(-1)?.reason, "writerMoved");
});

test("a record that was not stored before the crash is made up for by the log", async () => {
  const { world, maker, taker, keys } = await createHeldMarket();
  const slice = { message: SELL, conditions: [FILLED] };
  const conditions = [{ type: "time", at: world.clock.now() + 100 }] as const;
  const [first, next] = await hold(world, keys[0], { message: SELL, conditions }, slice);
  const before = structuredClone(world.accounts.kept.get(maker.account));
  await world.step(200);
  assert.deepEqual(await ordersOf(world, maker.account), ["S5@510"]);
  // The last thing that the log has: the next slice is due, but was not sent.
  await world.place(taker, { price: 510, lots: 5, timeInForce: "ioc" });
  assert.deepEqual(await ordersOf(world, maker.account), []);
  world.accounts.kept.set(maker.account, before);
  const again = await world.restart();
  const { policy } = again.sequencer.service;
  for (let count = 0; count < 4; count++) await again.step();
  assert.deepEqual(await ordersOf(again, maker.account), ["S5@510"]);
  assert.deepEqual(
    (await policy.heldHistory(maker.account)).map(({ id, state }) => [id, state]),
    [
      [next!.id, "sent"],
      [first!.id, "sent"],
    ],
  );
});
