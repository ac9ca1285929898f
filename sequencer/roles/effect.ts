/** What one log entry did when it was executed, for everything that watches the exchange. */
import type { LogEntry } from "../batch/log.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { OperationRecord, StepRecord } from "../engine/records.ts";
import type { BatchKind } from "../protocol/constants.ts";

export interface EffectBatch {
  readonly number: number;
  readonly kind: BatchKind;
  readonly time: number;
}

export interface Effect {
  /** Of the entry in the log. */
  readonly position: number;
  readonly entry: LogEntry;
  /** The batch that the entry belongs to. */
  readonly batch: EffectBatch;
  readonly steps: readonly StepRecord[];
  readonly operation: OperationRecord | undefined;
  readonly sealed: SealedBatch | undefined;
  /** Of the settled account, just before a `settlePosition`; nothing else tells the difference. */
  readonly cashBefore: number | undefined;
}

/** The account whose cash must be read before the entry is executed. */
export function settledAccount(entry: LogEntry): number | undefined {
  if (entry.type !== "operation" || entry.operation.kind !== "settlePosition") return undefined;
  return entry.operation.account;
}
