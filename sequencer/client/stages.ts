/** How far something has come. */
import type { Stage } from "../exchangeService.ts";

const RANKS: Readonly<Record<Stage, number>> = {
  ...{ sequenced: 0, certified: 1, proven: 2, anchored: 3 },
};

/** Whether `stage` implies `wanted`. */
export function hasReached(stage: Stage, wanted: Stage): boolean {
  return RANKS[stage] >= RANKS[wanted];
}
