// Cheating in the fills of a trade batch: for each line of what FillUnit proves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { PRICE_OFFSET, FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { FILL } from "../../sequencer/protocol/layout.ts";
import { feesWord, weightWords } from "../../sequencer/protocol/state.ts";
import { abortingBatch, fillingBatch, LIQUIDATION, liquidatingBatch } from "../support/batches.ts";
import { accepts, assertPinned } from "../support/cheat.ts";
import {
  assertRefused,
  changed,
  loadCircuit,
  plus,
  set,
  withPublicInputs,
} from "../support/circuit.ts";
import { straddleLiquidation } from "../support/distressBatches.ts";
import { loadGadget } from "../support/gadget.ts";
import { slotRisk } from "../support/market.ts";
import { meetingWord, NO_MEETING } from "../support/meeting.ts";
import { all, firstFill, foretold, type Inputs, reworded, tell } from "../support/tradeCheats.ts";

const circuit = await loadCircuit("trade");
const filling = fillingBatch().batch;
const aborting = abortingBatch().batch;
const liquidating = liquidatingBatch().batch;
const honest = withPublicInputs(filling);
const aborts = withPublicInputs(aborting);
const liquidates = withPublicInputs(liquidating);

test("FillUnit proves 1: what a step takes to come of its meeting is what margin says", () => {
  // Three lots are there, and both sides bear them.
  const other = foretold(honest, { 0: 2n, 1: 2n });
  assertRefused(circuit, other, "FillUnit: fill.fills * tested.lots === meeting.filledLots");
  const none = foretold(liquidates, { 1: 0n });
  assertRefused(circuit, none, "FillUnit: fill.fills === meeting.fills");
  const failing = all(none, { makerFails: [[1, 1n]] });
  assertRefused(circuit, failing, "FillUnit: fill.makerFails === meeting.makerFails");
});

test("FillUnit proves 6: a unit that nothing is handed to names no liquidation", () => {
  circuit.witness(all(liquidates, { scenario: [[3, 17n]] }));
});

test("FillUnit proves 5: the public word tells each fill that stands, and nothing else", () => {
  const start = firstFill(filling);
  assertRefused(
    circuit,
    tell(filling, 0, () => 0n),
    "PublicData",
  ); // a hidden fill
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 81n)),
    "PublicData",
  ); // lots
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 57n)),
    "PublicData",
  ); // price
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 4n)),
    "PublicData",
  ); // taker
  assertRefused(
    circuit,
    tell(liquidating, 3, () => filling.words[start]!),
    "PublicData",
  ); // invented
  assertRefused(
    circuit,
    tell(aborting, 0, () => filling.words[start]!),
    "PublicData",
  ); // undone
});

test("FillUnit proves 5: a liquidation's fill is told like any other", () => {
  const start = firstFill(liquidating);
  const told = unpack(FILL, liquidating.words[start]!);
  assert.deepEqual([told.taker, told.maker, told.takerIsSell, told.lots], [3, 4, 1, 2]);
  assert.equal(told.price - PRICE_OFFSET, 150);
  const hidden = tell(liquidating, 0, () => 0n);
  assertRefused(circuit, hidden, "PublicData");
});

test("FillUnit proves 2: both sides pay the fees of the book", () => {
  // Other rates leave other cash, which other siblings surround.
  for (const fees of [
    { taker: 2, maker: -1 },
    { taker: 3, maker: -2 },
    { taker: 3, maker: 1 },
    { taker: 0, maker: 0 },
    { taker: 2, maker: -3 },
  ]) {
    const cheap = changed(honest, ["bookFees", 0], set(feesWord(fees)));
    assertRefused(circuit, cheap, "Trade: accounts.leafAfter");
  }
  const wide = changed(honest, ["bookFees", 0], plus(1n << 33n));
  assertRefused(circuit, wide, "FeeRates");
});

test("FillUnit proves 2 and 3: an order that aborts has paid no fees", () => {
  // Whatever its steps paid was taken back: only the book itself is another one.
  const dear = changed(aborts, ["bookFees", 0], set(feesWord({ taker: 9, maker: 9 })));
  assertRefused(circuit, dear, "Trade: bookTree.leafAfter");
});

