import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CodecRangeError,
  pack,
  packMany,
  unpack,
  unpackMany,
} from "../../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { LAYOUTS, type Layout, layoutBits } from "../../../sequencer/protocol/layout.ts";
import { runs } from "../../property/runs.ts";

function fieldsOf(layout: Layout) {
  const entries = layout.map(([name, bits]) => {
    const max = 2 ** bits - 1;
    return [name, fc.oneof(fc.constantFrom(0, max), fc.integer({ min: 0, max }))] as const;
  });
  return fc.record(Object.fromEntries(entries));
}

for (const [name, layout] of Object.entries(LAYOUTS) as [string, Layout][]) {
  test(`a word of ${name} is a field element, and unpacks to what was packed`, () => {
    assert.ok(1n << BigInt(layoutBits(layout)) < FIELD_MODULUS);
    assert.equal(new Set(layout.map(([field]) => field)).size, layout.length);
    fc.assert(
      fc.property(fieldsOf(layout), (fields) => {
        const word = pack(layout, fields);
        assert.deepEqual({ ...unpack(layout, word) }, { ...fields });
        assert.equal(pack(layout, unpack(layout, word)), word);
      }),
      runs(50),
    );
  });

  test(`${name} refuses what does not fit`, () => {
    const zero = Object.fromEntries(layout.map(([field]) => [field, 0]));
    for (const [field, bits] of layout) {
      for (const value of [-1, 0.5, 2 ** bits, Number.NaN]) {
        assert.throws(() => pack(layout, { ...zero, [field]: value }), { field });
      }
    }
    const above = 1n << BigInt(layoutBits(layout));
    assert.throws(() => unpack(layout, above), CodecRangeError);
    assert.deepEqual(pack(layout, unpack(layout, above - 1n)), above - 1n);
  });
}

test("fields stand from the lowest bit upwards", () => {
  const layout = [
    ["low", 4],
    ["high", 8],
  ] as const;
  assert.equal(pack(layout, { low: 0xa, high: 0xbc }), 0xbcan);
});

test("equally wide values round trip, the last word short", () => {
  const values = fc.array(fc.nat({ max: 2 ** 23 - 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(values, (list) => {
      const words = packMany(list, 23, 11);
      assert.equal(words.length, Math.ceil(list.length / 11));
      assert.deepEqual(unpackMany(words, 23, 11, list.length), list);
    }),
    runs(100),
  );
  assert.throws(() => packMany([0, 16], 4, 2), { field: "values[1]", value: 16 });
});

test("values further apart than they are wide stand in lanes of their own", () => {
  for (const [bits, stride, perWord] of [
    [23, 36, 7],
    [4, 6, 42],
  ] as const) {
    const values = fc.array(fc.nat({ max: 2 ** bits - 1 }), { maxLength: 90 });
    fc.assert(
      fc.property(values, (list) => {
        const words = packMany(list, bits, perWord, stride);
        assert.equal(words.length, Math.ceil(list.length / perWord));
        assert.deepEqual(unpackMany(words, stride, perWord, list.length), list);
      }),
      runs(100),
    );
    assert.throws(() => packMany([2 ** bits], bits, perWord, stride), { field: "values[0]" });
  }
});
