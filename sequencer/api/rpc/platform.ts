/** Whether the venue trades, in the wire's words. Pure. */
import type { TradingInfo } from "../../protocol/trading.ts";

/** What the channel `platform_state` sends; `locked`: orders are taken back only. */
export function platformShape({ mode, reason, detail, since, opensAt }: TradingInfo) {
  return { locked: mode !== "open", mode, reason, detail, since, opens_at: opensAt };
}
