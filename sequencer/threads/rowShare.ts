/**
 * Memory by which two threads hash a board together. The asker writes the job, then opens its
 * blocks by one number that names job and next block; whoever moves that number on has the block.
 * The helper's hashes lie apart from the asker's, each block with the job that it is of, so that a
 * helper who comes late writes where nobody reads any more.
 */
import {
  BLOCK_ROWS,
  BOARD_BYTES,
  BOARD_ROWS,
  boardOf,
  hashBlock,
  type RowBoard,
  type RowJob,
} from "../protocol/rowBoard.ts";

/** Counters: the newest job, its next block, and what it is; then for each block its last job. */
export const POSTED = 0;
const NEXT = 1;
const KIND = 2;
const WIDTH = 3;
const ROWS = 4;
export const DONE = 8;
const COUNTERS_BYTES = (DONE + BOARD_ROWS / BLOCK_ROWS) * Int32Array.BYTES_PER_ELEMENT;

/** A job's number stands above those of its blocks, and begins anew after this one. */
const BLOCK_BITS = 8;
const JOBS = 2 ** 23;

export interface RowShare {
  readonly counters: Int32Array<SharedArrayBuffer>;
  readonly board: RowBoard;
  /** The same inputs, and hashes of the helper alone. */
  readonly helped: RowBoard;
}

export function createShareMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTERS_BYTES + 2 * BOARD_BYTES);
}

export function shareOf(memory: SharedArrayBuffer): RowShare {
  const board = boardOf(memory, COUNTERS_BYTES);
  const { results } = boardOf(memory, COUNTERS_BYTES + BOARD_BYTES);
  const counters = new Int32Array(memory, 0, COUNTERS_BYTES / Int32Array.BYTES_PER_ELEMENT);
  return { counters, board, helped: { inputs: board.inputs, results } };
}

/** Returns its number, never 0. */
export function postJob({ counters }: RowShare, { kind, width, rows }: RowJob): number {
  const number = (Atomics.load(counters, POSTED) % (JOBS - 1)) + 1;
  // Numbers begin anew some day: none of then may be taken for this one.
  counters.fill(0, DONE);
  Atomics.store(counters, KIND, kind === "nodes" ? 1 : 0);
  Atomics.store(counters, WIDTH, width);
  Atomics.store(counters, ROWS, rows);
  Atomics.store(counters, NEXT, number << BLOCK_BITS);
  Atomics.store(counters, POSTED, number);
  Atomics.notify(counters, POSTED);
  return number;
}

/** What was posted last; what it says is of that job as long as its blocks can be claimed. */
export function postedJob({ counters }: RowShare): RowJob {
  const kind = Atomics.load(counters, KIND) === 1 ? "nodes" : "vectors";
  const width = Atomics.load(counters, WIDTH);
  return { kind, width, rows: Atomics.load(counters, ROWS) };
}

/** A block that nobody else has, or undefined: all are taken, or another job is posted. */
export function claimBlock({ counters }: RowShare, number: number, count: number) {
  for (;;) {
    const next = Atomics.load(counters, NEXT);
    const block = next & (2 ** BLOCK_BITS - 1);
    if (next >> BLOCK_BITS !== number || block >= count) return undefined;
    if (Atomics.compareExchange(counters, NEXT, next, next + 1) === next) return block;
  }
}

/** The helper's part: its hashes are there before its word that they are. */
export function helpBlock(share: RowShare, job: RowJob, block: number, number: number): void {
  hashBlock(job, block, share.helped);
  Atomics.store(share.counters, DONE + block, number);
  Atomics.notify(share.counters, DONE + block);
}

/** Whether the helper has hashed the block, after waiting for it at most so long (ms). */
export function isHelped({ counters }: RowShare, block: number, number: number, waitMs: number) {
  const held = Atomics.load(counters, DONE + block);
  if (held === number) return true;
  Atomics.wait(counters, DONE + block, held, waitMs);
  return Atomics.load(counters, DONE + block) === number;
}
