/**
 * One number from several sources. Sources that are stale or impossible do not count; of the others
 * the median is taken, after which each is clamped to a band around it, as Deribit's index clamps
 * its sources. A number moves only with a sufficient number of sources, and jumps only when most of
 * all sources say so for several rounds.
 */
import { type OracleReject, type Outcome, refuse, reject } from "./rejects.ts";

/** What one source says: `time` in unix ms, `value` any double. */
export interface Reading {
  readonly source: string;
  readonly time: number;
  readonly value: number;
}

/** All relative differences in 1/10,000, times in ms. */
export interface ConsensusLimits {
  /** A source whose data is older than this, or further ahead of the clock, does not count. */
  readonly staleMs: number;
  readonly aheadMs: number;
  /** Sources needed, and needed to agree: within `agreeBps` of the median. */
  readonly sourcesMin: number;
  readonly agreeBps: number;
  /** The band around the median to which each source is clamped: 50 at Deribit. */
  readonly clampBps: number;
  /** `median` is deaf to a corrupt minority; `mean` (of the clamped values) is Deribit's. */
  readonly combine: "median" | "mean";
  /** A change beyond this needs `jumpRounds` rounds in a row, locally `roundMs` apart. */
  readonly jumpBps: number;
  readonly jumpRounds: number;
  readonly roundMs: number;
  /** An accepted value is forgotten after this time: the market may have moved far meanwhile. */
  readonly memoryMs: number;
  /** Largest value that can be expressed. */
  readonly max: number;
}

const BPS = 10_000;

/** The result and what was left out of it. */
export type Agreement = Outcome<number> & {
  readonly excluded: readonly { readonly source: string; readonly reject: OracleReject }[];
};

export interface Consensus {
  /**
   * `key`: what is measured. `sources`: how many there are, whether they spoke or not. `nowMs`:
   * what readings are stale by. `localMs`: the local clock where `nowMs` is another's word, for
   * who names the time must not thereby confirm a jump.
   */
  read(
    key: string,
    readings: readonly Reading[],
    sources: number,
    nowMs: number,
    localMs?: number,
  ): Agreement;
  /** Drops what is forgotten anyway. */
  prune(nowMs: number): void;
}

interface Memory {
  readonly value: number;
  readonly time: number;
  /** A level that waits to be confirmed, and the local time of the last of its rounds. */
  readonly pending?: { readonly value: number; readonly localMs: number; readonly rounds: number };
}

export function createConsensus(limits: ConsensusLimits): Consensus {
  const memories = new Map<string, Memory>();

  const recall = (key: string, nowMs: number): Memory | undefined => {
    const memory = memories.get(key);
    if (memory === undefined || nowMs - memory.time <= limits.memoryMs) return memory;
    memories.delete(key);
    return undefined;
  };

  const read: Consensus["read"] = (key, readings, sources, nowMs, localMs = nowMs) => {
    const memory = recall(key, nowMs);
    const live: Reading[] = [];
    const excluded: { source: string; reject: OracleReject }[] = [];
    for (const reading of readings) {
      const fault = readingFault({ key, reading, last: memory?.value, nowMs, limits });
      if (fault === undefined) live.push(reading);
      else excluded.push({ source: reading.source, reject: fault });
    }
    const combined = combine(key, live, limits);
    if (combined.refused !== undefined) return { ...combined, excluded };
    const { value } = combined;
    const step = { key, value, live, sources, nowMs, localMs };
    if (memory !== undefined && isBeyond(value, memory.value, limits.jumpBps)) {
      return { ...jump(step, memory), excluded };
    }
    remember(key, value, nowMs);
    return { value, excluded };
  };

  /** Times may go backwards by a little: others' proposals are checked at their own time. */
  function remember(key: string, value: number, nowMs: number): void {
    const time = memories.get(key)?.time ?? 0;
    if (nowMs >= time) memories.set(key, { value, time: nowMs });
  }

  function jump(step: Step, memory: Memory): Outcome<number> {
    const { key, value, live, sources, nowMs, localMs } = step;
    const { pending } = memory;
    const near = live.filter((reading) => !isBeyond(reading.value, value, limits.agreeBps));
    const isBacked = near.length * 2 > sources;
    const isSame = pending !== undefined && !isBeyond(value, pending.value, limits.jumpBps);
    const isNewRound = pending === undefined || localMs - pending.localMs >= limits.roundMs;
    if (!isBacked) forget(key, memory);
    else if (!isSame) memories.set(key, { ...memory, pending: { value, localMs, rounds: 1 } });
    else if (isNewRound && pending.rounds + 1 >= limits.jumpRounds) {
      memories.set(key, { value, time: nowMs });
      return { value };
    } else if (isNewRound) {
      const rounds = pending.rounds + 1;
      memories.set(key, { ...memory, pending: { value, localMs, rounds } });
    }
    const rounds = memories.get(key)?.pending?.rounds ?? 0;
    return refuse(
      "jump",
      `${key} \`${value}\` after ${memory.value}, seen by ${near.length} of ${sources} sources, ` +
        `confirmed ${rounds} of ${limits.jumpRounds} times`,
    );
  }

  function forget(key: string, { value, time }: Memory): void {
    memories.set(key, { value, time });
  }

  return {
    read,
    prune: (nowMs) => {
      for (const key of memories.keys()) recall(key, nowMs);
    },
  };
}

