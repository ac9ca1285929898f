import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as lite from "poseidon-lite";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { HASH_WIDTH_MAX, hashVector, poseidon } from "../../../sequencer/protocol/hash.ts";
import { assembly, ELEMENT_BYTES, readWord, writeWord } from "../../../sequencer/protocol/wasm.ts";
import { runs } from "../../property/runs.ts";
import { loadCircomlib } from "./circomlib.ts";

const element = fc.oneof(
  fc.constantFrom(0n, 1n, FIELD_MODULUS - 1n),
  fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n }),
);

test("Poseidon is circomlib's at every width", async () => {
  const { poseidon: reference } = await loadCircomlib();
  for (let width = 1; width <= HASH_WIDTH_MAX; width++) {
    const inputs = fc.array(element, { minLength: width, maxLength: width });
    fc.assert(
      fc.property(inputs, (values) => {
        assert.equal(poseidon(values), reference(values));
      }),
      runs(5),
    );
  }
  assert.throws(() => poseidon([]), RangeError);
  assert.throws(() => poseidon(new Array<bigint>(17).fill(0n)), RangeError);
});

const byWidth = lite as unknown as Record<string, (inputs: readonly bigint[]) => bigint>;
const edge = fc.constantFrom(0n, 1n, 2n ** 29n - 1n, 2n ** 232n - 1n, FIELD_MODULUS - 1n);
/** Carries are longest where limbs are all ones or all zeros. */
const limbs = fc
  .array(fc.constantFrom(0n, 1n, 2n ** 28n, 2n ** 29n - 1n), { minLength: 9, maxLength: 9 })
  .map((values) => values.reduce((sum, limb) => (sum << 29n) | limb, 0n) % FIELD_MODULUS);

for (let width = 1; width <= HASH_WIDTH_MAX; width++) {
  test(`Poseidon of ${width} is poseidon-lite's on edges and patterns of limbs`, () => {
    const reference = byWidth[`poseidon${width}`]!;
    const inputs = fc.array(fc.oneof(edge, limbs), { minLength: width, maxLength: width });
    fc.assert(
      fc.property(inputs, (values) => assert.equal(poseidon(values), reference(values))),
      runs(20),
    );
  });
}

test("integers outside of the field stand for their residues, as in circomlibjs", async () => {
  const { poseidon: reference } = await loadCircomlib();
  const any = fc.oneof(
    fc.constantFrom(FIELD_MODULUS, 2n ** 256n - 1n, 2n ** 256n, 5n * FIELD_MODULUS, -1n),
    fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  );
  const inputs = fc.array(any, { minLength: 1, maxLength: 4 });
  const residue = (value: bigint) => ((value % FIELD_MODULUS) + FIELD_MODULUS) % FIELD_MODULUS;
  fc.assert(
    fc.property(inputs, (values) => {
      assert.equal(poseidon(values), reference(values.map(residue)));
      assert.equal(hashVector(values), poseidon(values));
    }),
    runs(50),
  );
});

test("rows of elements in memory hash as they do one by one", () => {
  const rows = 50;
  for (const count of [1, 2, 4, 5, 16]) {
    const values = Array.from({ length: rows * count }, (_, i) => BigInt(i) ** 20n % FIELD_MODULUS);
    const elements = assembly.reserve((values.length + rows) * ELEMENT_BYTES);
    const results = elements + values.length * ELEMENT_BYTES;
    for (const [i, value] of values.entries()) {
      writeWord(0, value);
      assembly.elementsFromWords(elements + i * ELEMENT_BYTES, assembly.wordBuffer(), 1);
    }
    assembly.hashRows(results, elements, count, rows);
    assembly.elementsToWords(assembly.wordBuffer(), results, rows);
    const hashes = Array.from({ length: rows }, (_, row) => readWord(row));
    const wanted = hashes.map((_, row) => poseidon(values.slice(row * count, (row + 1) * count)));
    assert.deepEqual(hashes, wanted);
  }
});

test("an empty vector has no hash", () => {
  assert.throws(() => hashVector([]), RangeError);
});

// Lengths around the block limits, 16 and then every 15, and the buffer's, 496 and then every 495.
for (const length of [1, 2, 15, 16, 17, 30, 31, 32, 46, 47, 128, 496, 497, 991, 992, 1200]) {
  test(`hashVector of ${length} is the chain that SPEC section 3 describes`, async () => {
    const { poseidon: reference } = await loadCircomlib();
    const values = Array.from({ length }, (_, index) => BigInt(index) ** 3n);
    let expected = reference(values.slice(0, 16));
    for (let rest = values.slice(16); rest.length > 0; rest = rest.slice(15)) {
      expected = reference([expected, ...rest.slice(0, 15)]);
    }
    assert.equal(hashVector(values), expected);
  });
}
