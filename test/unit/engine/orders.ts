// Orders for tests, and what their steps say.
import type { OrderStep, StepRecord } from "../../../sequencer/engine/records.ts";
import { proceed } from "../../../sequencer/engine/trade.ts";
import type { PlaceMessage, TradeMessage } from "../../../sequencer/protocol/messages.ts";
import { type Market, placeOf, send } from "./market.ts";

export type Sent = readonly [account: number, message: TradeMessage];
export const buy = (account: number, fields: Partial<PlaceMessage> = {}): Sent => [
  account,
  placeOf(fields),
];
export const sell = (account: number, fields: Partial<PlaceMessage> = {}): Sent => [
  account,
  placeOf({ ...fields, isSell: true }),
];

export function orders(records: readonly StepRecord[]): OrderStep[] {
  return records.flatMap((record) => ("order" in record ? [record.order] : []));
}

/** All steps of a message, over as many batches as it takes. */
export function sendToEnd(market: Market, [account, message]: Sent): OrderStep[] {
  const steps = orders(send(market, account, message));
  while (market.state.carry() !== undefined) {
    steps.push(...orders([proceed(market.state, market.trade)]));
  }
  return steps;
}
