/** What a batch does before its first step. Twin: the series table in both batch circuits. */
import type { BatchKind } from "../protocol/constants.ts";
import type { Prices } from "../protocol/snapshot.ts";
import { effectiveRisk, type Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/**
 * Writes the effective marks (ticks) into the series table and returns the batch's risk. A trade
 * batch changes positions, so it ends the ranking that is under way, whatever steps it takes.
 */
export function startBatch(view: StateView, snapshot: Prices, kind: BatchKind): Risk {
  const risk = effectiveRisk(view.series(), snapshot);
  for (const [slot, mark] of risk.marks.entries()) {
    if (view.series()[slot]!.mark !== mark) view.editSeries(slot).mark = mark;
  }
  if (kind === "trade" && view.ranking() !== undefined) view.setRanking(undefined);
  return risk;
}
