import assert from "node:assert/strict";
import { test } from "node:test";
import { insertEntry } from "../../../sequencer/engine/book/side.ts";
import type { OrderStep, StepRecord } from "../../../sequencer/engine/records.ts";
import { proceed } from "../../../sequencer/engine/trade.ts";
import type { PlaceMessage, TradeMessage } from "../../../sequencer/protocol/messages.ts";
import { createMarket, type Market, NOW, placeOf, send } from "./market.ts";

const RICH = 1_000_000_000;
/** Just enough for one lot short at 100 with mark 100 and changes of 20. */
const ONE_SHORT = 25_000;
const CANCEL_ALL: TradeMessage = { kind: "cancelAll", deadline: NOW };

type Sent = readonly [account: number, message: TradeMessage];
const buy = (account: number, fields: Partial<PlaceMessage> = {}): Sent => [
  account,
  placeOf(fields),
];
const sell = (account: number, fields: Partial<PlaceMessage> = {}): Sent => [
  account,
  placeOf({ ...fields, isSell: true }),
];

function orders(records: readonly StepRecord[]): OrderStep[] {
  return records.flatMap((record) => ("order" in record ? [record.order] : []));
}

/** All steps of a message, over as many batches as it takes. */
function sendToEnd(market: Market, [account, message]: Sent): OrderStep[] {
  const steps = orders(send(market, account, message));
  while (market.state.carry() !== undefined) {
    steps.push(...orders([proceed(market.state, market.trade)]));
  }
  return steps;
}

/** `seq@price x lots` of a book's bids and asks. */
function bookText(market: Market, id = 0): string {
  const { bids, asks } = market.state.book(id)!;
  const text = (side: typeof bids) =>
    side.map(({ seq, price, lots }) => `${seq}@${price}x${lots}`).join(" ");
  return `${text(bids)} | ${text(asks)}`;
}

/**
 * Accounts 1 to 3 are rich, 4 can bear one lot short and 5 nothing. Rows: what rests before, the
 * order, the cases of its steps, the book afterwards, what was removed, the outcome.
 */
