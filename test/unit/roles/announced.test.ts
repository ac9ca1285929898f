// A series is announced, priced by the oracles, and only then listed: no listing stops trading.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withAnnounced } from "../../../sequencer/oracle/feed.ts";
import { NO_TERMS, type Snapshot } from "../../../sequencer/protocol/snapshot.ts";
import { DEFAULT_LADDER } from "../../../sequencer/roles/listingLadder.ts";
import { createUnpricedWatch } from "../../../sequencer/roles/unpricedWatch.ts";
import {
  CONFIG,
  createTrader,
  createWorld,
  EXPIRY,
  PLACE,
  START,
  snapshotAt,
  type World,
} from "./market.ts";
import { createClock, silent } from "./ports.ts";

const LADDER = {
  ...{ ...DEFAULT_LADDER, startTicks: 20_000, dailies: 2, weeklies: 0, monthlies: 0 },
  ...{ slotsMax: 10, spareSlots: 4, combinations: ["straddle"] as const },
};

/** Slots by the order of their listings; fails where one's batch had no price for it. */
function pricedListings({ log }: World): number[] {
  let snapshot: Snapshot | undefined;
  const listed: number[] = [];
  for (const { entry } of log.survivors()) {
    if (entry.type === "open") snapshot = entry.snapshot;
    if (entry.type !== "operation" || entry.operation.kind !== "listSeries") continue;
    const { slot, isCall, strike, expiry } = entry.operation;
    assert.deepEqual(snapshot?.slots[slot]?.terms, { isCall, strike, expiry }, `slot ${slot}`);
    listed.push(slot);
  }
  return listed;
}

test("orders are taken between a listing and the next snapshot", async () => {
  const world = await createWorld({ ladder: LADDER });
  const trader = createTrader(3);
  world.open(trader, 1_000_000_000);
  let taken = 0;
  for (let count = 0; count < 60; count++) {
    await world.step(1000);
    await world.prove();
    const { series, snapshotTime } = await world.sequencer.service.chain();
    if (!series.some(({ book }) => book === 0) || snapshotTime === null) continue;
    const deadline = world.clock.now() + 60_000;
    const result = await world.submit(trader, { ...PLACE, price: 1, deadline });
    assert.ok(result.accepted, `${"code" in result && result.code}`);
    taken++;
  }
  const listed = pricedListings(world);
  assert.ok(listed.length > CONFIG.plan.series.length + 2, `${listed}`);
  assert.ok(taken > 40, `${taken} orders`);
});

test("what nobody prices is announced and not listed; the rest is, and trades", async () => {
  const world = await createWorld();
  world.snapshotOptions = { blindSlots: [0] };
  for (let count = 0; count < 20; count++) {
    await world.step(1000);
    await world.prove();
  }
  const { service } = world.sequencer;
  const chain = await service.chain();
  assert.deepEqual(pricedListings(world), [1]);
  assert.deepEqual(chain.announced, [{ slot: 0, isCall: true, strike: 20_000, expiry: EXPIRY }]);
  assert.equal((await service.books()).length, 1);
  world.snapshotOptions = {};
  for (let count = 0; count < 5; count++) {
    await world.step(1000);
    await world.prove();
  }
  assert.deepEqual(pricedListings(world), [1, 0]);
  assert.deepEqual((await service.chain()).announced, []);
});

test("what stays without a price for a minute is told once", () => {
  const clock = createClock(START);
  const told: unknown[] = [];
  const series = { slot: 3, isCall: true, strike: 20_000, expiry: EXPIRY };
  const other = { ...series, slot: 4 };
  let announced = [series, other];
  let blindSlots: number[] = [3, 4];
  const table = [NO_TERMS, NO_TERMS, NO_TERMS, series, other];
  const watch = { newest: () => snapshotAt(clock.now(), { blindSlots }, table) };
  const logger = { ...silent, warn: (_: string, fields?: object) => void told.push(fields) };
  const unpriced = createUnpricedWatch({ clock, logger, watch, announced: () => announced });
  const lookFor = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 3000) {
      unpriced.look();
      clock.advance(3000);
    }
  };
  lookFor(57_000);
  assert.deepEqual(told, []);
  blindSlots = [3];
  lookFor(12_000);
  assert.deepEqual(told, [series], "the other one has its price");
  lookFor(120_000);
  assert.equal(told.length, 1);
  announced = [];
  lookFor(6000);
  announced = [other];
  blindSlots = [4];
  lookFor(57_000);
  assert.equal(told.length, 1, "its time begins anew");
  lookFor(12_000);
  assert.deepEqual(told, [series, other]);
});

test("the ladder announces nothing that the plan has announced", async () => {
  const world = await createWorld({ ladder: LADDER });
  world.snapshotOptions = { blindSlots: Array.from({ length: 16 }, (_, slot) => slot) };
  for (let count = 0; count < 5; count++) await world.step(1000);
  const { series, announced } = await world.sequencer.service.chain();
  assert.deepEqual(announced.slice(0, 2), CONFIG.plan.series);
  assert.ok(announced.length > 4, "what the ladder wants stands behind it");
  const terms = announced.map(({ slot: _, ...rest }) => JSON.stringify(rest));
  assert.equal(new Set(terms).size, terms.length);
  assert.equal(new Set(announced.map(({ slot }) => slot)).size, announced.length);
  assert.ok(series.every(({ status }) => status === "empty"));
  const { slots } = snapshotAt(world.clock.now(), {}, withAnnounced(series, announced));
  for (const { slot, strike } of announced) assert.equal(slots[slot]?.terms.strike, strike);
});
