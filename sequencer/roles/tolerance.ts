/**
 * How long something may take before trading pauses. A fixed bound is wrong on some network: too
 * short far away, too long nearby. So the bound is a multiple of what the slow ones among the last
 * took, between a floor, below which nobody is helped by pausing, and a ceiling, which a latency
 * that creeps up cannot lift.
 */
import type { Tolerance } from "../protocol/trading.ts";

/** Times in ms. */
export interface ToleranceLimits {
  readonly floorMs: number;
  readonly ceilingMs: number;
  /** The bound is so many times the measured percentile. */
  readonly factor: number;
}

export interface LatencyTolerance {
  note(latencyMs: number): void;
  boundMs(): number;
  status(): Tolerance;
}

/** The last measurements, of which the percentile is taken. */
const SAMPLES_MAX = 512;
/** Fewer say nothing about the slow ones. */
const SAMPLES_MIN = 32;
const PERCENTILE = 0.99;

export function createTolerance(limits: ToleranceLimits): LatencyTolerance {
  const { floorMs, ceilingMs, factor } = limits;
  const samples: number[] = [];
  let next = 0;
  let percentile: number | null = null;

  function measured(): number | null {
    if (samples.length < SAMPLES_MIN) return null;
    const sorted = [...samples].sort((one, other) => one - other);
    return sorted[Math.ceil(sorted.length * PERCENTILE) - 1]!;
  }

  function boundMs(): number {
    percentile ??= measured();
    const wanted = Math.max(floorMs, factor * (percentile ?? 0));
    return Math.max(floorMs, Math.min(ceilingMs, Math.ceil(wanted)));
  }

  return {
    boundMs,
    note: (latencyMs) => {
      // A clock that is set while something is under way measures nonsense, but not much of it.
      samples[next] = Math.min(Math.max(latencyMs, 0), ceilingMs);
      next = (next + 1) % SAMPLES_MAX;
      percentile = null;
    },
    status: () => ({ boundMs: boundMs(), latencyMs: percentile }),
  };
}
