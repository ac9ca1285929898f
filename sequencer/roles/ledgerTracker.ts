/** Cash that moved by ledger operations, and the withdrawals that wait on layer one. */
import { unchanging } from "../batch/unchangingJson.ts";
import type { LedgerOperation, OperationRecord } from "../engine/records.ts";
import type { StateView } from "../engine/stateView.ts";
import type { LedgerUpdate, Withdrawal } from "../exchangeService.ts";
import type { Effect } from "./effect.ts";

/** Withdrawals that a node keeps for questions. */
export const WITHDRAWALS_KEPT = 5000;

/** A withdrawal without its stage, which changes. */
export type SequencedWithdrawal = Omit<Withdrawal, "stage" | "transaction">;

export interface LedgerTracker {
  observe(effect: Effect): LedgerUpdate[];
  /** Newest first. */
  withdrawals(owner: bigint): SequencedWithdrawal[];
  memory(): readonly SequencedWithdrawal[];
}

export function createLedgerTracker(
  state: StateView,
  memory: readonly SequencedWithdrawal[] = [],
): LedgerTracker {
  const withdrawals = [...memory];
  return {
    observe: (effect) => {
      if (effect.operation === undefined) return [];
      const withdrawal = withdrawalOf(state, effect, effect.operation);
      if (withdrawal !== undefined) withdrawals.push(withdrawal);
      if (withdrawals.length > WITHDRAWALS_KEPT) withdrawals.shift();
      return updatesOf(state, effect, effect.operation);
    },
    withdrawals: (owner) => withdrawals.filter((item) => item.owner === owner).reverse(),
    memory: () => unchanging([...withdrawals]),
  };
}

function withdrawalOf(
  state: StateView,
  effect: Effect,
  { operation, outcome }: OperationRecord,
): SequencedWithdrawal | undefined {
  if (outcome === "refused") return undefined;
  if (operation.kind !== "withdraw" && operation.kind !== "forcedWithdraw") return undefined;
  const isForced = operation.kind === "forcedWithdraw";
  const account = isForced ? operation.account : operation.author.account;
  const amount = isForced ? operation.amount : operation.message.amount;
  const { owner } = state.account(account);
  const place = { logPosition: effect.position, batchNumber: effect.batch.number };
  return { account, owner, amount, isForced, ...place };
}

function updatesOf(
  state: StateView,
  effect: Effect,
  { operation, outcome }: OperationRecord,
): LedgerUpdate[] {
  const at = { outcome, time: effect.batch.time, batchNumber: effect.batch.number };
  return touchedBy(state, operation, effect.cashBefore).map(({ account, amount, kind }) => {
    return { account, operation: kind, amount, cash: state.account(account).cash, ...at };
  });
}

interface Touch {
  readonly account: number;
  readonly amount: number;
  readonly kind: LedgerUpdate["operation"];
}

function touchedBy(
  state: StateView,
  operation: LedgerOperation,
  cashBefore: Effect["cashBefore"],
): Touch[] {
  const { kind } = operation;
  switch (kind) {
    case "deposit":
    case "forcedWithdraw":
      return [{ account: operation.account, amount: operation.amount, kind }];
    case "registerKey":
    case "forcedCancelAll":
      return [{ account: operation.account, amount: 0, kind }];
    case "withdraw":
    case "transfer": {
      const { message, author } = operation;
      const sender = { account: author.account, amount: message.amount, kind };
      if (message.kind !== "transfer") return [sender];
      return [sender, { account: message.to, amount: message.amount, kind }];
    }
    case "release":
      return [{ account: operation.account, amount: 0, kind }];
    case "settlePosition":
    case "forcedClose":
    case "backstop":
    case "insure":
    case "deleverage":
    case "absorb":
    case "collectFees":
      return [...cashBefore].map(([account, before]) => {
        return { account, amount: state.account(account).cash - before, kind };
      });
    case "listSeries":
    case "openBook":
    case "settleSeries":
    case "rank":
      return [];
  }
}
