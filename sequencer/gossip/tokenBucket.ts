/** A rate that a peer is held to: who takes more is made to wait. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface TokenBucket {
  /** Resolves when `count` may be taken. Throws when `signal` aborts. */
  take(count: number, signal: AbortSignal): Promise<void>;
}

export function createTokenBucket({ perSecond, burst }: Rate): TokenBucket {
  let tokens = burst;
  let since = performance.now();
  return {
    take: async (count, signal) => {
      const now = performance.now();
      tokens = Math.min(burst, tokens + ((now - since) / 1000) * perSecond);
      since = now;
      tokens -= count;
      if (tokens < 0) await sleep((-tokens / perSecond) * 1000, undefined, { signal });
    },
  };
}
