// A slot's next series and a book's next run have names of their own: what happened before keeps
// the names of its time.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Catalogue, createCatalogueSource } from "../../../sequencer/api/rpc/catalogue.ts";
import { bookNameAt, seriesNameAt } from "../../../sequencer/api/rpc/pastNames.ts";
import { transactionShapes } from "../../../sequencer/api/rpc/transactionShapes.ts";
import type { AccountEvent } from "../../../sequencer/exchangeService.ts";
import type { Listing } from "../../../sequencer/market/publicBook.ts";
import { createClock } from "../roles/ports.ts";
import { BOOKS, chainInfo, listings, SNAPSHOT_TIME } from "./fakeMarket.ts";
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

let catalogue: Catalogue;

before(async () => {
  const service = createFakeService();
  const [oldest, ...present] = listings();
  const chain = chainInfo();
  Object.assign(service, {
    listings: async () => [oldest, SECOND_LISTING, ...present.map(thirdInPlace)],
    chain: async () => ({ ...chain, series: chain.series.map(thirdInPlace) }),
    books: async () => [...BOOKS, { ...BOOKS[0]!, book: 9, weights: [0, 0, 1, 0], plainSlot: 2 }],
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
