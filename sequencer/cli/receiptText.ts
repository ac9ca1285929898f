/** A receipt as people read it, and what it means for the exit code. */

import type { Trader } from "../client/trader.ts";
import { formatPrice, formatQuantity, formatUsdc } from "../market/decimal.ts";
import { OUTCOMES } from "../protocol/rejection.ts";
import { EXIT_CODES } from "./failure.ts";
import { facts, table } from "./output.ts";
import type { Market } from "./session.ts";

export type Receipt = Awaited<ReturnType<Trader["place"]>>;

const EFFECTIVE: readonly Receipt["outcome"][] = [
  "rested",
  "filled",
  "interrupted",
  "cancelled",
  "allCancelled",
  "executed",
];

/** An order that was killed after some fills had its effect. */
export function exitCodeOf({ outcome, fills }: Receipt): number {
  return EFFECTIVE.includes(outcome) || fills.length > 0 ? 0 : EXIT_CODES.noEffect;
}

export function receiptText(receipt: Receipt, market: Market): string {
  const { outcome, orderId, restingLots, fills, stage, batchNumber, logPosition } = receipt;
  const text = facts([
    ["outcome", `${outcome}: ${OUTCOMES[outcome]}`],
    ...(orderId === null ? [] : ([["order", orderId]] as const)),
    ...(restingLots === 0 ? [] : ([["resting", formatQuantity(restingLots, market)]] as const)),
    ["stage", `${stage}, batch ${batchNumber}, log position ${logPosition}`],
  ]);
  if (fills.length === 0) return text;
  const rows = fills.map(({ price, lots, fee }) => [
    formatPrice(price, market),
    formatQuantity(lots, market),
    formatUsdc(fee),
  ]);
  return `${text}\n${table(["price", "filled", "fee"], rows, 0)}`;
}
