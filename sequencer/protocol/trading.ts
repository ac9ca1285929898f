/** Whether the market trades, and if not, why: the names that log, API and people share. */

/**
 * `paused`: orders are taken back only. `cancelOnly`: the same, while a reopening is announced.
 * Resting orders stay through both.
 */
export type TradingMode = "open" | "paused" | "cancelOnly";

/** Why trading stops, and what that means. */
export const PAUSE_REASONS = {
  appendLate: "the log is late to become durable",
  oracleStale: "the oracles are silent",
  certificationLate: "too few validators keep up",
  provingBacklog: "too many batches wait for their proofs",
  indexJump: "the underlying has jumped",
  operator: "the operator has stopped it",
  rootMismatch: "validators found another state",
} as const satisfies Record<string, string>;
export type PauseReason = keyof typeof PAUSE_REASONS;

export interface TradingInfo {
  readonly mode: TradingMode;
  /** Of the pause, with what was measured; null while trading is open. */
  readonly reason: PauseReason | null;
  readonly detail: string | null;
  /** Log time of the pause (unix ms). */
  readonly since: number | null;
  /** In `cancelOnly`: trading does not open before this log time. */
  readonly opensAt: number | null;
}

/** How long something may take before trading pauses: it follows what was measured (ms). */
export interface Tolerance {
  /** The 99th percentile of the last ones; null while too few were measured. */
  readonly latencyMs: number | null;
  readonly boundMs: number;
}

export interface TradingStatus extends TradingInfo {
  /** From handing records to the log until they are durable. */
  readonly append: Tolerance;
  /** From a batch's seal until it is certified. */
  readonly certification: Tolerance;
  /** Validators whose signed word contradicts the sequencer's; more than a third pause trading. */
  readonly dissenting: number;
}
