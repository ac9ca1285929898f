/** How long the validators take to certify a batch, and whether they lag behind now. */
import type { Progress } from "./batchTracker.ts";
import type { LatencyTolerance } from "./tolerance.ts";

export interface CertificationWatch {
  /** One look at how far batches are; what is wrong, or undefined. */
  late(progress: Pick<Progress, "sealed" | "certified">, now: number): string | undefined;
}

/** Batches whose times are remembered. */
const BATCHES_MAX = 10_000;

/** Batches that are sealed already count from the first look: nobody knows since when they wait. */
export function createCertificationWatch(tolerance: LatencyTolerance): CertificationWatch {
  const sealedAt = new Map<number, number>();
  let newest: number | undefined;
  return {
    late: ({ sealed, certified }, now) => {
      newest ??= certified;
      for (let number = newest + 1; number <= sealed; number++) {
        if (sealedAt.size < BATCHES_MAX) sealedAt.set(number, now);
      }
      newest = Math.max(newest, sealed);
      for (const [number, since] of sealedAt) {
        if (number > certified) break;
        sealedAt.delete(number);
        tolerance.note(now - since);
      }
      const [oldest] = sealedAt;
      if (oldest === undefined) return undefined;
      const [number, since] = oldest;
      const bound = tolerance.boundMs();
      if (now - since <= bound) return undefined;
      return `batch ${number} is not certified after ${now - since} ms, at most ${bound}`;
    },
  };
}
