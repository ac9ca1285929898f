import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bestOpportunity,
  cashOf,
  opportunityOf,
  packagesOf,
  unwindOf,
} from "../../../sequencer/bots/parity.ts";
import type { Listed } from "../../../sequencer/bots/picture.ts";
import { intrinsic } from "../../../sequencer/pricing/black76.ts";
import { chain, EXPIRY, FEES, FORWARD, level, listed } from "./listed.ts";

const SETTINGS = { edgeMin: 3, lots: 50, positionMax: 200 };

/** The forward, a call and a put at 25,000, quoted as given: one level each. */
function trio(quotes: { f: [number, number]; c: [number, number]; p: [number, number] }): Listed[] {
  const side = ([bid, ask]: [number, number]) => ({
    bids: [level(bid, 30)],
    asks: [level(ask, 30)],
  });
  return [
    listed({ slot: 0, name: "F", strike: 0, mark: FORWARD, ...side(quotes.f) }),
    listed({ slot: 1, name: "C", isCall: true, ...side(quotes.c) }),
    listed({ slot: 2, name: "P", isCall: false, ...side(quotes.p) }),
  ];
}

test("a package pays what it says, wherever the underlying ends", () => {
  const series = chain();
  const packages = packagesOf({ series });
  assert.equal(packages.length, 5 * 2 + 10 * 2, "five strikes, ten pairs of them, both ways");
  fc.assert(
    fc.property(fc.nat(60_000), fc.nat(packages.length - 1), (price, at) => {
      const { legs, payoff } = packages[at]!;
      const paid = legs.reduce((sum, { series: { isCall, strike }, isSell }) => {
        return sum + (isSell ? -1 : 1) * intrinsic(isCall, strike, price);
      }, 0);
      assert.equal(paid, payoff);
    }),
  );
});

test("expiries are not mixed, and without a forward there are boxes only", () => {
  const later = chain([25_000]).map((each) => ({
    ...each,
    expiry: EXPIRY + 1,
    slot: each.slot + 20,
  }));
  const names = packagesOf({ series: [...chain([24_000]), ...later] }).map(({ name }) => name);
  assert.equal(names.length, 4);
  assert.ok(names.every((name) => /^(conversion|reversal)/.test(name)));
  const options = chain([24_000, 25_000]).slice(1);
  assert.deepEqual(
    packagesOf({ series: options }).map(({ name }) => name.slice(0, 9)),
    ["long box ", "short box"],
  );
});

test("a violation beyond all fees is found with its lots; one within them is not", () => {
  // Selling the call at 560, buying the put at 500 and the forward at 25,010: 50 ticks, 24 of fees.
  const broken = trio({ f: [24_990, 25_010], c: [560, 600], p: [480, 500] });
  const found = bestOpportunity({ series: broken }, [], SETTINGS)!;
  assert.deepEqual([found.name, found.lots, found.profit], ["conversion at C", 30, 30 * 26]);
  assert.deepEqual(found.orders, [
    { slot: 2, book: 2, name: "P", isSell: false, price: 500, lots: 30 },
    { slot: 0, book: 0, name: "F", isSell: false, price: 25_010, lots: 30 },
    { slot: 1, book: 1, name: "C", isSell: true, price: 560, lots: 30 },
  ]);
  const withinFees = trio({ f: [24_990, 25_010], c: [536, 600], p: [480, 500] });
  assert.equal(bestOpportunity({ series: withinFees }, [], SETTINGS), undefined, "26 less 24");
  const enough = trio({ f: [24_990, 25_010], c: [537, 600], p: [480, 500] });
  assert.equal(bestOpportunity({ series: enough }, [], SETTINGS)?.profit, 30 * 3);
  const reverse = trio({ f: [25_060, 25_080], c: [480, 500], p: [490, 510] });
  assert.equal(bestOpportunity({ series: reverse }, [], SETTINGS)?.name, "reversal at C");
});

