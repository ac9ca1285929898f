/** Takes every block that it can, and never brings one. */
import { workerData } from "node:worker_threads";
import { claimBlock, POSTED, shareOf } from "../../../sequencer/threads/rowShare.ts";

const share = shareOf(workerData as SharedArrayBuffer);
for (let number = 0; ; ) {
  Atomics.wait(share.counters, POSTED, number);
  number = Atomics.load(share.counters, POSTED);
  while (claimBlock(share, number, Number.POSITIVE_INFINITY) !== undefined);
}
