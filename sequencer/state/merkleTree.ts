/** Sparse quaternary Poseidon tree. Twin: circuits/state, the Merkle path gadgets. */
import { poseidon } from "../protocol/hash.ts";
import { ARITY, pathPositions } from "../protocol/merklePath.ts";

/** Leaf `id` sits at the base-4 digits of `id`, most significant first from the root. */
export interface MerkleTree {
  readonly levels: number;
  root(): bigint;
  leaf(id: number): bigint;
  set(id: number, leaf: bigint): void;
  /** Sets many leaves and hashes each inner node above those that change once. */
  setMany(leaves: Iterable<readonly [id: number, leaf: bigint]>): void;
  /** For each level from the leaf to the root, the 3 siblings in child order. */
  path(id: number): bigint[][];
  /**
   * Sets leaves of some of the `ids`, which ascend; for each of these its path in the tree in
   * which the leaves before it are set and no others. Hashes as much as `setMany`.
   */
  replace(ids: readonly number[], leaves: ReadonlyMap<number, bigint>): bigint[][][];
  /** All nodes of the level that is `depth` below the root, in order. */
  top(depth: number): bigint[];
  /** For each level from the leaf to the root, the place (0..3) among the siblings. */
  positions(id: number): number[];
}

/** A tree of `4^levels` leaves that are all `emptyLeaf` until they are set. */
export function createMerkleTree({
  levels,
  emptyLeaf,
}: {
  levels: number;
  emptyLeaf: bigint;
}): MerkleTree {
  const empty = emptyNodes(levels, emptyLeaf);
  /** `nodes[0]` are the leaves, `nodes[levels]` holds the root. */
  const nodes = Array.from({ length: levels + 1 }, () => new Map<number, bigint>());
  const node = (level: number, index: number): bigint => nodes[level]!.get(index) ?? empty[level]!;
  const family = (level: number, parent: number): bigint[] =>
    Array.from({ length: ARITY }, (_, child) => node(level, parent * ARITY + child));

  function checkId(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= ARITY ** levels) {
      throw new RangeError(`\`id\` must be below ${ARITY ** levels}. Got \`${id}\`.`);
    }
  }

  function setMany(leaves: Iterable<readonly [id: number, leaf: bigint]>): void {
    let changed = new Set<number>();
    for (const [id, leaf] of leaves) {
      checkId(id);
      if (node(0, id) === leaf) continue;
      nodes[0]!.set(id, leaf);
      changed.add(id);
    }
    for (let level = 0; level < levels; level++) {
      const parents = new Set<number>();
      for (const index of changed) parents.add(Math.floor(index / ARITY));
      for (const parent of parents) nodes[level + 1]!.set(parent, poseidon(family(level, parent)));
      changed = parents;
    }
  }

  function path(id: number): bigint[][] {
    checkId(id);
    return pathPositions(id, levels).map((position, level) => {
      const parent = Math.floor(id / ARITY ** (level + 1));
      return family(level, parent).filter((_, child) => child !== position);
    });
  }

  /** What is left of a path holds only lower ids, which are set before; what is right, higher. */
  function replace(ids: readonly number[], leaves: ReadonlyMap<number, bigint>): bigint[][][] {
    const isAscending = ids.every((id, at) => at === 0 || ids[at - 1]! < id);
    if (!isAscending) throw new RangeError("`ids` must ascend.");
    const before = ids.map(path);
    setMany(ids.flatMap((id) => (leaves.has(id) ? [[id, leaves.get(id)!] as const] : [])));
    return ids.map((id, at) => {
      const positions = pathPositions(id, levels);
      return path(id).map((siblings, level) =>
        siblings.map((after, place) =>
          place < positions[level]! ? after : before[at]![level]![place]!,
        ),
      );
    });
  }

  return {
    levels,
    root: () => node(levels, 0),
    leaf(id) {
      checkId(id);
      return node(0, id);
    },
    set: (id, leaf) => setMany([[id, leaf]]),
    setMany,
    path,
    replace,
    top: (depth) =>
      Array.from({ length: ARITY ** depth }, (_, index) => node(levels - depth, index)),
    positions(id) {
      checkId(id);
      return pathPositions(id, levels);
    },
  };
}

function emptyNodes(levels: number, emptyLeaf: bigint): bigint[] {
  const nodes = [emptyLeaf];
  for (let level = 0; level < levels; level++) {
    nodes.push(poseidon(new Array<bigint>(ARITY).fill(nodes[level]!)));
  }
  return nodes;
}
