// A copy of a layered map is written to as a Map is, and the one it was taken of stays as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LayeredMap } from "../../sequencer/consensus/layeredMap.ts";
import { runs } from "./runs.ts";

const key = fc.integer({ min: 0, max: 40 });
const change = fc.oneof(
  fc.record({ key, value: fc.constantFrom(false, 0, 1, "a") }),
  fc.record({ key, value: fc.constant(undefined) }),
  fc.constant("copy" as const),
);

test("a layered map is what a Map would be, and so is each one that it was copied from", () => {
  const property = fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
    let own = new LayeredMap(new Map<number, string | number | boolean>([[7, "first"]]));
    let plain = new Map<number, string | number | boolean>([[7, "first"]]);
    const before: [typeof own, typeof plain][] = [];
    for (const made of changes) {
      if (made === "copy") {
        before.push([own, plain]);
        own = own.copy();
        plain = new Map(plain);
      } else if (made.value === undefined) {
        assert.equal(own.delete(made.key), plain.delete(made.key));
      } else {
        own.set(made.key, made.value);
        plain.set(made.key, made.value);
      }
      assert.equal(own.size, plain.size);
    }
    for (const [layered, map] of [...before, [own, plain] as const]) {
      const byKey = ([a]: [number, unknown], [b]: [number, unknown]) => a - b;
      assert.deepEqual(layered.entries().sort(byKey), [...map].sort(byKey));
      for (let place = 0; place <= 40; place++) {
        assert.equal(layered.get(place), map.get(place));
        assert.equal(layered.has(place), map.has(place));
      }
    }
  });
  fc.assert(property, runs(300));
});

test("what is deleted while it is read is not met again", () => {
  const map = new LayeredMap(new Map([1, 2, 3, 4].map((key) => [key, key])));
  const copy = map.copy();
  copy.set(5, 5).set(6, 6);
  const met: number[] = [];
  copy.forEach((_, key) => {
    met.push(key);
    copy.delete(key);
    copy.delete(6);
  });
  assert.deepEqual(met, [1, 2, 3, 4, 5]);
  assert.deepEqual([copy.size, map.size], [0, 4]);
});
