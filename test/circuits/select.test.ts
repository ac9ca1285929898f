// Choices: one-hot vectors, and sums over them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, assertRejects, readAll, vectors } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const file = "gadgets/Select.circom";
const ids = [3, 5, 9, 12];
/** What a cheat may put where 0 or 1 belongs. */
const FORGED = [0n, 1n, 2n, R - 1n];

test("SelectById proves 1: every out is 0 or 1, and they sum to enabled", async () => {
  const gadget = await loadGadget({ file, main: "SelectById(4)", freeHints: true });
  for (const enabled of [0, 1]) {
    const taken = vectors(FORGED, 4).filter((hint_out) =>
      accepts(gadget, { ids, target: 9, enabled, hint_out }),
    );
    assert.deepEqual(taken, [[0n, 0n, enabled === 1 ? 1n : 0n, 0n]]);
  }
});

test("SelectById proves 2: where out = 1, ids = target; a missing target is refused", async () => {
  const gadget = await loadGadget({ file, main: "SelectById(4)" });
  for (const [place, target] of ids.entries()) {
    const witness = assertPinned(gadget, { ids, target, enabled: 1 });
    const expected = ids.map((_, index) => (index === place ? 1n : 0n));
    assert.deepEqual(readAll(gadget, witness, "out", 4), expected);
  }
  const none = assertPinned(gadget, { ids, target: 4, enabled: 0 });
  assert.deepEqual(readAll(gadget, none, "out", 4), [0n, 0n, 0n, 0n]);
  assertRejects(gadget, { ids, target: 4, enabled: 1 });
  const free = await loadGadget({ file, main: "SelectById(4)", freeHints: true });
  const taken = vectors(FORGED, 4).filter((hint_out) =>
    accepts(free, { ids, target: 4, enabled: 1, hint_out }),
  );
  assert.deepEqual(taken, [], "no vector chooses what is not there");
});

test("SelectById proves 1 also where enabled is no flag: 2 and -1 choose nothing", async () => {
  const free = await loadGadget({ file, main: "SelectById(4)", freeHints: true });
  for (const enabled of [2n, R - 1n]) {
    const taken = vectors(FORGED, 4).filter((hint_out) =>
      accepts(free, { ids, target: 9, enabled, hint_out }),
    );
    assert.deepEqual(taken, [], `no weight of ${enabled} on the place of the target`);
  }
});

test("SelectByIndex proves: out[index] = enabled, all others 0, and index < n", async () => {
  const gadget = await loadGadget({ file, main: "SelectByIndex(4)" });
  for (const index of [0, 1, 2, 3]) {
    const witness = assertPinned(gadget, { index, enabled: 1 });
    assert.equal(readAll(gadget, witness, "out", 4).indexOf(1n), index);
  }
  for (const index of [4n, R - 1n]) {
    assertRejects(gadget, { index, enabled: 1 }, `index ${index}`);
    assertPinned(gadget, { index, enabled: 0 });
  }
});

test("SelectRow proves: the row that is chosen, 0 if none is", async () => {
  const gadget = await loadGadget({ file, main: "SelectRow(3, 2)" });
  const rows = [
    [1n, R - 1n],
    [3n, 4n],
    [5n, 6n],
  ];
  for (const place of [0, 1, 2, 3]) {
    const chosen = rows.map((_, index) => (index === place ? 1 : 0));
    const witness = assertPinned(gadget, { chosen, rows });
    assert.deepEqual(readAll(gadget, witness, "out", 2), rows[place] ?? [0n, 0n]);
  }
});

test("Dot proves: out = sum of a[i] * b[i]", async () => {
  const gadget = await loadGadget({ file, main: "Dot(3)" });
  const numbers = fc.array(fc.bigInt({ min: 0n, max: R - 1n }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const witness = assertPinned(gadget, { a, b });
      const sum = a.reduce((total, value, index) => total + value * b[index]!, 0n);
      assert.equal(gadget.read(witness, "out"), sum % R);
    }),
    runs(20),
  );
});
