// What a fill costs its two sides, against the engine's fees.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { feeCap, makerFee, takerFee } from "../../sequencer/engine/fees.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { type BookFees, feesWord } from "../../sequencer/protocol/state.ts";
import { runs } from "../property/runs.ts";
import { assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const file = "trade/Fees.circom";
const RATE_MAX = 2 ** 16 - 1;
const PRICE_EDGE = 2 ** 23;

function ratesOf({ taker, maker }: BookFees): number[] {
  return [taker, Math.abs(maker), maker < 0 ? 1 : 0];
}

test("FeeRates proves 1: the fields of the word, and no bit above them", async () => {
  const gadget = await loadGadget({ file, main: "FeeRates()" });
  for (const fees of [
    { taker: 0, maker: 0 },
    { taker: 3, maker: -1 },
    { taker: RATE_MAX, maker: RATE_MAX },
    { taker: RATE_MAX, maker: -RATE_MAX },
  ]) {
    const witness = assertPinned(gadget, { word: feesWord(fees) });
    assert.deepEqual(readAll(gadget, witness, "rates", 3), ratesOf(fees).map(BigInt));
  }
  assertRejects(gadget, { word: 1n << 33n });
  assertRejects(gadget, { word: R - 1n });
});

test("PremiumCap proves: cap = ceil(|price| / 8)", async () => {
  const gadget = await loadGadget({ file, main: "PremiumCap()" });
  const near = Array.from({ length: 19 }, (_, index) => index - 9);
  for (const price of [...near, PRICE_EDGE - 1, -PRICE_EDGE, 1 - PRICE_EDGE]) {
    const witness = assertPinned(gadget, { price });
    assert.equal(gadget.read(witness, "cap"), BigInt(feeCap(price)), `price ${price}`);
  }
  // A price that is far out of its range has no cap, rather than a wrong one.
  assertRejects(gadget, { price: 2 ** 24 });
  assertRejects(gadget, { price: -(2 ** 24) });
});

const rate = fc.oneof(fc.constantFrom(0, 1, 2, RATE_MAX), fc.integer({ min: 0, max: RATE_MAX }));
const price = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.integer({ min: -PRICE_EDGE, max: PRICE_EDGE - 1 }),
);

test("FillFees proves 1 and 2: the engine's fees of taker and maker", async () => {
  const gadget = await loadGadget({ file, main: "FillFees()" });
  const check = (fees: BookFees, at: number, pinned: boolean): void => {
    const inputs = { rates: ratesOf(fees), price: at };
    const witness = pinned ? assertPinned(gadget, inputs) : gadget.witness(inputs);
    assert.equal(gadget.read(witness, "takerFee"), BigInt(takerFee(fees, at)));
    assert.equal(gadget.read(witness, "makerFee"), wrapped(makerFee(fees, at), R));
  };
  fc.assert(
    fc.property(rate, rate, fc.boolean(), price, (taker, maker, isRebate, at) => {
      check({ taker, maker: isRebate ? 0 - maker : maker }, at, false);
    }),
    runs(200),
  );
  // The rate, the cap, and where the two meet.
  for (const at of [16, 17, 24, 25, -16, -17, -25, 0]) check({ taker: 3, maker: -2 }, at, true);
});
