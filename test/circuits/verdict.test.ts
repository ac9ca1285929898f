// Which case an order step is, whether a fill is borne, and what it moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, readAll, wrapped } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const CASES = ["isVoid", "isBlocked", "isSelf", "isMet"] as const;
const bit = fc.constantFrom(0, 1);
const order = fc.record({ crosses: bit, isTopVoid: bit, isOwnTop: bit, isPostOnly: bit });
type Order = typeof order extends fc.Arbitrary<infer T> ? T : never;

function caseOf(given: Order): string {
  if (given.crosses === 0) return "";
  if (given.isTopVoid === 1) return "isVoid";
  if (given.isPostOnly === 1) return "isBlocked";
  return given.isOwnTop === 1 ? "isSelf" : "isMet";
}

test("OrderCase proves 1: exactly one case if it crosses, none else, in SPEC's order", async () => {
  const gadget = await loadGadget({ file: "trade/Verdict.circom", main: "OrderCase()" });
  fc.assert(
    fc.property(order, (given) => {
      const witness = assertPinned(gadget, given);
      const said = CASES.filter((name) => gadget.read(witness, name) === 1n);
      assert.deepEqual(said.join(), caseOf(given));
    }),
    runs(40),
  );
});

const lots = fc.oneof(fc.constantFrom(1, 2, 2 ** 22 - 1), fc.integer({ min: 1, max: 9 }));
const meeting = fc.record({
  isMet: bit,
  isReduceOnly: bit,
  exposureAgainst: fc.oneof(
    fc.constantFrom(0, 1, -1, 2 ** 22, -(2 ** 22)),
    fc.integer({ min: -9, max: 9 }),
  ),
  orderLots: lots,
  topLots: lots,
});
const tested = { file: "trade/Verdict.circom", main: "TestedLots()" };

test("TestedLots proves 1: reduce-only without exposure against it has nothing", async () => {
  const gadget = await loadGadget(tested);
  fc.assert(
    fc.property(meeting, (given) => {
      const witness = gadget.witness(given);
      const hasNothing = given.isReduceOnly === 1 && given.exposureAgainst <= 0;
      const [expected, other] = hasNothing
        ? ["hasNothing", "isTested"]
        : ["isTested", "hasNothing"];
      assert.equal(gadget.read(witness, expected!), BigInt(given.isMet));
      assert.equal(gadget.read(witness, other!), 0n);
    }),
    runs(300),
  );
});

test("TestedLots proves 2: lots = min(order, entry, exposure against the order)", async () => {
  const gadget = await loadGadget(tested);
  fc.assert(
    fc.property(meeting, (given) => {
      const { isReduceOnly, exposureAgainst, orderLots, topLots } = given;
      fc.pre(isReduceOnly === 0 || exposureAgainst > 0);
      const cap = isReduceOnly === 1 ? exposureAgainst : 2 ** 22;
      const witness = gadget.witness(given);
      assert.equal(gadget.read(witness, "lots"), BigInt(Math.min(orderLots, topLots, cap)));
    }),
    runs(300),
  );
});

test("TestedLots proves 2: fewer than 2^22 lots, whatever the order says", async () => {
  // What tells positions before a batch apart (PositionsBought) rests on it.
  const gadget = await loadGadget(tested);
  const edge = 2n ** 22n;
  const odd = [-1n, edge, 2n * edge - 1n, 2n * edge, 3n * edge, 2n ** 60n, -edge, R / 2n];
  let taken = 0;
  for (const topLots of [1n, edge - 1n]) {
    for (const orderLots of [1n, edge - 1n, ...odd]) {
      for (const exposureAgainst of [1n, edge - 1n, ...odd]) {
        for (const isReduceOnly of [0, 1]) {
          const given = { isMet: 1, isReduceOnly, exposureAgainst, orderLots, topLots };
          if (!accepts(gadget, given)) continue;
          const said = gadget.read(gadget.witness(given), "lots");
          assert.ok(said < edge || R - said < edge, `${said} lots`);
          taken++;
        }
      }
    }
  }
  assert.ok(taken > 40, `${taken} taken`);
});

test("TestedLots proves 1 and 2: no wire can be forged", async () => {
  const gadget = await loadGadget(tested);
  fc.assert(
    fc.property(meeting, (given) => void assertPinned(gadget, given)),
    runs(10),
  );
});

const UNIT = 1000;
const FILL = { file: "trade/Fill.circom", main: "FillVerdict(1)" };
/** The choices that Admissible leaves to the prover. */
const CHOICES = /\.(inv|usesSum\[\d+\]|shown\[\d+\]|isWorst\[\d+\])$/;
/** A buyer's headroom changes by -20 and 20 lot ticks for each lot, and by -4 for each tick. */
const RATES = [400, 440];
const fill = {
  isTested: 1,
  rates: RATES,
  price: 105,
  lots: 3,
  direction: 1,
  takerFee: 0,
  makerFee: 0,
  isRelief: 0,
  level: 0,
};
const VERDICTS = ["makerFails", "takerFails", "fills"] as const;
const saidBy = (gadget: Gadget, witness: bigint[]) =>
  VERDICTS.filter((name) => gadget.read(witness, name) === 1n);