test("positions and lots at once bound it, each leg on its own side", () => {
  const broken = trio({ f: [24_990, 25_010], c: [560, 600], p: [480, 500] });
  const lotsOf = (positions: readonly number[], lots = 50) =>
    bestOpportunity({ series: broken }, positions, { ...SETTINGS, lots })?.lots;
  assert.equal(lotsOf([0, 0, 0], 10), 10);
  assert.equal(lotsOf([195, 0, 0]), 5, "forwards are bought");
  assert.equal(lotsOf([0, -190, 0]), 10, "calls are sold");
  assert.equal(lotsOf([0, 0, 200]), undefined);
  assert.equal(
    lotsOf([-200, 200, -200]),
    30,
    "what is held the other way does not stand in the way",
  );
});

test("deeper levels are taken while each lot brings its edge", () => {
  const [f, c, p] = trio({ f: [24_990, 25_010], c: [560, 600], p: [480, 500] });
  const deep = { ...c!, bids: [level(560, 10), level(550, 10), level(530, 10)] };
  const found = bestOpportunity({ series: [f!, deep, p!] }, [], SETTINGS)!;
  assert.deepEqual([found.lots, found.profit], [20, 10 * 26 + 10 * 16]);
  assert.equal(found.orders[2]?.price, 550);
});

test("whatever stands in the books: cash now and payoff are the profit", () => {
  const side = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 20 })),
    {
      maxLength: 5,
    },
  );
  const sides = fc.array(fc.tuple(side, side), { minLength: 5, maxLength: 5 });
  const edgeMin = fc.integer({ min: 0, max: 10 });
  fc.assert(
    fc.property(sides, edgeMin, (books, edge) => {
      const base = [0, 400, 420, 400, 420];
      const terms = chain([24_990, 25_010]);
      const series = terms.map((each, at) => {
        const from = at === 0 ? FORWARD - 50 : base[at]!;
        const levels = books[at]!.map((list) => list.map(([price, n]) => level(from + price, n)));
        const bids = levels[0]!.toSorted((a, b) => b.price - a.price);
        const asks = levels[1]!.toSorted((a, b) => a.price - b.price);
        return { ...each, bids, asks, fees: FEES };
      });
      for (const each of packagesOf({ series })) {
        const found = opportunityOf(each, [], { ...SETTINGS, edgeMin: edge });
        if (found === undefined) continue;
        let cash = each.payoff * found.lots;
        for (const [at, order] of found.orders.entries()) {
          const leg = each.legs[at]!;
          let left: number = found.lots;
          for (const { price, lots } of leg.isSell ? leg.series.bids : leg.series.asks) {
            const taken: number = Math.min(left, lots);
            if (taken > 0) assert.ok(leg.isSell ? price >= order.price : price <= order.price);
            cash += taken * cashOf(leg, price);
            left -= taken;
          }
          assert.equal(left, 0, "what is asked for is there within its limit");
        }
        assert.equal(found.profit, cash);
        assert.ok(found.profit >= Math.max(1, edge) * found.lots);
      }
    }),
  );
});

test("legs that were not filled alike are traded back to the least of them", () => {
  const broken = trio({ f: [24_990, 25_010], c: [560, 600], p: [480, 500] });
  const { orders } = bestOpportunity({ series: broken }, [], SETTINGS)!;
  const before = [5, 5, 5];
  const unwound = unwindOf(orders, before, [25, -25, 15], 40);
  assert.deepEqual(unwound, [
    { slot: 0, book: 0, name: "F", isSell: true, price: 24_970, lots: 10 },
    { slot: 1, book: 1, name: "C", isSell: false, price: 600, lots: 20 },
  ]);
  assert.deepEqual(unwindOf(orders, before, [15, -5, 15], 40), [], "ten lots of each leg");
  assert.deepEqual(unwindOf(orders, before, before, 40), []);
  const cheap = orders.map((order) => ({ ...order, price: 7 }));
  assert.equal(unwindOf(cheap, before, [6, 5, 5], 40)[0]?.price, 1, "a price is at least a tick");
});
