import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { poseidon } from "../../../sequencer/protocol/hash.ts";
import { rootFromPath, sharedLevels } from "../../../sequencer/protocol/merklePath.ts";
import { createMerkleTree, type MerkleTree } from "../../../sequencer/state/merkleTree.ts";
import { runs } from "../../property/runs.ts";

/** The root of a full tree, level by level. */
function naiveRoot(leaves: readonly bigint[]): bigint {
  if (leaves.length === 1) return leaves[0]!;
  const parents: bigint[] = [];
  for (let at = 0; at < leaves.length; at += 4) parents.push(poseidon(leaves.slice(at, at + 4)));
  return naiveRoot(parents);
}

const LEVELS = 2;
const SIZE = 16;
const leaf = fc.bigInt({ min: 0n, max: 2n ** 200n });
const writes = fc.array(fc.tuple(fc.nat({ max: SIZE - 1 }), leaf), { maxLength: 6 });

test("root and paths are a full tree's, leaf by leaf or all at once", () => {
  fc.assert(
    fc.property(writes, writes, leaf, (single, many, emptyLeaf) => {
      const tree = createMerkleTree({ levels: LEVELS, emptyLeaf });
      const full = new Array<bigint>(SIZE).fill(emptyLeaf);
      for (const [id, value] of single) tree.set(id, value);
      tree.setMany(many);
      for (const [id, value] of [...single, ...many]) full[id] = value;
      const root = naiveRoot(full);
      assert.equal(tree.root(), root);
      for (const [id, value] of full.entries()) {
        assert.equal(tree.leaf(id), value);
        const [path, positions] = [tree.path(id), tree.positions(id)];
        assert.equal(rootFromPath({ leaf: value, path, positions }), root);
        assert.notEqual(rootFromPath({ leaf: value + 1n, path, positions }), root);
      }
    }),
    runs(5),
  );
});

test("leaves replaced together have the paths that they have one after the other", () => {
  const wanted = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 }));
  const chosen = fc.uniqueArray(fc.nat({ max: 63 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(writes, chosen, wanted, leaf, (before, places, [kept, ownLevels], value) => {
      const ids = places.toSorted((left, right) => left - right);
      const changing = ids.filter((_, at) => at % 5 !== kept);
      const leaves = new Map(changing.map((id) => [id, value + BigInt(id)]));
      const [together, oneByOne] = [0, 1].map(() => {
        const tree = createMerkleTree({ levels: 3, emptyLeaf: 7n });
        tree.setMany(before);
        return tree;
      }) as [MerkleTree, MerkleTree];
      const paths = ids.map((id) => {
        const path = oneByOne.path(id);
        const next = leaves.get(id);
        if (next !== undefined) oneByOne.set(id, next);
        return path;
      });
      const own = paths.map((path) => path.slice(0, ownLevels));
      assert.deepEqual(together.replace(ids, leaves, ownLevels), own);
      assert.equal(together.root(), oneByOne.root());
      assert.throws(() => together.replace([...ids, ids[0]!], leaves, 3), RangeError);
    }),
    runs(20),
  );
});

test("paths go from the leaf to the root, siblings in child order", () => {
  const tree = createMerkleTree({ levels: 3, emptyLeaf: 0n });
  const id = 2 * 16 + 0 * 4 + 3;
  tree.setMany([id - 3, id - 2, id - 1, id].map((at) => [at, BigInt(at)]));
  assert.deepEqual(tree.positions(id), [3, 0, 2]);
  const path = tree.path(id);
  assert.deepEqual(path[0], [32n, 33n, 34n]);
  const zero = poseidon([0n, 0n, 0n, 0n]);
  assert.deepEqual(path[1], [zero, zero, zero]);
  assert.equal(path.length, 3);
});

test("the nodes of a level are in their order, and have the root above them", () => {
  const tree = createMerkleTree({ levels: 3, emptyLeaf: 0n });
  for (const id of [0, 17, 40, 63]) tree.set(id, 9n + BigInt(id));
  assert.deepEqual(tree.top(0), [tree.root()]);
  for (const depth of [1, 2]) {
    const nodes = tree.top(depth);
    assert.equal(nodes.length, 4 ** depth);
    assert.equal(naiveRoot(nodes), tree.root());
  }
  assert.equal(tree.top(3)[40], 49n);
});

test("the shared levels of a tree have at most twice as many nodes as leaves are replaced", () => {
  for (const [leaves, levels, shared] of [
    [1, 5, 0],
    [2, 3, 1],
    [4, 4, 1],
    [8, 10, 2],
    [16, 10, 2],
    [32, 10, 3],
    [32, 2, 1],
  ] as const) {
    assert.equal(sharedLevels(leaves, levels), shared, `${leaves} of ${levels} levels`);
  }
});

test("a tree of no levels is its one leaf", () => {
  const tree = createMerkleTree({ levels: 0, emptyLeaf: 5n });
  assert.equal(tree.root(), 5n);
  tree.set(0, 6n);
  assert.equal(tree.root(), 6n);
});

test("the empty tree of ten levels needs no leaves, and ids stay below its size", () => {
  const tree = createMerkleTree({ levels: 10, emptyLeaf: 1n });
  let expected = 1n;
  for (let level = 0; level < 10; level++) {
    expected = poseidon([expected, expected, expected, expected]);
  }
  assert.equal(tree.root(), expected);
  for (const id of [-1, 0.5, 4 ** 10]) {
    assert.throws(() => tree.set(id, 0n), RangeError);
    assert.throws(() => tree.path(id), RangeError);
    assert.throws(() => tree.leaf(id), RangeError);
  }
  tree.set(4 ** 10 - 1, 2n);
  assert.deepEqual(tree.positions(4 ** 10 - 1), new Array(10).fill(3));
});
