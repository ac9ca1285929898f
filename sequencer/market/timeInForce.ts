/** Names of an order's time in force on the wire, which are Deribit's. */
import type { TimeInForce } from "../protocol/constants.ts";

export const TIME_IN_FORCE_NAMES = {
  gtc: "good_til_cancelled",
  ioc: "immediate_or_cancel",
  fok: "fill_or_kill",
} as const satisfies Record<TimeInForce, string>;

export type TimeInForceName = (typeof TIME_IN_FORCE_NAMES)[TimeInForce];

const BY_NAME = new Map(
  Object.entries(TIME_IN_FORCE_NAMES).map(([code, name]) => [name, code as TimeInForce]),
);

export function timeInForceOf(name: TimeInForceName): TimeInForce {
  return BY_NAME.get(name)!;
}
