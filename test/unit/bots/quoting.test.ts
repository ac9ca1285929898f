import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exposureOf, type FairValue, fairValues } from "../../../sequencer/bots/fairValues.ts";
import type { Listed, OwnOrder, Wanted } from "../../../sequencer/bots/picture.ts";
import {
  changesOf,
  halfSpread,
  type QuoteSettings,
  quotesOf,
} from "../../../sequencer/bots/quoting.ts";
import { makerFee } from "../../../sequencer/engine/fees.ts";
import { chain, FORWARD, level, listed, NOW, pictureOf } from "./listed.ts";

const SETTINGS: QuoteSettings = {
  ...{ lots: 20, positionMax: 100, spreadVol: 0.01, hedgePpm: 400, ticksMin: 2, vegaMax: 1e6 },
  ...{ skew: 0.8, quotes: "all", expirySecondsMin: 300, marksAgeMsMax: 60_000 },
};
const NONE = new Array<number>(16).fill(0);

function quotes(
  series: readonly Listed[],
  positions: readonly number[] = NONE,
  settings: Partial<QuoteSettings> = {},
): Wanted[] {
  const picture = pictureOf(series);
  const values = fairValues(picture);
  const exposure = exposureOf(positions, values);
  return quotesOf(picture, values, { positions, exposure }, { ...SETTINGS, ...settings });
}

test("every series has a bid below fair value and an offer above it, a half-spread away", () => {
  const series = chain();
  const values = fairValues(pictureOf(series));
  const found = quotes(series);
  assert.equal(found.length, 2 * series.length);
  for (const { slot, book } of series) {
    const value = values.get(slot)!;
    const [bid, ask] = found.filter((quote) => quote.book === book);
    assert.deepEqual([bid!.isSell, ask!.isSell, bid!.lots, ask!.lots], [false, true, 20, 20]);
    const half = halfSpread(value, SETTINGS);
    assert.equal(bid!.price, Math.floor(value.price - half));
    assert.equal(ask!.price, Math.ceil(value.price + half));
  }
  const forward = found.find(({ book, isSell }) => book === 0 && isSell);
  assert.equal(forward!.price, FORWARD + 10, "400 ppm of 25,000");
});

test("inventory moves both quotes against it, and ends the side that would add to it", () => {
  const series = chain();
  const [bid, ask] = quotes(series).filter(({ book }) => book === 5);
  const long = NONE.with(5, 90);
  const [lower, lowerAsk] = quotes(series, long).filter(({ book }) => book === 5);
  assert.ok(lower!.price < bid!.price && lowerAsk!.price < ask!.price);
  assert.deepEqual([lower!.lots, lowerAsk!.lots], [10, 20], "up to 100 lots");
  const full = quotes(series, NONE.with(5, 100)).filter(({ book }) => book === 5);
  assert.deepEqual(
    full.map(({ isSell }) => isSell),
    [true],
  );
  const short = quotes(series, NONE.with(5, -100)).filter(({ book }) => book === 5);
  assert.deepEqual(
    short.map(({ isSell }) => isSell),
    [false],
  );
});

test("net vega moves all options at once, net delta the forward", () => {
  const series = chain();
  const priceOf = (book: number, positions: readonly number[], vegaMax = 1e5): number => {
    const found = quotes(series, positions, { vegaMax });
    return found.find((quote) => quote.book === book && quote.isSell)!.price;
  };
  const long = NONE.with(5, 100);
  assert.ok(priceOf(7, long) < priceOf(7, NONE), "another strike, of which nothing is held");
  assert.equal(priceOf(7, NONE.with(0, 90)), priceOf(7, NONE), "the forward has no vega");
  assert.ok(priceOf(0, long) < priceOf(0, NONE), "50 lots of delta");
});

