/** What an order's flags allow each other: as `isWellFormed` of protocol/messages.ts has it. */
import type { TimeInForceName } from "../../market/timeInForce.ts";

export interface OrderFlags {
  readonly timeInForce: TimeInForceName;
  readonly isPostOnly: boolean;
  readonly isReduceOnly: boolean;
}

export const PLAIN_FLAGS: OrderFlags = {
  ...{ timeInForce: "good_til_cancelled", isPostOnly: false, isReduceOnly: false },
};

/** The flags after a change, which wins: only what rests is post-only, and never reduce-only. */
export function changedFlags(flags: OrderFlags, change: Partial<OrderFlags>): OrderFlags {
  const { timeInForce, isPostOnly, isReduceOnly } = { ...flags, ...change };
  const rests = timeInForce === "good_til_cancelled";
  if (change.isPostOnly === true) return { ...PLAIN_FLAGS, isPostOnly };
  if (change.isReduceOnly === true) {
    return {
      ...{ isReduceOnly, isPostOnly: false },
      timeInForce: rests ? "immediate_or_cancel" : timeInForce,
    };
  }
  return { timeInForce, isPostOnly: isPostOnly && rests, isReduceOnly: isReduceOnly && !rests };
}
