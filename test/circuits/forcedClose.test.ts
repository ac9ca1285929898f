// What a forced close moves and costs, and the limits that it keeps.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { assertPinned, assertRejects } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const file = "ledger/ForcedClose.circom";
const UNIT = 1000;
const gadget = await loadGadget({ file, main: `ForcedClose(${UNIT})` });
/** The inverse of a number that is 0 is free, and says nothing. */
const free = /\.inv$/;

interface Close {
  readonly isClose: number;
  readonly pays: number;
  readonly paidOut: number;
  readonly lots: number;
  readonly amount: number;
  readonly position: number;
  readonly isUnexpired: number;
  readonly minimum5: number;
}

/** 10 of 30 long lots, whose short-option minimum is 4 ticks. */
const CLOSE: Close = {
  ...{ pays: 0, paidOut: 0 },
  ...{ isClose: 1, lots: 10, amount: 4 * UNIT, position: 30, isUnexpired: 1, minimum5: 20 },
};

function read(change: Partial<Close>): (number | bigint)[] {
  const witness = assertPinned(gadget, { ...CLOSE, ...change }, { free });
  return ["taken", "paid", "isDue"].map((name) => {
    const value = gadget.read(witness, name);
    return Number(value > R / 2n ? value - R : value);
  });
}

test("ForcedClose proves 1: F1, at most the position, in its direction", () => {
  assert.deepEqual(read({}), [10, 40 * UNIT, 1]);
  assert.deepEqual(read({ lots: 30 }), [30, 120 * UNIT, 1]);
  assert.deepEqual(read({ lots: 31 }), [30, 120 * UNIT, 1]);
  assert.deepEqual(read({ position: -30 }), [-10, 40 * UNIT, 1]);
  assert.deepEqual(read({ position: -3 }), [-3, 12 * UNIT, 1]);
  const most = 2 ** 22 - 1;
  assert.deepEqual(read({ position: -most, lots: most }), [-most, most * 4 * UNIT, 1]);
});

test("ForcedClose proves 1: taken is what the engine takes, for any lots and positions", () => {
  const position = fc.integer({ min: 1 - 2 ** 22, max: 2 ** 22 - 1 });
  fc.assert(
    fc.property(position, fc.integer({ min: 1, max: 2 ** 22 - 1 }), (held, lots) => {
      const closed = Math.min(lots, Math.abs(held));
      assert.equal(read({ position: held, lots })[0], Math.sign(held) * closed + 0);
    }),
    runs(50),
  );
});

test("ForcedClose proves 2: the minimum is paid for each lot, and never by the fund", () => {
  for (const amount of [0, 4 * UNIT - 1, 4 * UNIT + 1, 5 * UNIT]) {
    assertRejects(gadget, { ...CLOSE, amount }, `a charge of ${amount}`);
  }
  assert.deepEqual(read({ minimum5: 0, amount: 0 }), [10, 0, 1]);
  assert.deepEqual(read({ minimum5: -20, amount: 0 }), [10, 0, 1]);
  assertRejects(gadget, { ...CLOSE, minimum5: -20, amount: R - 4000n }, "a gift");
  const largest = 2 ** 20 - 1;
  assert.deepEqual(read({ minimum5: 5 * largest, amount: UNIT * largest })[1], 10 * UNIT * largest);
  // Whether it comes to a close or not.
  assertRejects(gadget, { ...CLOSE, position: 0, amount: 0 }, "no charge for nothing");
});

test("ForcedClose proves 3: F2, lots of an unexpired slot", () => {
  assert.deepEqual(read({ isUnexpired: 0 }), [10, 40 * UNIT, 0]);
  assert.deepEqual(read({ position: 0 }), [0, 0, 0]);
});

test("ForcedClose proves 1 and 3: what is paid out is due, and the fund takes nothing", () => {
  const expired = { isUnexpired: 0, pays: 1, minimum5: 0, amount: 0, position: 0 };
  assert.deepEqual(read({ ...expired, paidOut: 30 }), [0, 0, 1]);
  assert.deepEqual(read({ ...expired, paidOut: -30 }), [0, 0, 1]);
  assert.deepEqual(read({ ...expired, paidOut: 0 }), [0, 0, 0]);
  assertRejects(gadget, { ...CLOSE, ...expired, paidOut: 30, amount: UNIT }, "a charge");
  assert.deepEqual(read({ ...expired, position: 30, paidOut: 30 }), [0, 0, 1]);
});

test("ExpiredClose proves 1 and 2: it settles what is over, and pays what is settled", async () => {
  const expired = await loadGadget({ file, main: "ExpiredClose()" });
  const bits = [0, 1];
  for (const isClose of bits) {
    for (const [isListed, isSettled] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const) {
      for (const isUnexpired of bits) {
        for (const isFinal of bits) {
          const inputs = { isClose, isListed, isSettled, isUnexpired, isFinal };
          const witness = assertPinned(expired, inputs);
          const settles = isClose * isListed * isFinal * (1 - isUnexpired);
          const pays = settles + isClose * isSettled;
          const said = ["settles", "pays"].map((name) => Number(expired.read(witness, name)));
          assert.deepEqual(said, [settles, pays], JSON.stringify(inputs));
        }
      }
    }
  }
});

test("ForcedClose proves: of other operations it says nothing", () => {
  assert.deepEqual(read({ isClose: 0, amount: 77, lots: 5 }), [0, 0, 0]);
  assert.deepEqual(read({ isClose: 0, amount: 77, position: -5 }), [0, 0, 0]);
});

test("WithinLimits proves: out = 1 exactly if F3 holds", async () => {
  const limits = await loadGadget({ file, main: "WithinLimits()" });
  const fits = (first: number, second: number, position: number) =>
    limits.read(assertPinned(limits, { cash: [first, second], position }), "out");
  const [most, lots] = [2 ** 51, 2 ** 21];
  assert.equal(fits(0, 0, 0), 1n);
  assert.equal(fits(most - 1, -most, lots - 1), 1n);
  assert.equal(fits(-most, most - 1, -lots), 1n);
  assert.equal(fits(most, 0, 0), 0n);
  assert.equal(fits(0, most, 0), 0n);
  assert.equal(fits(-most - 1, 0, 0), 0n);
  assert.equal(fits(0, -most - 1, 0), 0n);
  assert.equal(fits(0, 0, lots), 0n);
  assert.equal(fits(0, 0, -lots - 1), 0n);
  assert.equal(fits(6 * most - 1, 1 - 6 * most, 2 ** 23), 0n);
});
