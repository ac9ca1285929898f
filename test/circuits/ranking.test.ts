// The ranking of a slot's holders, and the moves of lots that it comes before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { type Ranking, rankingWord } from "../../sequencer/protocol/state.ts";
import { assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const RANKING = "ledger/Ranking.circom";
const FIELDS = ["slot", "isLong", "next", "seen", "best", "bestLots"] as const;
const NONE = { slot: 0, isLong: 0, next: 0, seen: 0, best: 0, bestLots: 0 };
const full: Ranking = {
  ...{ slot: 255, isLong: true, next: 2 ** 20, seen: 2 ** 20 - 1, best: 2 ** 20 - 1 },
  bestLots: 2 ** 22 - 1,
};
const started: Ranking = { slot: 3, isLong: false, next: 8, seen: 2, best: 5, bestLots: 40 };

function fieldsOf(ranking: Ranking | undefined): Record<string, number> {
  return ranking === undefined ? NONE : { ...ranking, isLong: ranking.isLong ? 1 : 0 };
}

test("RankingOpened proves: the fields of the word, each within its width", async () => {
  const gadget = await loadGadget({ file: RANKING, main: "RankingOpened()" });
  for (const ranking of [full, started, undefined]) {
    const witness = assertPinned(gadget, { word: rankingWord(ranking) });
    const fields = FIELDS.map((name) => Number(gadget.read(witness, `fields.${name}`)));
    assert.deepEqual(
      fields,
      FIELDS.map((name) => fieldsOf(ranking)[name]),
    );
  }
  assertRejects(gadget, { word: 2n ** 92n }, "bits above the layout");
});

test("RankingClosed proves: the word of the fields, seen and lots in their widths", async () => {
  const gadget = await loadGadget({ file: RANKING, main: "RankingClosed()" });
  for (const ranking of [full, started, undefined]) {
    const witness = assertPinned(gadget, { fields: fieldsOf(ranking) });
    assert.equal(gadget.read(witness, "word"), rankingWord(ranking));
  }
  assertRejects(gadget, { fields: { ...fieldsOf(full), seen: 2 ** 20 } }, "too many seen");
  assertRejects(gadget, { fields: { ...fieldsOf(full), bestLots: 2 ** 22 } }, "too many lots");
});

/** The ranking after account 9 has been counted on the short side of slot 3. */
async function rankedAfter(change: object, before = fieldsOf(started)) {
  const gadget = await loadGadget({ file: RANKING, main: "Rank()" });
  const inputs = { isRank: 1, isTakeover: 0, account: 9, slot: 3, isLong: 0, position: -41 };
  const witness = assertPinned(gadget, { ...inputs, ...change, before });
  return Object.fromEntries(
    FIELDS.map((name) => [name, Number(gadget.read(witness, `after.${name}`))]),
  );
}

const counted = { ...fieldsOf(started), next: 10, seen: 3 };

test("Rank proves 1: a holder is counted, and is best with more lots than the best", async () => {
  assert.deepEqual(await rankedAfter({}), { ...counted, best: 9, bestLots: 41 });
  assert.deepEqual(await rankedAfter({ position: -40 }), counted);
  assert.deepEqual(await rankedAfter({ position: 41 }), counted);
  const eighth = { ...counted, next: 9 };
  assert.deepEqual(await rankedAfter({ account: 8, position: -1 }), eighth);
});

test("Rank proves 1: nobody is counted twice, and another slot or side begins anew", async () => {
  const anew = { slot: 3, isLong: 0, next: 8, seen: 1, best: 7, bestLots: 41 };
  assert.deepEqual(await rankedAfter({ account: 7 }), anew);
  const ninth = { ...anew, next: 10, best: 9 };
  assert.deepEqual(await rankedAfter({ slot: 4 }), { ...ninth, slot: 4 });
  assert.deepEqual(await rankedAfter({ isLong: 1, position: 2 }), {
    ...{ ...ninth, isLong: 1, bestLots: 2 },
  });
  assert.deepEqual(await rankedAfter({ isLong: 1 }), { ...ninth, isLong: 1, best: 0, bestLots: 0 });
  assert.deepEqual(await rankedAfter({}, NONE), ninth);
  const zero = { slot: 0, account: 0, position: -1 };
  assert.deepEqual(await rankedAfter(zero, NONE), { ...NONE, next: 1, seen: 1, bestLots: 1 });
});

test("Rank proves 2: a takeover ends the ranking, everything else keeps it", async () => {
  assert.deepEqual(await rankedAfter({ isRank: 0, isTakeover: 1 }), NONE);
  assert.deepEqual(await rankedAfter({ isRank: 0, account: 0, position: 0 }), fieldsOf(started));
});

test("TopOfRanking proves: T8, the best of a complete ranking of the other side", async () => {
  const gadget = await loadGadget({ file: RANKING, main: "TopOfRanking()" });
  const top = { enabled: 1, account: 5, slot: 3, isLong: 0, holders: 2, lots: 40 };
  const ranking = fieldsOf(started);
  gadget.witness({ ...top, ranking });
  for (const cheat of [
    { account: 6 },
    { slot: 4 },
    { isLong: 1 },
    { holders: 3 },
    { holders: 1 },
    { lots: 41 },
  ]) {
    assertRejects(gadget, { ...top, ...cheat, ranking }, JSON.stringify(cheat));
    gadget.witness({ ...top, ...cheat, enabled: 0, ranking });
  }
  assertRejects(gadget, { ...top, ranking: NONE }, "no ranking");
});

const POSITIONS = "ledger/Positions.circom";

test("PositionsAt proves: what each account holds of the chosen slot", async () => {
  const gadget = await loadGadget({ file: POSITIONS, main: "PositionsAt(2, 3)" });
  const positions = [
    [1, -2, 3],
    [4, 5, -6],
  ];
  const read = (isSlot: number[]) =>
    readAll(gadget, assertPinned(gadget, { isSlot, positions }), "held", 2);
  assert.deepEqual(read([0, 1, 0]), [wrapped(-2, R), 5n]);
  assert.deepEqual(read([0, 0, 1]), [3n, wrapped(-6, R)]);
  assert.deepEqual(read([0, 0, 0]), [0n, 0n]);
});

function moved(gadget: Gadget, lots: number, positions: [number, number], hasOther = 1) {
  const [held, otherHeld] = positions;
  const inputs = {
    ...{ isAccount: [1, 0, 0], isOther: [0, 0, hasOther], hasOther, isSlot: [0, 1], lots, held },
    ...{ otherHeld: hasOther * otherHeld },
    positions: [
      [7, held],
      [8, 9],
      [6, otherHeld],
    ],
  };
  const witness = assertPinned(gadget, inputs);
  const after = [0, 1, 2].map((a) => readAll(gadget, witness, `after[${a}]`, 2));
  assert.deepEqual([after[0]![0], after[1], after[2]![0]], [7n, [8n, 9n], 6n]);
  return [after[0]![1]!, after[2]![1]!, gadget.read(witness, "holdersChange")].map((value) =>
    Number(value > R / 2n ? value - R : value),
  );
}

test("MoveLots proves 1: lots come to the account out of the other's position", async () => {
  const gadget = await loadGadget({ file: POSITIONS, main: "MoveLots(3, 2)" });
  assert.deepEqual(moved(gadget, -4, [9, -5]), [5, -1, 0]);
  assert.deepEqual(moved(gadget, 4, [9, 5]), [13, 1, 0]);
  assert.deepEqual(moved(gadget, -9, [9, 5], 0), [0, 5, -1]);
});

test("MoveLots proves 3: whether the account held nothing of the slot", async () => {
  const gadget = await loadGadget({ file: POSITIONS, main: "MoveLots(1, 1)" });
  const nobody = { isAccount: [1], isOther: [0], hasOther: 0, isSlot: [1], lots: 0, otherHeld: 0 };
  for (const [held, told] of [
    [0, 1n],
    [-3, 0n],
    [1, 0n],
  ] as const) {
    const witness = assertPinned(gadget, { ...nobody, held, positions: [[held]] });
    assert.equal(gadget.read(witness, "heldNothing"), told);
  }
});

test("MoveLots proves 2: holders are who holds the slot afterwards", async () => {
  const gadget = await loadGadget({ file: POSITIONS, main: "MoveLots(3, 2)" });
  assert.deepEqual(moved(gadget, 3, [0, 5]), [3, 2, 1]);
  assert.deepEqual(moved(gadget, 5, [0, 5]), [5, 0, 0]);
  assert.deepEqual(moved(gadget, 5, [-5, 5]), [0, 0, -2]);
  assert.deepEqual(moved(gadget, 5, [1, 5]), [6, 0, -1]);
  assert.deepEqual(moved(gadget, 0, [0, 0]), [0, 0, 0]);
});
