/** Paths in the quaternary trees of the state (SPEC section 3). Twin: circuits/state. */
import { poseidon } from "./hash.ts";

/** Children of an inner node. */
export const ARITY = 4;

/** For each level from the leaf to the root, the place (0..3) of leaf `id` among its siblings. */
export function pathPositions(id: number, levels: number): number[] {
  return Array.from({ length: levels }, (_, level) => Math.floor(id / ARITY ** level) % ARITY);
}

/**
 * How many of the upper levels of a tree circuits open whole where they replace `leaves` leaves:
 * as many as have no more than twice as many nodes. Twin: circuits/gadgets/MerkleUpdates.circom.
 */
export function sharedLevels(leaves: number, levels: number): number {
  let shared = 0;
  while (shared + 1 < levels && ARITY ** (shared + 1) <= 2 * leaves) shared++;
  return shared;
}

/** The root that a leaf and its path, both from the leaf upwards, lead to. */
export function rootFromPath({
  leaf,
  path,
  positions,
}: {
  leaf: bigint;
  path: readonly (readonly bigint[])[];
  positions: readonly number[];
}): bigint {
  return path.reduce<bigint>(
    (child, siblings, level) => poseidon(siblings.toSpliced(positions[level]!, 0, child)),
    leaf,
  );
}
