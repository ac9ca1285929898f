// Signatures and paths as nobody makes them honestly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attackHints } from "../../circuits/adversary/hints.ts";
import { pack } from "../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { publicKeyOf, SUBGROUP_ORDER, sign, verify } from "../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import { KEY_META } from "../../sequencer/protocol/layout.ts";
import { firstHead } from "../../sequencer/protocol/messages.ts";
import { keyHash } from "../../sequencer/protocol/state.ts";
import { addPoints, BASE, multiply, type Point, TORSION } from "../support/babyJubjub.ts";
import { accepts, assertPinned, assertRejects } from "../support/cheat.ts";
import { loadTemplate } from "../support/circuitTargets.ts";
import { loadGadget } from "../support/gadget.ts";
import { secretOf } from "../support/market.ts";

const HEAD = 9n;
const secret = secretOf("signer");
const honestKey = publicKeyOf(secret);

/** A key of the first of one account that is said to have signed HEAD. */
function signed(
  [x, y]: Point,
  { r8x, r8y, s }: { r8x: bigint; r8y: bigint; s: bigint } = sign(secret, HEAD),
) {
  const fields = { expiry: 2, version: 1 };
  const hash = keyHash({ x, y, head: 5n, ...fields });
  return {
    ...{ enabled: 1, isAccount: [1, 0], keyIndex: 0, key: [x, y], headBefore: 5n },
    keyHashes: [
      [hash, 0, 0, 0],
      [0, 0, 0, 0],
    ],
    ...{ headAfter: HEAD, meta: pack(KEY_META, fields), r8: [r8x, r8y], s, seconds: 1 },
  };
}

test("C8 signatures with odd numbers, points and keys are refused", async (context) => {
  assert.equal(new Set(TORSION.map(String)).size, 8, "eight points of small order");
  const gadget = await loadGadget({ file: "state/Signer.circom", main: "Signer(2)" });
  const key: Point = [honestKey.x, honestKey.y];
  const honest = sign(secret, HEAD);
  assert.ok(accepts(gadget, signed(key)), "the honest signature holds");
  let refused = 0;
  const refuse = (inputs: ReturnType<typeof signed>, what: string): void => {
    assertRejects(gadget, inputs, what);
    refused++;
  };
  for (const k of [1n, 2n, 7n]) {
    refuse(signed(key, { ...honest, s: honest.s + k * SUBGROUP_ORDER }), `s + ${k} l`);
  }
  for (const s of [SUBGROUP_ORDER, R - 1n, 0n, SUBGROUP_ORDER - honest.s]) {
    refuse(signed(key, { ...honest, s }), `s = ${s}`);
  }
  for (const [index, point] of TORSION.entries()) {
    for (const [r8x, r8y] of TORSION) {
      refuse(signed(point, { r8x, r8y, s: 0n }), `a key of small order ${index}`);
    }
    if (index === 0) continue;
    const moved = addPoints([honest.r8x, honest.r8y], point);
    refuse(signed(key, { ...honest, r8x: moved[0], r8y: moved[1] }), `R8 + torsion ${index}`);
    const other = addPoints(key, point);
    // Eight times a point of small order is nothing, so the equation is that of the honest key, but
    // for the key inside the challenge.
    refuse(signed(other), `the key + torsion ${index}`);
  }
  for (const off of [
    [1n, 1n],
    [key[0], key[1] + 1n],
    [0n, 0n],
    [key[1], key[0]],
  ] as const) {
    refuse(signed(off), `a key off the curve: ${off}`);
    refuse(signed(key, { ...honest, r8x: off[0], r8y: off[1] }), `R8 off the curve: ${off}`);
  }
  refuse(signed([R - key[0], key[1]]), "the negative key");
  context.diagnostic(`C8: ${refused} odd signatures and keys refused`);
});

test("C8 a signature of another domain is refused", async () => {
  const gadget = await loadGadget({ file: "state/Signer.circom", main: "Signer(2)" });
  const key: Point = [honestKey.x, honestKey.y];
  const heads = [1n, 2n].map((domain) =>
    firstHead({ domain, account: 1, keyIndex: 0, version: 1 }),
  );
  assert.notEqual(heads[0], heads[1], "two domains have two heads");
  const inputs = { ...signed(key, sign(secret, heads[0]!)), headAfter: heads[0]! };
  assert.ok(accepts(gadget, inputs));
  assertRejects(gadget, { ...inputs, headAfter: heads[1]! }, "the other domain's head");
});

test("C8 digits of a Merkle path are bits, and a node is no leaf", async () => {
  const source = { file: "gadgets/MerkleUpdate.circom", main: "MerkleUpdate(2)" };
  const siblings = [
    [11n, 12n, 13n],
    [21n, 22n, 23n],
  ];
  const target = await loadTemplate(source);
  for (const id of [6]) {
    const inputs = { id, leafBefore: 5n, leafAfter: 6n, siblings };
    const { findings, tried } = attackHints(target, inputs);
    assert.deepEqual(findings, [], "a digit that is no bit");
    assert.ok([...tried.values()].every((count) => count >= 100));
  }
  const gadget = await loadGadget(source);
  const rootOf = (leaf: bigint, path: readonly (readonly bigint[])[]) => {
    const inputs = { id: 0, leafBefore: leaf, leafAfter: leaf, siblings: path };
    return gadget.read(gadget.witness(inputs), "rootBefore");
  };
  const node = poseidon([5n, ...siblings[0]!]);
  const root = poseidon([node, ...siblings[1]!]);
  assert.equal(rootOf(5n, siblings), root);
  // A path is as long as the tree is high: with a node for a leaf it ends beside the root.
  for (const last of [siblings[0]!, siblings[1]!, [0n, 0n, 0n]]) {
    assert.notEqual(rootOf(node, [siblings[1]!, last]), root);
  }
});

