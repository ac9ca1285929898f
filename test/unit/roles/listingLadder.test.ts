// The ladder follows a moving market: simulated months of listing, expiring and moving prices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMBINATIONS, combinationLegs } from "../../../sequencer/roles/combinations.ts";
import { SECONDS_PER_DAY, wantedExpiries } from "../../../sequencer/roles/expiryCalendar.ts";
import {
  DEFAULT_LADDER,
  type LadderConfig,
  type LadderMarket,
  missingBook,
  missingSeries,
  niceStep,
  strikesOf,
} from "../../../sequencer/roles/listingLadder.ts";
import { createChance } from "../../simulation/random.ts";

const MOST = 5;
const CONFIG: LadderConfig = { ...DEFAULT_LADDER, startTicks: 25_000 };
/** Monday 2026-01-05, 12:00 UTC. */
const MONDAY = Date.UTC(2026, 0, 5, 12) / 1000;
const BOOK_IDS = 256;
const text = (expiry: number) => new Date(expiry * 1000).toISOString().slice(0, 16);

test("expiries are daily, weekly on Fridays and monthly on last Fridays, each once", () => {
  const counts = { dailies: 2, weeklies: 2, monthlies: 2, minimumSeconds: 3600 };
  assert.deepEqual(wantedExpiries(counts, MONDAY).map(text), [
    "2026-01-06T08:00",
    "2026-01-07T08:00",
    "2026-01-09T08:00",
    "2026-01-16T08:00",
    "2026-01-30T08:00",
    "2026-02-27T08:00",
  ]);
  // On the last Friday, an hour before: too late for the day itself.
  const friday = Date.UTC(2026, 0, 30, 7, 0, 1) / 1000;
  assert.deepEqual(wantedExpiries({ ...counts, dailies: 1, weeklies: 1 }, friday).map(text), [
    "2026-01-31T08:00",
    "2026-02-06T08:00",
    "2026-02-27T08:00",
    "2026-03-27T08:00",
  ]);
  assert.equal(text(wantedExpiries(counts, friday - 1)[0]!), "2026-01-30T08:00");
});

test("steps are round, and strikes reach as far as prices may move by the root of time", () => {
  assert.deepEqual([0.3, 1, 1.4, 3.4, 7.2, 900, 26].map(niceStep), [1, 1, 1, 5, 10, 1000, 20]);
  const market = { seconds: MONDAY, forward: () => 25_000, volatility: () => 0.64 };
  const reach = (days: number): number => {
    const { rings } = strikesOf(CONFIG, market, MONDAY + days * SECONDS_PER_DAY);
    return Math.max(...rings.flat()) - 25_000;
  };
  // 0.64 sqrt(1 / 365) of 25000 is 837 a day: half of it makes a step of 500.
  // Sixteen days move it four times as far: 5024 on each side, in steps of 2000 around 26000.
  assert.deepEqual([reach(1), reach(16)], [1000, 5000]);
});

interface Venue {
  seconds: number;
  price: number;
  readonly slots: {
    terms: { isCall: boolean; strike: number; expiry: number } | undefined;
    holders: boolean;
    generation: number;
  }[];
  readonly books: Map<number, { weights: number[]; generations: number[] }>;
}

function isOpen(venue: Venue, id: number): boolean {
  const book = venue.books.get(id);
  return (
    book?.weights.every((weight, slot) => {
      const { terms, generation } = venue.slots[slot]!;
      const isSame = terms !== undefined && generation === book.generations[slot];
      return weight === 0 || (isSame && terms.expiry > venue.seconds);
    }) === true
  );
}

function marketOf(venue: Venue): LadderMarket {
  return {
    seconds: venue.seconds,
    listed: venue.slots.flatMap(({ terms }, slot) => (terms ? [{ slot, ...terms }] : [])),
    slots: venue.slots.map(({ terms, holders }, slot) => ({
      slot,
      isFree: terms === undefined && !holders,
      terms: terms && { slot, ...terms },
    })),
    books: [...venue.books].map(([book, { weights }]) => {
      return { book, weights, isOpen: isOpen(venue, book) };
    }),
    bookIds: Array.from({ length: BOOK_IDS }, (_, id) => id),
    forward: () => venue.price,
    volatility: () => 0.7,
  };
}

