/** The past of an index that is a function of time. */
import type { IndexSample } from "./feed.ts";

/** Deribit samples its delivery price every four seconds. */
export const SAMPLE_MS = 4000;
/** A day of samples; a request for more is refused. */
const SAMPLES_MAX = 21_600;

/** Every {@link SAMPLE_MS} from `fromMs` to `toMs`, both included. Throws RangeError. */
export function sampleIndex(
  index: (timeMs: number) => number,
  fromMs: number,
  toMs: number,
): IndexSample[] {
  const count = Math.floor((toMs - fromMs) / SAMPLE_MS) + 1;
  if (!(count <= SAMPLES_MAX)) {
    throw new RangeError(`At most ${SAMPLES_MAX} samples at once. Asked for \`${count}\`.`);
  }
  return Array.from({ length: Math.max(count, 0) }, (_, step) => {
    const time = fromMs + step * SAMPLE_MS;
    return { time, ticks: index(time) };
  });
}
