// A slot's next series and a book's next run have names of their own: what happened before keeps
// the names of its time.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Catalogue, createCatalogueSource } from "../../../sequencer/api/rpc/catalogue.ts";
import { heldShape } from "../../../sequencer/api/rpc/heldShapes.ts";
import { bookNameAt, seriesNameAt } from "../../../sequencer/api/rpc/pastNames.ts";
import { blockTradeShape, legShapes, rfqShape } from "../../../sequencer/api/rpc/rfqShapes.ts";
import { transactionShapes } from "../../../sequencer/api/rpc/transactionShapes.ts";
import type { AccountEvent } from "../../../sequencer/exchangeService.ts";
import type { BookOpening, Listing } from "../../../sequencer/market/publicBook.ts";
import type { RfqInfo, RfqTrade } from "../../../sequencer/protocol/blockRfq.ts";
import type { HeldInfo } from "../../../sequencer/protocol/heldWord.ts";
import { PLACE } from "../roles/market.ts";
import { createClock } from "../roles/ports.ts";
import { BOOKS, bookOpenings, chainInfo, listings, SNAPSHOT_TIME } from "./fakeMarket.ts";
import { ACCOUNT, createFakeService } from "./fakeService.ts";

const DAY_MS = 86_400_000;
/** Slot 2 has had three series: unknown since when, then since these (unix ms). */
const SECOND = SNAPSHOT_TIME - 20 * DAY_MS;
const THIRD = SNAPSHOT_TIME;
const NAMES = {
  first: "ETH-20261030-2900-C",
  second: "ETH-20261113-3050-P",
  third: "ETH-20261225-3200-C",
} as const;

const SECOND_LISTING: Listing = {
  ...{ slot: 2, generation: 1, isCall: false, strike: 30_500, listedAt: SECOND },
  ...{ expiry: Date.UTC(2026, 10, 13, 8) / 1000, settledAt: THIRD - 1, settlementPrice: 10 },
};

function thirdInPlace<T extends Pick<Listing, "slot" | "generation">>(item: T): T {
  return item.slot === 2 ? { ...item, generation: 2 } : item;
}

/** Of book 9: slot 2 alone, each time that it had another series. */
const OPENINGS: readonly BookOpening[] = [
  [0, SECOND],
  [SECOND, THIRD],
  [THIRD, null],
].map(([since, until], generation) => {
  return {
    book: 9,
    legs: [{ slot: 2, weight: 1, generation }],
    since: since ?? 0,
    until: until ?? null,
  };
});

/** Book 8 was a spread of slot 2 and is the straddle of slots 0 and 1. */
const STRADDLE = THIRD + DAY_MS;
const REUSED: readonly BookOpening[] = [
  {
    ...{ book: 8, since: THIRD, until: STRADDLE },
    legs: [
      { slot: 0, weight: 1, generation: 1 },
      { slot: 2, weight: -1, generation: 2 },
    ],
  },
  {
    ...{ book: 8, since: STRADDLE, until: null },
    legs: [0, 1].map((slot) => ({ slot, weight: 1, generation: 1 })),
  },
];

function spread(opening: BookOpening): BookOpening {
  return { ...opening, legs: opening.legs.map(thirdInPlace) };
}

let catalogue: Catalogue;

before(async () => {
  const service = createFakeService();
  const [oldest, ...present] = listings();
  const chain = chainInfo();
  Object.assign(service, {
    listings: async () => [oldest, SECOND_LISTING, ...present.map(thirdInPlace)],
    chain: async () => ({ ...chain, series: chain.series.map(thirdInPlace) }),
    books: async () => [...BOOKS, { ...BOOKS[2]!, book: 8 }],
    bookOpenings: async () => [...bookOpenings().map(spread), ...OPENINGS, ...REUSED],
  });
  catalogue = await createCatalogueSource(service, createClock(SNAPSHOT_TIME)).current();
});

test("a slot has the name of the series that it held then, to the millisecond", () => {
  for (const [time, name] of [
    [0, NAMES.first],
    [SECOND - 1, NAMES.first],
    [SECOND, NAMES.second],
    // Settled, and still there.
    [THIRD - 1, NAMES.second],
    [THIRD, NAMES.third],
    [THIRD + 100 * DAY_MS, NAMES.third],
  ] as const) {
    assert.equal(seriesNameAt(2, time, catalogue), name, `${time}`);
    assert.equal(bookNameAt(9, time, catalogue), name, `${time}`);
  }
});

const [SPREAD_NAME, STRADDLE_NAME] = ["ETH-CS-20261225-3000_3200", "ETH-STRD-20261225-3000"];

test("a book has the name of the combination that it was opened for then", () => {
  for (const [time, name] of [
    [THIRD - 1, undefined],
    [THIRD, SPREAD_NAME],
    [STRADDLE - 1, SPREAD_NAME],
    [STRADDLE, STRADDLE_NAME],
    [STRADDLE + 100 * DAY_MS, STRADDLE_NAME],
  ] as const) {
    assert.equal(bookNameAt(8, time, catalogue), name, `${time}`);
  }
  // What the id means now says nothing of a time that nobody remembers.
  const openings = new Map([[8, REUSED.slice(1)]]);
  assert.equal(bookNameAt(8, STRADDLE - 1, { ...catalogue, openings }), undefined);
  assert.equal(bookNameAt(8, STRADDLE, { ...catalogue, openings }), STRADDLE_NAME);
});

