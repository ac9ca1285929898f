// Names of combinations: what each says, that they are a bijection, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bookName,
  type ComboLeg,
  comboName,
  parseCombo,
  sortLegs,
  weightsOfName,
} from "../../../sequencer/market/combo.ts";

const MARKET = { underlying: "ETH", tickSize: 100_000, lotsPerContract: 100 };
const JUNE = Date.UTC(2026, 5, 26, 8) / 1000;
const DECEMBER = Date.UTC(2026, 11, 25, 8) / 1000;

const leg = (weight: number, isCall: boolean, usdc: number, expiry = JUNE): ComboLeg => {
  return { weight, isCall, strike: usdc * 10, expiry };
};
const C = (weight: number, usdc: number, expiry?: number) => leg(weight, true, usdc, expiry);
const P = (weight: number, usdc: number, expiry?: number) => leg(weight, false, usdc, expiry);

const names: readonly (readonly [string, readonly ComboLeg[]])[] = [
  ["ETH-20260626-3000-C", [C(1, 3000)]],
  ["ETH-CS-20260626-3000_3200", [C(1, 3000), C(-1, 3200)]],
  ["ETH-CS-20260626-3200_3000", [C(-1, 3000), C(1, 3200)]],
  ["ETH-PS-20260626-3200_3000.5", [P(1, 3200), P(-1, 3000.5)]],
  ["ETH-CCAL-20261225_20260626-3000", [C(1, 3000, DECEMBER), C(-1, 3000)]],
  ["ETH-PCAL-20260626_20261225-3000", [P(1, 3000), P(-1, 3000, DECEMBER)]],
  ["ETH-CDIAG-20261225_20260626-3000_3200", [C(1, 3000, DECEMBER), C(-1, 3200)]],
  ["ETH-PDIAG-20261225_20260626-3000_2800", [P(1, 3000, DECEMBER), P(-1, 2800)]],
  ["ETH-FS-20261225_20260626", [C(1, 0, DECEMBER), C(-1, 0)]],
  ["ETH-STRD-20260626-3000", [P(1, 3000), C(1, 3000)]],
  ["ETH-STRG-20260626-2800_3200", [P(1, 2800), C(1, 3200)]],
  ["ETH-GUTS-20260626-2800_3200", [C(1, 2800), P(1, 3200)]],
  ["ETH-RR-20260626-2800_3200", [P(-1, 2800), C(1, 3200)]],
  ["ETH-CBUT-20260626-2800_3000_3200", [C(1, 2800), C(-2, 3000), C(1, 3200)]],
  ["ETH-PBUT-20260626-2800_3000_3200", [P(1, 2800), P(-2, 3000), P(1, 3200)]],
  ["ETH-CCOND-20260626-1_2_3_4", [C(1, 1), C(-1, 2), C(-1, 3), C(1, 4)]],
  ["ETH-PCOND-20260626-1_2_3_4", [P(1, 1), P(-1, 2), P(-1, 3), P(1, 4)]],
  ["ETH-ICOND-20260626-1_2_3_4", [P(1, 1), P(-1, 2), C(-1, 3), C(1, 4)]],
  ["ETH-IBUT-20260626-1_2_3", [P(1, 1), P(-1, 2), C(-1, 2), C(1, 3)]],
  ["ETH-CUSTOM-20260626-3000-C:2_20260626-3200-C:-2", [C(2, 3000), C(-2, 3200)]],
  ["ETH-CUSTOM-20260626-3000-C:-1", [C(-1, 3000)]],
  ["ETH-CUSTOM-20260626-F:1_20260626-3000-P:1", [C(1, 0), P(1, 3000)]],
  ["ETH-CUSTOM-20260626-2-P:-1_20260626-2-C:-1", [P(-1, 2), C(-1, 2)]],
];

