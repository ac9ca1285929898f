// What is put into words once is the same text as what is put into words each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeJson } from "../../sequencer/batch/log.ts";
import { encodeUnchanging, unchanging } from "../../sequencer/batch/unchangingJson.ts";
import { runs } from "./runs.ts";

const leaf = fc.oneof(
  ...[fc.integer(), fc.bigInt({ min: 0n }), fc.string(), fc.boolean()],
  ...[fc.constant(null), fc.constant(undefined)],
);
const record = fc.dictionary(fc.string(), fc.oneof(leaf, fc.array(leaf)), {
  noNullPrototype: true,
});
/** As a node keeps them: the oldest go, new ones come. */
const history = fc.record({ items: fc.array(record), from: fc.nat({ max: 4 }), to: fc.nat() });

test("the text is that of encodeJson, also when most of it is known", () => {
  const property = fc.property(fc.array(history), record, (all, rest) => {
    for (const { items, from, to } of all) {
      const list = unchanging(items.slice(from, to));
      const value = { rest, list, deep: { list, other: [rest, leaf] } };
      assert.equal(encodeUnchanging(value), encodeJson(value));
      assert.equal(encodeUnchanging({ list: [...list] }), encodeJson({ list }));
    }
    assert.equal(encodeUnchanging(rest), encodeJson(rest));
  });
  fc.assert(property, runs(200));
});

test("an item is put into words once", () => {
  let times = 0;
  const item = {
    get seen() {
      times += 1;
      return 1n;
    },
  };
  for (let count = 0; count < 5; count++) {
    assert.equal(encodeUnchanging({ all: unchanging([item]) }), '{"all":[{"seen":"0x1n"}]}');
  }
  const once = times;
  encodeUnchanging(unchanging([item]));
  assert.equal(times, once);
});
