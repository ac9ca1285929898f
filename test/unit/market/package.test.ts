// Packages of legs: one book for one package, whichever way it is asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { comboName } from "../../../sequencer/market/combo.ts";
import { isBookOf, type PackageLeg, packageOf } from "../../../sequencer/market/package.ts";

const MARKET = { underlying: "ETH", tickSize: 100_000, lotsPerContract: 100 };
const EXPIRY = 1_800_086_400;
const WEEK = 7 * 86_400;

/** By slot: calls of ascending strikes, puts of the same, and a call of a later expiry. */
const SERIES = [
  { isCall: true, strike: 20_000, expiry: EXPIRY },
  { isCall: true, strike: 22_000, expiry: EXPIRY },
  { isCall: true, strike: 24_000, expiry: EXPIRY },
  { isCall: false, strike: 20_000, expiry: EXPIRY },
  { isCall: false, strike: 22_000, expiry: EXPIRY },
  { isCall: true, strike: 20_000, expiry: EXPIRY + WEEK },
] as const;

type Lots = readonly (readonly [slot: number, lots: number])[];

const legs = (...lots: Lots): PackageLeg[] =>
  lots.map(([slot, count]) => ({ slot, ...SERIES[slot]!, lots: count }));

const wanted = (...lots: Lots) => packageOf(legs(...lots), MARKET);

test("legs are divided by what they have in common, and stand by slot", () => {
  assert.deepEqual(wanted([1, -30], [0, 30]), {
    legs: [
      [0, 1],
      [1, -1],
    ],
    lots: 30,
    isSell: false,
  });
  assert.deepEqual(wanted([0, 4], [1, -8], [2, 4]).legs, [
    [0, 1],
    [1, -2],
    [2, 1],
  ]);
  assert.deepEqual(wanted([0, 7]), { legs: [[0, 1]], lots: 7, isSell: false });
  assert.deepEqual(wanted([0, -7]), { legs: [[0, 1]], lots: 7, isSell: true });
});

test("of a book and its reverse one is canonical: the named one, then the one that costs", () => {
  const cases: readonly (readonly [string, ...Lots])[] = [
    ["CS", [0, 1], [1, -1]],
    ["PS", [4, 1], [3, -1]],
    ["CCAL", [5, 1], [0, -1]],
    ["STRD", [0, 1], [3, 1]],
    ["RR", [1, 1], [3, -1]],
    ["CBUT", [0, 1], [1, -2], [2, 1]],
    ["CUSTOM", [0, 2], [1, -3]],
    ["CUSTOM", [3, 1], [0, -1]],
  ];
  for (const [name, ...lots] of cases) {
    const one = wanted(...lots);
    const back = wanted(...lots.map(([slot, count]) => [slot, -count] as const));
    assert.deepEqual([one.isSell, back.isSell], [false, true], name);
    assert.deepEqual(one.legs, back.legs, name);
    const named = comboName(
      one.legs.map(([slot, weight]) => ({ ...SERIES[slot]!, weight })),
      MARKET,
    );
    assert.ok(named.startsWith(`ETH-${name}-`), named);
  }
});

test("a weight of -8 has no reverse, so its side is canonical", () => {
  const one = wanted([0, 1], [1, -8]);
  assert.deepEqual([one.isSell, one.legs[1]], [false, [1, -8]]);
  const back = wanted([0, -1], [1, 8]);
  assert.deepEqual([back.isSell, back.legs[1]], [true, [1, -8]]);
});

test("what is no package is refused, and says why", () => {
  const refused = (text: RegExp, ...lots: Lots) => assert.throws(() => wanted(...lots), text);
  refused(/1 to 20 legs. Got `0`/);
  refused(/twice/, [0, 1], [0, 2]);
  refused(/must not be 0/, [0, 1], [1, 0]);
  refused(/from -8 to 7. Got `-9`/, [0, 1], [1, -9]);
  refused(/from -8 to 7. Got `8`/, [0, 8], [1, -8], [2, 1]);
  const many = Array.from({ length: 21 }, (_, slot) => ({ ...SERIES[0], slot, lots: 1 }));
  assert.throws(() => packageOf(many, MARKET), /Got `21`/);
});

test("a book is of the legs where it has their weights and no others", () => {
  const { legs: own } = wanted([0, 1], [1, -1]);
  assert.ok(isBookOf([1, -1, 0], own));
  assert.ok(!isBookOf([1, -1, 1], own));
  assert.ok(!isBookOf([-1, 1, 0], own));
  assert.ok(!isBookOf([1, 0, 0], own));
});

test("of random packages scale and side change neither the book nor what is traded", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let count = 0; count < 500; count++) {
    const slots = [0, 1, 2, 3, 4, 5].filter(() => random(2) === 0);
    const lots = slots.map((slot) => [slot, random(15) - 7] as const).filter(([, w]) => w !== 0);
    if (lots.length === 0) continue;
    const scale = 1 + random(50);
    const one = wanted(...lots);
    const scaled = wanted(...lots.map(([slot, w]) => [slot, w * scale] as const));
    const back = wanted(...lots.map(([slot, w]) => [slot, -w] as const));
    assert.deepEqual(scaled, { ...one, lots: one.lots * scale });
    assert.deepEqual(back, { ...one, isSell: !one.isSell });
    const sign = one.isSell ? -1 : 1;
    for (const [slot, weight] of one.legs) {
      const given = lots.find(([known]) => known === slot)?.[1];
      assert.equal(sign * weight * one.lots, given);
    }
  }
});
