// How steps hand over to fill units.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, assertRejects } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";
import { FIELDS, WIDTHS } from "../support/meeting.ts";

const HANDOVER = { file: "trade/Handover.circom", main: "Handover(4, 2)" };
const handed = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 99 })), {
  minLength: 4,
  maxLength: 4,
});

test("Handover proves 1 and 2: units get the words in order, without a gap", async () => {
  const gadget = await loadGadget(HANDOVER);
  fc.assert(
    fc.property(handed, (steps) => {
      const isHandedOver = steps.map(([isOver]) => isOver);
      const words = steps.map(([, word]) => word);
      const inputs = { isHandedOver, words };
      const expected = steps.filter(([isOver]) => isOver === 1).map(([, word]) => BigInt(word));
      fc.pre(expected.length <= 2);
      const witness = assertPinned(gadget, inputs);
      for (const unit of [0, 1]) {
        assert.equal(gadget.read(witness, `word[${unit}]`), expected[unit] ?? 0n);
        assert.equal(gadget.read(witness, `isTaken[${unit}]`), unit < expected.length ? 1n : 0n);
      }
    }),
    runs(40),
  );
});

test("Handover proves 3: no more is handed over than there are units", async () => {
  const gadget = await loadGadget(HANDOVER);
  const words = [5, 6, 7, 8];
  for (let mask = 0; mask < 16; mask++) {
    const isHandedOver = words.map((_, step) => (mask >> step) & 1);
    const inputs = { isHandedOver, words };
    const count = isHandedOver.filter((isOver) => isOver === 1).length;
    if (count <= 2) assert.ok(accepts(gadget, inputs), `mask ${mask}`);
    else assertRejects(gadget, inputs, `mask ${mask}`);
  }
});

test("MeetingWord and MeetingFields prove: fields come through, at their limits too", async () => {
  const word = await loadGadget({ file: "trade/Handover.circom", main: "MeetingWord()" });
  const fields = await loadGadget({ file: "trade/Handover.circom", main: "MeetingFields()" });
  const most = FIELDS.map((_, at) => 2 ** WIDTHS[at]! - 1);
  const values = fc.oneof(
    fc.constantFrom(
      most,
      most.map(() => 0),
    ),
    fc.tuple(...WIDTHS.map((width) => fc.integer({ min: 0, max: 2 ** width - 1 }))),
  );
  fc.assert(
    fc.property(values, (given) => {
      const named = Object.fromEntries(FIELDS.map((name, at) => [`meeting.${name}`, given[at]!]));
      const packed = word.read(word.witness(named), "word");
      const witness = assertPinned(fields, { word: packed });
      assert.deepEqual(
        FIELDS.map((name) => Number(fields.read(witness, `meeting.${name}`))),
        given,
      );
    }),
    runs(20),
  );
  assertRejects(fields, { word: 1n << 141n }, "a bit above the last field");
});
