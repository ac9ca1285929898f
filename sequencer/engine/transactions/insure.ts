/** The insurance fund takes over (SPEC section 7, T7). Twin: circuits/ledger/Bearable.circom. */
import { AUCTION_SECONDS, INSURANCE_ACCOUNT } from "../../protocol/constants.ts";
import { firstOverengaged } from "../healthChange.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";
import {
  applyTakeover,
  checkTakeover,
  secondsLocked,
  type TakeoverContext,
  takeoverOutcome,
} from "./takeover.ts";

export function checkInsure(
  view: StateView,
  operation: OperationOf<"insure">,
  context: TakeoverContext,
): string | undefined {
  const reason = checkTakeover(view, operation, INSURANCE_ACCOUNT, context);
  return reason ?? checkEngagement(view, operation, context);
}

/** T7: the auction is over, and the fund engages at most half of its cash. */
function checkEngagement(
  view: StateView,
  operation: OperationOf<"insure">,
  context: TakeoverContext,
): string | undefined {
  const seconds = secondsLocked(view, operation.from, context.time) ?? 0;
  if (seconds < AUCTION_SECONDS) {
    return `The fund must wait \`${AUCTION_SECONDS}\` s from the lock. Got \`${seconds}\`.`;
  }
  const { taker } = takeoverOutcome(view, operation, INSURANCE_ACCOUNT, context);
  const { cash } = taker.after;
  if (cash < 0) return `The fund's cash must be at least 0 afterwards. Got \`${cash}\`.`;
  const row = firstOverengaged(taker, context.risk, view.unit);
  if (row === undefined) return undefined;
  return `The fund would engage more than half of its cash in scenario \`${row}\`.`;
}

export function applyInsure(
  view: StateView,
  operation: OperationOf<"insure">,
  context: TakeoverContext,
): OperationRecord {
  applyTakeover(view, operation, INSURANCE_ACCOUNT, context);
  const { from: to, slot, lots, amount, isSubsidy } = operation;
  const stated = { account: INSURANCE_ACCOUNT, to, slot, lots, amount, isSubsidy };
  return recordOf(operation, "executed", { stated, words: [] });
}
