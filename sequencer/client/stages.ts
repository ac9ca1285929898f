/** How far something has come. */
import type { Stage, StageInfo, Wire } from "../exchangeService.ts";
import type { Exchange } from "./exchange.ts";
import { ConnectionError, ExchangeError } from "./rpcErrors.ts";
import type { ReachedOptions } from "./trader.ts";

const RANKS: Readonly<Record<Stage, number>> = {
  ...{ sequenced: 0, certified: 1, proven: 2, anchored: 3 },
};

/** Whether `stage` implies `wanted`. */
export function hasReached(stage: Stage, wanted: Stage): boolean {
  return RANKS[stage] >= RANKS[wanted];
}

const STAGE_POLL_MS = 500;

function isAway(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ExchangeError && error.reason === "temporarily_unavailable";
}

/** Resolves when the record has come as far as is wanted. */
export async function reached(
  exchange: Exchange,
  wanted: ReachedOptions,
): Promise<Wire<StageInfo>> {
  const { logPosition, stage, timeoutMs = 3_600_000, onStage } = wanted;
  const end = Date.now() + timeoutMs;
  let shown = "";
  while (true) {
    const info = await exchange.stages(logPosition).catch((error: unknown) => {
      // Who has once answered may be away for a while.
      if (shown === "" || !isAway(error) || Date.now() > end) throw error;
      return undefined;
    });
    if (info !== undefined) {
      if (info.stage !== shown) onStage?.(info);
      shown = info.stage;
      if (hasReached(info.stage, stage)) return info;
      if (Date.now() > end) {
        const state = `is \`${info.stage}\`, not yet ${stage}, after ${timeoutMs} ms`;
        throw new Error(`log position \`${logPosition}\` ${state}.`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, STAGE_POLL_MS));
  }
}
