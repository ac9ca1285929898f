/** When a batch may be opened, by which snapshot, and what its time is. */
import { type BatchKind, SNAPSHOT_AGE_MS_BITS } from "../protocol/constants.ts";
import type { Snapshot } from "../protocol/snapshot.ts";

/** There is no snapshot that a batch could use now: none is fresh, or of what is listed. */
export class NoSnapshotError extends Error {
  override name = "NoSnapshotError";
}

/** Snapshots must be younger than this at their batch's time. */
export const SNAPSHOT_AGE_MS_MAX = 2 ** SNAPSHOT_AGE_MS_BITS;
/** Batches of cancels alone, a ms apart, that can follow when the oracles have fallen silent. */
const CANCEL_BATCHES_MAX = 2 ** 14;
/**
 * Trading pauses when the newest snapshot is as old as this (ms). Batches do not run further ahead
 * of their snapshot by the clock, which leaves time for batches of cancels.
 */
export const TRADING_AGE_MS_MAX = SNAPSHOT_AGE_MS_MAX - CANCEL_BATCHES_MAX;

/** What a batch is opened for. Cancels need no marks: they go on when nothing else can. */
export type TradeOpening = "trade" | "cancels";
export type Opening = BatchKind | TradeOpening;

/** What hangs on the log so far, and on the oracles. */
interface OpeningSession {
  readonly options: {
    snapshot(): Snapshot | undefined;
    isOfListed(snapshot: Snapshot): boolean;
  };
  /** The latest time in the log. */
  readonly lastTime: number;
  /** Of the last batch. */
  readonly snapshot: Snapshot | undefined;
  isCarried(): boolean;
}

export function kindOf(opening: Opening): BatchKind {
  return opening === "cancels" ? "trade" : opening;
}

export function usableSnapshot(
  session: OpeningSession,
  opening: Opening,
  time: number,
): Snapshot | undefined {
  const snapshot = newestFor(session, opening);
  if (snapshot === undefined || !session.options.isOfListed(snapshot)) return undefined;
  const age = batchTime(session, snapshot, time) - snapshot.time;
  if (age >= SNAPSHOT_AGE_MS_MAX) return undefined;
  // An interrupted order would go on in the batch, by marks that are too old.
  if (opening === "cancels" && !session.isCarried()) return snapshot;
  return time - snapshot.time < TRADING_AGE_MS_MAX ? snapshot : undefined;
}

/** A process that has just begun has asked no oracle yet: for cancels what the log has will do. */
function newestFor({ options, snapshot, isCarried }: OpeningSession, opening: Opening) {
  const newest = options.snapshot();
  return newest === undefined && opening === "cancels" && !isCarried() ? snapshot : newest;
}

/** Batch times grow strictly, and no batch is older than its snapshot. */
export function batchTime(
  session: Pick<OpeningSession, "lastTime">,
  snapshot: Snapshot | undefined,
  time: number,
): number {
  const latest = snapshot === undefined ? time : snapshot.time + TRADING_AGE_MS_MAX;
  return Math.max(Math.min(time, latest), session.lastTime + 1, snapshot?.time ?? 0);
}
