/**
 * When trading pauses, and how it comes back. What is judged here is the sequencer's alone: its
 * clock, its disk, its backlogs, the snapshots that it sees. The judgement becomes an entry of the
 * log, and from there on the rules of `batch/tradingMode.ts` bind everybody. The door refuses from
 * the moment of the judgement: an interrupted order may have to be finished before the entry.
 */
import {
  DETAIL_LENGTH_MAX,
  hardness,
  isFreshPair,
  isHarder,
  type TradingState,
} from "../batch/tradingMode.ts";
import type { Logger } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { PAUSE_REASONS, type PauseReason, type TradingStatus } from "../protocol/trading.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AppendWatch } from "./appendWatch.ts";
import type { Batcher } from "./batcher.ts";
import type { Progress } from "./batchTracker.ts";
import type { CertificationWatch } from "./certificationWatch.ts";
import type { Dissent } from "./dissent.ts";
import { indexMoveBps } from "./indexWatch.ts";
import { NoSnapshotError } from "./opening.ts";
import type { LatencyTolerance, ToleranceLimits } from "./tolerance.ts";
import { tradingInfo } from "./trackers.ts";

export interface BreakerLimits {
  /** Until records are durable. */
  readonly append: ToleranceLimits;
  /** Until a sealed batch is certified. */
  readonly certification: ToleranceLimits;
  /** Age of the newest snapshot (ms): while it can still finish an interrupted order. */
  readonly oracleStaleMs: number;
  /** Sealed batches without proof. */
  readonly provingMax: number;
  /** How far the underlying may move from one snapshot to the next, in basis points. */
  readonly indexMoveBpsMax: number;
  /** Length of the cancel-only phase (ms). */
  readonly cancelOnlyMs: number;
  /** The operator wants trading paused. */
  readonly isHeld: boolean;
  /** `since` of the pause for another state that somebody has looked into: that one may end. */
  readonly endsPause: number | null;
}

export const DEFAULT_BREAKERS: Omit<BreakerLimits, "provingMax"> = {
  append: { floorMs: 1_000, ceilingMs: 10_000, factor: 4 },
  certification: { floorMs: 120_000, ceilingMs: 600_000, factor: 4 },
  oracleStaleMs: 60_000,
  indexMoveBpsMax: 1_000,
  cancelOnlyMs: 10_000,
  isHeld: false,
  endsPause: null,
};

/** What a refusal tells: the pause that stands in the log, or the one that is about to. */
export interface Stop {
  readonly reason: PauseReason;
  readonly since: number;
}

export interface CircuitBreakers {
  /** Judges, and writes the entry that is due. Before anything else of a tick. */
  tick(now: number): void;
  /** Why nothing that could trade is taken, or undefined. */
  stop(): Stop | undefined;
  status(): TradingStatus;
}

export interface BreakerOptions {
  readonly limits: BreakerLimits;
  readonly batcher: Batcher;
  readonly state: MemoryState;
  readonly logger: Logger;
  readonly append: AppendWatch;
  readonly certification: CertificationWatch;
  readonly tolerances: {
    readonly append: LatencyTolerance;
    readonly certification: LatencyTolerance;
  };
  readonly dissent: Dissent;
  trading(): TradingState;
  progress(): Progress;
  /** Whether the backlogs are small enough for new orders. */
  isOverloaded(): boolean;
  snapshot(): Snapshot | undefined;
  /** Where the log ended when the node began: its last snapshot, where one is known, and time. */
  readonly began: { readonly now: number; readonly snapshot: Snapshot | undefined };
}

interface Trouble {
  readonly reason: PauseReason;
  readonly detail: string;
}

interface Watching {
  /** The newest two snapshots, the newest last. */
  snapshots: readonly Snapshot[];
  /** Something that happened between two looks, until a pause says so. */
  event: Trouble | undefined;
  /** A pause that waits for the end of an interrupted order. */
  pausing: Stop | undefined;
  /** Batches up to this one have been looked into by the operator. */
  readonly settledByHand: number;
}

export function createCircuitBreakers(options: BreakerOptions): CircuitBreakers {
  const { trading, tolerances, dissent, limits, progress } = options;
  const { reason, since } = trading();
  const isLookedInto = reason === "rootMismatch" && since === limits.endsPause;
  const watching: Watching = {
    snapshots: [],
    event: silenceBefore(options),
    pausing: undefined,
    settledByHand: isLookedInto ? progress().sealed : 0,
  };
  return {
    tick: (now) => {
      noteSnapshot(options, watching);
      const troubles = findTroubles(options, watching, now);
      const [worst] = troubles.sort((one, other) => hardness(other.reason) - hardness(one.reason));
      if (worst === undefined) reopen(options, watching, now);
      else pause(options, watching, { worst, now });
    },
    stop: () => stopOf(trading()) ?? watching.pausing,
    status: () => ({
      ...tradingInfo(trading()),
      append: tolerances.append.status(),
      certification: tolerances.certification.status(),
      dissenting: dissent.count(settledBatch(options, watching)),
    }),
  };
}

function stopOf({ reason, since }: TradingState): Stop | undefined {
  return reason === null || since === null ? undefined : { reason, since };
}

