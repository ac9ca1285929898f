/** Many vectors of one length, hashed together: each as `hashVector` does. */
import { hashVector } from "./hash.ts";
import { BOARD_ROWS, currentBoard, hashBoard, ROW_WORDS_MAX, type RowBoard } from "./rowBoard.ts";
import { readWordAt, WORDS_EACH, wordOf, writeWordAt } from "./wasm.ts";

/** The hash of each vector; they have the same length. */
export function hashVectors(vectors: readonly (readonly bigint[])[]): bigint[] {
  const length = vectors[0]?.length ?? 1;
  if (length === 0 || vectors.some((vector) => vector.length !== length)) {
    throw new RangeError("`vectors` must have the same length, 1 or more.");
  }
  if (length > ROW_WORDS_MAX) return vectors.map(hashVector);
  const hashes: bigint[] = [];
  for (let first = 0; first < vectors.length; first += BOARD_ROWS) {
    hashes.push(...hashesOf(vectors.slice(first, first + BOARD_ROWS), length));
  }
  return hashes;
}

/** Of no more vectors than a board takes. */
function hashesOf(vectors: readonly (readonly bigint[])[], width: number): bigint[] {
  const board = currentBoard();
  const inputs = wordsOf(board.inputs);
  let at = 0;
  for (const vector of vectors) {
    for (const value of vector) {
      writeWordAt(inputs, at, wordOf(value));
      at += WORDS_EACH;
    }
  }
  hashBoard({ kind: "vectors", width, rows: vectors.length });
  const results = wordsOf(board.results);
  return vectors.map((_, row) => readWordAt(results, row * WORDS_EACH));
}

/** The same memory; boards live as long as their thread, so that few views are ever made. */
const views = new WeakMap<Uint32Array, BigUint64Array>();

function wordsOf(limbs: RowBoard["inputs"]): BigUint64Array {
  const known = views.get(limbs);
  if (known !== undefined) return known;
  const view = new BigUint64Array(limbs.buffer, limbs.byteOffset, limbs.length >> 1);
  views.set(limbs, view);
  return view;
}
