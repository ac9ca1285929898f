// Protection of market makers: what resting orders are filled for, within an interval.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProtectionLimits } from "../../../sequencer/protocol/heldWord.ts";
import {
  addKey,
  BUY,
  CANCEL_ALL,
  createHeldMarket,
  type HeldWorld,
  hold,
  ordersOf,
  SELL,
  toldOf,
} from "./heldFixture.ts";
import { createTrader } from "./market.ts";

const LIMITS: ProtectionLimits = {
  ...{ intervalMs: 2000, frozenMs: 5000, quantity: 0.1, delta: null, vega: null },
};

async function quoted(limits: Partial<ProtectionLimits> = {}): Promise<HeldWorld> {
  const market = await createHeldMarket();
  const { world, maker } = market;
  await world.sequencer.service.policy.protect(maker.account, { ...LIMITS, ...limits });
  for (const price of [510, 511, 512, 513]) {
    await world.place(maker, { isSell: true, price, lots: 5 });
    await world.place(maker, { isSell: false, price: price - 30, lots: 5 });
  }
  return market;
}

async function isFrozen({ world, maker }: HeldWorld): Promise<boolean | undefined> {
  return (await world.sequencer.service.policy.protection(maker.account))?.isFrozen;
}

/** The code of an order of the account that would rest, or an immediate one. */
async function tried({ world, maker }: HeldWorld, timeInForce: "gtc" | "ioc"): Promise<string> {
  const signed = maker.peek({ ...SELL, price: 520, timeInForce });
  const { account } = maker;
  const result = await world.sequencer.service.submit({ account, keyIndex: 0, ...signed });
  if (result.accepted) maker.next({ ...SELL, price: 520, timeInForce });
  return result.accepted ? "accepted" : result.code;
}

test("fills of several takers by several orders add up, and the word goes out once", async () => {
  const market = await quoted();
  const { world, maker, taker, keys } = market;
  const [word] = await hold(world, keys[0], {
    message: CANCEL_ALL,
    conditions: [{ type: "protection" }],
  });
  const other = createTrader(5);
  world.open(other, 1_000_000_000);
  for (let count = 0; count < 3; count++) await world.step(300);
  await world.place(taker, { price: 510, lots: 5, timeInForce: "ioc" });
  assert.equal(await isFrozen(market), false);
  await world.place(other, { isSell: true, price: 483, lots: 4, timeInForce: "ioc" });
  assert.equal(await isFrozen(market), false, "one lot is missing");
  await world.place(other, { price: 511, lots: 1, timeInForce: "ioc" });
  assert.equal(await isFrozen(market), true);
  for (let count = 0; count < 3; count++) await world.step(10);
  assert.deepEqual(await ordersOf(world, maker.account), []);
  assert.deepEqual(toldOf(world, word!.id).at(-1), ["sent", null]);
  const triggers = world.events.filter(({ type }) => type === "protection");
  assert.equal(triggers.length, 1);
});

test("what rests is refused until the freeze is over, what is immediate is not", async () => {
  const market = await quoted();
  const { world, taker } = market;
  await world.place(taker, { price: 511, lots: 10, timeInForce: "ioc" });
  assert.deepEqual(
    [await tried(market, "gtc"), await tried(market, "ioc")],
    ["quotesFrozen", "accepted"],
  );
  world.clock.advance(4999);
  assert.equal(await tried(market, "gtc"), "quotesFrozen");
  world.clock.advance(1);
  assert.equal(await tried(market, "gtc"), "accepted");
});

test("fills that are further apart than the interval do not add up", async () => {
  const market = await quoted();
  const { world, taker } = market;
  for (let count = 0; count < 4; count++) {
    await world.place(taker, { price: 513, lots: 4, timeInForce: "ioc" });
    await world.step(2000);
  }
  assert.equal(await isFrozen(market), false);
});

test("the account's own taking does not count, nor anybody else's fills", async () => {
  const market = await quoted();
  const { world, maker, taker } = market;
  for (const isSell of [true, false]) {
    const price = isSell ? 530 : 470;
    await world.place(taker, { isSell, price, lots: 50 });
  }
  await world.submit(maker, { ...CANCEL_ALL });
  await world.place(maker, { price: 530, lots: 50, timeInForce: "ioc" });
  assert.equal(await isFrozen(market), false);
});

test("delta is netted, vega is too: what hedges itself does not trigger", async () => {
  for (const [limits, expected] of [
    [{ quantity: null, delta: 0.02 }, true],
    [{ quantity: null, delta: 5 }, false],
    [{ quantity: null, vega: 0.01 }, true],
    [{ quantity: null, vega: 1e6 }, false],
  ] as const) {
    const market = await quoted(limits);
    const { world, taker } = market;
    await world.place(taker, { price: 510, lots: 5, timeInForce: "ioc" });
    assert.equal(await isFrozen(market), expected, JSON.stringify(limits));
  }
  const hedged = await quoted({ quantity: null, delta: 0.04 });
  for (let count = 0; count < 4; count++) {
    await hedged.world.place(hedged.taker, { price: 513, lots: 5, timeInForce: "ioc" });
    const sell = { isSell: true, price: 480, lots: 5, timeInForce: "ioc" } as const;
    await hedged.world.place(hedged.taker, sell);
  }
  assert.equal(await isFrozen(hedged), false);
});

test("a freeze until it is reset outlives the process", async () => {
  const market = await quoted({ frozenMs: 0 });
  await market.world.place(market.taker, { price: 511, lots: 10, timeInForce: "ioc" });
  const again = { ...market, world: await market.world.restart() };
  for (let count = 0; count < 3; count++) await again.world.step(1000);
  again.world.clock.advance(1000);
  assert.equal(await tried(again, "gtc"), "quotesFrozen");
  const { policy } = again.world.sequencer.service;
  await policy.protect(again.maker.account, { ...LIMITS, quantity: 99 });
  assert.equal(await tried(again, "gtc"), "quotesFrozen", "other limits end no freeze");
  await policy.resetProtection(again.maker.account);
  assert.equal(await tried(again, "gtc"), "accepted");
  await policy.protect(again.maker.account, null);
  assert.equal(await policy.protection(again.maker.account), null);
});

test("a key that is replaced takes its words along", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [word] = await hold(world, keys[0], {
    message: BUY,
    conditions: [{ type: "time", at: world.clock.now() + 60_000 }],
  });
  addKey(world, maker, 1);
  for (let count = 0; count < 4; count++) await world.step(400);
  assert.deepEqual(toldOf(world, word!.id).at(-1), ["dropped", "keyChanged"]);
});
