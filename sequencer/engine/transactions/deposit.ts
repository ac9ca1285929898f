/** Deposit from the layer-one queue. Twin: circuits, transactions/deposit. */
import { addCash } from "../balance.ts";
import { checkAmount, checkOwner, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";
import { checkKeyPart, setKey } from "./registerKey.ts";

/** Any amount the queue can state is taken: the contract decides how small a deposit may be. */
export function checkDeposit(
  view: StateView,
  operation: OperationOf<"deposit">,
): string | undefined {
  const { account, owner, amount } = operation;
  const known = view.account(account).owner;
  return (
    checkOwner(owner, known === 0n ? owner : known) ??
    checkAmount(amount) ??
    checkKeyPart(view, operation)
  );
}

export function applyDeposit(
  view: StateView,
  operation: OperationOf<"deposit">,
  { domain }: { domain: bigint },
): OperationRecord {
  const { account, owner, amount, key, keyIndex, keyExpiry } = operation;
  view.editAccount(account).owner = owner;
  addCash(view, account, amount);
  if (key.x !== 0n || key.y !== 0n) setKey(view, operation, domain);
  const stated = { account, amount, keyIndex, keyExpiry };
  return recordOf(operation, "executed", { stated, words: [owner, key.x, key.y] });
}
