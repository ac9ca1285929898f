// What ids of books have meant and when: opened again, after a restart, and when there is too much.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generationOf } from "../../../sequencer/engine/bookState.ts";
import type { BookOpening } from "../../../sequencer/market/publicBook.ts";
import type { Checkpoint } from "../../../sequencer/ports.ts";
import { type Book, emptySeries } from "../../../sequencer/protocol/state.ts";
import { createBookArchive, PAST_OPENINGS_KEPT } from "../../../sequencer/roles/bookArchive.ts";
import type { Effect } from "../../../sequencer/roles/effect.ts";
import type { SequencerMemory } from "../../../sequencer/roles/sequencerState.ts";
import { createMarket, createTrader, EXPIRY, type World } from "./market.ts";
import { openCombo } from "./rfqFixture.ts";

const CALL_OVER_PUT = [1, -1, 0] as const;
const SPREAD = [0, 1, -1] as const;

/** Three slots, of which `listAgain` raises the generation. */
function createState() {
  const table = [1, 2, 3].map((generation) => ({ ...emptySeries(), generation }));
  const books = new Map<number, Book>();
  return {
    series: () => table,
    book: (id: number) => books.get(id),
    bookIds: () => [...books.keys()],
    listAgain: (slot: number) => {
      table[slot]!.generation += 1;
    },
    /** As the engine does it, with the entry's effect. */
    open: (book: number, weights: readonly number[], time: number): Effect => {
      const generation = generationOf(weights, table);
      books.set(book, { weights, generation, fees: { taker: 0, maker: 0 }, bids: [], asks: [] });
      return opening({ book, weights, time });
    },
  };
}

function opening(
  { book, weights, time }: { book: number; weights: readonly number[]; time: number },
  outcome = "executed",
): Effect {
  const operation = { kind: "openBook", book, weights, fees: { taker: 0, maker: 0 } };
  const record = { operation, outcome, publicWords: [] };
  return { operation: record, batch: { number: 1, kind: "ledger", time } } as unknown as Effect;
}

/** `slot:generation:weight` of each leg, and the time between. */
function textOf({ book, legs, since, until }: BookOpening): string {
  const texts = legs.map(({ slot, generation, weight }) => `${slot}:${generation}:${weight}`);
  return `${book} ${texts.join(" ")} ${since}-${until ?? ""}`;
}

test("an id that is opened with other weights keeps what it meant before", () => {
  const state = createState();
  const archive = createBookArchive(state, 0);
  archive.observe(state.open(7, CALL_OVER_PUT, 1000));
  archive.observe(state.open(8, SPREAD, 1000));
  state.listAgain(1);
  archive.observe(state.open(7, SPREAD, 5000));
  archive.observe(opening({ book: 8, weights: CALL_OVER_PUT, time: 6000 }, "refused"));
  assert.deepEqual(archive.openings().map(textOf), [
    "7 0:1:1 1:2:-1 1000-5000",
    "7 1:3:1 2:3:-1 5000-",
    "8 1:2:1 2:3:-1 1000-",
  ]);
  const memory = JSON.parse(JSON.stringify(archive.openings()));
  const again = createBookArchive(state, 7000, memory);
  assert.deepEqual(again.openings(), archive.openings(), "a checkpoint keeps it");
  again.observe(state.open(8, CALL_OVER_PUT, 8000));
  assert.deepEqual(again.openings().map(textOf), [
    "7 0:1:1 1:2:-1 1000-5000",
    "8 1:2:1 2:3:-1 1000-8000",
    "7 1:3:1 2:3:-1 5000-",
    "8 0:1:1 1:3:-1 8000-",
  ]);
});

test("without a memory a book is known from then on, unless a leg has been listed again", () => {
  const state = createState();
  state.open(7, CALL_OVER_PUT, 1000);
  state.open(8, SPREAD, 1000);
  state.listAgain(2);
  const archive = createBookArchive(state, 4000);
  assert.deepEqual(archive.openings().map(textOf), ["7 0:1:1 1:2:-1 4000-"]);
  archive.observe(state.open(8, SPREAD, 5000));
  archive.observe(state.open(7, SPREAD, 6000));
  assert.deepEqual(archive.openings().map(textOf), [
    "7 0:1:1 1:2:-1 4000-6000",
    "7 1:2:1 2:4:-1 6000-",
    "8 1:2:1 2:4:-1 5000-",
  ]);
});

