import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHedger, NO_FORWARD } from "../../../sequencer/bots/hedger.ts";
import { hedgeOf } from "../../../sequencer/bots/hedging.ts";
import type { Wanted } from "../../../sequencer/bots/picture.ts";
import { FORWARD, level, listed, pictureOf } from "./listed.ts";

const SETTINGS = { band: 50, lots: 100, positionMax: 300, costPpmMax: 3000 };
const forward = (given: Parameters<typeof listed>[0]) =>
  listed({ strike: 0, mark: FORWARD, name: `F${given.slot}`, ...given });
const NEAR = forward({ slot: 0, bids: [level(24_980, 40)], asks: [level(25_020, 500)] });
const hedge = (delta: number, series = [NEAR], positions: readonly number[] = []) =>
  hedgeOf(pictureOf(series), { delta, positions }, SETTINGS);

test("within the band nothing is done, outside it the edge is traded to", () => {
  assert.equal(hedge(50), undefined);
  assert.equal(hedge(-50), undefined);
  assert.deepEqual(hedge(-80.5), { book: 0, name: "F0", isSell: false, price: 25_020, lots: 31 });
  assert.deepEqual(hedge(75), { book: 0, name: "F0", isSell: true, price: 24_980, lots: 25 });
  assert.equal(hedge(200)?.lots, 40, "no more than there is");
  assert.equal(hedge(-500)?.lots, 100, "no more than at once");
  assert.equal(hedge(-500, [NEAR], [280])?.lots, 20, "no more than may be held");
  assert.equal(hedge(-500, [NEAR], [300]), undefined);
  assert.equal(hedge(Number.NaN), undefined);
});

test("the cheapest forward is taken, and none that costs too much", () => {
  // 3000 ppm of 25,000 are 75 ticks, of which the fee is 8.
  const dear = forward({ slot: 1, bids: [level(24_933, 7), level(24_932, 90)] });
  assert.deepEqual(hedge(90, [dear]), {
    book: 1,
    name: "F1",
    isSell: true,
    price: 24_933,
    lots: 7,
  });
  const tooDear = { ...dear, bids: [level(24_932, 7)] };
  assert.equal(hedge(90, [tooDear]), undefined);
  assert.equal(hedge(90, [dear, NEAR])?.book, 0);
  const free = forward({ slot: 2, fees: { taker: 0, maker: 0 }, bids: [level(24_975, 40)] });
  assert.equal(hedge(90, [NEAR, free])?.book, 2, "5 ticks worse, but without the fee of 8");
  const option = listed({ slot: 3, strike: 100, bids: [level(24_990, 100)] });
  assert.equal(hedge(90, [option]), undefined, "only forwards are delta alone");
});

test("a hedge never leaves the band on the other side, nor passes a limit", () => {
  const book = fc.array(fc.tuple(fc.integer({ min: 24_900, max: 25_100 }), fc.nat(400)));
  fc.assert(
    fc.property(
      ...[
        fc.double({ min: -2000, max: 2000, noNaN: true }),
        book,
        fc.integer({ min: -300, max: 300 }),
      ],
      (delta, side, position) => {
        const levels = side.map(([price, lots]) => level(price, lots + 1));
        const bids = levels.toSorted((a, b) => b.price - a.price);
        const asks = levels.toSorted((a, b) => a.price - b.price);
        const found = hedge(delta, [forward({ slot: 0, bids, asks })], [position]);
        if (found === undefined) return;
        const signed = found.isSell ? -found.lots : found.lots;
        assert.ok(Math.abs(delta) > 50 && signed * delta < 0);
        assert.ok(Math.abs(delta + signed) >= 49, "to the edge and not beyond the next lot");
        assert.ok(found.lots >= 1 && found.lots <= 100 && Math.abs(position + signed) <= 300);
        const beyond = found.isSell ? FORWARD - found.price : found.price - FORWARD;
        assert.ok(beyond + 8 <= 75);
      },
    ),
  );
});

test("without a forward nothing is hedged, which is said once and no more", async () => {
  const said: string[] = [];
  const taken: Wanted[] = [];
  const desk = {
    say: (what: string, line: string) => void said.push(`${what} ${line}`),
    take: async (_: string, orders: readonly Wanted[]) => {
      taken.push(...orders);
      return orders.map(({ lots }) => lots);
    },
  };
  const turn = createHedger(desk, SETTINGS);
  const option = listed({ slot: 3 });
  const long = { delta: 500, positions: [] };
  for (let count = 0; count < 3; count++) await turn(pictureOf([option]), long);
  assert.deepEqual([said, taken], [[`hedges ${NO_FORWARD}`], []]);
  for (let count = 0; count < 2; count++) await turn(pictureOf([option, NEAR]), long);
  assert.equal(taken.length, 2);
  assert.deepEqual(said.slice(1), ["hedges a forward is listed: delta is hedged by it"]);
  await turn(pictureOf([]), long);
  assert.equal(said.length, 3);
  const silent: string[] = [];
  const hedged = createHedger({ ...desk, say: (_, line) => void silent.push(line) }, SETTINGS);
  await hedged(pictureOf([NEAR]), long);
  assert.deepEqual(silent, [], "with a forward from the start there is nothing to say");
});
