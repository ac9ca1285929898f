/** What one log entry did when it was executed, for everything that watches the exchange. */
import type { LogEntry } from "../batch/log.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import { accountsOf } from "../batch/workingSet.ts";
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
  /** The batch that the entry belongs to or seals; the next one where none is open. */
  readonly batch: EffectBatch;
  readonly steps: readonly StepRecord[];
  readonly operation: OperationRecord | undefined;
  /** The batch has ended with the entry: the state is that of its end. */
  readonly hasEnded: boolean;
  readonly sealed: SealedBatch | undefined;
  /** Of {@link movedAccounts}, just before the entry; nothing else tells the difference. */
  readonly cashBefore: ReadonlyMap<number, number>;
}

export const NOTHING_MOVED: Effect["cashBefore"] = new Map();

/** Operations that move cash by an amount that they do not state themselves. */
const MOVING: ReadonlySet<string> = new Set([
  ...["settlePosition", "backstop", "insure", "absorb", "deleverage", "collectFees"],
  "forcedClose",
]);

/** The accounts whose cash an operation moves by an amount that it does not state itself. */
export function movedAccounts(entry: LogEntry): readonly number[] {
  if (entry.type !== "operation" || !MOVING.has(entry.operation.kind)) return [];
  return accountsOf(entry.operation);
}
