// Keys: of traders in their sessions, of oracles in their set.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pack } from "../../sequencer/protocol/codec.ts";
import { publicKeyOf, sign } from "../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import { KEY_META } from "../../sequencer/protocol/layout.ts";
import { firstHead } from "../../sequencer/protocol/messages.ts";
import { oracleSetHash } from "../../sequencer/protocol/snapshot.ts";
import { emptyKey, keyHash, sessionLeaf, type TradingKey } from "../../sequencer/protocol/state.ts";
import { assertPinned, assertRejects, readAll } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";
import { secretOf } from "../support/market.ts";

const NOW = 1000;
const secret = secretOf("signer");
const key: TradingKey = { ...publicKeyOf(secret), head: 5n, expiry: NOW + 1, version: 3 };
const metaOf = ({ expiry, version }: TradingKey) => pack(KEY_META, { expiry, version });
const none = keyHash(emptyKey());
const others = [11n, 12n, 13n, 14n];

/** Key 2 of the second of two accounts signs the head 9. */
function signerInputs(used: TradingKey, signing = secret) {
  const { r8x, r8y, s } = sign(signing, 9n);
  return {
    ...{ enabled: 1, isAccount: [0, 1], keyIndex: 2, key: [used.x, used.y] },
    keyHashes: [others, [none, none, keyHash(used), none]],
    ...{ headBefore: used.head, headAfter: 9n, meta: metaOf(used), r8: [r8x, r8y], s },
    seconds: NOW,
  };
}

const signer = { file: "state/Signer.circom", main: "Signer(2)" };

test("Signer proves 1: the key is key keyIndex of the account that isAccount selects", async () => {
  const gadget = await loadGadget(signer);
  const honest = signerInputs(key);
  gadget.witness(honest);
  for (const cheat of [
    { keyIndex: 1 },
    { keyIndex: 4 },
    { isAccount: [1, 0] },
    { isAccount: [0, 0] },
    { headBefore: 6n },
    { meta: honest.meta + 1n },
    { key: [key.y, key.x] },
  ]) {
    assertRejects(gadget, { ...honest, ...cheat }, Object.keys(cheat).join());
  }
});

test("Signer proves 2: the key has not expired", async () => {
  const gadget = await loadGadget(signer);
  const honest = signerInputs(key);
  assertRejects(gadget, { ...honest, seconds: NOW + 1 });
  const forever = signerInputs({ ...key, expiry: 2 ** 32 - 1 });
  gadget.witness({ ...forever, seconds: 2 ** 32 - 2 });
  assertRejects(gadget, { ...forever, seconds: 2 ** 32 - 1 });
});

test("Signer proves 3: its holder signed headAfter; a revoked key signs nothing", async () => {
  const gadget = await loadGadget(signer);
  const honest = signerInputs(key);
  assertRejects(gadget, { ...honest, headAfter: 10n }, "another head");
  assertRejects(gadget, signerInputs(key, secretOf("stranger")), "a stranger's signature");
  assertRejects(gadget, { ...honest, s: honest.s + 1n }, "another s");
  const order = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;
  assertRejects(gadget, { ...honest, s: honest.s + order }, "s above the subgroup's order");
  const revoked = { ...key, x: 0n, y: 0n };
  assertRejects(gadget, signerInputs(revoked), "the revoked key");
  // (0, 1) is the neutral element: it would take every signature.
  const neutral = { ...signerInputs({ ...key, x: 0n, y: 1n }), r8: [0n, 1n], s: 0n };
  assertRejects(gadget, neutral, "the neutral element as a key");
});

test("Signer proves 4: only that key's head changes; nothing where it is not enabled", async () => {
  const gadget = await loadGadget(signer);
  const witness = gadget.witness(signerInputs(key));
  const after = keyHash({ ...key, head: 9n });
  assert.deepEqual(readAll(gadget, witness, "keyHashesAfter[0]", 4), others);
  assert.deepEqual(readAll(gadget, witness, "keyHashesAfter[1]", 4), [none, none, after, none]);
  const idle = { ...signerInputs(key), enabled: 0, isAccount: [0, 0], headAfter: 77n };
  const same = gadget.witness(idle);
  assert.deepEqual(readAll(gadget, same, "keyHashesAfter[0]", 4), others);
  const before = keyHash(key);
  assert.deepEqual(readAll(gadget, same, "keyHashesAfter[1]", 4), [none, none, before, none]);
});

