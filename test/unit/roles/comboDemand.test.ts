// Books that traders ask for: which ids they get, when they are opened, how many there are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LADDER } from "../../../sequencer/roles/listingLadder.ts";
import { createMarket, EXPIRY, type World } from "./market.ts";
import { COMBO, codeOf, LEGS, openCombo } from "./rfqFixture.ts";

type Legs = Parameters<World["sequencer"]["service"]["packages"]["openCombo"]>[1];

const ratio = (call: number, put: number): Legs => [
  [0, call],
  [1, put],
];

async function pass(world: World, times = 4): Promise<void> {
  for (let count = 0; count < times; count++) {
    await world.step(1000);
    await world.prove();
  }
}

test("a combination is opened at the end of the tree, and once", async () => {
  const { world } = await createMarket();
  const { packages } = world.sequencer.service;
  const [one, other] = [packages.openCombo(3, LEGS), packages.openCombo(4, LEGS)];
  await pass(world);
  const opened = { accepted: true, book: COMBO, isOpen: true };
  assert.deepEqual([await one, await other], [opened, opened]);
  assert.deepEqual(await packages.openCombo(3, LEGS), opened);
  assert.equal(await openCombo(world, 3, ratio(1, -2) as typeof LEGS), COMBO + 1);
  // The plan's own books are found as they are.
  const plain = await packages.openCombo(3, [[0, 1]]);
  assert.deepEqual(plain, { accepted: true, book: 0, isOpen: true });
  const openings = world.log.records.filter(
    ({ entry }) => entry.type === "operation" && entry.operation.kind === "openBook",
  );
  assert.equal(openings.length, 4);
});

test("legs that are not listed, or soon are no more, are refused", async () => {
  const { world } = await createMarket();
  const { packages } = world.sequencer.service;
  assert.equal(codeOf(await packages.openCombo(3, [[7, 1]])), "bookClosed");
  world.clock.advance(EXPIRY * 1000 - world.clock.now() - 30_000);
  assert.equal(codeOf(await packages.openCombo(3, LEGS)), "bookClosed");
});

test("combinations that wait, are open or are asked for are bounded", async () => {
  const { world } = await createMarket({ packages: { combosMax: 3, combosPerHour: 6 } });
  const { packages } = world.sequencer.service;
  const waiting = [1, 2, 3].map((put) => packages.openCombo(3, ratio(1, -put)));
  const full = await packages.openCombo(4, ratio(1, -4));
  assert.equal(codeOf(full), "booksFull");
  await pass(world);
  assert.deepEqual(
    (await Promise.all(waiting)).map((each) => each.accepted && each.book),
    [61, 62, 63],
  );
  assert.equal(codeOf(await packages.openCombo(4, ratio(1, -4))), "booksFull");
  const { world: second } = await createMarket({ packages: { combosPerHour: 6 } });
  const ask = (put: number) => second.sequencer.service.packages.openCombo(3, ratio(1, -put));
  const four = [1, 2, 3, 4].map(ask);
  const fifth = await ask(5);
  assert.equal(codeOf(fifth), "booksFull");
  assert.ok("reason" in fifth && fifth.reason?.includes("of an account wait"));
  await pass(second);
  await Promise.all(four);
  const more = [5, 6].map(ask);
  assert.equal(codeOf(await ask(7)), "rateLimited");
  await pass(second);
  await Promise.all(more);
});

test("whoever waits too long is told, and the book is opened all the same", async () => {
  const { world } = await createMarket();
  const { packages } = world.sequencer.service;
  const asked = packages.openCombo(3, LEGS);
  // Nothing is proven, so that no further listing is due.
  for (let count = 0; count < 12; count++) await world.step(500);
  assert.deepEqual(await asked, { accepted: true, book: null, isOpen: false });
  await pass(world);
  assert.deepEqual(await packages.openCombo(3, LEGS), {
    ...{ accepted: true, book: COMBO, isOpen: true },
  });
  const forgotten = packages.openCombo(3, ratio(1, -3));
  world.isOracleAway = true;
  for (let count = 0; count < 3; count++) await world.step(60_000);
  await forgotten;
  const again = packages.openCombo(3, ratio(1, -3));
  await world.step(1);
  world.isOracleAway = false;
  await pass(world);
  assert.ok((await again).accepted);
});

test("a book whose series has expired is free for another combination", async () => {
  const later = EXPIRY + 86_400;
  const series = [
    ...[true, false].map((isCall, slot) => ({ slot, isCall, strike: 20_000, expiry: EXPIRY })),
    ...[2, 3].map((slot) => ({ slot, isCall: slot === 2, strike: 20_000, expiry: later })),
  ];
  const books = series.map(({ slot }) => ({ book: slot, legs: [[slot, 1]] as const }));
  const { world } = await createMarket({
    plan: { series, books },
    packages: { combosMax: 1 },
  });
  await pass(world);
  assert.equal(await openCombo(world, 3), 63);
  const { packages } = world.sequencer.service;
  const second: Legs = [
    [2, 1],
    [3, -1],
  ];
  assert.equal(codeOf(await packages.openCombo(3, second)), "booksFull");
  world.clock.advance(EXPIRY * 1000 - world.clock.now() + 1000);
  const asked = packages.openCombo(3, second);
  await pass(world, 6);
  assert.deepEqual(await asked, { accepted: true, book: 63, isOpen: true });
});

test("the ladder keeps its books apart from those that somebody has asked for", async () => {
  const ladder = { ...DEFAULT_LADDER, startTicks: 20_000, combinationsMax: 2, slotsMax: 8 };
  const { world } = await createMarket({ ladder, plan: { series: [], books: [] } });
  await pass(world, 12);
  const before = (await world.sequencer.service.books()).map(({ book }) => book);
  assert.ok(before.length > 0 && before.every((book) => book < COMBO), before.join());
});
