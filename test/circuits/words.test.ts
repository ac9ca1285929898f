// Words: fields of a number, hashes of vectors, what is public, and paths in trees.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluate } from "../../sequencer/batch/publicInputs.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { hashVector, poseidon } from "../../sequencer/protocol/hash.ts";
import { sharedLevels } from "../../sequencer/protocol/merklePath.ts";
import { privateRoot, stateRoot } from "../../sequencer/protocol/state.ts";
import { createMerkleTree } from "../../sequencer/state/merkleTree.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, assertRejects, readAll } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const element = fc.bigInt({ min: 0n, max: R - 1n });

test("Unpack proves 1: word = sum of fields * 2^offset, each within its width", async () => {
  const gadget = await loadGadget({ file: "gadgets/Unpack.circom", main: "Unpack(3, [3, 1, 4])" });
  for (const word of [0, 1, 7, 8, 255, 254, 0b1010_1_011]) {
    const witness = assertPinned(gadget, { word });
    const fields = [word & 7, (word >> 3) & 1, word >> 4].map(BigInt);
    assert.deepEqual(readAll(gadget, witness, "fields", 3), fields);
  }
  for (const word of [256n, 257n, R - 1n]) assertRejects(gadget, { word }, `${word}`);
});

test("Unpack proves 1 at its widest: 253 bits have one decomposition", async () => {
  const main = "Unpack(2, [252, 1])";
  const gadget = await loadGadget({ file: "gadgets/Unpack.circom", main });
  for (const word of [0n, 2n ** 252n - 1n, 2n ** 252n, 2n ** 253n - 1n]) {
    const witness = assertPinned(gadget, { word });
    assert.equal(gadget.read(witness, "fields[1]"), word >> 252n);
  }
  for (const word of [2n ** 253n, R - 1n]) assertRejects(gadget, { word });
});

test("UnpackMany proves: as Unpack, for each word; no bit above the last field", async () => {
  const gadget = await loadGadget({ file: "gadgets/Unpack.circom", main: "UnpackMany(5, 4, 3)" });
  const witness = assertPinned(gadget, { in: [0x321, 0x54] });
  assert.deepEqual(readAll(gadget, witness, "out", 5), [1n, 2n, 3n, 4n, 5n]);
  assertRejects(gadget, { in: [0x1321, 0x54] });
  assertRejects(gadget, { in: [0x321, 0x154] }, "a third field in a word of two");
});

test("PackMany proves: out = sum of in * 2^(bits * place)", async () => {
  const gadget = await loadGadget({ file: "gadgets/Unpack.circom", main: "PackMany(5, 4, 3)" });
  const witness = assertPinned(gadget, { in: [1, 2, 3, 4, 5] });
  assert.deepEqual(readAll(gadget, witness, "out", 2), [0x321n, 0x54n]);
});

test("HashVector proves 1: the hash of protocol/hash.ts, of one block and two", async () => {
  for (const length of [1, 17]) {
    const main = `HashVector(${length})`;
    const gadget = await loadGadget({ file: "gadgets/HashVector.circom", main });
    const values = Array.from({ length }, (_, index) => R - 1n - BigInt(index));
    const witness = gadget.witness({ in: values });
    assert.equal(gadget.read(witness, "out"), hashVector(values));
    if (length === 1) assertPinned(gadget, { in: values });
  }
});

const dataSize = 3;

test("PublicData proves 1: commitment = hashVector(words)", async () => {
  const main = `PublicData(${dataSize})`;
  const gadget = await loadGadget({ file: "gadgets/PublicData.circom", main });
  const words = [5n, R - 1n, 7n];
  const honest = { words, gamma: 11n, evaluation: evaluate(words, 11n) };
  assertPinned(gadget, { ...honest, commitment: hashVector(words) });
  assertRejects(gadget, { ...honest, commitment: hashVector([5n, R - 1n, 8n]) });
  const hidden = [5n, R - 1n, 0n];
  const told = { ...honest, commitment: hashVector(words), words: hidden };
  assertRejects(gadget, { ...told, evaluation: evaluate(hidden, 11n) }, "a hidden word");
});

