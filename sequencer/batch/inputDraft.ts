/**
 * What the inputs of a batch's circuit follow from, besides the state before it: plain data that
 * may be sent to a thread, and that nobody changes.
 */
import type { StepRecord } from "../engine/records.ts";
import type { StateChange } from "./baseState.ts";
import type { WitnessedOperation } from "./ledgerWitness.ts";
import type { OpenEntry } from "./log.ts";
import type { WorkingSet } from "./workingSet.ts";

export interface InputDraft {
  readonly opening: OpenEntry;
  /** Public, behind the header's. */
  readonly words: readonly bigint[];
  readonly set: WorkingSet;
  readonly work: BatchWork;
  /** From the state at the end of the batch before to the one at the end of this. */
  readonly change: StateChange;
}

export type BatchWork =
  | { readonly kind: "trade"; readonly steps: readonly StepDraft[] }
  | { readonly kind: "ledger"; readonly operations: readonly WitnessedOperation[] };

/** What the trade circuit is told of a step. */
export interface StepDraft {
  readonly kind: StepRecord["kind"];
  /** As `signerId` has it; undefined: nobody has signed the step. */
  readonly signer: number | undefined;
  readonly word: bigint;
  /** Begins a fill-or-kill order that aborts. */
  readonly isDoomed: boolean;
  readonly makerFails: boolean;
  /** 0: nothing fills. */
  readonly filledLots: number;
  /** Of the step's fill unit, if it needs one; 0 but for liquidations. */
  readonly scenario: number | undefined;
}
