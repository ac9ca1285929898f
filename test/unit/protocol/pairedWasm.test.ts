import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import * as lite from "poseidon-lite";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { PAIRED_BASE64 } from "../../../sequencer/protocol/generated/pairedAssembly.ts";
import { HASH_WIDTH_MAX, hashVector } from "../../../sequencer/protocol/hash.ts";
import { hashVectors } from "../../../sequencer/protocol/hashVectors.ts";
import {
  IS_PAIRED,
  openPaired,
  rowAssembly,
  rowMemory,
} from "../../../sequencer/protocol/pairedWasm.ts";
import { ELEMENT_BYTES, instantiate } from "../../../sequencer/protocol/wasm.ts";
import { runs } from "../../property/runs.ts";

const skip = IS_PAIRED ? false : "this host does not multiply and add in one rounding";
const ROWS_MAX = 5;
const ELEMENTS = rowAssembly.reserve(ROWS_MAX * (HASH_WIDTH_MAX + 1) * ELEMENT_BYTES);

function hashRows(rows: readonly (readonly bigint[])[], width: number): bigint[] {
  const results = ELEMENTS + rows.length * width * ELEMENT_BYTES;
  for (const [index, value] of rows.flat().entries()) rowMemory.writeWord(index, value);
  rowAssembly.elementsFromWords(ELEMENTS, rowAssembly.wordBuffer(), rows.length * width);
  rowAssembly.hashRows(results, ELEMENTS, width, rows.length);
  rowAssembly.elementsToWords(rowAssembly.wordBuffer(), results, rows.length);
  return rows.map((_, row) => rowMemory.readWord(row));
}

const ofLimbs = (bits: number, limbs: readonly bigint[]) =>
  limbs.reduce((sum, limb) => (sum << BigInt(bits)) | limb, 0n) % FIELD_MODULUS;
/** Where limbs of 51 bits are rounded up or down, or are all ones or zeros. */
const limb = fc.constantFrom(0n, 1n, 2n ** 50n - 1n, 2n ** 50n, 2n ** 51n - 1n);
const value = fc.oneof(
  fc.constantFrom(0n, 1n, FIELD_MODULUS / 2n, FIELD_MODULUS / 2n + 1n, FIELD_MODULUS - 1n),
  fc.array(limb, { minLength: 5, maxLength: 5 }).map((limbs) => ofLimbs(51, limbs)),
  fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n }),
);
const byWidth = lite as unknown as Record<string, (inputs: readonly bigint[]) => bigint>;

for (let width = 1; width <= HASH_WIDTH_MAX; width++) {
  test(`rows of ${width}, even and odd numbers of them, are poseidon-lite's`, () => {
    const reference = byWidth[`poseidon${width}`]!;
    const row = fc.array(value, { minLength: width, maxLength: width });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: ROWS_MAX }), (rows) => {
        assert.deepEqual(
          hashRows(rows, width),
          rows.map((inputs) => reference(inputs)),
        );
      }),
      runs(20),
    );
  });
}

// About the block limits, 16 and then every 15, and where only one vector fills the buffer.
for (const length of [1, 2, 13, 16, 17, 31, 32, 47, 165, 248, 249, 500]) {
  test(`vectors of ${length} hash together as they do one by one`, () => {
    const chance = (seed: number) => BigInt(seed) ** 31n % FIELD_MODULUS;
    for (const count of [0, 1, 2, 3, 32]) {
      const vectors = Array.from({ length: count }, (_, row) =>
        Array.from({ length }, (_, at) => chance(1 + row * length + at)),
      );
      assert.deepEqual(hashVectors(vectors), vectors.map(hashVector));
    }
  });
}

test("values outside of the field stand for their residues, and lengths may not differ", () => {
  const vectors = [
    [-1n, FIELD_MODULUS],
    [2n ** 300n, 2n ** 256n - 1n],
  ];
  assert.deepEqual(hashVectors(vectors), vectors.map(hashVector));
  assert.throws(() => hashVectors([[1n], [1n, 2n]]), RangeError);
  assert.throws(() => hashVectors([[], []]), RangeError);
});

/** Another operation of three vectors in place of f64x2.relaxed_madd: FD 87 02, as many bytes. */
function withOtherOperation(base64: string, bytes: readonly number[]): string {
  const module = Buffer.from(base64, "base64");
  const operation = Buffer.from([0xfd, 0x87, 0x02]);
  let found = 0;
  for (let at = module.indexOf(operation); at >= 0; at = module.indexOf(operation, at + 1)) {
    module.set(bytes, at);
    found += 1;
  }
  assert.ok(found > 100, `${found} operations`);
  return module.toString("base64");
}

test("a host that computes the operation otherwise, or has none, hashes one by one", {
  skip,
}, () => {
  const hosts = {
    "bitselect in its place": [0xfd, 0xd2, 0x00],
    "its opposite, nmadd, in its place": [0xfd, 0x88, 0x02],
  };
  for (const [name, bytes] of Object.entries(hosts)) {
    const other = withOtherOperation(PAIRED_BASE64, bytes);
    assert.notEqual(instantiate(other), undefined, name);
    assert.equal(openPaired(other), undefined, name);
  }
  // No instruction has this number.
  const unknown = withOtherOperation(PAIRED_BASE64, [0xfd, 0xff, 0x7f]);
  assert.equal(openPaired(unknown), undefined);
  assert.notEqual(openPaired(PAIRED_BASE64), undefined);
});

test("V8 without fused products rounds twice, is found out, and hashes the same", { skip }, (t) => {
  const modules = ["pairedWasm", "hashVectors"].map(
    (name) => new URL(`../../../sequencer/protocol/${name}.ts`, import.meta.url).href,
  );
  const script = `
    const [{ IS_PAIRED }, { hashVectors }] =
      await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));
    console.log(IS_PAIRED, hashVectors([[1n, 2n], [3n, 4n], [5n, 6n]]).join());`;
  const options = ["--no-enable-fma3", "--input-type=module", "--eval", script];
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8" });
  if (stderr.includes("bad option")) return t.skip("V8 has that switch for x64 alone");
  assert.equal(status, 0, stderr);
  const hashes = [
    [1n, 2n],
    [3n, 4n],
    [5n, 6n],
  ].map(hashVector);
  assert.equal(stdout, `false ${hashes.join()}\n`);
});
