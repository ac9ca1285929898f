/** What a batch does before its first step. Twin: the series table in both batch circuits. */
import type { Snapshot } from "../protocol/snapshot.ts";
import { effectiveRisk, type Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/** Writes the effective marks (ticks) into the series table and returns the batch's risk. */
export function startBatch(view: StateView, snapshot: Pick<Snapshot, "slots">): Risk {
  const risk = effectiveRisk(view.series(), snapshot);
  for (const [slot, mark] of risk.marks.entries()) {
    if (view.series()[slot]!.mark !== mark) view.editSeries(slot).mark = mark;
  }
  return risk;
}
