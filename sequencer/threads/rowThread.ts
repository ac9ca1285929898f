/** The thread behind `rowHelper.ts`: sleeps until there is a board, then takes of its blocks. */
import { workerData } from "node:worker_threads";
import { blocksOf } from "../protocol/rowBoard.ts";
import { claimBlock, helpBlock, POSTED, postedJob, shareOf } from "./rowShare.ts";

const share = shareOf(workerData as SharedArrayBuffer);

for (let number = 0; ; ) {
  Atomics.wait(share.counters, POSTED, number);
  number = Atomics.load(share.counters, POSTED);
  const job = postedJob(share);
  for (;;) {
    const block = claimBlock(share, number, blocksOf(job));
    if (block === undefined) break;
    helpBlock(share, job, block, number);
  }
}
