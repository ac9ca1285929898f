/** How far something has come, in order; the same names as the exchange service's. */
import type { Stage } from "../exchangeService.ts";

export const STAGES = ["sequenced", "certified", "proven", "anchored"] as const satisfies Stage[];

/** Whether `stage` implies `wanted`. */
export function hasReached(stage: Stage, wanted: Stage): boolean {
  return STAGES.indexOf(stage) >= STAGES.indexOf(wanted);
}
