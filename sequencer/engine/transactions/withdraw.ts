/** Withdrawal signed by a trading key. Twin: circuits, transactions/withdraw. */
import type { WithdrawMessage } from "../../protocol/messages.ts";
import { addCash, canPay } from "../balance.ts";
import { type LedgerContext, recordOf, type SignedOperation } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

/** The message has extended its key's chain, whether it is refused or not. */
export function applyWithdraw(
  view: StateView,
  operation: SignedOperation & { message: WithdrawMessage },
  { risk }: LedgerContext,
): OperationRecord {
  const { account } = operation.author;
  const { amount } = operation.message;
  const isPaid = canPay(view, account, amount, risk);
  if (isPaid) addCash(view, account, -amount);
  const stated = { account, amount };
  const words = [view.account(account).owner];
  return recordOf(operation, isPaid ? "executed" : "refused", { stated, words });
}