test("PublicData proves 2: evaluation = sum of words[i] * gamma^(i + 1)", async () => {
  const main = `PublicData(${dataSize})`;
  const gadget = await loadGadget({ file: "gadgets/PublicData.circom", main });
  const vector = fc.array(element, { minLength: dataSize, maxLength: dataSize });
  fc.assert(
    fc.property(vector, element, fc.integer({ min: 1, max: 9 }), (words, gamma, off) => {
      const evaluation = evaluate(words, gamma);
      const inputs = { words, gamma, commitment: hashVector(words) };
      assert.ok(accepts(gadget, { ...inputs, evaluation }));
      assertRejects(gadget, { ...inputs, evaluation: evaluation + BigInt(off) });
    }),
    runs(10),
  );
});

function treeOf(leaves: readonly bigint[]) {
  const tree = createMerkleTree({ levels: 2, emptyLeaf: 7n });
  for (const [id, leaf] of leaves.entries()) tree.set(id, leaf);
  return tree;
}

test("MerkleUpdate proves 1: rootBefore is the root with leafBefore at id", async () => {
  const main = "MerkleUpdate(2)";
  const gadget = await loadGadget({ file: "gadgets/MerkleUpdate.circom", main });
  const leaves = Array.from({ length: 16 }, (_, id) => 100n + BigInt(id));
  for (const id of leaves.keys()) {
    const tree = treeOf(leaves);
    const siblings = tree.path(id);
    const inputs = { id, leafBefore: leaves[id]!, leafAfter: 3n, siblings };
    const witness = gadget.witness(inputs);
    assert.equal(gadget.read(witness, "rootBefore"), tree.root());
    for (const cheat of [
      { id: (id + 1) % 16 },
      { leafBefore: 99n },
      { siblings: siblings.map((row, level) => (level === 0 ? row.toReversed() : row)) },
    ]) {
      const forged = gadget.witness({ ...inputs, ...cheat });
      assert.notEqual(gadget.read(forged, "rootBefore"), tree.root());
    }
  }
  assertRejects(gadget, { id: 16, leafBefore: 1, leafAfter: 2, siblings: treeOf([]).path(0) });
});

test("MerkleUpdate proves 2: rootAfter is the root with leafAfter in its stead", async () => {
  const main = "MerkleUpdate(2)";
  const gadget = await loadGadget({ file: "gadgets/MerkleUpdate.circom", main });
  const leaves = Array.from({ length: 16 }, (_, id) => 100n + BigInt(id));
  for (const id of leaves.keys()) {
    const tree = treeOf(leaves);
    const siblings = tree.path(id);
    tree.set(id, 3n);
    const witness = gadget.witness({ id, leafBefore: leaves[id]!, leafAfter: 3n, siblings });
    assert.equal(gadget.read(witness, "rootAfter"), tree.root());
  }
});

const UPDATES = { file: "gadgets/MerkleUpdates.circom", main: "MerkleUpdates(3, 3)" };
const SHARED = sharedLevels(3, 3);

/** Three leaves of a tree of 64 replaced, two of them below the same node. */
function updates(ids: readonly number[], filled = [0, 5, 6, 40, 63]) {
  const tree = createMerkleTree({ levels: 3, emptyLeaf: 7n });
  for (const id of filled) tree.set(id, 100n + BigInt(id));
  const rootBefore = tree.root();
  const top = tree.top(SHARED);
  const leafBefore: bigint[] = [];
  const leafAfter = ids.map((id, at) => 200n + BigInt(id + 100 * at));
  const siblings = ids.map((id, at) => {
    const path = tree.path(id).slice(0, 3 - SHARED);
    leafBefore.push(tree.leaf(id));
    tree.set(id, leafAfter[at]!);
    return path;
  });
  return { inputs: { ids, leafBefore, leafAfter, siblings, top }, rootBefore, root: tree.root() };
}