/** Whoever comes back after a long time does not know what has happened meanwhile. */
function silenceBefore({ began, limits, trading }: BreakerOptions): Trouble | undefined {
  const last = began.snapshot?.time ?? trading().time;
  const age = began.now - last;
  if (last === 0 || age <= limits.oracleStaleMs) return undefined;
  return {
    reason: "oracleStale",
    detail: `the node was away: ${age} ms since the log's last time`,
  };
}

function noteSnapshot(options: BreakerOptions, watching: Watching): void {
  const newest = options.snapshot();
  const before = watching.snapshots.at(-1) ?? options.began.snapshot;
  if (newest === undefined || newest.time <= (before?.time ?? 0)) return;
  watching.snapshots = [...watching.snapshots, newest].slice(-2);
  if (before === undefined) return;
  const moved = indexMoveBps(options.state.series(), before, newest);
  const { indexMoveBpsMax } = options.limits;
  if (moved <= indexMoveBpsMax) return;
  const detail = `it moved ${moved} basis points, at most ${indexMoveBpsMax}`;
  watching.event ??= { reason: "indexJump", detail };
}

/** Every watch is asked each time: they measure as they are asked. */
function findTroubles(options: BreakerOptions, watching: Watching, now: number): Trouble[] {
  const { limits, append, certification, dissent, progress } = options;
  const of = (reason: PauseReason, detail: string | undefined): Trouble[] =>
    detail === undefined ? [] : [{ reason, detail }];
  return [
    ...of("rootMismatch", dissent.mismatch(settledBatch(options, watching))),
    ...of("operator", limits.isHeld ? "held by the configuration" : undefined),
    ...of("appendLate", append.late(now)),
    ...(watching.event === undefined ? [] : [watching.event]),
    ...of("oracleStale", oracleSilence(options, watching, now)),
    ...of("certificationLate", certification.late(progress(), now)),
    ...of("provingBacklog", provingBacklog(options)),
  ];
}

function settledBatch({ trading }: BreakerOptions, { settledByHand }: Watching): number {
  return Math.max(trading().settledBatch, settledByHand);
}

function oracleSilence({ limits }: BreakerOptions, { snapshots }: Watching, now: number) {
  const newest = snapshots.at(-1);
  // Before the first one nothing trades anyway, and its absence at a start is told by the event.
  if (newest === undefined) return undefined;
  const age = now - newest.time;
  if (age <= limits.oracleStaleMs) return undefined;
  return `the newest snapshot is ${age} ms old, at most ${limits.oracleStaleMs}`;
}

/** Ends only where new orders would be taken again, not one batch below the bound. */
function provingBacklog({ limits, progress, trading, isOverloaded }: BreakerOptions) {
  const { sealed, proven } = progress();
  const backlog = sealed - proven;
  const isOn = backlog >= limits.provingMax;
  if (!isOn && !(trading().reason === "provingBacklog" && isOverloaded())) return undefined;
  return `${backlog} batches without proof, at most ${limits.provingMax}`;
}

function pause(
  { batcher, trading, logger }: BreakerOptions,
  watching: Watching,
  { worst, now }: { worst: Trouble; now: number },
): void {
  const { mode, reason: present } = trading();
  const { reason, detail } = worst;
  if (mode === "paused" && !isHarder(reason, present)) {
    watching.event = undefined;
    return;
  }
  watching.pausing ??= { reason, since: batcher.timeAt(now) };
  try {
    // It was sequenced before: its end is due, and no cancel could pass it.
    if (batcher.isOrderCarried()) batcher.finishTrades(now);
  } catch (error) {
    if (error instanceof NoSnapshotError) return;
    throw error;
  }
  const time = batcher.timeAt(now);
  const entry = {
    type: "pause",
    time,
    reason,
    detail: detail.slice(0, DETAIL_LENGTH_MAX),
  } as const;
  batcher.switchTrading(entry);
  watching.event = undefined;
  watching.pausing = undefined;
  logger.error("trading pauses", { reason, meaning: PAUSE_REASONS[reason], detail });
}

function reopen(options: BreakerOptions, watching: Watching, now: number): void {
  const { batcher, limits, logger, trading } = options;
  // The trouble has gone before the pause could be written: nothing has stopped in the log.
  watching.pausing = undefined;
  const { mode, reason, since, opensAt } = trading();
  const time = batcher.timeAt(now);
  if (mode === "paused") {
    // Ended by a person who has found out which of the two is wrong.
    if (reason === "rootMismatch" && since !== limits.endsPause) return;
    batcher.switchTrading({ type: "cancelOnly", time, opensAt: time + limits.cancelOnlyMs });
    logger.warn("trading is about to open", { reason, opensAt: time + limits.cancelOnlyMs });
  } else if (mode === "cancelOnly" && time >= (opensAt ?? 0)) {
    const snapshots = freshPair(watching, { since: since ?? 0, time });
    if (snapshots === undefined) return;
    batcher.switchTrading({ type: "resume", time, snapshots });
    logger.info("trading is open again", { reason, since });
  }
}

function freshPair(
  { snapshots }: Watching,
  { since, time }: { since: number; time: number },
): readonly [Snapshot, Snapshot] | undefined {
  const [first, second] = snapshots;
  if (first === undefined || second === undefined || first.time <= since) return undefined;
  return isFreshPair(first, second, time) ? [first, second] : undefined;
}
