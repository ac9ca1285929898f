// Signatures and paths as nobody makes them honestly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attackHints } from "../../circuits/adversary/hints.ts";
import { pack } from "../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { publicKeyOf, SUBGROUP_ORDER, sign } from "../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import { KEY_META } from "../../sequencer/protocol/layout.ts";
import { firstHead } from "../../sequencer/protocol/messages.ts";
import { keyHash } from "../../sequencer/protocol/state.ts";
import { accepts, assertRejects } from "../support/cheat.ts";
import { loadTemplate } from "../support/circuitTargets.ts";
import { loadGadget } from "../support/gadget.ts";
import { secretOf } from "../support/market.ts";

type Point = readonly [x: bigint, y: bigint];

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

/** The parts of circomlibjs' curve that are used here; it ships no types. */
interface Curve {
  readonly F: { e(value: bigint): unknown; toObject(element: unknown): bigint };
  readonly Generator: readonly unknown[];
  addPoint(a: readonly unknown[], b: readonly unknown[]): readonly unknown[];
  mulPointEscalar(point: readonly unknown[], factor: bigint): readonly unknown[];
}

const circomlibjs = "circomlibjs";
const { buildBabyjub } = (await import(circomlibjs)) as { buildBabyjub(): Promise<Curve> };
const curve = await buildBabyjub();
const { F } = curve;
const toPoint = (point: readonly unknown[]): Point => [F.toObject(point[0]), F.toObject(point[1])];
/** The eight points whose order divides the cofactor. */
const torsion = Array.from({ length: 8 }, (_, k) => {
  const one = curve.mulPointEscalar(curve.Generator, SUBGROUP_ORDER);
  return k === 0 ? ([0n, 1n] as const) : toPoint(curve.mulPointEscalar(one, BigInt(k)));
});

test("C8 signatures with odd numbers, points and keys are refused", async (context) => {
  assert.equal(new Set(torsion.map(String)).size, 8, "eight points of small order");
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
  for (const [index, point] of torsion.entries()) {
    for (const [r8x, r8y] of torsion) {
      refuse(signed(point, { r8x, r8y, s: 0n }), `a key of small order ${index}`);
    }
    if (index === 0) continue;
    const moved = toPoint(
      curve.addPoint([F.e(honest.r8x), F.e(honest.r8y)], [F.e(point[0]), F.e(point[1])]),
    );
    refuse(signed(key, { ...honest, r8x: moved[0], r8y: moved[1] }), `R8 + torsion ${index}`);
    const other = toPoint(
      curve.addPoint(
        [F.e(key[0]), F.e(key[1])],
        point.map((each) => F.e(each)),
      ),
    );
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
