/**
 * The trading mode as the log tells it: the one piece of code by which sequencer and validators
 * know at each position whether orders may trade. Nothing of it is proven. Why the sequencer pauses
 * is its own judgement, since nobody else has its clock and its disk; what may follow is checked by
 * all, so trading stops at the same entry everywhere and comes back no earlier than it may.
 *
 *           pause               cancelOnly                      resume
 *   open ──────────▶ paused ──────────────▶ cancelOnly ──────────────────────▶ open
 *                      ▲                        │    after `opensAt`, behind two
 *                      └──────── pause ─────────┘    snapshots newer than the pause
 */
import type { LedgerOperation } from "../engine/records.ts";
import { SNAPSHOT_AGE_MS_BITS, TIME_BITS } from "../protocol/constants.ts";
import type { PublicKey } from "../protocol/eddsa.ts";
import { messageFromWord } from "../protocol/messages.ts";
import { isQuorumSigned, type Snapshot } from "../protocol/snapshot.ts";
import { PAUSE_REASONS, type PauseReason, type TradingInfo } from "../protocol/trading.ts";
import { requireEntry } from "./invalidEntry.ts";
import type {
  CancelOnlyEntry,
  LogEntry,
  OpenEntry,
  PauseEntry,
  ResumeEntry,
  TradingEntry,
} from "./log.ts";

/** Between them lies the length of the cancel-only phase, in log time (ms). */
export const CANCEL_ONLY_MS_MIN = 5_000;
export const CANCEL_ONLY_MS_MAX = 24 * 3_600_000;
export const DETAIL_LENGTH_MAX = 200;

/** JSON-safe: checkpoints keep it. */
export interface TradingState extends TradingInfo {
  /** The latest time that the log has stated (unix ms). It never falls. */
  readonly time: number;
  /** Batches up to this one are settled: a pause for another state has been ended since. */
  readonly settledBatch: number;
}

/** What the rules need of the node besides the mode itself. */
export interface TradingContext {
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
  readonly slots: number;
  /** An order is interrupted: the next trade batch would go on with it. */
  readonly isCarried: boolean;
  /** Number of the last sealed batch: that one which has ended beside it has no root yet. */
  readonly sealed: number;
}

export function openTrading(time: number): TradingState {
  return { ...OPEN, time, settledBatch: 0 };
}

const OPEN = { mode: "open", reason: null, detail: null, since: null, opensAt: null } as const;

/**
 * A pause does not end by itself where somebody must have looked. A harder reason takes the place
 * of a softer one, so that none that needs a hand is lost behind one that does not.
 */
export function hardness(reason: PauseReason): number {
  if (reason === "rootMismatch") return 2;
  return reason === "operator" ? 1 : 0;
}

/** Whether a pause for `reason` may take the place of one for `present`. */
export function isHarder(reason: PauseReason, present: PauseReason | null): boolean {
  return present !== null && hardness(reason) > hardness(present);
}

const AGE_MS_MAX = 2 ** SNAPSHOT_AGE_MS_BITS;

/** Whether trading may go on at `time` behind the two: the second confirms the first. */
export function isFreshPair(first: Snapshot, second: Snapshot, time: number): boolean {
  const isRecent = second.time <= time && time - second.time < AGE_MS_MAX;
  return isRecent && second.time - first.time < AGE_MS_MAX;
}

export function isTradingEntry(entry: LogEntry): entry is TradingEntry {
  return entry.type === "pause" || entry.type === "cancelOnly" || entry.type === "resume";
}

/** Takeovers and payments by marks that may be the very reason of the pause. */
const STOPPED: ReadonlySet<LedgerOperation["kind"]> = new Set([
  ...(["backstop", "insure", "deleverage", "absorb"] as const),
]);

/** Whether the entry must not stand where trading is not open: it could trade, or take over. */
function isStopped(entry: LogEntry): boolean {
  if (entry.type === "liquidate") return true;
  if (entry.type === "operation") return STOPPED.has(entry.operation.kind);
  if (entry.type !== "message") return false;
  const kind = messageFromWord(entry.word)?.kind;
  return kind !== "cancel" && kind !== "cancelAll";
}