for (const [name, legs] of names) {
  test(`${name} and its legs are each other's`, () => {
    assert.equal(comboName([...legs].reverse(), MARKET), name);
    assert.deepEqual(parseCombo(name.toLowerCase(), MARKET), sortLegs(legs));
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["BTC-CS-20260626-1_2", /must begin with `ETH-`/],
  ["ETH-XX-20260626-1_2", /`XX` is not a combination. There are CS, PS/],
  ["ETH-CS-20260626-1", /needs 2 strikes, not `1`/],
  ["ETH-CS-20260626_20261225-1_2", /needs 1 expiries, not `2`/],
  ["ETH-CS-20260626-1_2-C", /strikes and nothing else/],
  ["ETH-CS-20260626-1_1", /the same leg stands in it twice/],
  ["ETH-CS-20260626-0_1", /a strike of 0 is a forward/],
  ["ETH-CS-20260626-1.23_2", /multiple of the tick/],
  ["ETH-CS-20260231-1_2", /there is no such date/],
  ["ETH-STRG-20260626-3_2", /these legs are `ETH-GUTS-20260626-2_3`/],
  ["ETH-STRG-20260626-3_3", /these legs are `ETH-STRD-20260626-3`/],
  ["ETH-CBUT-20260626-3_2_1", /these legs are `ETH-CBUT-20260626-1_2_3`|`ETH-CBUT/],
  ["ETH-CUSTOM-20260626-1-C:1_20260626-2-C:-1", /these legs are `ETH-CS-20260626-1_2`/],
  ["ETH-CUSTOM-20260626-2-C:3_20260626-1-C:3", /these legs are `ETH-CUSTOM-20260626-1-C:3_/],
  ["ETH-CUSTOM-20260626-1-C:8", /a weight of -8 to 7 and not 0/],
  ["ETH-CUSTOM-20260626-1-C:0", /a weight of -8 to 7 and not 0/],
  ["ETH-CUSTOM-20260626-1-C", /a weight of -8 to 7 and not 0/],
  ["ETH-CUSTOM-20260626-1-C:+2", /a weight/],
  ["ETH-STRD-20260626-03000", /these legs are `ETH-STRD-20260626-3000`/],
];

for (const [name, reason] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(() => parseCombo(name, MARKET), { name: "InstrumentError", message: reason });
  });
}

test("random weights come back from their name, and no two share one", () => {
  const seed = 11;
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const series = [JUNE, DECEMBER].flatMap((expiry, far) =>
    [0, 28_000, 30_000, 32_000].flatMap((strike, rung) =>
      [true, false]
        .filter((isCall) => isCall || strike > 0)
        .map((isCall) => ({ isCall, strike, expiry, generation: 1 + far + rung })),
    ),
  );
  const slots = series.map((terms, slot) => ({ ...terms, slot }));
  // An older listing of the same terms in another slot is not meant.
  slots.push({ ...slots[3]!, slot: slots.length, generation: 0 });
  const known = new Map<string, string>();
  const codes = new Set<string>();
  for (let round = 0; round < 6000; round++) {
    const weights = new Array<number>(slots.length).fill(0);
    const count = 1 + below(4);
    for (let place = 0; place < count; place++) {
      const small = [1, -1, 1, -1, -2, 1][below(6)]!;
      weights[below(slots.length - 1)] = below(5) === 0 ? below(16) - 8 : small;
    }
    if (weights.every((weight) => weight === 0)) continue;
    const name = bookName(weights, slots, MARKET)!;
    assert.deepEqual(weightsOfName(name, slots, MARKET), weights, `seed ${seed}: ${name}`);
    const text = weights.join();
    assert.equal(known.get(name) ?? text, text, "two vectors of one name");
    known.set(name, text);
    codes.add(/^ETH-([A-Z]+)-/.exec(name)?.[1] ?? "plain");
  }
  for (const code of ["plain", "CS", "PS", "CCAL", "CDIAG", "FS", "STRD", "STRG", "CUSTOM"]) {
    assert.ok(codes.has(code), `${code} among ${[...codes].join(" ")}`);
  }
});

test("a slot that was never listed gives a book no name", () => {
  const empty = { isCall: false, strike: 0, expiry: 0, generation: 0, slot: 0 };
  assert.equal(bookName([1], [empty], MARKET), undefined);
  assert.equal(bookName([0], [empty], MARKET), undefined);
});
