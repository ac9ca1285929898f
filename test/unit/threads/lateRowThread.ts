/** Takes one block of a job, and brings it as nonsense when the next job is there. */
import { workerData } from "node:worker_threads";
import { claimBlock, DONE, POSTED, shareOf } from "../../../sequencer/threads/rowShare.ts";

const share = shareOf(workerData as SharedArrayBuffer);
const { counters, helped } = share;
for (let number = 0; ; ) {
  Atomics.wait(counters, POSTED, number);
  number = Atomics.load(counters, POSTED);
  const block = claimBlock(share, number, 4);
  if (block === undefined) continue;
  Atomics.wait(counters, POSTED, number);
  helped.results.fill(7);
  Atomics.store(counters, DONE + block, number);
  Atomics.notify(counters, DONE + block);
}
