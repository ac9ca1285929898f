// Signatures, keys and scalars that somebody chose: the same verdict as circomlibjs where its input
// is in the field, and none verifies whose numbers are not; with the key's table and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  isValidKey,
  type PublicKey,
  publicKeyOf,
  type Signature,
  SUBGROUP_ORDER,
  sign,
  verify,
} from "../../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../../sequencer/protocol/hash.ts";
import { KEYS_MAX, keyTable, USES_BEFORE_TABLE } from "../../../sequencer/protocol/keyTables.ts";
import { runs } from "../../property/runs.ts";
import { loadCircomlib } from "./circomlib.ts";
import { orderFour, orderTwo, plusOrderFour, plusOrderTwo } from "./smallOrder.ts";

const scalar = fc.bigInt({ min: 1n, max: SUBGROUP_ORDER - 1n });
const element = fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n });
const NEUTRAL = { x: 0n, y: 1n };

/** Verdicts without a table, on the way to one, and with it; they must be one. */
function verdict(key: PublicKey, message: bigint, signature: Signature): boolean {
  const first = verify(key, message, signature);
  for (let use = 0; use < USES_BEFORE_TABLE; use++) {
    assert.equal(verify(key, message, signature), first);
  }
  return first;
}

/** A signature for any key whose large part is `secret` times the generator. */
function signAs(key: PublicKey, secret: bigint, nonce: bigint, message: bigint): Signature {
  const r8 = publicKeyOf(nonce);
  const challenge = poseidon([r8.x, r8.y, key.x, key.y, message]);
  return { r8x: r8.x, r8y: r8.y, s: (nonce + 8n * challenge * secret) % SUBGROUP_ORDER };
}

type Change = readonly [string, (good: Signature) => Signature];
const at = ({ x, y }: PublicKey) => ({ r8x: x, r8y: y });
const r8Of = ({ r8x, r8y }: Signature) => ({ x: r8x, y: r8y });

const CHANGES: readonly Change[] = [
  ["nothing changed", (good) => good],
  ["R8 with a part of order 2", (good) => ({ ...good, ...at(plusOrderTwo(r8Of(good))) })],
  ["R8 with a part of order 4", (good) => ({ ...good, ...at(plusOrderFour(r8Of(good))) })],
  ["R8 neutral", (good) => ({ ...good, ...at(NEUTRAL) })],
  ["R8 of order 2", (good) => ({ ...good, ...at(orderTwo) })],
  ["R8 of order 4", (good) => ({ ...good, ...at(orderFour) })],
  ["R8 neutral and S = 0", () => ({ ...at(NEUTRAL), s: 0n })],
  ["R8 = (0, 0)", (good) => ({ ...good, r8x: 0n, r8y: 0n })],
  ["R8's coordinates swapped", (good) => ({ ...good, r8x: good.r8y, r8y: good.r8x })],
  ["S = 1", (good) => ({ ...good, s: 1n })],
  ["S negated", (good) => ({ ...good, s: SUBGROUP_ORDER - good.s })],
  ["S = order - 1", (good) => ({ ...good, s: SUBGROUP_ORDER - 1n })],
];

for (const [name, change] of CHANGES) {
  test(`the verdict on ${name} is circomlibjs'`, async () => {
    const reference = await loadCircomlib();
    fc.assert(
      fc.property(scalar, element, (secret, message) => {
        const key = publicKeyOf(secret);
        const signature = change(sign(secret, message));
        const expected = reference.verify(key, message, signature);
        assert.equal(verdict(key, message, signature), expected);
        assert.equal(expected, name === "nothing changed");
      }),
      runs(2),
    );
  });
}

test("a key with a part of small order verifies as in circomlibjs; not a valid key", async () => {
  const reference = await loadCircomlib();
  const change = fc.constantFrom(plusOrderTwo, plusOrderFour);
  fc.assert(
    fc.property(scalar, scalar, element, change, (secret, nonce, message, plus) => {
      const key = plus(publicKeyOf(secret));
      const signature = signAs(key, secret, nonce, message);
      assert.ok(reference.verify(key, message, signature));
      assert.ok(verdict(key, message, signature));
      assert.equal(isValidKey(key), false);
      assert.equal(isValidKey(publicKeyOf(secret)), true);
    }),
    runs(3),
  );
});

