import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { HASH_WIDTH_MAX, hashVector, poseidon } from "../../../sequencer/protocol/hash.ts";
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

// Lengths around the block limits: 16 and then every 15.
for (const length of [1, 2, 15, 16, 17, 30, 31, 32, 46, 47, 128]) {
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
