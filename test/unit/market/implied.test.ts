// Implied prices against a search that buys one lot after another, leg by leg.
import assert from "node:assert/strict";
import { test } from "node:test";
import { impliedPrices, type LegBook } from "../../../sequencer/market/implied.ts";

const level = (price: number, lots: number) => ({ price, lots });
const BOOKS: readonly LegBook[] = [
  { bids: [level(100, 5), level(99, 7)], asks: [level(104, 3), level(105, 9)] },
  { bids: [level(40, 2)], asks: [level(42, 10)] },
  { bids: [], asks: [level(7, 1)] },
];
const bookOf = (slot: number) => BOOKS[slot];

test("a vertical buys at the ask and sells at the bid, as far as both go", () => {
  assert.deepEqual(impliedPrices([1, -1, 0], bookOf), {
    ask: { price: 104 - 40, lots: 2 },
    bid: { price: 100 - 42, lots: 5 },
  });
});

test("ratios divide the depth, and a lot may reach into the next level", () => {
  const { ask, bid } = impliedPrices([2, -1, 0], bookOf);
  assert.deepEqual(ask, { price: 208 - 40, lots: 1 }, "3 lots at 104 are one pair");
  assert.deepEqual(bid, { price: 200 - 42, lots: 2 });
  assert.deepEqual(impliedPrices([6, 0, 0], bookOf), {
    ask: { price: 3 * 104 + 3 * 105, lots: 1 },
    bid: { price: 5 * 100 + 99, lots: 1 },
  });
});

test("a missing leg leaves nothing, on that side", () => {
  assert.deepEqual(impliedPrices([1, 0, 1], bookOf), { ask: { price: 111, lots: 1 }, bid: null });
  assert.deepEqual(impliedPrices([1, 0, 0, 1], bookOf), { ask: null, bid: null });
  assert.deepEqual(impliedPrices([0, 3, 0], bookOf).bid, null, "2 lots are not 3");
  assert.deepEqual(impliedPrices([0, 0, 0], bookOf), { ask: null, bid: null }, "no legs");
});

test("a short leg alone is its book upside down", () => {
  assert.deepEqual(impliedPrices([0, -1, 0], bookOf), {
    ask: { price: -40, lots: 2 },
    bid: { price: -42, lots: 10 },
  });
});

/** Takes lots off the books one by one; the cost of each whole lot of the combination. */
function bruteForce(weights: readonly number[], books: readonly LegBook[], isSell: boolean) {
  const sides = books.map(({ bids, asks }, slot) => {
    const takesBids = weights[slot]! > 0 === isSell;
    return (takesBids ? bids : asks).flatMap(({ price, lots }) => Array(lots).fill(price));
  });
  const costs: number[] = [];
  for (;;) {
    let cost = 0;
    for (const [slot, weight] of weights.entries()) {
      for (let lot = 0; lot < Math.abs(weight); lot++) {
        const price: number | undefined = sides[slot]!.shift();
        if (price === undefined) {
          const first = costs[0];
          if (first === undefined) return null;
          const worse = costs.findIndex((each) => each !== first);
          return { price: first, lots: worse < 0 ? costs.length : worse };
        }
        cost += Math.sign(weight) * price;
      }
    }
    costs.push(cost);
  }
}

test("random books and weights: the same as one lot after another", () => {
  const seed = 7;
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  let quoted = 0;
  for (let round = 0; round < 2000; round++) {
    const books = Array.from({ length: 4 }, () => {
      const side = (sign: number) => {
        let price = 500;
        return Array.from({ length: below(4) }, () => {
          price += sign * (1 + below(3));
          return level(price, 1 + below(20));
        });
      };
      return { bids: side(-1), asks: side(1) };
    });
    const weights = books.map(() => (below(3) === 0 ? 0 : below(7) - 3));
    if (weights.every((weight) => weight === 0)) continue;
    const { bid, ask } = impliedPrices(weights, (slot) => books[slot]);
    assert.deepEqual(ask, bruteForce(weights, books, false), `seed ${seed}, round ${round}`);
    assert.deepEqual(bid, bruteForce(weights, books, true), `seed ${seed}, round ${round}`);
    if (ask !== null && bid !== null) {
      quoted++;
      assert.ok(bid.price <= ask.price, "books that do not cross imply none that do");
    }
  }
  assert.ok(quoted > 100, `${quoted}`);
});
