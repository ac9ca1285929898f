// A thread that lets odd messages hold and even ones not, at once.
import { workerData } from "node:worker_threads";
import {
  DONE,
  following,
  POSTED,
  placeOf,
  readClaim,
  ringOf,
} from "../../../sequencer/threads/signatureRing.ts";

const ring = ringOf(workerData as SharedArrayBuffer);
const { counters, verdicts } = ring;

for (let done = 0; ; ) {
  Atomics.wait(counters, POSTED, done);
  for (const posted = Atomics.load(counters, POSTED); done !== posted; ) {
    const place = placeOf(done);
    verdicts[place] = Number(readClaim(ring, place).message % 2n);
    done = following(done);
    Atomics.store(counters, DONE, done);
    Atomics.notify(counters, DONE);
  }
}
