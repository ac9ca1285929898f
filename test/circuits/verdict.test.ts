// Which case an order step is, whether a fill is borne, and what it moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { assertPinned, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const CASES = ["isVoid", "isBlocked", "isSelf", "hasNothing", "isTested"] as const;
const bit = fc.constantFrom(0, 1);
const lots = fc.oneof(fc.constantFrom(1, 2, 2 ** 22 - 1), fc.integer({ min: 1, max: 9 }));
const order = fc.record({
  crosses: bit,
  isTopVoid: bit,
  isOwnTop: bit,
  isPostOnly: bit,
  isReduceOnly: bit,
  exposureAgainst: fc.oneof(
    fc.constantFrom(0, 1, -1, 2 ** 22, -(2 ** 22)),
    fc.integer({ min: -9, max: 9 }),
  ),
  orderLots: lots,
  topLots: lots,
});
type Order = typeof order extends fc.Arbitrary<infer T> ? T : never;

function caseOf(given: Order): string {
  if (given.crosses === 0) return "";
  if (given.isTopVoid === 1) return "isVoid";
  if (given.isPostOnly === 1) return "isBlocked";
  if (given.isOwnTop === 1) return "isSelf";
  return given.isReduceOnly === 1 && given.exposureAgainst <= 0 ? "hasNothing" : "isTested";
}

const verdict = { file: "trade/Verdict.circom", main: "OrderCase()" };

test("OrderCase proves 1: exactly one case if it crosses, none else, in SPEC's order", async () => {
  const gadget = await loadGadget(verdict);
  fc.assert(
    fc.property(order, (given) => {
      const witness = gadget.witness(given);
      const said = CASES.filter((name) => gadget.read(witness, name) === 1n);
      assert.deepEqual(said.join(), caseOf(given));
    }),
    runs(300),
  );
});

test("OrderCase proves 2: lots = min(order, entry, exposure against the order)", async () => {
  const gadget = await loadGadget(verdict);
  fc.assert(
    fc.property(order, (given) => {
      const { isReduceOnly, exposureAgainst, orderLots, topLots } = given;
      fc.pre(isReduceOnly === 0 || exposureAgainst > 0);
      const cap = isReduceOnly === 1 ? exposureAgainst : 2 ** 22;
      const witness = gadget.witness(given);
      assert.equal(gadget.read(witness, "lots"), BigInt(Math.min(orderLots, topLots, cap)));
    }),
    runs(300),
  );
});

test("OrderCase proves 1 and 2: no wire can be forged", async () => {
  const gadget = await loadGadget(verdict);
  fc.assert(
    fc.property(order, (given) => void assertPinned(gadget, given)),
    runs(10),
  );
});

const UNIT = 1000;
const FILL = { file: "trade/Fill.circom", main: `FillVerdict(2, 2, 1, ${UNIT})` };
/** The choices that Admissible leaves to the prover. */
const CHOICES = /\.(inv|usesSum\[\d+\]|shown\[\d+\]|isWorst\[\d+\])$/;
const fill = {
  isTested: 1,
  isTaker: [1, 0],
  isMaker: [0, 1],
  isBook: [0, 1],
  bookRisk: [
    [1, 2],
    [400, 440],
  ],
  price: 105,
  lots: 3,
  direction: 1,
};
/** What a buyer's headroom changes by for each lot. */
const STEPS = [-20_000, 20_000];

test("FillVerdict proves 1: the maker is tested first, then the taker, at 0 and -1", async () => {
  const gadget = await loadGadget(FILL);
  const rooms = [
    [[60_000, 0], [0, 60_000], "fills"],
    [[59_999, 0], [0, 60_000], "takerFails"],
    [[60_000, -1], [0, 60_000], "fills"],
    [[60_000, 0], [0, 59_999], "makerFails"],
    [[0, 0], [0, 59_999], "makerFails"],
    [[60_000, 0], [-1, 60_000], "fills"],
  ] as const;
  for (const [taker, maker, expected] of rooms) {
    const inputs = { ...fill, headroom: [taker, maker] };
    const witness = assertPinned(gadget, inputs, { free: CHOICES });
    const said = ["makerFails", "takerFails", "fills"].filter(
      (name) => gadget.read(witness, name) === 1n,
    );
    assert.deepEqual(said, [expected]);
    const idle = gadget.witness({ ...inputs, isTested: 0 });
    for (const name of ["makerFails", "takerFails", "fills"]) {
      assert.equal(gadget.read(idle, name), 0n);
    }
  }
});