interface Step {
  readonly key: string;
  readonly value: number;
  readonly live: readonly Reading[];
  readonly sources: number;
  readonly nowMs: number;
  readonly localMs: number;
}

/** Why a reading does not count, or undefined where it does. */
function readingFault(options: {
  key: string;
  reading: Reading;
  last: number | undefined;
  nowMs: number;
  limits: ConsensusLimits;
}): OracleReject | undefined {
  const { key, reading, last, nowMs, limits } = options;
  const { time, value } = reading;
  const detail = `${key} \`${value}\``;
  if (!Number.isFinite(value)) return reject("notFinite", detail);
  if (value <= 0) return reject("notPositive", detail);
  if (value > limits.max) return reject("outOfRange", `${detail}, at most ${limits.max}`);
  // A time that is not a number is no time.
  if (!(nowMs - time <= limits.staleMs)) {
    return reject("stale", `${detail} is \`${nowMs - time}\` ms old, at most ${limits.staleMs}`);
  }
  if (time - nowMs > limits.aheadMs) return reject("fromFuture", `${detail} at \`${time}\``);
  if (last !== undefined && isPowerOfTen(value / last)) {
    return reject("decimalsChanged", `${detail} after ${last}`);
  }
  return undefined;
}

/** Whether a ratio is 10, 100, ... or 0.1, 0.01, ... to within 5 %. */
export function isPowerOfTen(ratio: number): boolean {
  const large = ratio < 1 ? 1 / ratio : ratio;
  for (let power = 10; power <= 1e18; power *= 10) {
    if (Math.abs(large / power - 1) <= 0.05) return true;
  }
  return false;
}

function combine(key: string, live: readonly Reading[], limits: ConsensusLimits): Outcome<number> {
  const { sourcesMin } = limits;
  if (live.length < sourcesMin || live.length === 0) {
    return refuse("tooFewSources", `${key} has \`${live.length}\`, at least ${sourcesMin}`);
  }
  const values = live.map(({ value }) => value);
  const middle = median(values);
  const agreeing = values.filter((value) => !isBeyond(value, middle, limits.agreeBps));
  if (agreeing.length < sourcesMin || agreeing.length === 0) {
    const told = live.map(({ source, value }) => `${source} \`${value}\``).join(", ");
    return refuse("sourcesDisagree", `${key}: ${told}`);
  }
  const band = (middle * limits.clampBps) / BPS;
  const clamped = values.map((value) => Math.min(Math.max(value, middle - band), middle + band));
  if (limits.combine === "median") return { value: median(clamped) };
  return { value: clamped.reduce((sum, value) => sum + value, 0) / clamped.length };
}

/** Of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

function isBeyond(value: number, reference: number, bps: number): boolean {
  return Math.abs(value - reference) * BPS > reference * bps;
}