/** Throws InvalidEntryError where the mode does not allow the entry. */
export function assertAllowed({ mode, reason, since }: TradingState, entry: LogEntry): void {
  if (mode === "open") return;
  const name = entry.type === "operation" ? entry.operation.kind : entry.type;
  const state = `trading has been stopped since \`${since}\` (\`${reason}\`)`;
  requireEntry(!isStopped(entry), `${state}: no \`${name}\` may stand here`);
}

/** Log time goes on with a batch. Throws InvalidEntryError where it would fall. */
export function afterOpen(trading: TradingState, { time }: OpenEntry): TradingState {
  const isLater = time > trading.time;
  requireEntry(isLater, `batch time must be above \`${trading.time}\`. Got \`${time}\``);
  return { ...trading, time };
}

/** Throws InvalidEntryError on what an honest sequencer would not write. */
export function afterTradingEntry(
  trading: TradingState,
  entry: TradingEntry,
  context: TradingContext,
): TradingState {
  const { time } = entry;
  requireEntry(
    Number.isSafeInteger(time) && time >= trading.time && time < 2 ** TIME_BITS,
    `the time of \`${entry.type}\` must be from \`${trading.time}\`. Got \`${time}\``,
  );
  switch (entry.type) {
    case "pause":
      return paused(trading, entry, context);
    case "cancelOnly":
      return announced(trading, entry);
    case "resume":
      return resumed(trading, entry, context);
  }
}

function paused(
  trading: TradingState,
  { time, reason, detail }: PauseEntry,
  { isCarried }: TradingContext,
): TradingState {
  requireEntry(Object.hasOwn(PAUSE_REASONS, reason), `\`${reason}\` is no reason for a pause`);
  requireEntry(
    typeof detail === "string" && detail.length <= DETAIL_LENGTH_MAX,
    `a pause has at most ${DETAIL_LENGTH_MAX} characters of detail`,
  );
  // Cancels need a trade batch, and the first thing in it would be the rest of that order.
  requireEntry(!isCarried, "a pause waits for the end of an interrupted order");
  requireEntry(
    trading.mode !== "paused" || isHarder(reason, trading.reason),
    `trading is paused for \`${trading.reason}\`, and \`${reason}\` is no harder reason`,
  );
  return { ...trading, time, mode: "paused", reason, detail, since: time, opensAt: null };
}

function announced(trading: TradingState, { time, opensAt }: CancelOnlyEntry): TradingState {
  requireEntry(
    trading.mode === "paused",
    `\`cancelOnly\` follows a pause, not \`${trading.mode}\``,
  );
  const length = opensAt - time;
  requireEntry(
    Number.isSafeInteger(length) && length >= CANCEL_ONLY_MS_MIN && length <= CANCEL_ONLY_MS_MAX,
    `\`cancelOnly\` takes ${CANCEL_ONLY_MS_MIN} to ${CANCEL_ONLY_MS_MAX} ms. Got \`${length}\``,
  );
  return { ...trading, time, mode: "cancelOnly", opensAt };
}

function resumed(
  trading: TradingState,
  { time, snapshots }: ResumeEntry,
  context: TradingContext,
): TradingState {
  const { mode, opensAt, since, reason } = trading;
  requireEntry(mode === "cancelOnly", `\`resume\` follows \`cancelOnly\`, not \`${mode}\``);
  requireEntry(time >= (opensAt ?? 0), `trading opens at \`${opensAt}\`. Got \`${time}\``);
  const isPair = Array.isArray(snapshots) && snapshots.length === 2;
  requireEntry(isPair, "`resume` needs two snapshots");
  const [first, second] = snapshots;
  requireEntry(
    first.time > (since ?? 0) && second.time > first.time,
    `\`resume\` needs two snapshots newer than \`${since}\`, one after the other`,
  );
  requireEntry(
    isFreshPair(first, second, time),
    `\`resume\` needs snapshots less than ${AGE_MS_MAX} ms apart, the second no older than that`,
  );
  for (const snapshot of snapshots) assertSigned(snapshot, context);
  const settledBatch = reason === "rootMismatch" ? context.sealed : trading.settledBatch;
  return { ...OPEN, time, settledBatch };
}

function assertSigned(snapshot: Snapshot, { domain, oracles, quorum, slots }: TradingContext) {
  const isSized = snapshot.slots.length === slots;
  requireEntry(
    isSized && isQuorumSigned({ domain, snapshot, oracles, quorum }),
    `a snapshot of \`resume\` is not of ${slots} slots, or not signed by \`${quorum}\` oracles`,
  );
}