interface Claim {
  readonly key: Point;
  readonly message: bigint;
  readonly signature: { readonly r8x: bigint; readonly r8y: bigint; readonly s: bigint };
}

/** An honest signature by any key with this secret, be it with a part of small order, or R8. */
function claimOf(secret: bigint, nonce: bigint, message: bigint, key: Point, added: Point): Claim {
  const [r8x, r8y] = addPoints(multiply(BASE, nonce), added);
  const challenge = poseidon([r8x, r8y, ...key, message]);
  const s = (nonce + 8n * challenge * secret) % SUBGROUP_ORDER;
  return { key, message, signature: { r8x, r8y, s } };
}

/** The claim, and others that are like it. */
function changesOf(claim: Claim, torsion: Point): Claim[] {
  const { key, signature, message } = claim;
  const { r8x, r8y, s } = signature;
  const moved = addPoints([r8x, r8y], torsion);
  const change = (to: Partial<Claim["signature"]>): Claim => ({
    ...claim,
    signature: { ...signature, ...to },
  });
  return [
    ...[claim, { ...claim, message: (message + 1n) % R }, { ...claim, key: torsion }],
    ...[change({ s: s + SUBGROUP_ORDER }), change({ s: (s + 1n) % SUBGROUP_ORDER })],
    ...[change({ s: SUBGROUP_ORDER - 1n }), change({ s: 0n }), change({ s: R - 1n })],
    ...[change({ r8x: moved[0], r8y: moved[1] }), change({ r8x: (R - r8x) % R, r8y })],
    ...[change({ r8x: r8y, r8y: r8x }), change({ r8x: 0n, r8y: 0n })],
    ...[
      { ...claim, key: addPoints(key, torsion) },
      { ...claim, key: [key[0], key[1] + 1n] },
    ],
    ...[
      { ...claim, key: [R - key[0], key[1]] },
      { ...claim, key: [key[0], R - key[1]] },
    ],
  ] as Claim[];
}

const inputsOf = ({ key, message, signature: { r8x, r8y, s } }: Claim, enabled = 1) => ({
  ...{ enabled, key, message, r8: [r8x, r8y], s },
});

const SIGNATURE = { file: "gadgets/Signature.circom", main: "Signature()" };

test("Signature proves 1, 2, 3: what eddsa.ts takes, and nothing else", async (context) => {
  const gadget = await loadGadget(SIGNATURE);
  const counts = { taken: 0, refused: 0 };
  for (let seed = 0n; seed < 32n; seed++) {
    const own = poseidon([seed, 1n]) % SUBGROUP_ORDER;
    // Small secrets and nonces, their negatives, R8 = nothing, and any.
    const few = [1n, 2n, SUBGROUP_ORDER - 1n, 8n, own];
    const used = few[Number(seed % 5n)]!;
    const nonce = [0n, 1n, SUBGROUP_ORDER - 1n, own][Number(seed % 4n)]!;
    const torsion = TORSION[Number(seed % 8n)]!;
    const key = addPoints(multiply(BASE, used), TORSION[Number((seed / 8n) % 8n)]!);
    const message = [0n, R - 1n, poseidon([seed])][Number(seed % 3n)]!;
    const added = seed % 16n === 15n ? torsion : TORSION[0]!;
    for (const claim of changesOf(claimOf(used, nonce, message, key, added), torsion)) {
      const [x, y] = claim.key;
      const expected = verify({ x, y }, claim.message, claim.signature);
      const text = `${seed}: ${[...claim.key, claim.message, ...Object.values(claim.signature)]}`;
      assert.equal(accepts(gadget, inputsOf(claim)), expected, text);
      counts[expected ? "taken" : "refused"]++;
    }
  }
  assert.ok(counts.taken >= 32 && counts.refused >= 300, JSON.stringify(counts));
  context.diagnostic(`C8: signatures as outside: ${counts.taken} taken, ${counts.refused} refused`);
});

test("Signature proves 1: keys of small order sign nothing, by any s and R8", async () => {
  const gadget = await loadGadget(SIGNATURE);
  for (const key of TORSION) {
    for (const nonce of [0n, 1n, 5n]) {
      // s B = R8 + nothing would hold.
      const { signature } = claimOf(0n, nonce, HEAD, key, TORSION[0]!);
      const [x, y] = key;
      assert.equal(verify({ x, y }, HEAD, signature), false);
      assertRejects(gadget, inputsOf({ key, message: HEAD, signature }));
    }
  }
});

test("Signature: no wire of a taken one can be another", async () => {
  const gadget = await loadGadget(SIGNATURE);
  const [x, y] = [honestKey.x, honestKey.y];
  assertPinned(gadget, inputsOf({ key: [x, y], message: HEAD, signature: sign(secret, HEAD) }));
});

test("Signature that is not enabled takes any inputs, as padding has them", async () => {
  const gadget = await loadGadget(SIGNATURE);
  for (const each of [0n, 1n, 7n, R - 1n, SUBGROUP_ORDER, 2n ** 253n]) {
    gadget.witness({ enabled: 0, key: [each, each], message: each, r8: [each, each], s: each });
  }
  for (const key of TORSION) {
    gadget.witness({ enabled: 0, key, message: 0n, r8: [0n, 0n], s: 0n });
  }
  const signature = { ...sign(secret, HEAD), s: 1n };
  const wrong = { key: [honestKey.x, honestKey.y] as const, message: HEAD, signature };
  gadget.witness(inputsOf(wrong, 0));
  assertRejects(gadget, inputsOf(wrong, 1));
});
