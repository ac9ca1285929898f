/**
 * Rows that are hashed together lie on a board: inputs in, hashes out, in blocks of a few rows, so
 * that another thread may take some of the blocks. Here is what a board is and how a block of it is
 * hashed; who takes which block is for `threads/rowHelper.ts`.
 */
import { ARITY } from "./merklePath.ts";
import { rowAssembly, rowMemory } from "./pairedWasm.ts";
import { ELEMENT_BYTES } from "./wasm.ts";

/** Rows of a block: even, as they are hashed in pairs. */
export const BLOCK_ROWS = 8;
/** Rows that a board takes at most. */
export const BOARD_ROWS = 256;
/** u32 of an element and of a word. */
export const ELEMENT_LIMBS = 9;
export const WORD_LIMBS = 8;
/** Words of a row at most: a block of them fills the module's buffer. */
export const ROW_WORDS_MAX = Math.floor(rowAssembly.wordBufferLength() / BLOCK_ROWS);

const INPUT_LIMBS = BOARD_ROWS * Math.max(ARITY * ELEMENT_LIMBS, ROW_WORDS_MAX * WORD_LIMBS);
const RESULT_LIMBS = BOARD_ROWS * ELEMENT_LIMBS;

/** What is on a board: families of a tree's nodes, as elements, or vectors of words. */
export interface RowJob {
  readonly kind: "nodes" | "vectors";
  /** Of a row: {@link ARITY} elements, or at most {@link ROW_WORDS_MAX} words. */
  readonly width: number;
  readonly rows: number;
}

/** Limbs of 32 bits, row after row. */
export interface RowBoard {
  readonly inputs: Uint32Array;
  readonly results: Uint32Array;
}

/** Hashes all rows of a board, alone or not. */
export type HashBoard = (job: RowJob) => void;

export const BOARD_BYTES = (INPUT_LIMBS + RESULT_LIMBS) * Uint32Array.BYTES_PER_ELEMENT;

export function boardOf(memory: ArrayBufferLike, at = 0): RowBoard {
  const results = at + INPUT_LIMBS * Uint32Array.BYTES_PER_ELEMENT;
  return {
    inputs: new Uint32Array(memory, at, INPUT_LIMBS),
    results: new Uint32Array(memory, results, RESULT_LIMBS),
  };
}

const ELEMENTS = rowAssembly.reserve(BLOCK_ROWS * ARITY * ELEMENT_BYTES);
const RESULTS = rowAssembly.reserve(BLOCK_ROWS * ELEMENT_BYTES);
const WORDS = rowAssembly.wordBuffer();

export function blocksOf({ rows }: RowJob): number {
  return Math.ceil(rows / BLOCK_ROWS);
}

/** u32 of a row's inputs and of its result. */
export function rowLimbs({ kind, width }: Pick<RowJob, "kind" | "width">): [number, number] {
  const limbs = kind === "nodes" ? ELEMENT_LIMBS : WORD_LIMBS;
  return [width * limbs, limbs];
}

/** Hashes block `block` of what is on `inputs` into its place in `results`. */
export function hashBlock(job: RowJob, block: number, { inputs, results }: RowBoard): void {
  const first = block * BLOCK_ROWS;
  const rows = Math.min(BLOCK_ROWS, job.rows - first);
  const [input, result] = rowLimbs(job);
  const isNodes = job.kind === "nodes";
  const [from, to] = isNodes ? [ELEMENTS >> 2, RESULTS >> 2] : [WORDS >> 2, WORDS >> 2];
  rowMemory.limbs().set(inputs.subarray(first * input, (first + rows) * input), from);
  if (isNodes) rowAssembly.hashRows(RESULTS, ELEMENTS, job.width, rows);
  else rowAssembly.chains(job.width, rows);
  results.set(rowMemory.limbs().subarray(to, to + rows * result), first * result);
}

/** A board of this thread's own, until another one takes part. */
let shared: { readonly board: RowBoard; readonly hash: HashBoard } | undefined;
const own = boardOf(new ArrayBuffer(BOARD_BYTES));

/** The board that rows are put on now, and taken from when it is hashed. */
export function currentBoard(): RowBoard {
  return shared?.board ?? own;
}

export function hashBoard(job: RowJob): void {
  if (shared !== undefined) {
    shared.hash(job);
    return;
  }
  const blocks = blocksOf(job);
  for (let block = 0; block < blocks; block++) hashBlock(job, block, own);
}

/** From now on boards are hashed so; undefined: by this thread alone, as at first. */
export function shareBoard(helped: typeof shared): void {
  shared = helped;
}
