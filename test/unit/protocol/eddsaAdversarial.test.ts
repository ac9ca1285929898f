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
import { KEYS_MAX, keyTable, USES_BEFORE_TABLE } from "../../../sequencer/protocol/keyTables.ts";
import { runs } from "../../property/runs.ts";
import { CHANGES, HALF_RIGHT, NEUTRAL, signAs } from "./adversarialClaims.ts";
import { loadCircomlib } from "./circomlib.ts";
import { orderFour, orderTwo, plusOrderFour, plusOrderTwo, vanishing } from "./smallOrder.ts";

const scalar = fc.bigInt({ min: 1n, max: SUBGROUP_ORDER - 1n });
const element = fc.bigInt({ min: 0n, max: FIELD_MODULUS - 1n });

/** Verdicts without a table, on the way to one, and with it; they must be one. */
function verdict(key: PublicKey, message: bigint, signature: Signature): boolean {
  const first = verify(key, message, signature);
  for (let use = 0; use < USES_BEFORE_TABLE; use++) {
    assert.equal(verify(key, message, signature), first);
  }
  return first;
}

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

for (const [name, named] of HALF_RIGHT) {
  test(`${name} is not enough`, async () => {
    const reference = await loadCircomlib();
    fc.assert(
      fc.property(scalar, scalar, element, (secret, nonce, message) => {
        const key = publicKeyOf(secret);
        const signature = signAs(key, secret, nonce, message, named);
        assert.equal(reference.verify(key, message, signature), false);
        assert.equal(verdict(key, message, signature), false);
        assert.ok(verdict(key, message, signAs(key, secret, nonce, message)));
      }),
      runs(2),
    );
  });
}

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
  for (const key of [NEUTRAL, orderTwo, orderFour, { x: 0n, y: 0n }, offCurve, vanishing]) {
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
