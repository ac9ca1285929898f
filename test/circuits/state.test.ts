// Leaves of the state: accounts, books, the series table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generationOf } from "../../sequencer/engine/bookState.ts";
import { cashQuotient, effectiveRisk, scenarioValues } from "../../sequencer/engine/risk.ts";
import { FIELD_MODULUS as R, SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { hashVector } from "../../sequencer/protocol/hash.ts";
import {
  accountLeaf,
  accountWords,
  bookLeaf,
  ENTRY_SENTINEL,
  feesWord,
  type Series,
  seriesRoot,
  seriesWord,
  weightWords,
} from "../../sequencer/protocol/state.ts";
import { accepts, assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";
import { laneWords } from "../support/lanes.ts";
import { slotRisk } from "../support/market.ts";

const UNIT = 1000;
const account = { owner: 77n, cash: -5, positions: [3, -4] };

test("AccountOpened proves 1: leaf = hashVector(owner, cash, positions), in range", async () => {
  const gadget = await loadGadget({
    file: "state/Account.circom",
    main: `AccountOpened(2, 1, ${UNIT})`,
  });
  const risk = { mark: [1, 2], changes: [[3], [4]] };
  const packed = accountWords(account).slice(2);
  const inputs = { owner: 77, cash: -5, packedPositions: packed, ...risk };
  const witness = assertPinned(gadget, inputs);
  assert.equal(gadget.read(witness, "leaf"), accountLeaf(account));
  assert.deepEqual(readAll(gadget, witness, "positions", 2), [3n, wrapped(-4, R)]);
  const limit = 2n ** 52n;
  for (const cash of [limit - 1n, -limit]) assert.ok(accepts(gadget, { ...inputs, cash }));
  for (const cash of [limit, -limit - 1n]) assertRejects(gadget, { ...inputs, cash });
  assertRejects(gadget, { ...inputs, packedPositions: [packed[0]! + (1n << 46n)] });
});

test("AccountOpened proves 2: headroom[s] = 4 cash + unit * what positions are worth", async () => {
  const main = `AccountOpened(2, ${SCENARIOS}, ${UNIT})`;
  const gadget = await loadGadget({ file: "state/Account.circom", main });
  const slots = [slotRisk(200, 80), slotRisk(7, -30)];
  const table = slots.map(() => series({}));
  const effective = effectiveRisk(table, { slots });
  const mark = slots.map((slot) => slot.mark);
  const changes = slots.map((slot) => laneWords(slot.changes));
  const packedPositions = accountWords(account).slice(2);
  const witness = gadget.witness({ owner: 1, cash: -5, packedPositions, mark, changes });
  const rooms = scenarioValues(account, effective).map((value) =>
    wrapped(4 * -5 + UNIT * value, R),
  );
  assert.deepEqual(readAll(gadget, witness, "headroom", SCENARIOS + 1), rooms);
});

const lotTicks = {
  file: "state/Account.circom",
  main: `HeadroomLotTicks(1, ${UNIT})`,
};
const CASH_EDGE = 2n ** 52n;
const cashes = [0n, 1n, -1n, 249n, 250n, -250n, -251n, 999n, 1000n, CASH_EDGE - 1n, -CASH_EDGE];
/** X_s of two scenarios. */
const VALUES = [7n, -9n];

function floor(dividend: bigint, divisor: bigint): bigint {
  const rest = ((dividend % divisor) + divisor) % divisor;
  return (dividend - rest) / divisor;
}

function lotTicksOf(cash: bigint) {
  const unit = BigInt(UNIT);
  return { cash, headroom: VALUES.map((value) => wrapped(4n * cash + unit * value, R)) };
}

test("HeadroomLotTicks proves 1: rounded down, and five times what is rounded off", async () => {
  const gadget = await loadGadget(lotTicks);
  const unit = BigInt(UNIT);
  for (const cash of cashes) {
    const witness = assertPinned(gadget, lotTicksOf(cash));
    const quotient = floor(4n * cash, unit);
    const rooms = VALUES.map((value) => wrapped(quotient + value, R));
    assert.deepEqual(readAll(gadget, witness, "out", 2), rooms);
    assert.equal(quotient, BigInt(cashQuotient(Number(cash), UNIT)), "the engine's quotient");
    const excess = floor(5n * (4n * cash - unit * quotient), unit);
    assert.equal(gadget.read(witness, "excess"), excess);
  }
});

test("HeadroomLotTicks proves 1: no other quotient and no other excess are taken", async () => {
  const gadget = await loadGadget({ ...lotTicks, freeHints: true });
  const unit = BigInt(UNIT);
  const shift = floor(4n * CASH_EDGE, unit) + 1n;
  const inverse = modInverse(unit, R);
  for (const cash of cashes) {
    const hint_quotient = floor(4n * cash, unit) + shift;
    const remainder = 4n * cash + unit * shift - unit * hint_quotient;
    const hint_excess = (5n * remainder) / unit;
    const inputs = lotTicksOf(cash);
    assert.ok(accepts(gadget, { ...inputs, hint_quotient, hint_excess }));
    for (const off of [1n, -1n, 5n, inverse, -inverse]) {
      const other = wrapped(hint_quotient + off, R);
      assertRejects(gadget, { ...inputs, hint_quotient: other, hint_excess }, `${off}`);
      const more = wrapped(hint_excess + off, R);
      assertRejects(gadget, { ...inputs, hint_quotient, hint_excess: more }, `${off}`);
    }
  }
});

/** The number whose product with another is 1 in the field. */
function modInverse(value: bigint, modulus: bigint): bigint {
  let power = 1n;
  let base = value;
  for (let rest = modulus - 2n; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = (power * base) % modulus;
    base = (base * base) % modulus;
  }
  return power;
}

test("AccountClosed proves: leaf as above; cash and every position within range", async () => {
  const gadget = await loadGadget({ file: "state/Account.circom", main: "AccountClosed(2)" });
  const witness = assertPinned(gadget, account);
  assert.equal(gadget.read(witness, "leaf"), accountLeaf(account));
  const edge = 2 ** 22;
  for (const lots of [edge - 1, -edge]) {
    assert.ok(accepts(gadget, { ...account, positions: [lots, 0] }));
  }
  for (const lots of [edge, -edge - 1]) {
    assertRejects(gadget, { ...account, positions: [lots, 0] }, `${lots} lots`);
  }
  for (const cash of [2n ** 52n, -(2n ** 52n) - 1n]) assertRejects(gadget, { ...account, cash });
});

test("Weights proves 1: the 4-bit fields less 8, and no bit above slot M", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "Weights(3)" });
  const words = weightWords([-8, 7, 0]);
  const witness = assertPinned(gadget, { words });
  assert.deepEqual(readAll(gadget, witness, "weights", 3), [wrapped(-8, R), 7n, 0n]);
  assertRejects(gadget, { words: [words[0] + (1n << 12n), 0n] });
  assertRejects(gadget, { words: [words[0], 1n] });
});

