/** An order's preview as people read it. */
import { formatUsdc } from "../market/decimal.ts";
import type { OrderPreview } from "../market/orderPreview.ts";
import { scenarioName } from "../market/scenarios.ts";
import { DOOR_REJECTS } from "../protocol/rejection.ts";
import { facts, table } from "./output.ts";
import { liquidationText } from "./risk.ts";
import type { Market } from "./session.ts";

export function previewText(preview: OrderPreview, market: Market): string {
  const { verdict, premium, fee, before, after } = preview;
  const answer =
    verdict === null ? "it would be taken" : `refused, ${verdict}: ${DOOR_REJECTS[verdict][1]}`;
  const side = premium < 0 ? "received" : "paid";
  const head = facts([
    ["verdict", answer],
    ["premium", `${formatUsdc(Math.abs(premium))} ${side}, if all is filled at the limit`],
    ["fee", `${formatUsdc(fee)} at most`],
    ["worst scenario after", scenarioName(after.worstScenario)],
  ]);
  const amounts = [
    ["equity", "equity"],
    ["initial margin", "initialMargin"],
    ["initial headroom", "initialHeadroom"],
    ["maintenance margin", "maintenanceMargin"],
    ["maintenance headroom", "maintenanceHeadroom"],
  ] as const;
  const rows = amounts.map(([name, key]) => [
    name,
    formatUsdc(before[key]),
    formatUsdc(after[key]),
  ]);
  const prices = [before, after].map((side) => liquidationText(side.liquidationPrices, market));
  return `${head}\n${table(["", "before", "after"], [...rows, ["liquidation price", ...prices]])}`;
}
