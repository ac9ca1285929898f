import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  isValidKey,
  type PublicKey,
  publicKeyOf,
  type Signature,
  SUBGROUP_ORDER,
  secretFromSeed,
  sign,
  verify,
} from "../../../sequencer/protocol/eddsa.ts";
import { runs } from "../../property/runs.ts";
import { loadCircomlib } from "./circomlib.ts";
import { orderFour, orderTwo } from "./smallOrder.ts";

const message = fc.oneof(
  fc.constantFrom(0n, 1n, FIELD_MODULUS - 1n),
  fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n }),
);
const secret = fc.bigInt({ min: 1n, max: SUBGROUP_ORDER - 1n });
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("circomlibjs accepts our signatures", async () => {
  const reference = await loadCircomlib();
  fc.assert(
    fc.property(secret, message, (key, text) => {
      const signature = sign(key, text);
      assert.ok(verify(publicKeyOf(key), text, signature));
      assert.ok(reference.verify(publicKeyOf(key), text, signature));
    }),
    runs(10),
  );
});

test("we accept circomlibjs' signatures", async () => {
  const reference = await loadCircomlib();
  fc.assert(
    fc.property(seed, message, (bytes, text) => {
      const key = reference.keyOf(bytes);
      assert.ok(isValidKey(key));
      assert.ok(verify(key, text, reference.sign(bytes, text)));
    }),
    runs(10),
  );
});

const key = publicKeyOf(42n);
const good = sign(42n, 7n);

const CASES: readonly (readonly [string, PublicKey, bigint, Signature, boolean])[] = [
  ["the signature itself", key, 7n, good, true],
  ["another message", key, 8n, good, false],
  ["another key", publicKeyOf(43n), 7n, good, false],
  ["S + subgroup order", key, 7n, { ...good, s: good.s + SUBGROUP_ORDER }, false],
  ["S = subgroup order", key, 7n, { ...good, s: SUBGROUP_ORDER }, false],
  ["a negative S", key, 7n, { ...good, s: good.s - SUBGROUP_ORDER }, false],
  ["another S", key, 7n, { ...good, s: good.s ^ 1n }, false],
  ["S = 0", key, 7n, { ...good, s: 0n }, false],
  ["R8 off the curve", key, 7n, { ...good, r8x: good.r8x + 1n }, false],
  ["R8 not in the field", key, 7n, { ...good, r8x: good.r8x + FIELD_MODULUS }, false],
  ["R8 mirrored", key, 7n, { ...good, r8x: FIELD_MODULUS - good.r8x }, false],
  ["a message not in the field", key, 7n + FIELD_MODULUS, good, false],
  ["a key off the curve", { x: key.x, y: key.y + 1n }, 7n, good, false],
  ["the neutral key", { x: 0n, y: 1n }, 7n, { r8x: 0n, r8y: 1n, s: 0n }, false],
  ["a key of order 2", orderTwo, 7n, { r8x: 0n, r8y: 1n, s: 0n }, false],
  ["a key of order 4", orderFour, 7n, { r8x: 0n, r8y: 1n, s: 0n }, false],
];

for (const [name, subject, text, signature, expected] of CASES) {
  test(`verify of ${name}: ${expected}`, () => {
    assert.equal(verify(subject, text, signature), expected);
  });
}

test("every bit of a signature matters", () => {
  const field = fc.constantFrom("r8x" as const, "r8y" as const, "s" as const);
  fc.assert(
    fc.property(field, fc.nat({ max: 250 }), (name, bit) => {
      const tampered = { ...good, [name]: good[name] ^ (1n << BigInt(bit)) };
      assert.equal(verify(key, 7n, tampered), false);
    }),
    runs(40),
  );
});

test("a key is on the curve and of large order", () => {
  assert.ok(isValidKey(key));
  const invalid = [{ x: 0n, y: 0n }, { x: 0n, y: 1n }, orderTwo, orderFour, { x: key.y, y: key.x }];
  for (const subject of invalid) assert.equal(isValidKey(subject), false);
});

test("secrets come from seeds of at least 16 bytes", () => {
  assert.throws(() => secretFromSeed(new Uint8Array(15)), RangeError);
  const from = secretFromSeed(new Uint8Array(16));
  assert.ok(from > 0n && from < SUBGROUP_ORDER);
  assert.notEqual(from, secretFromSeed(new Uint8Array(17)));
});

test("the first verification of a process is as good as the later ones", () => {
  const key = publicKeyOf(5n);
  const { r8x, r8y, s } = sign(5n, 7n);
  const module = new URL("../../../sequencer/protocol/eddsa.ts", import.meta.url).href;
  const signature = `{ r8x: ${r8x}n, r8y: ${r8y}n, s: ${s}n }`;
  const script = `
    const { verify } = await import("${module}");
    const check = () => verify({ x: ${key.x}n, y: ${key.y}n }, 7n, ${signature});
    console.log(check(), check());`;
  const args = ["--input-type=module", "--eval", script];
  assert.equal(execFileSync(process.execPath, args, { encoding: "utf8" }).trim(), "true true");
});
