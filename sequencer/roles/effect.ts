/** What one log entry did when it was executed, for everything that watches the exchange. */
import type { LogEntry } from "../batch/log.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { OperationRecord, StepRecord } from "../engine/records.ts";
import { type BatchKind, FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../protocol/constants.ts";

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
  /** Of {@link movedAccounts}, just before the entry; nothing else tells the difference. */
  readonly cashBefore: ReadonlyMap<number, number>;
}

export const NOTHING_MOVED: Effect["cashBefore"] = new Map();

/** The accounts whose cash an operation moves by an amount that it does not state itself. */
export function movedAccounts(entry: LogEntry): readonly number[] {
  if (entry.type !== "operation") return [];
  const { operation } = entry;
  switch (operation.kind) {
    case "settlePosition":
      return [operation.account];
    case "backstop":
      return operation.message.kind === "backstop"
        ? [operation.author.account, operation.message.from]
        : [];
    case "insure":
    case "absorb":
      return [INSURANCE_ACCOUNT, operation.from];
    case "deleverage":
      return [operation.account, operation.from];
    case "collectFees":
      return [FEE_ACCOUNT];
    default:
      return [];
  }
}
