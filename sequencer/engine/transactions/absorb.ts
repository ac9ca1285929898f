/** The insurance fund pays a deficit. Twin: circuits/ledger/Operation.circom. */
import { INSURANCE_ACCOUNT } from "../../protocol/constants.ts";
import { addCash, canPay } from "../balance.ts";
import { hasEquity, isInRange } from "../healthChange.ts";
import { checkAmount, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { Risk } from "../risk.ts";
import type { StateView } from "../stateView.ts";

/** The fund stays covered, and nothing is left to the account beyond its deficit. */
export function checkAbsorb(
  view: StateView,
  { from, amount }: OperationOf<"absorb">,
  { risk }: { readonly risk: Risk },
): string | undefined {
  const reason = checkAmount(amount);
  if (reason !== undefined) return reason;
  if (amount === 0) return "`amount` must be above 0. Got `0`.";
  if (from === INSURANCE_ACCOUNT) return "The fund cannot absorb its own deficit.";
  if (!canPay(view, INSURANCE_ACCOUNT, amount, risk)) {
    return `The fund cannot pay \`${amount}\` and stay covered.`;
  }
  const account = view.account(from);
  const after = { ...account, cash: account.cash + amount };
  if (!isInRange(after)) return `Cash of account \`${from}\` would leave its range.`;
  if (!hasEquity(after, risk, view.unit)) return undefined;
  return `Account \`${from}\` would have equity left with \`amount\` \`${amount}\`.`;
}

export function applyAbsorb(view: StateView, operation: OperationOf<"absorb">): OperationRecord {
  const { from, amount } = operation;
  addCash(view, INSURANCE_ACCOUNT, -amount);
  addCash(view, from, amount);
  const stated = { account: INSURANCE_ACCOUNT, to: from, amount };
  return recordOf(operation, "executed", { stated, words: [] });
}