test("FillUnit proves 4: a liquidation meets L1 to L4", () => {
  const edge = LIQUIDATION.price - 1 + PRICE_OFFSET;
  // Account 4 has no order then that the other steps could meet, and places none.
  const alone = all(foretold(liquidates, { 1: 0n, 2: 0n }), {
    isPlace: [[3, 0n]],
    isProceed: [[4, 0n]],
    word: [[3, 0n]],
  });
  for (const cheat of [
    reworded(alone, 1, { seq: 4 }), // L1: an account that is not below maintenance
    reworded(alone, 1, { seq: 0 }), // L1: an account without positions
    all(liquidates, { scenario: [[0, 16n]] }), // L1: a scenario that it survives
    reworded(liquidates, 1, { price: edge }), // L2: a limit that gives too much away
    reworded(foretold(liquidates, { 1: 0n }), 1, { isSell: 0 }), // L2: a purchase
    reworded(liquidates, 1, { lots: 9 }), // L4: one more than the 8 that restore it
  ]) {
    assertRefused(circuit, cheat, "Liquidation");
  }
  // L3: a rate that takes what the limit gains. No leaf has been asked for yet.
  const { mark, changes } = slotRisk(150, 80);
  const gain = LIQUIDATION.price - mark - changes[0]!;
  const rated = (taker: number) =>
    changed(liquidates, ["bookFees", 0], set(feesWord({ taker, maker: 0 })));
  assertRefused(circuit, rated(gain), "Liquidation");
  assertRefused(circuit, rated(gain - 1), "Trade: accounts.leafAfter");
  assertRefused(circuit, all(liquidates, { scenario: [[0, 18n]] }), "SelectById");
});

test("FillUnit proves 4: a fill that does not relieve the account is none", () => {
  const [relieved, unrelieved] = [straddleLiquidation(5), straddleLiquidation(6)];
  for (const { batch } of [relieved, unrelieved]) circuit.witness(withPublicInputs(batch));
  assert.equal(relieved.market.state.account(3).positions[0], -95);
  assert.equal(unrelieved.market.state.account(3).positions[0], -100);
  // A lot more of the same order leaves other accounts than the batch says.
  const more = reworded(withPublicInputs(relieved.batch), 1, { lots: 6 }) as Inputs;
  assertRefused(circuit, more, "FillUnit: fill.fills === meeting.fills");
  assertRefused(circuit, foretold(more, { 1: 0n }), "Trade: accounts.leafAfter");
  const sides = { taker: 3, maker: 5, takerIsSell: 0 };
  const fill = pack(FILL, { kind: 1, ...sides, book: 0, price: 290 + PRICE_OFFSET, lots: 6 });
  assertRefused(
    circuit,
    tell(unrelieved.batch, 0, () => fill),
    "PublicData",
  );
  // An order that need not close anything is to be admissible, and this one is not.
  const honestly = withPublicInputs(relieved.batch);
  const free = reworded(honestly, 1, { reduceOnly: 0 }) as Inputs;
  assertRefused(circuit, free, "FillUnit: fill.fills === meeting.fills");
  assertRefused(circuit, foretold(free, { 1: 0n }), "Trade: accounts.leafAfter");
  // Nor does an order in a combination close anything.
  const [spread] = weightWords(Array.from({ length: 16 }, (_, slot) => [1, -1][slot] ?? 0));
  const bent = all(honestly, { bookGeneration: [[0, 2n]] });
  const combined = changed(bent, ["bookWeights", 0, 0], set(spread)) as Inputs;
  assertRefused(circuit, combined, "TradeStep: reducesHere * (1 - isPlain)");
});

const UNIT = { file: "trade/FillUnit.circom", main: "FillUnit(2, 1, 1, 1000)" };
/** The choices that Admissible and circomlib's IsZero leave to the prover. */
const CHOICES = /\.(inv|usesSum\[\d+\]|shown\[\d+\]|isWorst\[\d+\])$/;
/** Account 7 buys 3 of 5 lots at 105 from account 9: headrooms change by -60 and 60. */
const BUYS = {
  ...NO_MEETING,
  ...{ maker: 1, isMet: 1, fills: 1, stands: 1, orderLots: 3, topLots: 5, filledLots: 3 },
  ...{ price: 110 + PRICE_OFFSET, topPrice: 105 + PRICE_OFFSET },
};
const STATE = {
  isTaken: 1,
  scenario: 0,
  "terms.accountIds": [7, 9],
  "terms.bookIds": [3],
  "terms.excess": [0, 0],
  "terms.bookRisk": [[400, 440]],
  "terms.feeRates": [[0, 0, 0]],
  "terms.exposure": [[-2], [0]],
  "terms.gram": [[1]],
  "before.headroom": [
    [60, 100],
    [60, 100],
  ],
  "before.cash": [500_000, 700_000],
  "before.net": [[0], [0]],
  "before.fees": 11,
  "before.savedLots": [0, 0],
  "before.savedCash": [0, 0],
};

