/**
 * A second thread that takes half of the hashes where there are many: a state that is hashed from
 * its beginning, a batch that touches hundreds of accounts. Few rows are hashed at once by who has
 * them. Nobody depends on the helper: a block that it does not bring in time is hashed again.
 */
import { Worker } from "node:worker_threads";
import {
  BLOCK_ROWS,
  blocksOf,
  hashBlock,
  type RowJob,
  rowLimbs,
  shareBoard,
} from "../protocol/rowBoard.ts";
import {
  claimBlock,
  createShareMemory,
  isHelped,
  postJob,
  type RowShare,
  shareOf,
} from "./rowShare.ts";

/** With fewer blocks the other thread would wake up for what is done by then. */
const BLOCKS_MIN = 4;
/** A block takes a tenth of it: whoever takes longer is not running. */
const WAIT_MS = 2;

export interface RowHelper {
  stop(): Promise<void>;
}

/** For the boards of this thread, until it is stopped. `thread`: another one, as tests have. */
export function openRowHelper({
  thread = new URL("./rowThread.ts", import.meta.url),
} = {}): RowHelper {
  const memory = createShareMemory();
  const worker = new Worker(thread, { workerData: memory });
  worker.unref();
  const share = shareOf(memory);
  shareBoard({ board: share.board, hash: (job) => hashTogether(share, job) });
  const end = (): void => shareBoard(undefined);
  worker.on("error", end);
  worker.on("exit", end);
  return {
    stop: async () => {
      end();
      await worker.terminate();
    },
  };
}

function hashTogether(share: RowShare, job: RowJob): void {
  const blocks = blocksOf(job);
  const own = new Set<number>();
  const hash = (block: number): void => {
    hashBlock(job, block, share.board);
    own.add(block);
  };
  if (blocks < BLOCKS_MIN) {
    for (let block = 0; block < blocks; block++) hash(block);
    return;
  }
  const number = postJob(share, job);
  for (;;) {
    const block = claimBlock(share, number, blocks);
    if (block === undefined) break;
    hash(block);
  }
  for (let block = 0; block < blocks; block++) {
    if (own.has(block)) continue;
    if (isHelped(share, block, number, WAIT_MS)) takeOver(share, job, block);
    else hash(block);
  }
}

function takeOver({ board, helped }: RowShare, job: RowJob, block: number): void {
  const [, result] = rowLimbs(job);
  const from = block * BLOCK_ROWS * result;
  const to = Math.min((block + 1) * BLOCK_ROWS, job.rows) * result;
  board.results.set(helped.results.subarray(from, to), from);
}