test("SignersOrdered proves: enabled ones first, their keys strictly increasing", async () => {
  const gadget = await loadGadget({ file: "state/Signer.circom", main: "SignersOrdered(3)" });
  const inputs = (enabled: number[], account: number[], keyIndex: number[]) => ({
    ...{ enabled, account, keyIndex },
  });
  assertPinned(gadget, inputs([1, 1, 1], [4, 4, 5], [0, 3, 0]));
  assertPinned(gadget, inputs([1, 0, 0], [4, 0, 0], [3, 0, 0]));
  assertPinned(gadget, inputs([0, 0, 0], [9, 9, 9], [1, 1, 1]));
  assertRejects(gadget, inputs([1, 1, 0], [4, 4, 0], [1, 1, 0]), "a key twice");
  assertRejects(gadget, inputs([1, 1, 0], [4, 4, 0], [2, 1, 0]), "descending keys");
  assertRejects(gadget, inputs([1, 1, 0], [5, 4, 0], [0, 3, 0]), "descending accounts");
  assertRejects(gadget, inputs([1, 0, 1], [4, 0, 5], [0, 0, 0]), "a gap");
  assertRejects(gadget, inputs([2, 0, 0], [4, 0, 0], [0, 0, 0]), "no flag");
});

test("StrictlyIncreasing proves: ids strictly increase", async () => {
  const gadget = await loadGadget({
    file: "state/Signer.circom",
    main: "StrictlyIncreasing(3, 4)",
  });
  for (const ids of [
    [0, 1, 2],
    [3, 9, 15],
  ])
    assertPinned(gadget, { ids });
  for (const ids of [
    [0, 0, 1],
    [1, 0, 2],
    [5, 6, 6],
    [5, 7, 6],
  ])
    assertRejects(gadget, { ids });
});

const oracles = ["a", "b", "c"].map((name) => secretOf(`oracle ${name}`));
const keys = oracles.map((oracle) => publicKeyOf(oracle));

function quorumInputs(signers: readonly number[], change: Partial<Record<string, bigint>> = {}) {
  const signed = { domain: 1n, snapshotTime: 5000n, matrix: 3n };
  const message = poseidon([signed.domain, signed.snapshotTime, signed.matrix]);
  const signatures = signers.map((index) => sign(oracles[index]!, message));
  return {
    ...{ ...signed, time: 5000n, keys: keys.map(({ x, y }) => [x, y]), signer: signers },
    r8: signatures.map(({ r8x, r8y }) => [r8x, r8y]),
    s: signatures.map(({ s }) => s),
    ...change,
  };
}

function loadQuorum(): Promise<Gadget> {
  return loadGadget({ file: "gadgets/Oracles.circom", main: "OracleQuorum(3, 2)" });
}

test("OracleQuorum proves 1: oracleSet = hashVector(keys)", async () => {
  const gadget = await loadQuorum();
  const witness = gadget.witness(quorumInputs([0, 2]));
  assert.equal(gadget.read(witness, "oracleSet"), oracleSetHash(keys));
});

test("OracleQuorum proves 2: different oracles of the set signed this snapshot", async () => {
  const gadget = await loadQuorum();
  for (const signers of [
    [0, 1],
    [0, 2],
    [1, 2],
  ])
    gadget.witness(quorumInputs(signers));
  for (const signers of [
    [0, 0],
    [2, 2],
    [1, 0],
  ])
    assertRejects(gadget, quorumInputs(signers));
  assertRejects(gadget, { ...quorumInputs([0, 1]), signer: [0, 3] }, "one outside the set");
  assertRejects(gadget, { ...quorumInputs([0, 1]), signer: [0, 2] }, "another's signature");
  for (const change of [{ domain: 2n }, { matrix: 4n }, { snapshotTime: 4999n }]) {
    assertRejects(gadget, quorumInputs([0, 1], change), Object.keys(change).join());
  }
});

test("OracleQuorum proves 3: 0 <= time - snapshotTime < 2^17", async () => {
  const gadget = await loadQuorum();
  for (const time of [5000n, 5000n + 2n ** 17n - 1n])
    gadget.witness(quorumInputs([0, 1], { time }));
  for (const time of [4999n, 5000n + 2n ** 17n]) {
    assertRejects(gadget, quorumInputs([0, 1], { time }), `at ${time}`);
  }
});

const registers = { file: "ledger/RegisterKey.circom", main: "RegisterKey(2, 2)" };
const fresh = publicKeyOf(secretOf("fresh"));
const registered = {
  ...{ enabled: 1, isAccount: [0, 1], account: 6, keyIndex: 2, key: [fresh.x, fresh.y] },
  ...{ expiry: 77, domain: 4n, oldKey: [key.x, key.y], oldHead: key.head, oldMeta: metaOf(key) },
  keyHashes: [others, [none, none, keyHash(key), none]],
  ...{ id: 6, leafBefore: 3, leafAfter: 4, siblings: [new Array(3).fill(7), new Array(3).fill(8)] },
};

