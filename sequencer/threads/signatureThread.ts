/** The thread behind `signatureWorker.ts`: sleeps until there are claims, then judges each. */
import { workerData } from "node:worker_threads";
import { verify } from "../protocol/eddsa.ts";
import { DONE, following, POSTED, placeOf, readClaim, ringOf } from "./signatureRing.ts";

const ring = ringOf(workerData as SharedArrayBuffer);
const { counters, verdicts } = ring;

for (let done = 0; ; ) {
  Atomics.wait(counters, POSTED, done);
  const posted = Atomics.load(counters, POSTED);
  while (done !== posted) {
    const place = placeOf(done);
    const { key, message, signature } = readClaim(ring, place);
    verdicts[place] = verify(key, message, signature) ? 1 : 0;
    done = following(done);
    // After the verdict: who reads the counter sees what was written before it.
    Atomics.store(counters, DONE, done);
    Atomics.notify(counters, DONE);
  }
}
