import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket, SHAPE, send } from "./market.ts";
import { buy, sell, sendToEnd } from "./orders.ts";

const RICH = 1_000_000_000;

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
    takerFee: 0,
    makerFee: 0,
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
  const market = createMarket([RICH, RICH]);
  const rest = (price: number) => sendToEnd(market, buy(2, { price }))[0]!;
  for (let seq = 1; seq <= SHAPE.depth; seq++) assert.equal(rest(10).outcome, "rested");
  assert.equal(rest(10).outcome, "sideFull");
  const better = rest(11);
  assert.equal(better.outcome, "rested");
  assert.deepEqual(
    better.removed.map(({ seq, reason }) => [seq, reason]),
    [[SHAPE.depth, "evicted"]],
  );
  assert.deepEqual(
    market.state.book(0)!.bids.map(({ seq }) => seq),
    [SHAPE.depth + 2, 1, 2],
  );
});