test("MerkleUpdates proves 1 and 3: the roots before and after", async () => {
  const gadget = await loadGadget(UPDATES);
  for (const ids of [
    [5, 6, 40],
    [0, 16, 63],
    [6, 5, 6],
  ]) {
    const { inputs, rootBefore, root } = updates(ids);
    const witness = assertPinned(gadget, inputs);
    assert.equal(gadget.read(witness, "rootBefore"), rootBefore);
    assert.equal(gadget.read(witness, "rootAfter"), root);
  }
  const { inputs, rootBefore } = updates([5, 6, 40]);
  // A node that no path meets is in the roots only.
  const forged = gadget.witness({ ...inputs, top: inputs.top.with(1, 1n) });
  assert.notEqual(gadget.read(forged, "rootBefore"), rootBefore);
});

test("MerkleUpdates proves 2: of nodes that are alike, the id says which is replaced", async () => {
  const gadget = await loadGadget(UPDATES);
  const roots = [
    [5, 6, 40],
    [21, 22, 40],
    [5, 6, 56],
    [37, 6, 8],
  ].map((ids) => {
    const { inputs, rootBefore, root } = updates(ids, []);
    const witness = assertPinned(gadget, inputs);
    assert.equal(gadget.read(witness, "rootBefore"), rootBefore);
    assert.equal(gadget.read(witness, "rootAfter"), root);
    return root;
  });
  assert.equal(new Set(roots).size, roots.length);
});

test("MerkleUpdates proves 2: each leaf is in its place, after those before it", async () => {
  const gadget = await loadGadget(UPDATES);
  const ids = [5, 6, 40];
  const { inputs } = updates(ids);
  const { leafBefore, siblings, top } = inputs;
  for (const at of ids.keys()) {
    const { [at]: own } = siblings;
    const other = own!.map((row, level) => (level === 0 ? row.with(2, row[2]! + 1n) : row));
    for (const cheat of [
      { ids: ids.with(at, ids[at]! + 16 - (at === 2 ? 32 : 0)) },
      { ids: ids.with(at, ids[at]! ^ 1) },
      { ids: ids.with(at, 64 + ids[at]!) },
      { leafBefore: leafBefore.with(at, 99n) },
      { siblings: siblings.with(at, other) },
    ]) {
      assertRejects(gadget, { ...inputs, ...cheat }, JSON.stringify(cheat.ids ?? at));
    }
  }
  for (const node of [0, 2]) assertRejects(gadget, { ...inputs, top: top.with(node, 1n) });
  // The second path as it was before the first leaf was replaced.
  const stale = siblings.with(1, updates([6, 5, 40]).inputs.siblings[0]!);
  assertRejects(gadget, { ...inputs, siblings: stale }, "a stale path");
});

test("MerkleLevel proves: the parents of four children, one in its place", async () => {
  const gadget = await loadGadget({ file: "gadgets/MerkleUpdate.circom", main: "MerkleLevel()" });
  const siblings = [21n, 22n, 23n];
  for (const place of [0, 1, 2, 3]) {
    const inputs = { low: place & 1, high: place >> 1, before: 5n, after: 6n, siblings };
    const witness = assertPinned(gadget, inputs);
    const parent = (leaf: bigint) => poseidon(siblings.toSpliced(place, 0, leaf));
    assert.equal(gadget.read(witness, "parentBefore"), parent(5n));
    assert.equal(gadget.read(witness, "parentAfter"), parent(6n));
  }
});

test("StateRoot proves: root = Poseidon(ledger, private) over the eight parts", async () => {
  const gadget = await loadGadget({ file: "state/StateRoot.circom", main: "StateRoot()" });
  const ledger = { accounts: 1n, series: 2n, fees: 7 };
  const parts = { ...ledger, sessions: 3n, books: 4n, nextSeq: 5, carry: 6n, ranking: 8n };
  const witness = assertPinned(gadget, parts);
  assert.equal(gadget.read(witness, "root"), stateRoot(parts));
  assert.equal(gadget.read(witness, "privateRoot"), privateRoot(parts));
  for (const name of Object.keys(parts)) {
    const other = gadget.witness({ ...parts, [name]: 77n });
    assert.notEqual(gadget.read(other, "root"), stateRoot(parts), `${name} must matter`);
  }
});
