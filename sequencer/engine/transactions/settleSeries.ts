/** Fixes the payoff of an expired series. Twin: circuits, transactions/settleSeries. */
import { secondsOf } from "../bookState.ts";
import { type LedgerContext, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkSettleSeries(
  view: StateView,
  { slot }: OperationOf<"settleSeries">,
  { time, snapshot }: LedgerContext,
): string | undefined {
  const series = view.series()[slot];
  if (series === undefined) return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  if (series.status !== "listed") return `Slot \`${slot}\` is not listed.`;
  if (series.expiry > secondsOf(time)) return `Slot \`${slot}\` has not expired.`;
  return snapshot.slots[slot]?.isFinal ? undefined : `The mark of slot \`${slot}\` is not final.`;
}

/** The mark is the one that the batch's start wrote, and from here on it stays. */
export function applySettleSeries(
  view: StateView,
  operation: OperationOf<"settleSeries">,
): OperationRecord {
  const { slot } = operation;
  const series = view.editSeries(slot);
  series.status = "settled";
  return recordOf(operation, "executed", { stated: { slot, amount: series.mark }, words: [] });
}
