/** Ends an account's liquidation. Twin: circuits/ledger/Bearable.circom. */
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import { firstBelowMaintenance, type Risk } from "../risk.ts";
import type { StateView } from "../stateView.ts";

export function checkRelease(
  view: StateView,
  { account }: OperationOf<"release">,
  { risk }: { readonly risk: Risk },
): string | undefined {
  const scenario = firstBelowMaintenance(view.account(account), risk, view.unit);
  if (scenario === undefined) return undefined;
  return `Account \`${account}\` is below maintenance margin in scenario \`${scenario}\`.`;
}

export function applyRelease(view: StateView, operation: OperationOf<"release">): OperationRecord {
  const { account } = operation;
  view.editSession(account).lockedSince = 0;
  return recordOf(operation, "executed", { stated: { account }, words: [] });
}
