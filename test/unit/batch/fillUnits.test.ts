// A trade batch has fewer fill units than steps: what takes one, and what happens without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fokSteps } from "../../../sequencer/batch/sizes.ts";
import { needsFillUnit } from "../../../sequencer/batch/workingSet.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import { FILL, HEADER } from "../../../sequencer/protocol/layout.ts";
import { fillingBatch } from "../../support/batches.ts";
import { createMarket, FAR, listMarket, type Market, order } from "../../support/market.ts";

const BUY = { book: 0, price: 200, lots: 1 };
const SELL = { ...BUY, isSell: true };
const RICH = 50_000_000;

/** Seven lots of account 1 rest, one to an order; a trade batch is open. */
function quotedMarket(): Market {
  const market = createMarket();
  for (const account of [1, 2, 4]) market.deposit(account, RICH);
  listMarket(market);
  for (let place = 0; place < 7; place++) {
    market.trade(1, order({ ...SELL, price: 200 + place }));
  }
  market.seal();
  market.openBatch("trade");
  return market;
}

test("an order that meets more entries than there are units goes on in the next batch", () => {
  const market = quotedMarket();
  const { fills, steps } = market.sizes.trade;
  assert.ok(fills < 7 && fills < steps, "there are fewer units than orders, and than steps");
  const records = market.trade(2, order({ ...BUY, price: 210, lots: 6 }));
  assert.equal(records.length, fills);
  assert.equal(market.state.carry()?.lots, 6 - fills);
  const full = market.seal();
  const rest = market.openBatch("trade");
  assert.deepEqual(
    rest.map(({ kind }) => kind),
    Array.from({ length: 6 - fills }, () => "proceed"),
  );
  assert.equal(market.state.carry(), undefined);
  // One public word for each unit, in both batches.
  for (const [batch, count] of [
    [full, fills],
    [market.seal(), 6 - fills],
  ] as const) {
    const words = batch.words.slice(-fills);
    assert.equal(batch.words.length, HEADER.length + 2 + fills);
    assert.deepEqual(
      words.map((word) => unpack(FILL, word).lots),
      words.map((_, unit) => (unit < count ? 1 : 0)),
    );
  }
});

test("without a unit what rests and what cancels has room, what fills has none", () => {
  const market = quotedMarket();
  const { fills } = market.sizes.trade;
  for (let unit = 0; unit < fills; unit++) market.trade(2, order({ ...BUY, price: 210 }));
  const { number } = market.executor.current()!;
  market.trade(2, order({ ...BUY, price: 190 }));
  market.trade(2, { kind: "cancelAll", deadline: FAR });
  assert.equal(market.executor.current()?.number, number);
  market.trade(4, order({ ...BUY, price: 210 }));
  assert.equal(market.executor.current()?.number, number + 1, "the order opened the next batch");
});

test("a fill-or-kill order that aborts takes a unit for each meeting and for its end", () => {
  const market = quotedMarket();
  const records = market.trade(2, order({ ...BUY, price: 190, timeInForce: "fok" }));
  assert.deepEqual(records.map(needsFillUnit), [true], "it meets nothing, and aborts");
  const many = market.trade(2, order({ ...BUY, price: 210, lots: 7, timeInForce: "fok" }));
  assert.equal(many.length, fokSteps(market.sizes.trade));
  assert.deepEqual(
    many.map(needsFillUnit),
    many.map(() => true),
  );
});

test("an empty batch holds every fill-or-kill order", () => {
  const { trade } = createMarket().sizes;
  assert.equal(fokSteps({ ...trade, steps: 32, accounts: 9, fills: 3 }), 3);
  assert.equal(fokSteps({ ...trade, steps: 32, accounts: 3, fills: 8 }), 2);
  assert.equal(fokSteps({ ...trade, steps: 2, accounts: 9, fills: 8 }), 2);
});

test("the circuit is told what comes of each meeting", () => {
  const { inputs } = fillingBatch().batch;
  assert.deepEqual(inputs.fills, ["1", "1", "0", "0", "1", "1", "0", "0"]);
  assert.deepEqual(inputs.filledLots, ["3", "1", "0", "0", "1", "2", "0", "0"]);
  assert.deepEqual(inputs.makerFails, new Array<string>(8).fill("0"));
  assert.deepEqual(inputs.scenario, new Array<string>(4).fill("0"));
});
