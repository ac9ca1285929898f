/** The insurance fund takes over (SPEC section 7, T7). Twin: circuits/ledger/Bearable.circom. */
import { AUCTION_SECONDS, INSURANCE_ACCOUNT } from "../../protocol/constants.ts";
import { fundReject } from "../healthChange.ts";
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

/** T7: the auction is over, and half of the fund's equity stays out of it. */
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
  const { cash } = view.account(INSURANCE_ACCOUNT);
  return fundReject(taker, cash, { risk: context.risk, unit: view.unit });
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
