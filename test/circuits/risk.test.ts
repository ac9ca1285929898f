// What a snapshot makes of each slot, and what positions and weights are worth by it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bookRisk, effectiveRisk, scenarioValues } from "../../sequencer/engine/risk.ts";
import { FIELD_MODULUS as R, SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { hashVector } from "../../sequencer/protocol/hash.ts";
import { markWords, type SlotPrice, slotRiskWords } from "../../sequencer/protocol/snapshot.ts";
import { emptySeries, type Series } from "../../sequencer/protocol/state.ts";
import { accepts, assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";
import { laneWords } from "../support/lanes.ts";
import { slotRisk } from "../support/market.ts";

const LANES = "gadgets/Lanes.circom";
const small = { file: LANES, main: "LaneSums(3, 7, 8)" };
/** Of three slots; the last two of each row stand in a second word. */
const numbers = [
  [1, -2, 3, -4, 5, -6, 7],
  [-7, 6, -5, 4, -3, 2, -1],
  [10, 0, -10, 20, 0, -20, 1],
];
const factor = [2, -3, 1];
const ZEROES = new Array<number>(7).fill(0);

function sumsOf(factors: readonly number[], rows: readonly (readonly number[])[]): bigint[] {
  return rows[0]!.map((_, s) =>
    wrapped(
      rows.reduce((sum, row, m) => sum + factors[m]! * row[s]!, 0),
      R,
    ),
  );
}

test("LaneSums proves 1: the sums of all lanes, each in its range", async () => {
  const gadget = await loadGadget(small);
  const witness = assertPinned(gadget, { factor, words: numbers.map(laneWords) });
  assert.deepEqual(readAll(gadget, witness, "out", 7), sumsOf(factor, numbers));
  for (const lane of [0, 3, 4, 5, 6]) {
    const row = (value: number) => ZEROES.with(lane, value);
    const inputs = (value: number) => {
      return { factor: [1, 0, 0], words: [row(value), ZEROES, ZEROES].map(laneWords) };
    };
    for (const value of [127, -128]) {
      const taken = assertPinned(gadget, inputs(value));
      assert.deepEqual(readAll(gadget, taken, "out", 7), sumsOf([1], [row(value)]));
    }
    for (const value of [128, -129, 2 ** 49, -(2 ** 49)]) {
      assertRejects(gadget, inputs(value), `${value} in lane ${lane}`);
    }
  }
});

test("LaneSums proves 2: no other digits, whatever the words are", async () => {
  const gadget = await loadGadget({ ...small, freeHints: true });
  const inputs = { factor, words: numbers.map(laneWords) };
  const sums = sumsOf(factor, numbers);
  const hint_lane = sums.map((sum) => wrapped(sum + 128n, R));
  assert.ok(accepts(gadget, { ...inputs, hint_lane }));
  const stride = 2n ** 50n;
  for (let lane = 0; lane < 7; lane++) {
    for (const off of [1n, -1n, stride, R / 2n]) {
      const other = hint_lane.with(lane, wrapped(hint_lane[lane]! + off, R));
      assertRejects(gadget, { ...inputs, hint_lane: other }, `${off} in lane ${lane}`);
      // Moved into the neighbour, so that the word stays as it is.
      if (lane % 5 === 4 || lane === 6) continue;
      const moved = other.with(lane, wrapped(hint_lane[lane]! + off * stride, R));
      const next = moved.with(lane + 1, wrapped(hint_lane[lane + 1]! - off, R));
      assertRejects(gadget, { ...inputs, hint_lane: next }, `${off} out of lane ${lane}`);
    }
  }
});

test("LaneSums proves 2: lanes that nobody should sign leave no choice", async () => {
  const gadget = await loadGadget(small);
  const run = (word: bigint) => {
    const words = [[word, 0n], ...[0, 0].map(() => [0n, 0n])];
    return { factor: [1, 0, 0], words };
  };
  // A lane that runs over is another word's: 2^50 in one is 1 in the next.
  const witness = assertPinned(gadget, run(2n ** 50n));
  assert.deepEqual(readAll(gadget, witness, "out", 2), [0n, 1n]);
  const ones = laneWords([1, 1, 1, 1, 1])[0]!;
  for (const word of [127n * ones, R - 128n * ones]) assert.ok(accepts(gadget, run(word)));
  for (const word of [127n * ones + 1n, R - 128n * ones - 1n, 2n ** 49n, 2n ** 250n, R / 2n]) {
    assertRejects(gadget, run(word), `${word}`);
  }
});

const listed: Series = { ...emptySeries(), status: "listed" };
const EDGE = 2 ** 20 - 1;

/** Slots at the ends of what snapshots can say: `sign` of the change by scenario and slot. */
function extremes(count: number, sign: (s: number, m: number) => number): SlotPrice[] {
  return Array.from({ length: count }, (_, m) => ({
    mark: EDGE,
    isFinal: false,
    changes: Array.from({ length: SCENARIOS }, (_, s) => EDGE * sign(s, m)),
  }));
}

function riskInputs(slots: readonly SlotPrice[], factors: readonly number[]) {
  const changes = slots.map((slot) => laneWords(slot.changes));
  return { factor: factors, mark: slots.map(({ mark }) => mark), changes };
}

const SIGNS = [
  () => 1,
  () => -1,
  (s: number) => (s % 2 === 0 ? 1 : -1),
  (s: number, m: number) => ((s + m) % 2 === 0 ? 1 : -1),
];

async function atEdges(gadget: Gadget, edges: readonly number[], values: typeof accountValues) {
  for (const sign of SIGNS) {
    const slots = extremes(64, sign);
    const risk = effectiveRisk(
      slots.map(() => listed),
      { slots },
    );
    for (const edge of edges) {
      for (const other of edges) {
        const factors = slots.map((_, m) => (m % 2 === 0 ? edge : other));
        const witness = gadget.witness(riskInputs(slots, factors));
        const said = readAll(gadget, witness, "out", SCENARIOS + 1);
        const expected = values(factors, risk).map((value) => wrapped(value, R));
        assert.deepEqual(said, expected, `${edge}, ${other}`);
      }
    }
  }
}

const accountValues = (positions: readonly number[], risk: Parameters<typeof bookRisk>[1]) =>
  scenarioValues({ owner: 0n, cash: 0, positions: [...positions] }, risk) as readonly number[];

const POSITIONS = `RiskSums(64, ${SCENARIOS}, 23)`;
const WEIGHTS = `RiskSums(64, ${SCENARIOS}, 4)`;

test("RiskSums proves 1: what 64 positions are worth, to the ends of their range", async () => {
  const gadget = await loadGadget({ file: "state/RiskSums.circom", main: POSITIONS });
  await atEdges(gadget, [2 ** 22 - 1, 1 - 2 ** 22, -(2 ** 22)], accountValues);
});

test("RiskSums proves 1: what 64 weights are worth, to the ends of their range", async () => {
  const gadget = await loadGadget({ file: "state/RiskSums.circom", main: WEIGHTS });
  await atEdges(gadget, [7, -8], bookRisk);
});

test("RiskSums proves 1: changes that no word can hold are refused where they count", async () => {
  for (const [main, least] of [
    [POSITIONS, -(2 ** 22)],
    [WEIGHTS, -8],
  ] as const) {
    const gadget = await loadGadget({ file: "state/RiskSums.circom", main });
    const slots = extremes(64, () => -1).map((slot) => {
      return { ...slot, changes: slot.changes.with(7, -(2 ** 20)) };
    });
    const all = new Array<number>(64).fill(least);
    assertRejects(gadget, riskInputs(slots, all), main);
    assert.ok(accepts(gadget, riskInputs(slots, all.with(0, least + 1))));
  }
});

test("RiskSums proves 1: 4 marks and 5 changes, and the marks alone", async () => {
  const gadget = await loadGadget({ file: "state/RiskSums.circom", main: "RiskSums(2, 5, 4)" });
  const inputs = { factor: [3, -2], mark: [10, 7] };
  const rows = [
    [1, -2, 3, -4, 5],
    [0, 9, -9, 1, 1],
  ];
  const witness = assertPinned(gadget, { ...inputs, changes: rows.map((row) => laneWords(row)) });
  const marks = 4 * (30 - 14);
  const expected = rows[0]!.map((_, s) => marks + 5 * (3 * rows[0]![s]! - 2 * rows[1]![s]!));
  const said = readAll(gadget, witness, "out", 6);
  assert.deepEqual(
    said,
    [...expected, marks].map((value) => wrapped(value, R)),
  );
});

type Status = "empty" | "listed" | "settled";
const STATUSES: readonly Status[] = ["empty", "listed", "settled"];

function fieldsOf(status: Status) {
  const rest = { holders: 0, generation: 1, isCall: 1, strike: 9, expiry: 100 };
  const [isListed, isSettled] = [status === "listed" ? 1 : 0, status === "settled" ? 1 : 0];
  return { mark: 33, listed: isListed, settled: isSettled, ...rest };
}

const TERMS = { isCall: true, strike: 9, expiry: 100 };
const risk = { ...slotRisk(200, 80), terms: TERMS };
const matrix = { file: "state/RiskMatrix.circom", main: `RiskMatrix(1, ${SCENARIOS})` };
const own = { words: slotRiskWords(risk), table: [fieldsOf("listed")] };

test("RiskMatrix proves 1: matrix = hashVector(words)", async () => {
  const gadget = await loadGadget(matrix);
  for (const status of STATUSES) {
    const witness = gadget.witness({ ...own, table: [fieldsOf(status)] });
    assert.equal(gadget.read(witness, "matrix"), hashVector(own.words));
  }
});

test("RiskMatrix proves 2: where a slot is listed, the snapshot is of its series", async () => {
  const gadget = await loadGadget(matrix);
  assertPinned(gadget, own);
  const [head, ...rest] = own.words;
  for (const change of [{ isCall: false }, { strike: 8 }, { expiry: 101 }]) {
    const words = slotRiskWords({ ...risk, terms: { ...TERMS, ...change } });
    assertRejects(gadget, { words, table: [fieldsOf("listed")] }, JSON.stringify(change));
    for (const status of ["empty", "settled"] as const) {
      assert.ok(accepts(gadget, { words, table: [fieldsOf(status)] }));
    }
  }
  // Neither bits above the head nor terms that mark and flag make up for.
  for (const off of [2n ** 78n, -(2n ** 78n), 2n ** 21n, -(2n ** 21n), R / 2n]) {
    const words = [wrapped(head! + off, R), ...rest];
    assertRejects(gadget, { words, table: [fieldsOf("listed")] }, `${off}`);
  }
});

test("RiskMatrix proves 3: the snapshot's mark if listed, else the table's", async () => {
  const gadget = await loadGadget(matrix);
  for (const mark of [0, 200, 2 ** 20 - 1]) {
    for (const status of STATUSES) {
      const words = slotRiskWords({ ...risk, mark });
      const witness = gadget.witness({ words, table: [fieldsOf(status)] });
      assert.equal(gadget.read(witness, "mark[0]"), status === "listed" ? BigInt(mark) : 33n);
    }
  }
});

test("RiskMatrix proves 4, 5: changes and finality of listed slots, final ones still", async () => {
  const gadget = await loadGadget(matrix);
  for (const isFinal of [false, true]) {
    for (const status of STATUSES) {
      const words = slotRiskWords({ ...risk, isFinal });
      const witness = assertPinned(gadget, { words, table: [fieldsOf(status)] });
      const engine = effectiveRisk([{ ...emptySeries(), status, mark: 33 }], { slots: [risk] });
      const isStill = isFinal || status !== "listed";
      const expected = isStill ? [0n, 0n, 0n, 0n] : laneWords(engine.changes[0]!);
      assert.deepEqual(readAll(gadget, witness, "changes[0]", 4), expected);
      assert.equal(gadget.read(witness, "mark[0]"), BigInt(engine.marks[0]!));
      const isKnownFinal = isFinal && status === "listed";
      assert.equal(gadget.read(witness, "isFinal[0]"), isKnownFinal ? 1n : 0n);
    }
  }
});

test("RiskMatrix proves 3 to 5: whatever is signed of a slot that is not listed", async () => {
  const gadget = await loadGadget(matrix);
  for (const status of ["empty", "settled"] as const) {
    for (const words of [new Array<bigint>(5).fill(R - 1n), [0n, 1n, 2n ** 253n, 7n, R / 2n]]) {
      const witness = assertPinned(gadget, { words, table: [fieldsOf(status)] });
      assert.deepEqual(readAll(gadget, witness, "changes[0]", 4), [0n, 0n, 0n, 0n]);
      assert.equal(gadget.read(witness, "mark[0]"), 33n);
      assert.equal(gadget.read(witness, "isFinal[0]"), 0n);
    }
  }
});

test("MarkWords proves: the marks, 12 to a public word", async () => {
  const gadget = await loadGadget({ file: "state/RiskMatrix.circom", main: "MarkWords(13)" });
  const mark = Array.from({ length: 13 }, (_, m) => 2 ** 20 - 1 - m);
  const witness = assertPinned(gadget, { mark });
  assert.deepEqual(readAll(gadget, witness, "out", 2), markWords(mark));
});
