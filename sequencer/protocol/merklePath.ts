/** Paths in the quaternary trees of the state (SPEC section 3). Twin: circuits/state. */
import { poseidon } from "./hash.ts";

/** Children of an inner node. */
export const ARITY = 4;

/** For each level from the leaf to the root, the place (0..3) of leaf `id` among its siblings. */
export function pathPositions(id: number, levels: number): number[] {
  return Array.from({ length: levels }, (_, level) => Math.floor(id / ARITY ** level) % ARITY);
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