test("FillVerdict proves 2: step[s] = unit * (bookRisk[s] - 4 price)", async () => {
  const gadget = await loadGadget(FILL);
  const witness = gadget.witness({
    ...fill,
    headroom: [
      [0, 0],
      [0, 0],
    ],
  });
  assert.deepEqual(
    readAll(gadget, witness, "step", 2),
    STEPS.map((step) => wrapped(step, R)),
  );
});

const moved = {
  isTaker: [1, 0, 0],
  isMaker: [0, 1, 0],
  isBook: [0, 1],
  signedLots: 3,
  price: 105,
  step: STEPS,
  headroom: [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
  cash: [10, 20, 30],
  net: [
    [0, 1],
    [0, 2],
    [0, 3],
  ],
  savedHeadroom: [
    [7, 7],
    [8, 8],
    [9, 9],
  ],
  savedCash: [11, 21, 31],
  savedNet: [
    [4, 4],
    [5, 5],
    [6, 6],
  ],
};

test("ApplyFill proves 1: taker and maker change oppositely, nobody else", async () => {
  const gadget = await loadGadget({
    file: "trade/Fill.circom",
    main: `ApplyFill(3, 2, 1, ${UNIT})`,
  });
  const read = (lots: number) => {
    const inputs = { ...moved, signedLots: lots, isFirst: 0, restore: 0 };
    const witness = assertPinned(gadget, inputs);
    return {
      cash: readAll(gadget, witness, "cashAfter", 3),
      net: [0, 1, 2].map((a) => readAll(gadget, witness, `netAfter[${a}]`, 2)),
      room: [0, 1, 2].map((a) => readAll(gadget, witness, `headroomAfter[${a}]`, 2)),
    };
  };
  for (const lots of [3, -3, 2 ** 22 - 1, 0]) {
    const after = read(lots);
    const paid = lots * 105 * UNIT;
    assert.deepEqual(
      after.cash,
      [10 - paid, 20 + paid, 30].map((value) => wrapped(value, R)),
    );
    assert.deepEqual(after.net[0], [0n, wrapped(1 + lots, R)]);
    assert.deepEqual(after.net[1], [0n, wrapped(2 - lots, R)]);
    assert.deepEqual(after.net[2], [0n, 3n]);
    const rooms = moved.headroom.map((row, a) =>
      row.map((value, s) => wrapped(value + [lots, -lots, 0][a]! * STEPS[s]!, R)),
    );
    assert.deepEqual(after.room, rooms);
  }
});

test("ApplyFill proves 2: saved is what stood before; restored if asked", async () => {
  const gadget = await loadGadget({
    file: "trade/Fill.circom",
    main: `ApplyFill(3, 2, 1, ${UNIT})`,
  });
  const saved = gadget.witness({ ...moved, isFirst: 1, restore: 0 });
  assert.deepEqual(readAll(gadget, saved, "savedCashAfter", 3), moved.cash.map(BigInt));
  assert.deepEqual(readAll(gadget, saved, "savedNetAfter[1]", 2), moved.net[1]!.map(BigInt));
  const restored = gadget.witness({ ...moved, isFirst: 0, restore: 1 });
  assert.deepEqual(readAll(gadget, restored, "cashAfter", 3), moved.savedCash.map(BigInt));
  assert.deepEqual(readAll(gadget, restored, "netAfter[2]", 2), [6n, 6n]);
  assert.deepEqual(readAll(gadget, restored, "headroomAfter[0]", 2), [7n, 7n]);
  // An order that fails in its first step leaves what it found.
  const both = assertPinned(gadget, { ...moved, isFirst: 1, restore: 1 });
  assert.deepEqual(readAll(gadget, both, "cashAfter", 3), moved.cash.map(BigInt));
});

test("ExposureNow proves: out = positions . weights, with what the batch has traded", async () => {
  const gadget = await loadGadget({ file: "trade/Fill.circom", main: "ExposureNow(2, 2)" });
  const exposure = [
    [5, -6],
    [7, 8],
  ];
  const net = [
    [1, 2],
    [3, -4],
  ];
  const gram = [
    [1, 1],
    [1, 2],
  ];
  for (const [a, b, expected] of [
    [0, 0, 5 + 1 + 2],
    [0, 1, -6 + 1 + 4],
    [1, 1, 8 + 3 - 8],
  ] as const) {
    const isAccount = [0, 1].map((index) => (index === a ? 1 : 0));
    const isBook = [0, 1].map((index) => (index === b ? 1 : 0));
    const witness = assertPinned(gadget, { isAccount, isBook, exposure, net, gram });
    assert.equal(gadget.read(witness, "out"), wrapped(expected, R));
  }
});
