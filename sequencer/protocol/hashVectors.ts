/** Many vectors of one length, hashed together: each as `hashVector` does. */
import { hashVector } from "./hash.ts";
import { rowAssembly, rowMemory } from "./pairedWasm.ts";
import { wordOf } from "./wasm.ts";

const BUFFER_LENGTH = rowAssembly.wordBufferLength();

/** The hash of each vector; they have the same length. */
export function hashVectors(vectors: readonly (readonly bigint[])[]): bigint[] {
  const length = vectors[0]?.length ?? 1;
  if (length === 0 || vectors.some((vector) => vector.length !== length)) {
    throw new RangeError("`vectors` must have the same length, 1 or more.");
  }
  const together = Math.floor(BUFFER_LENGTH / length);
  if (together < 2) return vectors.map(hashVector);
  const hashes: bigint[] = [];
  for (let first = 0; first < vectors.length; first += together) {
    hashes.push(...hashesOf(vectors.slice(first, first + together), length));
  }
  return hashes;
}

/** Of no more vectors than the buffer holds. */
function hashesOf(vectors: readonly (readonly bigint[])[], length: number): bigint[] {
  let index = 0;
  for (const vector of vectors) {
    for (const value of vector) rowMemory.writeWord(index++, wordOf(value));
  }
  rowAssembly.chains(length, vectors.length);
  return vectors.map((_, row) => rowMemory.readWord(row));
}
