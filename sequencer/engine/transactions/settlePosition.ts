/** Turns a settled position into cash. Twin: circuits, transactions/settlePosition. */
import { addCash, setPosition } from "../balance.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkSettlePosition(
  view: StateView,
  { account, slot }: OperationOf<"settlePosition">,
): string | undefined {
  const series = view.series()[slot];
  if (series === undefined) return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  if (series.status !== "settled") return `Slot \`${slot}\` is not settled.`;
  const lots = view.account(account).positions[slot]!;
  return lots === 0 ? `Account \`${account}\` holds nothing in slot \`${slot}\`.` : undefined;
}

export function applySettlePosition(
  view: StateView,
  operation: OperationOf<"settlePosition">,
): OperationRecord {
  const { account: id, slot } = operation;
  const account = view.account(id);
  // Below 2^22 * 2^20 * 2^10 = 2^52: exact.
  const payoff = account.positions[slot]! * view.series()[slot]!.mark * view.unit;
  setPosition(view, id, slot, 0);
  addCash(view, id, payoff);
  return recordOf(operation, "executed", { stated: { account: id, slot }, words: [] });
}
