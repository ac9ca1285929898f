/** How far something has come. */
import { STAGES, type Stage } from "../exchangeService.ts";

/** Whether `stage` implies `wanted`. */
export function hasReached(stage: Stage, wanted: Stage): boolean {
  return STAGES.indexOf(stage) >= STAGES.indexOf(wanted);
}