const ROWS: readonly (readonly [string, readonly Sent[], Sent, string, string, string, string])[] =
  [
    ["1 no entry, GTC", [], buy(1), "noCross", "1@100x1 | ", "", "rested"],
    [
      "1 no cross, GTC",
      [sell(1, { price: 101 })],
      buy(2),
      "noCross",
      "2@100x1 | 1@101x1",
      "",
      "rested",
    ],
    [
      "1 no cross, IOC",
      [sell(1, { price: 101 })],
      buy(2, { timeInForce: "ioc" }),
      "noCross",
      " | 1@101x1",
      "",
      "killed",
    ],
    [
      "1 no cross, FOK",
      [sell(1, { price: 101 })],
      buy(2, { timeInForce: "fok" }),
      "noCross!",
      " | 1@101x1",
      "",
      "fokNotFillable",
    ],
    [
      "1 no cross, post-only",
      [sell(1, { price: 101 })],
      buy(2, { postOnly: true }),
      "noCross",
      "2@100x1 | 1@101x1",
      "",
      "rested",
    ],
    [
      "1 full side, last",
      [buy(1, { price: 3 }), buy(1, { price: 2 }), buy(1, { price: 1 })],
      buy(2, { price: 1 }),
      "noCross",
      "1@3x1 2@2x1 3@1x1 | ",
      "",
      "sideFull",
    ],
    [
      "1 full side, better",
      [buy(1, { price: 3 }), buy(1, { price: 2 }), buy(1, { price: 1 })],
      buy(2, { price: 2 }),
      "noCross",
      "1@3x1 2@2x1 4@2x1 | ",
      "3 evicted",
      "rested",
    ],
    [
      "1 full asks, best",
      [sell(1, { price: 3 }), sell(1, { price: 2 }), sell(1, { price: 1 })],
      sell(2, { price: -1 }),
      "noCross",
      " | 4@-1x1 3@1x1 2@2x1",
      "1 evicted",
      "rested",
    ],
    [
      "2 void entry",
      [sell(1), [1, CANCEL_ALL], sell(3)],
      buy(2),
      "makerVoid fill",
      " | ",
      "1 void",
      "filled",
    ],
    [
      "2 void entry, post-only",
      [sell(1), [1, CANCEL_ALL]],
      buy(2, { postOnly: true }),
      "makerVoid noCross",
      "3@100x1 | ",
      "1 void",
      "rested",
    ],
    [
      "2 own void entry",
      [sell(2), [2, CANCEL_ALL]],
      buy(2),
      "makerVoid noCross",
      "3@100x1 | ",
      "1 void",
      "rested",
    ],
    [
      "2 newer than the cancel-all",
      [[1, CANCEL_ALL], sell(1)],
      buy(2),
      "fill",
      " | ",
      "",
      "filled",
    ],
    [
      "3 post-only",
      [sell(1)],
      buy(2, { postOnly: true }),
      "postOnly",
      " | 1@100x1",
      "",
      "postOnlyWouldCross",
    ],
    [
      "3 post-only, own entry",
      [sell(2)],
      buy(2, { postOnly: true }),
      "postOnly",
      " | 1@100x1",
      "",
      "postOnlyWouldCross",
    ],
    ["4 own entry", [sell(2), sell(1)], buy(2), "selfTrade fill", " | ", "1 selfTrade", "filled"],
    [
      "4 own entry, FOK",
      [sell(2), sell(1)],
      buy(2, { timeInForce: "fok" }),
      "selfTrade fill",
      " | ",
      "1 selfTrade",
      "filled",
    ],
    [
      "4 own entry, FOK that aborts",
      [sell(2)],
      buy(2, { timeInForce: "fok" }),
      "selfTrade noCross!",
      " | 1@100x1",
      "1 selfTrade",
      "fokNotFillable",
    ],
    [
      "5 flat, IOC",
      [sell(1)],
      buy(2, { timeInForce: "ioc", reduceOnly: true }),
      "nothingToReduce",
      " | 1@100x1",
      "",
      "killed",
    ],
    [
      "5 flat, FOK",
      [sell(1)],
      buy(2, { timeInForce: "fok", reduceOnly: true }),
      "nothingToReduce!",
      " | 1@100x1",
      "",
      "fokNotFillable",
    ],
    [
      "5 same direction",
      [sell(1), buy(2), sell(1)],
      buy(2, { timeInForce: "ioc", reduceOnly: true }),
      "nothingToReduce",
      " | 3@100x1",
      "",
      "killed",
    ],
    [
      "5 capped, then nothing left",
      [buy(1), sell(2), sell(3, { lots: 3 })],
      buy(2, { lots: 3, timeInForce: "ioc", reduceOnly: true }),
      "fill nothingToReduce",
      " | 3@100x2",
      "",
      "killed",
    ],
    [
      "5 capped sell",
      [sell(1, { lots: 2 }), buy(2, { lots: 2 }), buy(3, { lots: 3 })],
      sell(2, { lots: 2, timeInForce: "ioc", reduceOnly: true }),
      "fill",
      "3@100x1 | ",
      "",
      "filled",
    ],
    [
      "5 capped, FOK",
      [buy(1), sell(2), sell(3, { lots: 3 })],
      buy(2, { lots: 3, timeInForce: "fok", reduceOnly: true }),
      "fill nothingToReduce!",
      " | 3@100x3",
      "",
      "fokNotFillable",
    ],
    [
      "5 exactly, FOK",
      [buy(1, { lots: 2 }), sell(2, { lots: 2 }), sell(3, { lots: 3 })],
      buy(2, { lots: 2, timeInForce: "fok", reduceOnly: true }),
      "fill",
      " | 3@100x1",
      "",
      "filled",
    ],
    [
      "6 maker without margin",
      [sell(5), sell(1)],
      buy(2),
      "makerMargin fill",
      " | ",
      "1 makerMargin",
      "filled",
    ],
    [
      "6 maker with margin for a part",
      [sell(4, { lots: 2 }), sell(1)],
      buy(2, { lots: 1 }),
      "fill",
      " | 1@100x1 2@100x1",
      "",
      "filled",
    ],
    [
      "6 maker without for the whole",
      [sell(4, { lots: 2 })],
      buy(2, { lots: 2 }),
      "makerMargin noCross",
      "2@100x2 | ",
      "1 makerMargin",
      "rested",
    ],
    [
      "6 before 7: both fail",
      [sell(5)],
      buy(4, { lots: 1, price: 200 }),
      "makerMargin noCross",
      "2@200x1 | ",
      "1 makerMargin",
      "rested",
    ],
    ["7 taker without margin", [buy(1)], sell(5), "takerMargin", "1@100x1 | ", "", "takerMargin"],
    ["7 taker at the limit", [buy(1)], sell(4), "fill", " | ", "", "filled"],
    [
      "7 taker runs out of it",
      [buy(1), buy(2)],
      sell(4, { lots: 2 }),
      "fill takerMargin",
      "2@100x1 | ",
      "",
      "takerMargin",
    ],
    [
      "7 FOK taker runs out of it",
      [buy(1), buy(2)],
      sell(4, { lots: 2, timeInForce: "fok" }),
      "fill takerMargin!",
      "1@100x1 2@100x1 | ",
      "",
      "takerMargin",
    ],
    ["8 at the entry's price", [sell(1, { price: 90 })], buy(2), "fill", " | ", "", "filled"],
    [
      "8 entry shrinks",
      [sell(1, { lots: 5 })],
      buy(2, { lots: 2 }),
      "fill",
      " | 1@100x3",
      "",
      "filled",
    ],
    [
      "8 order shrinks and rests",
      [sell(1, { lots: 2 })],
      buy(2, { lots: 5 }),
      "fill noCross",
      "2@100x3 | ",
      "",
      "rested",
    ],
    [
      "8 order shrinks, IOC",
      [sell(1, { lots: 2 })],
      buy(2, { lots: 5, timeInForce: "ioc" }),
      "fill noCross",
      " | ",
      "",
      "killed",
    ],
    [
      "8 in priority",
      [sell(1), sell(3, { price: 99 }), sell(1, { price: 99 })],
      buy(2, { lots: 2 }),
      "fill fill",
      " | 1@100x1",
      "",
      "filled",
    ],
    [
      "8 bids in priority",
      [buy(1, { price: -5 }), buy(3, { price: 0 }), buy(1, { price: 0 })],
      sell(2, { lots: 2, price: -5 }),
      "fill fill",
      "1@-5x1 | ",
      "",
      "filled",
    ],
    [
      "8 FOK over two entries",
      [sell(1), sell(3)],
      buy(2, { lots: 2, timeInForce: "fok" }),
      "fill fill",
      " | ",
      "",
      "filled",
    ],
    [
      "8 FOK too large",
      [sell(1), sell(3)],
      buy(2, { lots: 3, timeInForce: "fok" }),
      "fill fill noCross!",
      " | 1@100x1 2@100x1",
      "",
      "fokNotFillable",
    ],
  ];