test("what is not to be quoted is not", () => {
  const series = chain();
  const options = quotes(series, NONE, { quotes: "options" });
  assert.ok(options.length > 0 && options.every(({ book }) => book !== 0));
  assert.deepEqual(
    quotes(series, NONE, { quotes: "forwards" }).map(({ book }) => book),
    [0, 0],
  );
  const soon = series.map((each) => ({ ...each, expiry: NOW / 1000 + 299 }));
  assert.deepEqual(quotes(soon), []);
  const picture = { ...pictureOf(series), marksAt: NOW - 60_001 };
  const holdings = { positions: NONE, exposure: { delta: 0, vega: 0 } };
  assert.deepEqual(quotesOf(picture, fairValues(picture), holdings, SETTINGS), []);
});

test("quotes stand behind others', within the band, and not behind a full side", () => {
  const value: FairValue = { price: 500, delta: 0, vega: 0, forward: FORWARD };
  const quote = (given: Partial<Listed>): (number | undefined)[] => {
    const picture = pictureOf([listed({ slot: 1, ...given })]);
    const holdings = { positions: NONE, exposure: { delta: 0, vega: 0 } };
    const found = quotesOf(picture, new Map([[1, value]]), holdings, SETTINGS);
    return [false, true].map((isSell) => found.find((each) => each.isSell === isSell)?.price);
  };
  assert.deepEqual(quote({}), [498, 502]);
  assert.deepEqual(quote({ asks: [level(498, 5)] }), [497, 502]);
  assert.deepEqual(quote({ bids: [level(505, 5)] }), [498, 506]);
  assert.deepEqual(quote({ mark: 390 }), [490, 502], "a bid at most 100 ticks above the mark");
  assert.deepEqual(quote({ mark: 610 }), [498, 510]);
  const full = [508, 507, 506, 505, 504, 503, 502, 501].map((price) => level(price, 1));
  assert.deepEqual(quote({ bids: full }), [undefined, 509]);
  assert.deepEqual(quote({ fees: { taker: 8, maker: 3 } }), [495, 505], "a maker's fee widens");
  assert.deepEqual(quote({ fees: { taker: 8, maker: -8 } }), [499, 501], "never beyond fair value");
  assert.deepEqual(quote({ asks: [level(1, 5)] }), [undefined, 502], "no bid below one tick");
});

test("whatever the market and the inventory: a bid is below fair value and below the offer", () => {
  const sides = fc.array(fc.tuple(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 1 })));
  const market = fc.record({
    ...{ price: fc.double({ min: 0.01, max: 2000, noNaN: true }), mark: fc.nat(2000) },
    ...{ vega: fc.double({ min: 0, max: 3000, noNaN: true }), bids: sides, asks: sides },
    ...{
      delta: fc.double({ min: -1, max: 1, noNaN: true }),
      position: fc.integer({ min: -100, max: 100 }),
    },
    ...{ maker: fc.integer({ min: -8, max: 8 }), netVega: fc.double({ noNaN: true }) },
    skew: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(market, ({ price, mark, vega, delta, position, maker, netVega, skew, ...book }) => {
      const [bids, asks] = [book.bids, book.asks].map((side) =>
        side.map(([at, n]) => level(at, n)),
      );
      const series = listed({ slot: 1, mark, fees: { taker: 8, maker }, bids: bids!, asks: asks! });
      const value = { price, delta, vega, forward: FORWARD };
      const held = position;
      const holdings = { positions: [0, held], exposure: { delta: 0, vega: netVega } };
      const picture = pictureOf([series]);
      const found = quotesOf(picture, new Map([[1, value]]), holdings, { ...SETTINGS, skew });
      const [bid, ask] = [false, true].map((isSell) => found.find((q) => q.isSell === isSell));
      if (bid !== undefined) {
        assert.ok(Number.isInteger(bid.price) && bid.price >= 1 && bid.price < price);
        assert.ok(bid.price <= mark + 100 && held + bid.lots <= 100);
        assert.ok(series.asks[0] === undefined || bid.price < series.asks[0].price);
      }
      if (ask !== undefined) {
        assert.ok(Number.isInteger(ask.price) && ask.price > price && ask.price >= mark - 100);
        assert.ok(held - ask.lots >= -100);
        assert.ok(series.bids[0] === undefined || ask.price > series.bids[0].price);
      }
      if (bid !== undefined && ask !== undefined) {
        assert.ok(ask.price - bid.price >= 1);
        const fee = makerFee(series.fees, bid.price);
        const room = 2 * halfSpread(value, SETTINGS) + 2 * fee;
        if (maker >= 0) assert.ok(ask.price - bid.price >= room - 1e-6);
      }
    }),
  );
});