/** Of the path above: place 6 is the third child of the second. */
const rootOf = (leaf: bigint) => poseidon([8n, poseidon([7n, 7n, leaf, 7n]), 8n, 8n]);

test("RegisterKey proves 1: the chosen key was (oldKey, oldHead, oldMeta)", async () => {
  const gadget = await loadGadget(registers);
  gadget.witness(registered);
  for (const cheat of [
    { oldKey: [1, 2] },
    { oldHead: 1 },
    { oldMeta: 0 },
    { keyIndex: 0 },
    { keyIndex: 4 },
    { isAccount: [1, 0] },
  ]) {
    assertRejects(gadget, { ...registered, ...cheat }, Object.keys(cheat).join());
  }
});

test("RegisterKey proves 2, 3: the given key, version + 1, a new chain; else a path", async () => {
  const gadget = await loadGadget(registers);
  const witness = gadget.witness(registered);
  const version = key.version + 1;
  const head = firstHead({ domain: 4n, account: 6, keyIndex: 2, version });
  const after = keyHash({ ...fresh, head, expiry: 77, version });
  assert.deepEqual(readAll(gadget, witness, "keyHashesAfter[0]", 4), others);
  assert.deepEqual(readAll(gadget, witness, "keyHashesAfter[1]", 4), [none, none, after, none]);
  const idle = gadget.witness({ ...registered, enabled: 0, isAccount: [0, 0] });
  assert.deepEqual(readAll(gadget, idle, "keyHashesAfter[1]", 4), registered.keyHashes[1]);
  assert.equal(gadget.read(idle, "rootBefore"), rootOf(3n));
  assert.equal(gadget.read(idle, "rootAfter"), rootOf(4n));
  const last = { ...key, version: 2 ** 20 - 1 };
  const keyHashes = [others, [none, none, keyHash(last), none]];
  assertRejects(gadget, { ...registered, oldMeta: metaOf(last), keyHashes }, "a version too many");
});

test("RegisterKey proves 2: of places that are alike, the index says which is taken", async () => {
  const gadget = await loadGadget(registers);
  const empty = { oldKey: [0, 0], oldHead: 0, oldMeta: 0 };
  for (const keyIndex of [0, 1, 2, 3]) {
    const keyHashes = [others, [none, none, none, none]];
    const witness = gadget.witness({ ...registered, ...empty, keyHashes, keyIndex });
    const head = firstHead({ domain: 4n, account: 6, keyIndex, version: 1 });
    const after = keyHash({ ...fresh, head, expiry: 77, version: 1 });
    const expected = [none, none, none, none].with(keyIndex, after);
    assert.deepEqual(readAll(gadget, witness, "keyHashesAfter[1]", 4), expected);
  }
});

const session = { keys: [emptyKey(), key, emptyKey(), emptyKey()] };
const sessionInputs = (watermark: number | bigint, lockedSince: number) => ({
  keyHashes: session.keys.map(keyHash),
  ...{ watermark, lockedSince },
});

test("SessionOpened proves 1: leaf = Poseidon(key hashes, watermark | lockedSince)", async () => {
  const gadget = await loadGadget({ file: "state/Session.circom", main: "SessionOpened()" });
  const closed = await loadGadget({ file: "state/Session.circom", main: "SessionLeaf()" });
  for (const [watermark, lockedSince] of [
    [0, 0],
    [7, NOW],
    [2 ** 40 - 1, 2 ** 32 - 1],
  ] as const) {
    const inputs = sessionInputs(watermark, lockedSince);
    const leaf = sessionLeaf({ ...session, watermark, lockedSince });
    assert.equal(gadget.read(assertPinned(gadget, inputs), "leaf"), leaf);
    assert.equal(closed.read(assertPinned(closed, inputs), "leaf"), leaf);
  }
});

test("SessionOpened proves 2: the leaf determines watermark and lock", async () => {
  const gadget = await loadGadget({ file: "state/Session.circom", main: "SessionOpened()" });
  const wide = 2n ** 40n;
  // The same word, read as a lock that is not there.
  for (const [watermark, lockedSince] of [
    [7n + wide * BigInt(NOW), 0],
    [7n - wide, 1],
    [wide, 0],
    [0n, 2 ** 32],
    [wide, -1],
  ] as const) {
    assertRejects(gadget, sessionInputs(watermark, lockedSince), `${watermark} ${lockedSince}`);
  }
});