for (const [name, before, order, cases, book, removed, outcome] of ROWS) {
  test(`row ${name}: ${outcome}`, () => {
    const market = createMarket([RICH, RICH, RICH, ONE_SHORT, 0]);
    for (const sent of before) sendToEnd(market, sent);
    const steps = sendToEnd(market, order);
    const said = steps.map((step) => `${step.orderCase}${step.aborted ? "!" : ""}`);
    assert.equal(said.join(" "), cases);
    assert.equal(bookText(market), book);
    const gone = steps.flatMap((step) => step.removed);
    assert.equal(gone.map(({ seq, reason }) => `${seq} ${reason}`).join(" "), removed);
    assert.equal(steps.at(-1)!.outcome, outcome);
    for (const step of steps.slice(0, -1)) assert.equal(step.outcome, undefined);
  });
}

test("a fill moves cash and positions, leg by leg, and counts holders", () => {
  const market = createMarket([RICH, RICH]);
  const { state } = market;
  sendToEnd(market, sell(1, { book: 2, price: -7, lots: 3 }));
  const [step] = sendToEnd(market, buy(2, { book: 2, price: -5, lots: 2 }));
  assert.deepEqual(step!.fill, {
    taker: 2,
    maker: 1,
    book: 2,
    takerIsSell: false,
    price: -7,
    lots: 2,
    makerSeq: 1,
    takerSeq: 2,
  });
  assert.equal(state.account(2).cash, RICH + 14_000);
  assert.equal(state.account(1).cash, RICH - 14_000);
  assert.deepEqual(state.account(2).positions, [2, -2, 0, 0]);
  assert.deepEqual(state.account(1).positions, [-2, 2, 0, 0]);
  const holders = () => state.series().map((series) => series.holders);
  assert.deepEqual(holders(), [2, 2, 0, 0]);
  // Account 1 closes its legs one by one in the plain books.
  sendToEnd(market, buy(1, { book: 0, lots: 2 }));
  sendToEnd(market, sell(2, { book: 0, lots: 1 }));
  assert.deepEqual(holders(), [2, 2, 0, 0]);
  sendToEnd(market, sell(2, { book: 0, lots: 1 }));
  assert.deepEqual(holders(), [0, 2, 0, 0]);
});

test("margin steps tell quantity and first failing scenario", () => {
  const market = createMarket([RICH, 0]);
  sendToEnd(market, buy(1, { lots: 4 }));
  const [asTaker] = sendToEnd(market, sell(2, { lots: 3 }));
  assert.equal(asTaker!.failedScenario, 0);
  assert.equal(asTaker!.lots, 3);
  assert.equal(asTaker!.maker, 1);
  sendToEnd(market, buy(2, { price: 101 }));
  const [asMaker] = sendToEnd(market, sell(1));
  // The buyer loses where the price falls: in the odd scenarios.
  assert.equal(asMaker!.failedScenario, 1);
  assert.equal(asMaker!.lots, 1);
});

test("a fill that would carry a position out of its range stops the engine", () => {
  const market = createMarket([2 ** 49, 2 ** 49]);
  const lots = 2 ** 22 - 1;
  sendToEnd(market, sell(1, { lots, price: 100 }));
  sendToEnd(market, buy(2, { lots, price: 100 }));
  sendToEnd(market, sell(1));
  assert.throws(() => send(market, ...buy(2)), { name: "EngineAssertion" });
});

test("a side takes at most its depth, in priority", () => {
  const side = [{ account: 1, seq: 5, price: 10, lots: 1 }];
  const bids = { isSell: false, depth: 2 };
  const entry = (seq: number, price: number) => ({ account: 2, seq, price, lots: 1 });
  assert.deepEqual(insertEntry(side, entry(6, 10), bids), { isInserted: true, evicted: undefined });
  assert.deepEqual(insertEntry(side, entry(7, 10), bids).isInserted, false);
  assert.equal(insertEntry(side, entry(8, 11), bids).evicted!.seq, 6);
  assert.deepEqual(
    side.map(({ seq }) => seq),
    [8, 5],
  );
});
