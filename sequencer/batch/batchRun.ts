/** What trade and ledger batches have in common while they are open. */
import type { OperationRecord, StepRecord } from "../engine/records.ts";
import type { InputDraft } from "./inputDraft.ts";
import type { LiquidateEntry, MessageEntry, OperationEntry, PurgeEntry } from "./log.ts";

/** A batch under way: the parts in which trade and ledger differ. */
export interface BatchRun {
  readonly used: () => number;
  readonly capacity: number;
  message?(entry: MessageEntry): readonly StepRecord[] | "full";
  purge?(entry: PurgeEntry): StepRecord | "full";
  liquidate?(entry: LiquidateEntry): StepRecord | "full";
  operation?(entry: OperationEntry): OperationRecord | "full";
  /** Of trade batches: see {@link Executor.hasRoom}. */
  hasRoom?(messages: readonly (readonly StepRecord[])[]): boolean;
  /** Goes on with a carried order; the steps that found room. */
  proceed(): readonly StepRecord[];
  /** The public words of the steps. */
  stepWords(): readonly bigint[];
  /** What the circuit is told of the batch. */
  draft(): Pick<InputDraft, "set" | "work">;
}