test("FillVerdict proves 1: the maker is tested first, then the taker, at 0 and -1", async () => {
  const gadget = await loadGadget(FILL);
  const rooms = [
    [[60, 0], [0, 60], "fills"],
    [[59, 0], [0, 60], "takerFails"],
    [[60, -1], [0, 60], "fills"],
    [[60, 0], [0, 59], "makerFails"],
    [[0, 0], [0, 59], "makerFails"],
    [[60, 0], [-1, 60], "fills"],
  ] as const;
  for (const [takerRoom, makerRoom, expected] of rooms) {
    const inputs = { ...fill, takerRoom, makerRoom };
    const witness = assertPinned(gadget, inputs, { free: CHOICES });
    assert.deepEqual(saidBy(gadget, witness), [expected]);
    assert.deepEqual(saidBy(gadget, gadget.witness({ ...inputs, isTested: 0 })), []);
  }
});

test("FillVerdict proves 1: what both sides lose by is the maker's failure alone", async () => {
  const gadget = await loadGadget(FILL);
  // A fee of the maker's that neither side's gain makes good, and a price that no buyer bears.
  const poor = { takerRoom: [-100, -100], makerRoom: [-100, -100], price: 120, makerFee: 200 };
  const witness = assertPinned(gadget, { ...fill, ...poor }, { free: CHOICES });
  assert.deepEqual(saidBy(gadget, witness), ["makerFails"]);
});

test("FillVerdict proves 4: who is liquidated need only not fall below the level", async () => {
  const gadget = await loadGadget(FILL);
  const makerRoom = [10 ** 9, 10 ** 9];
  // 20 times maintenance changes by 4 * (-60) + 60 and 5 * 60.
  const inputs = { ...fill, isRelief: 1, makerRoom, level: -400 };
  const verdict = (takerRoom: readonly number[], change: Partial<typeof inputs> = {}) =>
    saidBy(gadget, gadget.witness({ ...inputs, ...change, takerRoom })).join();
  const [falls, level] = [-180, -400];
  // 4 room + room_S - 180 is to be at least the level: room_S = 0.
  const least = (level - falls) / 4;
  assert.equal(verdict([least, 0]), "fills");
  assert.equal(verdict([least - 1, 0]), "takerFails");
  assert.equal(verdict([least, 0], { level: level + 1 }), "takerFails");
  assert.equal(verdict([least, 0], { isRelief: 0, level: 0 }), "takerFails");
  const failing = { ...inputs, takerRoom: [least, 0] };
  assertPinned(gadget, failing, { free: CHOICES });
  // A sale gains in the first, however far below it stands, and loses 300 in the unchanged one.
  const sale = { direction: -1, level: -300 };
  assert.equal(verdict([-(10 ** 6), 0], sale), "fills");
  assert.equal(verdict([-(10 ** 6), 0], { ...sale, level: -299 }), "takerFails");
});

test("FillVerdict proves 2: price and fees of both sides, in lot ticks", async () => {
  const gadget = await loadGadget(FILL);
  const room = [10 ** 9, 10 ** 9];
  for (const [direction, price, lots, takerFee, makerFee] of [
    [1, 105, 3, 3, -1],
    [-1, 105, 3, 3, 2],
    [1, -40, 2 ** 22 - 1, 2, -2],
    [-1, -(2 ** 23), 1, 2 ** 16 - 1, 2 ** 16 - 1],
  ] as const) {
    const inputs = { ...fill, direction, price, lots, takerFee, makerFee };
    const witness = gadget.witness({ ...inputs, takerRoom: room, makerRoom: room });
    const pays = (side: number, fee: number) => wrapped(lots * (side * price + fee), R);
    assert.equal(gadget.read(witness, "takerPays"), pays(direction, takerFee));
    assert.equal(gadget.read(witness, "makerPays"), pays(-direction, makerFee));
  }
});

