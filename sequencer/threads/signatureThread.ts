/** The thread behind `signatureWorker.ts`: sleeps until there are claims, then judges them. */
import { workerData } from "node:worker_threads";
import { verifyMany } from "../protocol/verifyMany.ts";
import { DONE, distance, following, POSTED, placeOf, readClaim, ringOf } from "./signatureRing.ts";

/** As many as are verified in one go: nobody waits for others than these. */
const TOGETHER = 2;

const ring = ringOf(workerData as SharedArrayBuffer);
const { counters, verdicts } = ring;

for (let done = 0; ; ) {
  const posted = Atomics.load(counters, POSTED);
  if (done === posted) {
    Atomics.wait(counters, POSTED, done);
    continue;
  }
  const places: number[] = [];
  for (const count = Math.min(TOGETHER, distance(posted, done)); places.length < count; ) {
    places.push(placeOf(done));
    done = following(done);
  }
  const results = verifyMany(places.map((place) => readClaim(ring, place)));
  for (const [at, holds] of results.entries()) verdicts[places[at]!] = holds ? 1 : 0;
  // After the verdicts: who reads the counter sees what was written before it.
  Atomics.store(counters, DONE, done);
  Atomics.notify(counters, DONE);
}