test("the oldest past openings are forgotten, and never what an id means now", () => {
  const state = createState();
  const archive = createBookArchive(state, 0);
  archive.observe(state.open(1, CALL_OVER_PUT, 1));
  for (let count = 0; count < PAST_OPENINGS_KEPT + 5; count++) {
    archive.observe(state.open(7, count % 2 === 0 ? SPREAD : CALL_OVER_PUT, 10 + count));
  }
  const kept = archive.openings();
  assert.equal(kept.filter(({ until }) => until !== null).length, PAST_OPENINGS_KEPT);
  assert.equal(kept.length, PAST_OPENINGS_KEPT + 2);
  assert.deepEqual([kept[0]?.book, kept[0]?.since], [7, 14]);
  assert.deepEqual(
    kept.slice(-2).map(({ book, since, until }) => [book, since, until]),
    [
      [1, 1, null],
      [7, 10 + PAST_OPENINGS_KEPT + 4, null],
    ],
  );
});

const LATER = EXPIRY + 86_400;
const SERIES = [0, 1, 2, 3].map((slot) => {
  const expiry = slot < 2 ? EXPIRY : LATER;
  return { slot, isCall: slot % 2 === 0, strike: 20_000, expiry };
});

/** Book 63 has been call over put of the first expiry, and is put over call of the second. */
async function reopen(): Promise<World> {
  const books = SERIES.map(({ slot }) => ({ book: slot, legs: [[slot, 1]] as const }));
  const plan = { series: SERIES, books };
  const { world } = await createMarket({ plan, packages: { combosMax: 1 } });
  assert.equal(await openCombo(world, 3), 63);
  world.clock.advance(EXPIRY * 1000 - world.clock.now() + 1000);
  assert.equal(
    await openCombo(world, 3, [
      [2, -1],
      [3, 1],
    ]),
    63,
  );
  return world;
}

/** Batches of deposits until the next one. */
async function saveCheckpoint(world: World): Promise<Checkpoint> {
  const { saved } = world.checkpoints;
  const before = saved.length;
  for (let count = 0; count < 60 && saved.length === before; count++) {
    world.deposit(createTrader(3), 1);
    await world.step(11_000);
  }
  const checkpoint = saved.at(-1);
  if (checkpoint === undefined || saved.length === before) throw new Error("none was saved");
  return checkpoint;
}

test("after a restart from a checkpoint ids mean and meant what they did", async () => {
  const world = await reopen();
  await saveCheckpoint(world);
  const before = await world.sequencer.service.bookOpenings();
  const legs = (book: number) =>
    before
      .filter((item) => item.book === book)
      .map((item) => item.legs.map(({ slot, weight }) => [slot, weight]));
  assert.deepEqual(legs(63), [
    [
      [0, 1],
      [1, -1],
    ],
    [
      [2, -1],
      [3, 1],
    ],
  ]);
  const times = world.log.records.flatMap(({ entry }) => {
    return entry.type === "open" && entry.kind === "ledger" ? [entry.time] : [];
  });
  assert.ok(before.every(({ since }) => times.includes(since)));
  await world.sequencer.stop();
  const restarted = await world.restart();
  assert.deepEqual(await restarted.sequencer.service.bookOpenings(), before);
  await restarted.sequencer.stop();
});

test("a checkpoint of before the archive loads, and claims nothing of its past", async () => {
  const world = await reopen();
  const checkpoint = await saveCheckpoint(world);
  const { trackers, ...rest } = checkpoint.extra as SequencerMemory;
  assert.ok(trackers.openings !== undefined && trackers.openings.length > 5);
  const { openings: _, ...older } = trackers;
  world.checkpoints.saved.push({ ...checkpoint, extra: { ...rest, trackers: older } });
  await world.sequencer.stop();
  const restarted = await world.restart();
  const known = await restarted.sequencer.service.bookOpenings();
  assert.deepEqual(
    known.map(({ book, until }) => [book, until]),
    [0, 1, 2, 3, 63].map((book) => [book, null]),
  );
  assert.ok(known.every(({ since }) => since >= checkpoint.time));
  await restarted.sequencer.stop();
});
