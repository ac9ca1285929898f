/** Withdrawal from the layer-one queue: a no-op if refused. Twin: transactions/forcedWithdraw. */
import { addCash, canPay } from "../balance.ts";
import {
  checkAmount,
  checkOwner,
  type LedgerContext,
  type OperationOf,
  recordOf,
} from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkForcedWithdraw(
  view: StateView,
  { account, owner, amount }: OperationOf<"forcedWithdraw">,
): string | undefined {
  return checkOwner(owner, view.account(account).owner) ?? checkAmount(amount);
}

export function applyForcedWithdraw(
  view: StateView,
  operation: OperationOf<"forcedWithdraw">,
  { risk }: LedgerContext,
): OperationRecord {
  const { account, owner, amount } = operation;
  const isPaid = canPay(view, account, amount, risk);
  if (isPaid) addCash(view, account, -amount);
  const stated = { account, amount };
  return recordOf(operation, isPaid ? "executed" : "refused", { stated, words: [owner] });
}