test("no verdict depends on which of a point's names is used", () => {
  const field = fc.constantFrom("r8x" as const, "r8y" as const, "s" as const);
  const shift = fc.constantFrom(FIELD_MODULUS, -FIELD_MODULUS, 1n << 256n, -(1n << 256n));
  fc.assert(
    fc.property(scalar, element, field, shift, (secret, message, name, by) => {
      const key = publicKeyOf(secret);
      const good = sign(secret, message);
      const order = name === "s" ? (by / FIELD_MODULUS) * SUBGROUP_ORDER : by;
      for (const step of [by, order]) {
        assert.equal(verdict(key, message, { ...good, [name]: good[name] + step }), false);
      }
      assert.equal(verdict(key, message + by, good), false);
      assert.equal(verdict({ ...key, x: key.x + by }, message, good), false);
      assert.equal(verdict({ ...key, y: key.y + by }, message, good), false);
      assert.ok(verdict(key, message, good));
    }),
    runs(10),
  );
});

test("S from the order to 2^256 is refused, and below it compared as a number", () => {
  const beyond = fc.bigInt({ min: SUBGROUP_ORDER, max: (1n << 256n) - 1n });
  const key = publicKeyOf(3n);
  const good = sign(3n, 9n);
  fc.assert(
    fc.property(beyond, (s) => assert.equal(verify(key, 9n, { ...good, s }), false)),
    runs(100),
  );
  for (let times = 1n; times < 8n; times++) {
    assert.equal(verify(key, 9n, { ...good, s: good.s + times * SUBGROUP_ORDER }), false);
  }
});

test("keys that no signature can verify for get no table", () => {
  const offCurve = { x: 1n, y: 1n };
  for (const key of [NEUTRAL, orderTwo, orderFour, { x: 0n, y: 0n }, offCurve]) {
    assert.equal(verdict(key, 1n, { r8x: 0n, r8y: 1n, s: 0n }), false);
    assert.equal(keyTable(key.x, key.y), 0);
    assert.equal(isValidKey(key), false);
  }
});

test("a table is its key's alone, also after it has been another's", () => {
  const keys = Array.from({ length: KEYS_MAX + 50 }, (_, i) => publicKeyOf(BigInt(i) + 1000n));
  const [first, last] = [keys[0]!, keys.at(-1)!];
  const own = sign(1000n, 5n);
  assert.ok(verdict(first, 5n, own));
  assert.notEqual(keyTable(first.x, first.y), 0);
  const mirrored = { x: first.x, y: FIELD_MODULUS - first.y };
  assert.equal(verdict(mirrored, 5n, own), false);
  assert.equal(keyTable(first.x, first.y), 0, "the mirrored key took its place");
  assert.ok(verdict(first, 5n, own));
  for (const key of keys.slice(1)) assert.equal(verify(key, 5n, own), false);
  assert.equal(keyTable(first.x, first.y), 0, "the first key was forgotten");
  assert.ok(verdict(last, 5n, sign(BigInt(keys.length) + 999n, 5n)));
  assert.equal(verdict(last, 5n, own), false);
  assert.ok(verdict(first, 5n, own));
});

test("keys of every size of secret are circomlib's multiples of Base8", () => {
  const edges = [1n, 2n, 63n, 64n, 65n, 127n, 128n, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER >> 1n];
  for (const secret of [...edges, ...Array.from({ length: 250 }, (_, bit) => 1n << BigInt(bit))]) {
    const { x, y } = publicKeyOf(secret);
    const negative = publicKeyOf(SUBGROUP_ORDER - secret);
    assert.deepEqual(negative, { x: FIELD_MODULUS - x, y });
    assert.ok(verify({ x, y }, 1n, sign(secret, 1n)));
  }
  for (const secret of [0n, -1n, SUBGROUP_ORDER]) {
    assert.throws(() => publicKeyOf(secret), RangeError);
  }
});
