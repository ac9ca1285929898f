/** Token buckets by account: what a sequenced message costs is proof capacity. */

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Accounts that are remembered; the least recently seen are forgotten, with full buckets. */
const BUCKETS_MAX = 100_000;

/** Takes one token; false where the account has none left. `now` in unix ms. */
export type RateLimiter = (account: number, now: number) => boolean;

export function createRateLimiter({ perSecond, burst }: RateLimit): RateLimiter {
  const buckets = new Map<number, { tokens: number; time: number }>();
  return (account, now) => {
    const bucket = buckets.get(account) ?? { tokens: burst, time: now };
    const refill = (Math.max(now - bucket.time, 0) * perSecond) / 1000;
    const tokens = Math.min(bucket.tokens + refill, burst);
    const isTaken = tokens >= 1;
    // Deleted first, so that the map's order is that of last use.
    buckets.delete(account);
    buckets.set(account, { tokens: isTaken ? tokens - 1 : tokens, time: now });
    const [oldest] = buckets.keys();
    if (buckets.size > BUCKETS_MAX && oldest !== undefined) buckets.delete(oldest);
    return isTaken;
  };
}
