/** The time-weighted average of sampled prices, with gaps carried forward and counted. */
import type { IndexSample } from "./feed.ts";
import { type Outcome, refuse } from "./rejects.ts";

export interface GapRules {
  /** A longer time without a sample is a gap (ms). */
  readonly gapMs: number;
  /** The most that gaps may take of the window, in 1/10,000. */
  readonly gapShareBps: number;
}

/** Samples come every 4 seconds; half a minute without any is a gap, three of 30 too many. */
export const DEFAULT_GAP_RULES: GapRules = { gapMs: 30_000, gapShareBps: 1000 };

const BPS = 10_000;

/**
 * The average from `fromMs` to `toMs` (unix ms, `toMs` above `fromMs`), in ticks: each sample
 * counts until the next one or the end, the first also back to the beginning. `samples` ascend by
 * time; one before the beginning is what the window begins with.
 */
export function timeWeightedAverage(
  samples: readonly IndexSample[],
  fromMs: number,
  toMs: number,
  rules: GapRules,
): Outcome<number> {
  const first = samples.findLastIndex(({ time }) => time <= fromMs);
  const inside = samples.slice(Math.max(first, 0)).filter(({ time }) => time < toMs);
  const [opening] = inside;
  const span = toMs - fromMs;
  if (opening === undefined) return refuse("settlementGaps", `no sample in \`${span}\` ms`);
  let sum = 0;
  let missing = 0;
  let previous = { time: Math.min(opening.time, fromMs), ticks: opening.ticks };
  // What the window begins with may itself be missing (no earlier sample) or old.
  if (opening.time > fromMs) missing += gapOf(opening.time - fromMs, rules);
  for (const sample of [...inside.slice(1), { time: toMs, ticks: 0 }]) {
    const from = Math.max(previous.time, fromMs);
    sum += previous.ticks * (sample.time - from);
    const since = Math.max(previous.time, opening.time);
    missing += Math.min(gapOf(sample.time - since, rules), sample.time - from);
    previous = sample;
  }
  if (missing * BPS > span * rules.gapShareBps) {
    const most = (span * rules.gapShareBps) / BPS;
    return refuse(
      "settlementGaps",
      `\`${missing}\` ms of ${span} without a sample, at most ${most}`,
    );
  }
  return { value: sum / span };
}

function gapOf(duration: number, { gapMs }: GapRules): number {
  return duration > gapMs ? duration : 0;
}