/** Does what the ladder asks for, as the ledger would, and checks that the ledger would take it. */
function fill(venue: Venue, config: LadderConfig): void {
  for (let count = 0; count < 1000; count++) {
    const market = marketOf(venue);
    const added = missingBook(config, market);
    const missing = missingSeries(config, market, MOST);
    // Oracles may price any of them first.
    const series = count % 2 === 0 ? missing[0] : missing.at(-1);
    if (added === undefined && series === undefined) return;
    if (added === undefined && series !== undefined) {
      assert.deepEqual(missingSeries(config, market, 1), missing.slice(0, 1));
      const { slot, ...terms } = series;
      const place = venue.slots[slot]!;
      assert.ok(place.terms === undefined && !place.holders, "the slot is free");
      assert.ok(terms.expiry - venue.seconds >= config.minimumSeconds);
      assert.ok(Number.isInteger(terms.strike) && terms.strike > 0);
      const twin = venue.slots.some((other) => {
        return other.terms && JSON.stringify(other.terms) === JSON.stringify(terms);
      });
      assert.ok(!twin, "nothing is listed twice");
      Object.assign(place, { terms, generation: place.generation + 1 });
    } else if (added !== undefined) {
      const { book, legs } = added;
      assert.ok(!isOpen(venue, book), "the id is free");
      const weights = venue.slots.map((_, slot) => legs.find(([leg]) => leg === slot)?.[1] ?? 0);
      const generations = venue.slots.map(({ generation }) => generation);
      venue.books.set(book, { weights, generations });
      assert.ok(isOpen(venue, book));
    }
  }
  assert.fail("the ladder never comes to an end");
}

/** Expired series settle; holders keep some slots for a while. */
function expire(venue: Venue, chance: ReturnType<typeof createChance>): void {
  for (const place of venue.slots) {
    if (place.terms === undefined) place.holders &&= chance.happens(50);
    else if (place.terms.expiry <= venue.seconds) {
      place.terms = undefined;
      place.holders = chance.happens(30);
    }
  }
}

for (const [slots, change] of [
  [64, {}],
  [16, { dailies: 2, weeklies: 0, monthlies: 0, slotsMax: 16, spareSlots: 6 }],
] as const) {
  test(`three months of moving prices in ${slots} slots`, (context) => {
    const chance = createChance(7);
    const config: LadderConfig = { ...CONFIG, ...change, combinations: COMBINATIONS };
    const place = { terms: undefined, holders: false, generation: 0 };
    const venue: Venue = {
      ...{ seconds: MONDAY, price: 25_000, books: new Map() },
      slots: Array.from({ length: slots }, () => ({ ...place })),
    };
    let [atMoney, checked, listed] = [0, 0, 0];
    for (let hour = 0; hour < 24 * 90; hour += 4) {
      venue.seconds = MONDAY + hour * 3600;
      venue.price = Math.max(
        Math.round(venue.price * (1 + (chance.pick(2001) - 1000) / 50_000)),
        50,
      );
      expire(venue, chance);
      fill(venue, config);
      const live = venue.slots.flatMap(({ terms }) => terms ?? []);
      listed += live.length;
      assert.ok(live.length <= config.slotsMax);
      const market = marketOf(venue);
      const combined = market.books.filter(
        ({ isOpen: open, weights }) => open && weights.filter((weight) => weight !== 0).length > 1,
      );
      assert.ok(combined.length <= config.combinationsMax);
      for (const expiry of wantedExpiries(config, venue.seconds)) {
        const { step, rings } = strikesOf(config, market, expiry);
        const near = live.filter((terms) => {
          return terms.expiry === expiry && 2 * Math.abs(terms.strike - rings[0]![0]!) < step;
        });
        checked += 1;
        if (near.some(({ isCall }) => isCall) && near.some(({ isCall }) => !isCall)) atMoney += 1;
      }
    }
    const ids = Math.max(...venue.books.keys());
    const share = atMoney / checked;
    context.diagnostic(
      `${(100 * share).toFixed(1)} % of expiries have both options at the money; ` +
        `${Math.round(listed / (24 * 90) / 0.25)} series on average; highest book ${ids}`,
    );
    assert.ok(share > 0.9);
  });
}

test("combinations have the legs that their names say, or none", () => {
  const expiry = MONDAY + 10 * SECONDS_PER_DAY;
  const later = expiry + 7 * SECONDS_PER_DAY;
  const strikes = [90, 100, 110, 120];
  const chain = [true, false].flatMap((isCall) => strikes.map((strike) => ({ isCall, strike })));
  const series = [
    ...chain.map((terms) => ({ ...terms, expiry })),
    { isCall: true, strike: 100, expiry: later },
  ].map((terms, slot) => ({ slot, ...terms }));
  const place = { expiry, forward: 101 };
  const expected = {
    straddle: [
      [1, 1],
      [5, 1],
    ],
    strangle: [
      [4, 1],
      [2, 1],
    ],
    vertical: [
      [1, 1],
      [2, -1],
    ],
    butterfly: [
      [0, 1],
      [1, -2],
      [2, 1],
    ],
    condor: [
      [0, 1],
      [1, -1],
      [2, -1],
      [3, 1],
    ],
    calendar: [
      [1, -1],
      [8, 1],
    ],
  };
  for (const kind of COMBINATIONS) {
    assert.deepEqual(combinationLegs(kind, series, place), expected[kind], kind);
    const single = series.filter(({ slot }) => slot === 1);
    assert.equal(combinationLegs(kind, single, place), undefined, kind);
    assert.equal(combinationLegs(kind, [], place), undefined, kind);
  }
});
