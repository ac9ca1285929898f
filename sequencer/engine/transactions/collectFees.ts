/** Moves what fills have paid to the fee account. Twin: circuits/ledger/Operation.circom. */
import { CASH_OFFSET, FEE_ACCOUNT } from "../../protocol/constants.ts";
import { addCash } from "../balance.ts";
import { checkAmount, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

/** Fees and cash that a public word and a leaf cannot state wait. */
export function checkCollectFees(view: StateView): string | undefined {
  const fees = view.fees();
  if (view.account(FEE_ACCOUNT).cash + fees < CASH_OFFSET) return checkAmount(fees);
  return `Cash of account \`${FEE_ACCOUNT}\` would leave its range.`;
}

export function applyCollectFees(
  view: StateView,
  operation: OperationOf<"collectFees">,
): OperationRecord {
  const amount = view.fees();
  addCash(view, FEE_ACCOUNT, amount);
  view.setFees(0);
  const stated = { account: FEE_ACCOUNT, amount };
  return recordOf(operation, "executed", { stated, words: [] });
}
