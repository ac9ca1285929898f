/** Transfer between accounts, signed by a trading key. Twin: circuits, transactions/transfer. */
import type { TransferMessage } from "../../protocol/messages.ts";
import { addCash, canPay } from "../balance.ts";
import { type LedgerContext, recordOf, type SignedOperation } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

/** Refused also where `to` is the sender or has no owner. */
export function applyTransfer(
  view: StateView,
  operation: SignedOperation & { message: TransferMessage },
  { risk }: LedgerContext,
): OperationRecord {
  const { account } = operation.author;
  const { amount, to } = operation.message;
  const hasRecipient = to !== account && view.account(to).owner !== 0n;
  const isPaid = hasRecipient && canPay(view, account, amount, risk);
  if (isPaid) {
    addCash(view, account, -amount);
    addCash(view, to, amount);
  }
  const stated = { account, to, amount };
  return recordOf(operation, isPaid ? "executed" : "refused", { stated, words: [] });
}
