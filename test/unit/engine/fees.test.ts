import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addFees, feeCap, makerFee, takerFee, worstFee } from "../../../sequencer/engine/fees.ts";
import type { BookFees } from "../../../sequencer/protocol/state.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import { runs } from "../../property/runs.ts";
import { createMarket, SHAPE } from "./market.ts";
import { buy, sell, sendToEnd } from "./orders.ts";

const RICH = 1_000_000_000;

// Rates 7 and 2: [price, cap, what the taker pays, what the maker pays, a rebate of 2].
const TABLE: readonly (readonly [number, number, number, number, number])[] = [
  [0, 0, 0, 0, 0],
  [1, 1, 1, 1, -1],
  [8, 1, 1, 1, -1],
  [9, 2, 2, 2, -2],
  [48, 6, 6, 2, -2],
  [49, 7, 7, 2, -2],
  [57, 8, 7, 2, -2],
  [100_000, 12_500, 7, 2, -2],
  [-1, 1, 1, 1, -1],
  [-17, 3, 3, 2, -2],
  [-(2 ** 23 - 1), 2 ** 20, 7, 2, -2],
];
for (const [price, cap, taker, maker, rebate] of TABLE) {
  test(`at ${price} the cap is ${cap}: ${taker}, ${maker}, rebate ${rebate}`, () => {
    const fees = { taker: 7, maker: 2 };
    assert.equal(feeCap(price), cap);
    assert.equal(takerFee(fees, price), taker);
    assert.equal(makerFee(fees, price), maker);
    assert.equal(makerFee({ ...fees, maker: -2 }, price), rebate);
  });
}

const rate = fc.integer({ min: 0, max: 2 ** 16 - 1 });
const rates = fc.tuple(rate, rate, fc.boolean()).map(([taker, maker, isRebate]): BookFees => {
  return { taker, maker: isRebate ? 0 - Math.min(maker, taker) : maker };
});
const price = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.integer({ min: 1 - 2 ** 23, max: 2 ** 23 - 2 }),
);

test("both together are never negative, and a better price never costs more", () => {
  fc.assert(
    fc.property(rates, price, fc.integer({ min: 0, max: 1000 }), (fees, at, better) => {
      assert.ok(takerFee(fees, at) + makerFee(fees, at) >= 0);
      for (const other of [at - better, at + better]) {
        for (const fee of [takerFee(fees, other), makerFee(fees, other)]) {
          assert.ok(fee <= worstFee(fees, at) + better);
        }
      }
    }),
    runs(1000),
  );
});

// Two lots of book 0: [price, fees, cash of taker, of maker, collected], the taker buys or sells.
const FILLS: readonly (readonly [number, BookFees, number, number, number])[] = [
  [100, { taker: 5, maker: 3 }, -10_000, -6000, 16_000],
  [100, { taker: 5, maker: -5 }, -10_000, 10_000, 0],
  [100, { taker: 5, maker: -2 }, -10_000, 4000, 6000],
  [9, { taker: 5, maker: -5 }, -4000, 4000, 0],
  [9, { taker: 5, maker: 1 }, -4000, -2000, 6000],
  [-9, { taker: 5, maker: 1 }, -4000, -2000, 6000],
];
for (const [at, fees, ofTaker, ofMaker, collected] of FILLS) {
  for (const isSell of [false, true]) {
    const side = isSell ? "sells" : "buys";
    test(`taker ${side} 2 at ${at} for ${fees.taker} and ${fees.maker}`, () => {
      const market = createMarket([RICH, RICH], SHAPE, fees);
      const { state } = market;
      sendToEnd(market, isSell ? buy(1, { price: at, lots: 3 }) : sell(1, { price: at, lots: 3 }));
      const order = { price: at, lots: 2 };
      const [step] = sendToEnd(market, isSell ? sell(2, order) : buy(2, order));
      const paid = 2000 * at * (isSell ? -1 : 1);
      assert.equal(state.account(2).cash, RICH - paid + ofTaker);
      assert.equal(state.account(1).cash, RICH + paid + ofMaker);
      assert.equal(state.fees(), collected);
      assert.equal(step!.fill!.takerFee, -ofTaker);
      assert.equal(step!.fill!.makerFee, -ofMaker);
    });
  }
}

test("a combination at a credit pays by the size of its net price", () => {
  const fees = { taker: 100, maker: -100 };
  const market = createMarket([RICH, RICH], SHAPE, fees);
  sendToEnd(market, sell(1, { book: 2, price: -20, lots: 4 }));
  sendToEnd(market, buy(2, { book: 2, price: -20, lots: 4 }));
  // ceil(20 / 8) = 3 ticks for each of 4 lots.
  assert.equal(market.state.account(2).cash, RICH + 80_000 - 12_000);
  assert.equal(market.state.account(1).cash, RICH - 80_000 + 12_000);
});

// One lot at the mark of 100 with changes of 20 takes 25000 and what the fee is: [cash, case].
const MARGINS: readonly (readonly [BookFees, number, number, string])[] = [
  [{ taker: 3, maker: 0 }, RICH, 28_000, "fill"],
  [{ taker: 3, maker: 0 }, RICH, 27_999, "takerMargin"],
  [{ taker: 3, maker: 2 }, 27_000, RICH, "fill"],
  [{ taker: 3, maker: 2 }, 26_999, RICH, "makerMargin"],
  [{ taker: 3, maker: -3 }, 22_000, RICH, "fill"],
  [{ taker: 3, maker: -3 }, 21_999, RICH, "makerMargin"],
];
for (const [fees, ofMaker, ofTaker, expected] of MARGINS) {
  const rates = `${fees.taker}, ${fees.maker}`;
  test(`margin with fees ${rates}: ${ofMaker}, ${ofTaker}: ${expected}`, () => {
    for (const [first, second] of [[sell, buy] as const, [buy, sell] as const]) {
      const market = createMarket([ofMaker, ofTaker], SHAPE, fees);
      sendToEnd(market, first(1));
      const [step] = sendToEnd(market, second(2));
      assert.equal(step!.orderCase, expected);
    }
  });
}

test("an aborted fill-or-kill order pays nothing", () => {
  const market = createMarket([RICH, RICH], SHAPE, { taker: 5, maker: 5 });
  sendToEnd(market, sell(1));
  const steps = sendToEnd(market, buy(2, { lots: 2, timeInForce: "fok" }));
  assert.equal(steps[0]!.orderCase, "fill");
  assert.equal(market.state.fees(), 0);
  assert.equal(market.state.account(2).cash, RICH);
});

test("fees that `collectFees` could not state stop the engine", () => {
  const state = createMemoryState(SHAPE);
  addFees(state, 2 ** 50 - 1);
  assert.throws(() => addFees(state, 1), { name: "EngineAssertion", message: /below 2\^50/ });
  assert.throws(() => addFees(state, -(2 ** 50)), { name: "EngineAssertion" });
  assert.equal(state.fees(), 2 ** 50 - 1);
});
