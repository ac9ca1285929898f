/** Sparse quaternary Poseidon tree. Twin: circuits/state, the Merkle path gadgets. */
import {
  elementOf,
  hashRows,
  LIMBS,
  putRow,
  ROWS_MAX,
  takeHash,
  valueAt,
} from "../protocol/elements.ts";
import { poseidon } from "../protocol/hash.ts";
import { ARITY, pathPositions } from "../protocol/merklePath.ts";

/** Nodes of one level that lie side by side: families of siblings, whole. */
const PAGE = 16 * ARITY;

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
   * which the leaves before it are set and no others, as far as `ownLevels` from the leaf. Hashes
   * as much as `setMany`.
   */
  replace(
    ids: readonly number[],
    leaves: ReadonlyMap<number, bigint>,
    ownLevels: number,
  ): bigint[][][];
  /** All nodes of the level that is `depth` below the root, in order. */
  top(depth: number): bigint[];
  /** For each level from the leaf to the root, the place (0..3) among the siblings. */
  positions(id: number): number[];
}

/** A tree of `4^levels` leaves, field elements, that are all `emptyLeaf` until they are set. */
export function createMerkleTree({
  levels,
  emptyLeaf,
}: {
  levels: number;
  emptyLeaf: bigint;
}): MerkleTree {
  const empty = emptyNodes(levels, emptyLeaf);
  /** `pages[0]` are of leaves, `pages[levels]` of the root; one that is not there is empty. */
  const pages = Array.from({ length: levels + 1 }, () => new Map<number, Uint32Array>());
  const pageOf = (level: number, index: number) => pages[level]!.get(Math.floor(index / PAGE));

  function pageFor(level: number, index: number): Uint32Array {
    const known = pageOf(level, index);
    if (known !== undefined) return known;
    const page = empty[level]!.page.slice();
    pages[level]!.set(Math.floor(index / PAGE), page);
    return page;
  }

  function node(level: number, index: number): bigint {
    const page = pageOf(level, index);
    return page === undefined ? empty[level]!.value : valueAt(page, (index % PAGE) * LIMBS);
  }

  function checkId(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= ARITY ** levels) {
      throw new RangeError(`\`id\` must be below ${ARITY ** levels}. Got \`${id}\`.`);
    }
  }

  function setMany(leaves: Iterable<readonly [id: number, leaf: bigint]>): void {
    let changed = new Set<number>();
    for (const [id, leaf] of leaves) {
      checkId(id);
      if (put(pageFor(0, id), (id % PAGE) * LIMBS, elementOf(leaf))) changed.add(parentOf(id));
    }
    for (let level = 0; level < levels; level++) {
      const parents = [...changed];
      for (let first = 0; first < parents.length; first += ROWS_MAX) {
        hashFamilies(level, parents.slice(first, first + ROWS_MAX));
      }
      changed = new Set(parents.map(parentOf));
    }
  }

  /** Writes the nodes above those of `level`. */
  function hashFamilies(level: number, parents: readonly number[]): void {
    for (const [row, parent] of parents.entries()) {
      const child = parent * ARITY;
      putRow(row, pageFor(level, child), (child % PAGE) * LIMBS);
    }
    hashRows(parents.length);
    for (const [row, parent] of parents.entries()) {
      takeHash(row, pageFor(level + 1, parent), (parent % PAGE) * LIMBS);
    }
  }

  /** The siblings of leaf `id`'s ancestor at `level`, or of these what `isWanted`, else zeros. */
  function siblings(id: number, level: number, isWanted: (child: number) => boolean): bigint[] {
    const index = Math.floor(id / ARITY ** level);
    const children = Array.from({ length: ARITY }, (_, child) => child);
    return children
      .filter((child) => child !== index % ARITY)
      .map((child) => (isWanted(child) ? node(level, parentOf(index) * ARITY + child) : 0n));
  }

  function path(id: number): bigint[][] {
    checkId(id);
    return Array.from({ length: levels }, (_, level) => siblings(id, level, () => true));
  }

  /** What is left of a path holds only lower ids, which are set before; what is right, higher. */
  function replace(
    ids: readonly number[],
    leaves: ReadonlyMap<number, bigint>,
    ownLevels: number,
  ): bigint[][][] {
    const isAscending = ids.every((id, at) => at === 0 || ids[at - 1]! < id);
    if (!isAscending) throw new RangeError("`ids` must ascend.");
    ids.forEach(checkId);
    const halves = (isWanted: (child: number, own: number) => boolean) =>
      ids.map((id) =>
        pathPositions(id, ownLevels).map((own, level) =>
          siblings(id, level, (child) => isWanted(child, own)),
        ),
      );
    const right = halves((child, own) => child > own);
    setMany(ids.flatMap((id) => (leaves.has(id) ? [[id, leaves.get(id)!] as const] : [])));
    const left = halves((child, own) => child < own);
    return left.map((path, at) =>
      path.map((nodes, level) => nodes.map((node, place) => node + right[at]![level]![place]!)),
    );
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

const parentOf = (index: number): number => Math.floor(index / ARITY);

/** Whether the element at `at` was another one. */
function put(page: Uint32Array, at: number, element: Uint32Array): boolean {
  let isOther = false;
  for (let limb = 0; limb < LIMBS; limb++) {
    isOther ||= page[at + limb] !== element[limb];
    page[at + limb] = element[limb]!;
  }
  return isOther;
}

interface EmptyNode {
  readonly value: bigint;
  readonly page: Uint32Array;
}

/** What all nodes of each level are at first. */
function emptyNodes(levels: number, emptyLeaf: bigint): EmptyNode[] {
  const nodes: EmptyNode[] = [];
  let value = emptyLeaf;
  for (let level = 0; level <= levels; level++) {
    nodes.push({ value, page: pageFullOf(value) });
    value = poseidon(new Array<bigint>(ARITY).fill(value));
  }
  return nodes;
}

function pageFullOf(value: bigint): Uint32Array {
  const page = new Uint32Array(PAGE * LIMBS);
  const element = elementOf(value);
  for (let at = 0; at < page.length; at += LIMBS) page.set(element, at);
  return page;
}
