/** Says of which series that are to be listed the oracles have no price for so long. */
import type { Clock, Logger } from "../ports.ts";
import { isPricedBy } from "./keeper.ts";
import type { PlannedSeries } from "./marketPlan.ts";
import type { SnapshotWatch } from "./snapshotWatch.ts";

/** A price comes with one of the next snapshots (ms). */
const LATE_MS = 60_000;

export interface UnpricedWatch {
  /** Once for each new snapshot is enough. */
  look(): void;
}

export function createUnpricedWatch(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watch: Pick<SnapshotWatch, "newest">;
  announced(now: number): readonly PlannedSeries[];
}): UnpricedWatch {
  const { clock, logger, watch } = options;
  let seen: number | undefined;
  let since = new Map<string, number>();
  const told = new Set<string>();
  return {
    look: () => {
      const snapshot = watch.newest();
      if (snapshot === undefined || snapshot.time === seen) return;
      seen = snapshot.time;
      const now = clock.now();
      const unpriced = options.announced(now).filter((series) => !isPricedBy(snapshot, series));
      const before = since;
      since = new Map(
        unpriced.map((series) => {
          const key = JSON.stringify(series);
          return [key, before.get(key) ?? now];
        }),
      );
      for (const series of unpriced) {
        const key = JSON.stringify(series);
        if (told.has(key) || now - (since.get(key) ?? now) < LATE_MS) continue;
        told.add(key);
        logger.warn("not listed: the oracles have no price for the series", { ...series });
      }
    },
  };
}