test("FillUnit proves 1, 2 and 5: a fill moves lots and cash, and is told", async () => {
  const gadget = await loadGadget(UNIT);
  const inputs = { ...STATE, word: meetingWord(BUYS) };
  const witness = assertPinned(gadget, inputs, { free: CHOICES });
  const read = (name: string) => gadget.read(witness, name);
  assert.deepEqual(
    [0, 1].map((a) => read(`after.cash[${a}]`)),
    [185_000n, 1_015_000n],
  );
  assert.equal(read("after.net[0][0]"), 3n);
  assert.deepEqual(
    [0, 1].map((s) => read(`after.headroom[0][${s}]`)),
    [0n, 160n],
  );
  assert.deepEqual(
    [0, 1].map((s) => read(`after.headroom[1][${s}]`)),
    [120n, 40n],
  );
  assert.equal(read("after.fees"), 11n);
  const told = unpack(FILL, read("publicWord"));
  assert.deepEqual([told.taker, told.maker, told.book, told.lots], [7, 9, 3, 3]);
  const hidden = { ...STATE, word: meetingWord({ ...BUYS, stands: 0 }) };
  assert.equal(gadget.read(gadget.witness(hidden), "publicWord"), 0n);
});

test("FillUnit proves 1: every other outcome of the same meeting is refused", async () => {
  const gadget = await loadGadget(UNIT);
  const poor = { "before.headroom": [[59, 100], STATE["before.headroom"][1]!] };
  const poorMaker = { "before.headroom": [STATE["before.headroom"][0]!, [60, 59]] };
  const none = { fills: 0, stands: 0, filledLots: 0 };
  for (const [state, meeting] of [
    [{}, BUYS],
    [poor, { ...BUYS, ...none }],
    [poorMaker, { ...BUYS, ...none, makerFails: 1 }],
    [{}, { ...BUYS, isReduceOnly: 1, filledLots: 2 }],
    [{ "terms.exposure": [[1], [0]] }, { ...BUYS, isReduceOnly: 1, ...none }],
  ] as const) {
    const given = { ...STATE, ...state };
    assertPinned(gadget, { ...given, word: meetingWord(meeting) }, { free: CHOICES });
    for (const makerFails of [0, 1]) {
      for (const fills of [0, 1]) {
        for (const filledLots of [0, 1, 2, 3, 5]) {
          const said = { ...meeting, makerFails, fills, filledLots };
          const isSo =
            makerFails === meeting.makerFails &&
            fills === meeting.fills &&
            filledLots === meeting.filledLots;
          const inputs = { ...given, word: meetingWord(said) };
          assert.equal(accepts(gadget, inputs), isSo, JSON.stringify(said));
        }
      }
    }
  }
});

test("FillUnit proves 3: what a fill-or-kill order has moved is kept, then undone", async () => {
  const gadget = await loadGadget(UNIT);
  const kept = gadget.witness({ ...STATE, word: meetingWord({ ...BUYS, isKept: 1, stands: 0 }) });
  assert.deepEqual(
    [0, 1].map((a) => gadget.read(kept, `after.savedCash[${a}]`)),
    [(-315n + R) % R, 315n],
  );
  const aborts = { ...NO_MEETING, restores: 1, topPrice: PRICE_OFFSET, price: PRICE_OFFSET };
  const saved = { "before.savedLots": [3, -3], "before.savedCash": [-315, 315] };
  const inputs = { ...STATE, ...saved, word: meetingWord(aborts) };
  const witness = assertPinned(gadget, inputs, { free: CHOICES });
  assert.deepEqual(
    [0, 1].map((a) => gadget.read(witness, `after.cash[${a}]`)),
    [815_000n, 385_000n],
  );
  assert.equal(gadget.read(witness, "after.net[1][0]"), 3n);
  assert.equal(gadget.read(witness, "after.savedLots[0]"), 0n);
});

test("FillUnit proves 6: a unit that is not taken changes nothing", async () => {
  const gadget = await loadGadget(UNIT);
  const inputs = { ...STATE, isTaken: 0, word: 0 };
  const witness = assertPinned(gadget, inputs, { free: CHOICES });
  assert.deepEqual(
    [0, 1].map((a) => gadget.read(witness, `after.cash[${a}]`)),
    [500_000n, 700_000n],
  );
  assert.equal(gadget.read(witness, "after.headroom[1][0]"), 60n);
  assert.equal(gadget.read(witness, "publicWord"), 0n);
});

test("BalancesOpened proves 1 and 2: headrooms in lot ticks, exposures by weights", async () => {
  const gadget = await loadGadget({
    file: "trade/Balances.circom",
    main: "BalancesOpened(1, 2, 2, 1, 1000)",
  });
  const cash = -2_501;
  const inputs = {
    ...{ cash: [cash], fees: 4, positions: [[3, -5]] },
    headroom: [[4 * cash + 7000, 4 * cash]],
    weights: [
      [1, 0],
      [1, -2],
    ],
  };
  const witness = assertPinned(gadget, inputs);
  const read = (name: string) => gadget.read(witness, name);
  // 4 * -2.501 is -10.004: -11 and 0.996, of which five are 4.
  assert.deepEqual(
    [0, 1].map((s) => read(`balances.headroom[0][${s}]`)),
    [R - 4n, R - 11n],
  );
  assert.equal(read("excess[0]"), 4n);
  assert.deepEqual(
    [0, 1].map((b) => read(`exposure[0][${b}]`)),
    [3n, 13n],
  );
});