test("Weights proves 2: squares[m] = weights[m]^2", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "Weights(3)" });
  const witness = gadget.witness({ words: weightWords([-8, 7, 0]) });
  assert.deepEqual(readAll(gadget, witness, "squares", 3), [64n, 49n, 0n]);
});

test("LiveGenerations proves: the generation of live slots, else more than any sum", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "LiveGenerations(4)" });
  const generation = [5, 6, 7, 8];
  const inputs = { generation, isListed: [1, 1, 0, 0], isUnexpired: [1, 0, 1, 0] };
  const witness = assertPinned(gadget, inputs);
  const dead = 1n << 41n;
  assert.deepEqual(readAll(gadget, witness, "out", 4), [5n, dead, dead, dead]);
});

test("IsBookOpen proves: 1 exactly if it exists and all legs live as they did", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "IsBookOpen(2)" });
  const dead = 1n << 41n;
  const isOpen = (exists: number, squares: number[], generation: number, live: bigint[]) => {
    const inputs = { exists, squares, generation, liveGenerations: live };
    return gadget.read(assertPinned(gadget, inputs), "out");
  };
  assert.equal(isOpen(1, [1, 4], 22, [2n, 5n]), 1n);
  assert.equal(isOpen(0, [1, 4], 22, [2n, 5n]), 0n);
  assert.equal(isOpen(1, [1, 4], 22, [2n, dead]), 0n);
  assert.equal(isOpen(1, [1, 4], 21, [2n, 5n]), 0n);
  assert.equal(isOpen(1, [1, 0], 2, [2n, dead]), 1n);
  assert.equal(generationOf([1, -2], [series({ generation: 2 }), series({ generation: 5 })]), 22);
});