test("FillVerdict proves 3: each side's own fee counts four times in its headroom", async () => {
  const gadget = await loadGadget(FILL);
  const takerRoom = [60 + 4 * 3 * 2, 0];
  const makerRoom = [0, 60 - 4 * 3];
  const inputs = { ...fill, takerFee: 2, makerFee: -1, takerRoom, makerRoom };
  const verdict = (change: Partial<typeof inputs>) =>
    saidBy(gadget, assertPinned(gadget, { ...inputs, ...change }, { free: CHOICES })).join();
  assert.equal(verdict({}), "fills");
  assert.equal(verdict({ takerRoom: takerRoom.map((room) => room - 1) }), "takerFails");
  assert.equal(verdict({ makerRoom: makerRoom.map((room) => room - 1) }), "makerFails");
  assert.equal(verdict({ takerFee: 3 }), "takerFails");
  assert.equal(verdict({ makerFee: 0 }), "makerFails");
  // A seller who takes: the fee is paid, whichever way the price goes.
  const seller = { direction: -1, takerRoom: [0, 60 + 24], makerRoom: [48, 0] };
  assert.equal(verdict(seller), "fills");
  assert.equal(verdict({ ...seller, takerRoom: [0, 83] }), "takerFails");
  assert.equal(verdict({ ...seller, makerRoom: [47, 0] }), "makerFails");
});

const APPLY = { file: "trade/Fill.circom", main: `ApplyFill(3, 2, 1, ${UNIT})` };
const moved = {
  isTaker: [1, 0, 0],
  isMaker: [0, 1, 0],
  isBook: [0, 1],
  rates: RATES,
  signedLots: 3,
  takerPays: 321,
  makerPays: -318,
  restore: 0,
  isKept: 0,
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
  fees: 7,
  savedLots: [5, -2, -3],
  savedCash: [-700, 300, 150],
};
type Moved = typeof moved;

/** What the step must leave, by each account's change of lots, and of cash in lot ticks. */
function changedBy(given: Moved, lots: readonly number[], cash: readonly number[]) {
  const row = (values: readonly number[]) => values.map((value) => wrapped(value, R));
  const paid = cash.reduce((sum, change) => sum - change, 0);
  return {
    cash: row(given.cash.map((value, a) => value + UNIT * cash[a]!)),
    net: given.net.map((of, a) => row([of[0]!, of[1]! + lots[a]!])),
    room: given.headroom.map((of, a) =>
      row(of.map((value, s) => value + lots[a]! * RATES[s]! + 4 * cash[a]!)),
    ),
    fees: wrapped(given.fees + UNIT * paid, R),
  };
}

function readMoved(gadget: Gadget, given: Moved) {
  const witness = assertPinned(gadget, given);
  const rows = (name: string) => [0, 1, 2].map((a) => readAll(gadget, witness, `${name}[${a}]`, 2));
  return {
    cash: readAll(gadget, witness, "cashAfter", 3),
    net: rows("netAfter"),
    room: rows("headroomAfter"),
    fees: gadget.read(witness, "feesAfter"),
  };
}

test("ApplyFill proves 1, 4 and 5: lots, cash, headrooms of two; fees take the rest", async () => {
  const gadget = await loadGadget(APPLY);
  for (const signedLots of [3, -3, 2 ** 22 - 1]) {
    const notional = 105 * signedLots;
    const takerPays = notional + 6;
    const makerPays = -notional - 3;
    const given = { ...moved, signedLots, takerPays, makerPays };
    const expected = changedBy(given, [signedLots, -signedLots, 0], [-takerPays, -makerPays, 0]);
    assert.deepEqual(readMoved(gadget, given), expected);
    assert.equal(expected.fees, 3007n);
  }
  const still = { ...moved, signedLots: 0, takerPays: 0, makerPays: 0 };
  assert.deepEqual(readMoved(gadget, still), changedBy(still, [0, 0, 0], [0, 0, 0]));
});

test("ApplyFill proves 2: an abort takes back what was moved, and not its own step", async () => {
  const gadget = await loadGadget(APPLY);
  const given = { ...moved, restore: 1 };
  const expected = changedBy(given, [-5, 2, 3], [700, -300, -150]);
  assert.deepEqual(readMoved(gadget, given), expected);
  assert.equal(expected.fees, wrapped(7 - 250 * UNIT, R), "the fees that it paid go back");
  // An order that fails in its first step leaves what it found.
  const first = { ...given, savedLots: [0, 0, 0], savedCash: [0, 0, 0] };
  assert.deepEqual(readMoved(gadget, first), changedBy(first, [0, 0, 0], [0, 0, 0]));
});

test("ApplyFill proves 3: what steps moved adds up while the order is kept, else 0", async () => {
  const gadget = await loadGadget(APPLY);
  const saved = (given: Moved) => {
    const witness = assertPinned(gadget, given);
    const names = ["savedLotsAfter", "savedCashAfter"];
    return names.map((name) => readAll(gadget, witness, name, 3));
  };
  assert.deepEqual(saved({ ...moved, isKept: 1 }), [
    [8, -5, -3].map((lots) => wrapped(lots, R)),
    [-700 - 321, 300 + 318, 150].map((cash) => wrapped(cash, R)),
  ]);
  const none = [0n, 0n, 0n];
  assert.deepEqual(saved(moved), [none, none]);
  assert.deepEqual(saved({ ...moved, restore: 1 }), [none, none]);
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
