/** Lists a series in a free slot. Twin: circuits, transactions/listSeries. */
import { GENERATION_BITS, SECONDS_BITS, STRIKE_BITS } from "../../protocol/constants.ts";
import { termsWord } from "../../protocol/snapshot.ts";
import { secondsOf } from "../bookState.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkListSeries(
  view: StateView,
  { slot, strike, expiry }: OperationOf<"listSeries">,
  { time }: { time: number },
): string | undefined {
  const series = view.series()[slot];
  if (series === undefined) return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  if (series.status === "listed") return `Slot \`${slot}\` is listed.`;
  if (series.holders !== 0) return `Slot \`${slot}\` has \`${series.holders}\` holders.`;
  if (series.generation + 1 >= 2 ** GENERATION_BITS) return `Slot \`${slot}\` is used up.`;
  if (!(Number.isInteger(strike) && strike >= 0 && strike < 2 ** STRIKE_BITS)) {
    return `\`strike\` must be below 2^${STRIKE_BITS}. Got \`${strike}\`.`;
  }
  if (!(Number.isInteger(expiry) && expiry < 2 ** SECONDS_BITS && expiry > secondsOf(time))) {
    return `\`expiry\` must be in the future and below 2^${SECONDS_BITS}. Got \`${expiry}\`.`;
  }
  return undefined;
}

/** The mark stays as the batch's start wrote it: nobody holds the slot. */
export function applyListSeries(
  view: StateView,
  operation: OperationOf<"listSeries">,
): OperationRecord {
  const { slot, isCall, strike, expiry } = operation;
  const series = view.editSeries(slot);
  series.status = "listed";
  series.isCall = isCall;
  series.strike = strike;
  series.expiry = expiry;
  series.generation += 1;
  const words = [termsWord({ isCall, strike, expiry })];
  return recordOf(operation, "executed", { stated: { slot }, words });
}
