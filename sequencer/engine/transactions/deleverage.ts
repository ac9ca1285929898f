/**
 * The largest opposite holder takes positions over (SPEC section 7, T8).
 * Twin: circuits/ledger/Ranking.circom.
 */
import { DELEVERAGE_SECONDS } from "../../protocol/constants.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";
import {
  applyTakeover,
  buyBackSign,
  checkTakeover,
  secondsLocked,
  type TakeoverContext,
} from "./takeover.ts";

export function checkDeleverage(
  view: StateView,
  operation: OperationOf<"deleverage">,
  context: TakeoverContext,
): string | undefined {
  const reason = checkTakeover(view, operation, operation.account, context);
  if (reason !== undefined) return reason;
  const seconds = secondsLocked(view, operation.from, context.time) ?? 0;
  if (seconds < DELEVERAGE_SECONDS) {
    return `Deleveraging must wait \`${DELEVERAGE_SECONDS}\` s from the lock. Got \`${seconds}\`.`;
  }
  return checkRanking(view, operation);
}

/** T8: the account leads a ranking that has seen every holder of the slot. */
function checkRanking(view: StateView, operation: OperationOf<"deleverage">): string | undefined {
  const { account, slot, lots } = operation;
  const ranking = view.ranking();
  const isLong = buyBackSign(view, operation) > 0;
  if (ranking === undefined || ranking.slot !== slot || ranking.isLong !== isLong) {
    return `There is no ranking of slot \`${slot}\`, ${isLong ? "long" : "short"}.`;
  }
  const { holders } = view.series()[slot]!;
  if (ranking.seen !== holders) {
    return `The ranking must have seen \`${holders}\` holders. Got \`${ranking.seen}\`.`;
  }
  if (ranking.best !== account) {
    return `\`account\` must be \`${ranking.best}\`, the ranking's first. Got \`${account}\`.`;
  }
  if (lots <= ranking.bestLots) return undefined;
  return `\`lots\` must be at most \`${ranking.bestLots}\`, the first's. Got \`${lots}\`.`;
}

export function applyDeleverage(
  view: StateView,
  operation: OperationOf<"deleverage">,
  context: TakeoverContext,
): OperationRecord {
  applyTakeover(view, operation, operation.account, context);
  const { account, from: to, slot, lots, amount, isSubsidy } = operation;
  const stated = { account, to, slot, lots, amount, isSubsidy };
  return recordOf(operation, "executed", { stated, words: [] });
}
