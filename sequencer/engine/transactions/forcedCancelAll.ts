/** Cancel-all from the layer-one queue. Twin: circuits/ledger/Operation.circom. */
import { checkOwner, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";
import { cancelAll } from "./cancelAll.ts";

export function checkForcedCancelAll(
  view: StateView,
  { account, owner }: OperationOf<"forcedCancelAll">,
): string | undefined {
  return checkOwner(owner, view.account(account).owner);
}

/** Every order so far is void; no seq is used up, as a ledger batch has no trade message. */
export function applyForcedCancelAll(
  view: StateView,
  operation: OperationOf<"forcedCancelAll">,
): OperationRecord {
  const { account, owner } = operation;
  cancelAll(view, account, view.nextSeq());
  return recordOf(operation, "executed", { stated: { account }, words: [owner] });
}