test("what a node does not know of has no name", () => {
  // Slots 0 and 1 had nothing that it knows of before their first series.
  assert.equal(seriesNameAt(0, SNAPSHOT_TIME - 1, catalogue), undefined);
  assert.equal(seriesNameAt(3, SNAPSHOT_TIME, catalogue), undefined);
  assert.equal(bookNameAt(1, SNAPSHOT_TIME - 1, catalogue), undefined);
  // Of a spread's two legs it knows one.
  assert.equal(seriesNameAt(2, SNAPSHOT_TIME - 1, catalogue), NAMES.second);
  assert.equal(bookNameAt(2, SNAPSHOT_TIME - 1, catalogue), undefined);
  assert.equal(bookNameAt(2, SNAPSHOT_TIME, catalogue), "ETH-CS-20261225-3000_3200");
  assert.equal(bookNameAt(77, SNAPSHOT_TIME, catalogue), undefined);
});

/** A fill in the slot's own book, and a takeover of its position, of one moment. */
function eventsAt(time: number): AccountEvent[] {
  const at = { account: ACCOUNT, time, batchNumber: 3 };
  const order = { orderId: "9-B-100-4", book: 9, isSell: false, price: 100, seq: 4, lots: 0 };
  const fill = { tradeId: 4, price: 100, lots: 10, isTaker: true, fee: 30_000 };
  const taken = { action: "backstop", slot: 2, lots: 5, price: 120, amount: 0 } as const;
  return [
    { type: "order", update: { ...at, ...order, state: "closed", reason: "filled", fill } },
    {
      type: "liquidation",
      update: { ...at, ...taken, book: null, isSell: false, counterparty: 12 },
    },
  ];
}

test("the rows of a history bear the names of their time", () => {
  const events = [THIRD, THIRD - 1, SECOND - 1].flatMap(eventsAt);
  assert.deepEqual(
    transactionShapes(events, catalogue).map(({ type, instrument_name }) => [
      type,
      instrument_name,
    ]),
    [NAMES.third, NAMES.second, NAMES.first].flatMap((name) => [
      ["trade", name],
      ["liquidation backstop", name],
    ]),
  );
  const [row] = transactionShapes(eventsAt(0).slice(0, 1), { ...catalogue, listings: [] });
  assert.deepEqual([row?.type, row?.instrument_name], ["trade", null]);
});

/** Of one lot of book 8 while it was the spread. */
const TRADE: RfqTrade = {
  ...{ id: 1, book: 8, isSell: false, lots: 1, time: STRADDLE - 1, logPosition: 5 },
  fills: [{ price: 10, lots: 1, maker: 3 }],
};
const RFQ: RfqInfo = {
  ...{ id: 1, account: ACCOUNT, book: 8, isReversed: false, lots: 1, label: "", makers: null },
  ...{
    isDisclosed: false,
    state: "open",
    createdAt: THIRD + 1,
    quotesFrom: 0,
    expiresAt: STRADDLE,
  },
  legs: [
    { slot: 0, ratio: 1 },
    { slot: 2, ratio: -1 },
  ],
  trade: null,
};

test("packages and requests that have ended are of the combination of their time", () => {
  const nameOf = (rfq: RfqInfo) => rfqShape(rfq, undefined, catalogue).combo_id;
  assert.equal(nameOf({ ...RFQ, state: "expired" }), SPREAD_NAME);
  assert.equal(nameOf({ ...RFQ, state: "filled", trade: TRADE }), SPREAD_NAME);
  assert.equal(nameOf({ ...RFQ, state: "expired", createdAt: STRADDLE }), STRADDLE_NAME);
  assert.equal(nameOf({ ...RFQ, createdAt: STRADDLE }), STRADDLE_NAME);
  const marks = [THIRD, STRADDLE].map((createdAt) => {
    return rfqShape({ ...RFQ, state: "expired", createdAt }, undefined, catalogue).mark_price;
  });
  assert.deepEqual(marks, [null, 240], "what the id means now has its own mark");
  assert.equal(blockTradeShape(TRADE, false, catalogue).combo_id, SPREAD_NAME);
  const later = { ...TRADE, time: STRADDLE };
  assert.equal(blockTradeShape(later, false, catalogue).combo_id, STRADDLE_NAME);
});

test("the legs of a request that has ended are the series of its time", () => {
  const rfq: RfqInfo = { ...RFQ, state: "cancelled", createdAt: THIRD - 1 };
  const names = legShapes(rfq, catalogue).map(({ instrument_name }) => instrument_name);
  assert.deepEqual(names, ["", NAMES.second]);
  const open = legShapes(RFQ, catalogue).map(({ instrument_name }) => instrument_name);
  assert.deepEqual(open, ["ETH-20261225-3000-C", NAMES.third]);
});

test("a held order that has ended is of the book of its time, one that waits of today's", () => {
  const held: HeldInfo = {
    ...{ id: "held-1", group: "held-1", account: ACCOUNT, keyIndex: 0, met: 0, reason: null },
    ...{ follows: null, label: "", leftAt: THIRD, updatedAt: STRADDLE - 1, orderId: null },
    message: { ...PLACE, book: 8, deadline: STRADDLE + DAY_MS },
    conditions: [{ type: "mark", book: 8, is: "atOrAbove", price: 10 }],
    state: "held",
  };
  const namesOf = (state: HeldInfo["state"]) => {
    const { order, conditions } = heldShape({ ...held, state }, catalogue);
    const [condition] = conditions;
    return [
      order?.instrument_name,
      condition && "instrument_name" in condition ? condition.instrument_name : null,
    ];
  };
  for (const state of ["held", "triggered"] as const) {
    assert.deepEqual(namesOf(state), [STRADDLE_NAME, STRADDLE_NAME], state);
  }
  for (const state of ["sent", "refused", "dropped", "withdrawn"] as const) {
    assert.deepEqual(namesOf(state), [SPREAD_NAME, SPREAD_NAME], state);
  }
});