const wanted = (book: number, isSell: boolean, price: number, lots = 20): Wanted => {
  return { book, name: `S${book}`, isSell, price, lots };
};
const resting = (id: string, book: number, isSell: boolean, price: number, lots = 20): OwnOrder => {
  return { id, book, isSell, price, lots };
};
const RULES = { tolerance: 0.3, messagesMax: 40 };

test("orders that are nearly right stay; what is off, too small or unwanted is replaced", () => {
  const half = (): number => 10;
  const both = [wanted(1, false, 490), wanted(1, true, 510)];
  const orders = [resting("a", 1, false, 493), resting("b", 1, true, 514)];
  const { cancel, place } = changesOf(both, { orders }, half, RULES);
  assert.deepEqual(
    cancel.map(({ id }) => id),
    ["b"],
  );
  assert.deepEqual(place, [both[1]]);
  const eaten = [resting("a", 1, false, 490, 9), resting("b", 1, true, 510, 10)];
  assert.deepEqual(changesOf(both, { orders: eaten }, half, RULES).cancel, [eaten[0]]);
  const large = [resting("a", 1, false, 490, 30)];
  assert.deepEqual(changesOf([both[0]!], { orders: large }, half, RULES).cancel, large);
  const twice = [resting("a", 1, false, 490), resting("c", 1, false, 490)];
  assert.deepEqual(changesOf([both[0]!], { orders: twice }, half, RULES).cancel, [twice[1]]);
  const gone = changesOf([], { orders }, half, RULES);
  assert.deepEqual([gone.cancel, gone.place], [orders, []]);
});

test("the most urgent come first, and never more messages than allowed", () => {
  const half = (): number => 10;
  const all = [1, 2, 3].flatMap((book) => [wanted(book, false, 490), wanted(book, true, 510)]);
  const orders = [resting("far", 3, false, 550), resting("odd", 9, true, 1)];
  const { cancel, place } = changesOf(all, { orders }, half, { tolerance: 0.3, messagesMax: 4 });
  assert.deepEqual(
    cancel.map(({ id }) => id),
    ["odd", "far"],
  );
  assert.deepEqual(place, all.slice(4));
});

test("whatever rests: changes fit their bound, and repeated they lead to what is wanted", () => {
  const order = fc.record({
    ...{ book: fc.nat(4), isSell: fc.boolean(), price: fc.integer({ min: 1, max: 60 }) },
    lots: fc.integer({ min: 1, max: 40 }),
  });
  const one = fc.uniqueArray(order, { selector: ({ book, isSell }) => `${book}${isSell}` });
  fc.assert(
    fc.property(
      one,
      fc.array(order),
      fc.integer({ min: 4, max: 12 }),
      (target, start, messagesMax) => {
        const all = target.map((each) => ({ ...each, name: "S" }));
        let orders = start.map((each, at) => ({ ...each, id: `${at}` }));
        const rules = { tolerance: 0, messagesMax };
        for (let turn = 0; turn < start.length + all.length + 1; turn++) {
          const { cancel, place } = changesOf(all, { orders }, () => 5, rules);
          assert.ok(cancel.length + place.length <= messagesMax);
          orders = orders.filter((each) => !cancel.includes(each));
          orders.push(...place.map((each, at) => ({ ...each, id: `${turn}/${at}` })));
        }
        assert.deepEqual(
          changesOf(all, { orders }, () => 5, rules),
          { cancel: [], place: [] },
        );
        assert.equal(orders.length, all.length);
      },
    ),
  );
});
