/**
 * Field elements as the WebAssembly module has them, kept outside of its memory: nine u32 each in
 * place of a BigInt, so that what is hashed again and again is not taken apart each time.
 */
import { ARITY } from "./merklePath.ts";
import { rowAssembly, rowMemory } from "./pairedWasm.ts";
import { BOARD_ROWS, currentBoard, ELEMENT_LIMBS, hashBoard } from "./rowBoard.ts";
import { ELEMENT_BYTES } from "./wasm.ts";

const { limbs: currentLimbs, readWord, writeWord } = rowMemory;

/** u32 of an element. One value may have several forms; the same hashes give the same one. */
export const LIMBS = ELEMENT_LIMBS;
/** Rows of four that are hashed at once. */
export const ROWS_MAX = BOARD_ROWS;

const ELEMENT = rowAssembly.reserve(ELEMENT_BYTES);

/** Where the limbs of an address in the module's memory are. */
const limbAt = (address: number): number => address >> 2;

/** The form of a value below 2^256, always the same for the same one. */
export function elementOf(value: bigint): Uint32Array {
  writeWord(0, value);
  rowAssembly.elementsFromWords(ELEMENT, rowAssembly.wordBuffer(), 1);
  const at = limbAt(ELEMENT);
  return currentLimbs().slice(at, at + LIMBS);
}

/** The value below the modulus of the element at `at`. */
export function valueAt(elements: Uint32Array, at: number): bigint {
  copyLimbs(currentLimbs(), limbAt(ELEMENT), elements, at, LIMBS);
  rowAssembly.elementsToWords(rowAssembly.wordBuffer(), ELEMENT, 1);
  return readWord(0);
}

/** Four elements that begin at `at`, in the place of row `row` of those to be hashed next. */
export function putRow(row: number, elements: Uint32Array, at: number): void {
  copyLimbs(currentBoard().inputs, row * ARITY * LIMBS, elements, at, ARITY * LIMBS);
}

/** Poseidon of each of the first `rows` rows, at most {@link ROWS_MAX}. */
export function hashRows(rows: number): void {
  if (rows > ROWS_MAX) throw new RangeError(`\`rows\` is above ${ROWS_MAX}. Got \`${rows}\`.`);
  hashBoard({ kind: "nodes", width: ARITY, rows });
}

/** The hash of row `row`, to `at`. */
export function takeHash(row: number, elements: Uint32Array, at: number): void {
  copyLimbs(elements, at, currentBoard().results, row * LIMBS, LIMBS);
}

/** A loop, as a view of so few costs more than they do. */
function copyLimbs(
  into: Uint32Array,
  place: number,
  from: Uint32Array,
  at: number,
  count: number,
): void {
  for (let limb = 0; limb < count; limb++) into[place + limb] = from[at + limb]!;
}
