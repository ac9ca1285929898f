// The log's JSON is JSON.stringify's, with bigints as text, and is read back as what it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeJson, encodeJson } from "../../sequencer/batch/log.ts";
import { runs } from "./runs.ts";

const plain = JSON.stringify;
const byReplacer = (value: unknown): string =>
  plain(value, (_key, item: unknown) =>
    typeof item === "bigint" ? `0x${item.toString(16)}n` : item,
  );

const leaf = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

test("a value is written as JSON.stringify writes it, and is not changed by that", () => {
  const property = fc.property(fc.record({ value }, { noNullPrototype: true }), (wrapped) => {
    const before = structuredClone(wrapped);
    assert.equal(encodeJson(wrapped), byReplacer(wrapped));
    assert.deepEqual(wrapped, before);
  });
  fc.assert(property, runs(500));
});

test("bigints are read back as they were", () => {
  const numbers = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
  const property = fc.property(
    fc.array(fc.record({ word: numbers }, { noNullPrototype: true })),
    (words) => {
      assert.deepEqual(decodeJson(encodeJson({ words })), { words });
    },
  );
  fc.assert(property, runs(100));
});