test("BookLeaf proves: leaf = exists ? the book's hash : 0", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "BookLeaf(2)" });
  const weights = [1, 0, 0];
  const fees = { taker: 3, maker: -1 };
  const book = { weights, generation: 3, fees, bids: [], asks: [] };
  const side = [ENTRY_SENTINEL, ENTRY_SENTINEL];
  const sides = { bids: side, asks: side };
  const words = { weightWords: weightWords(weights), fees: feesWord(fees) };
  const inputs = { ...words, generation: 3, ...sides };
  const leaf = (exists: number, change = {}) =>
    gadget.read(gadget.witness({ ...inputs, ...change, exists }), "leaf");
  assert.equal(leaf(1), bookLeaf(book, 2));
  assert.equal(leaf(0), 0n);
  assert.notEqual(leaf(1, { bids: [1n, ENTRY_SENTINEL] }), bookLeaf(book, 2));
  assert.notEqual(leaf(1, { fees: feesWord({ ...fees, maker: 1 }) }), bookLeaf(book, 2));
  assert.notEqual(leaf(1, { asks: [1n, ENTRY_SENTINEL] }), bookLeaf(book, 2));
});

function series(change: Partial<Series>): Series {
  const terms = { isCall: true, strike: 9, expiry: 100 };
  return { status: "listed", ...terms, generation: 2, holders: 3, mark: 50, ...change };
}

test("SeriesTable proves 1: root = hashVector(words), every field within its width", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTable(2)" });
  const table = [series({}), series({ status: "settled", isCall: false, mark: 2 ** 20 - 1 })];
  const words = table.map(seriesWord);
  const witness = gadget.witness({ words, seconds: 99 });
  assert.equal(gadget.read(witness, "root"), seriesRoot(table));
  const names = [
    "mark",
    "holders",
    "generation",
    "listed",
    "settled",
    "isCall",
    "strike",
    "expiry",
  ];
  const fields = [0, 1].map((m) =>
    names.map((name) => Number(gadget.read(witness, `fields[${m}].${name}`))),
  );
  assert.deepEqual(fields, [
    [50, 3, 2, 1, 0, 1, 9, 100],
    [2 ** 20 - 1, 3, 2, 0, 1, 0, 9, 100],
  ]);
  assertRejects(gadget, { words: [words[0]! + (1n << 119n), words[1]!], seconds: 99 });
});

test("SeriesTable proves 2: unexpired exactly if the expiry is after the second", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTable(2)" });
  const words = [series({ expiry: 100 }), series({ expiry: 2 ** 32 - 1 })].map(seriesWord);
  for (const [seconds, first, second] of [
    [99, 1, 1],
    [100, 0, 1],
    [2 ** 32 - 1, 0, 0],
  ]) {
    const witness = gadget.witness({ words, seconds: seconds! });
    assert.deepEqual(readAll(gadget, witness, "isUnexpired", 2), [BigInt(first!), BigInt(second!)]);
  }
});

test("SeriesTableRoot proves: root = hashVector of the packed fields", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTableRoot(1)" });
  const [mark, holders, generation, strike, expiry] = [50, 3, 2, 9, 100];
  const fields = { mark, holders, generation, listed: 1, settled: 0, isCall: 1, strike, expiry };
  const witness = gadget.witness({ fields: [fields] });
  assert.equal(gadget.read(witness, "root"), hashVector([seriesWord(series({}))]));
});
