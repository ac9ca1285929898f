/** A trader takes positions over (SPEC section 7). Twin: circuits/ledger/Takeover.circom. */
import type { BackstopMessage } from "../../protocol/messages.ts";
import type { DoorReject } from "../../protocol/rejection.ts";
import { CASH_LIMIT, POSITION_LIMIT } from "../balance.ts";
import { recordOf, type SignedOperation } from "../operation.ts";
import type { OperationRecord, Takeover } from "../records.ts";
import type { Risk } from "../risk.ts";
import type { StateView } from "../stateView.ts";
import {
  applyTakeover,
  checkTakeover,
  findTakeoverScenario,
  type TakeoverContext,
  takeoverOutcome,
} from "./takeover.ts";

export type BackstopOperation = SignedOperation & { readonly message: BackstopMessage };

/** A backstop never subsidises (T5). */
function takeoverOf(message: BackstopMessage, scenario: number): Takeover {
  const { from, slot, lots, amount } = message;
  return { from, slot, lots, amount, isSubsidy: false, scenario };
}

/** Why no proof could sequence the backstop, its signature and chain aside. */
export function checkBackstopOperation(
  view: StateView,
  { author, message, scenario }: BackstopOperation,
  context: TakeoverContext,
): string | undefined {
  if (scenario === undefined) return "`scenario` must be stated.";
  return checkTakeover(view, takeoverOf(message, scenario), author.account, context);
}

/** The scenario (0..16) with which the message can be sequenced now; undefined: with none. */
export function backstopScenario(
  view: StateView,
  author: { readonly account: number },
  message: BackstopMessage,
  context: TakeoverContext,
): number | undefined {
  return findTakeoverScenario(takeoverOf(message, 0), (takeover) =>
    checkTakeover(view, takeover, author.account, context),
  );
}

/**
 * Why the venue does not take the message. What no proof needs is the limit of position and cash,
 * which leaves room for the author's resting orders.
 */
export function checkBackstop(
  view: StateView,
  author: { readonly account: number },
  message: BackstopMessage,
  { risk, time }: { readonly risk: Risk | undefined; readonly time: number },
): DoorReject | undefined {
  if (risk === undefined) return "noSnapshot";
  const context = { risk, time };
  const scenario = backstopScenario(view, author, message, context);
  if (scenario === undefined) return "takeoverRefused";
  const takeover = takeoverOf(message, scenario);
  const { cash, positions } = takeoverOutcome(view, takeover, author.account, context).taker.after;
  const isWithin = Math.abs(positions[message.slot]!) < POSITION_LIMIT;
  return isWithin && Math.abs(cash) < CASH_LIMIT ? undefined : "limitExceeded";
}

/** The message has extended its key's chain. */
export function applyBackstop(
  view: StateView,
  operation: BackstopOperation,
  context: TakeoverContext,
): OperationRecord {
  const { author, message, scenario } = operation;
  applyTakeover(view, takeoverOf(message, scenario!), author.account, context);
  const { from: to, slot, lots, amount } = message;
  const stated = { account: author.account, to, slot, lots, amount };
  return recordOf(operation, "executed", { stated, words: [] });
}
