/**
 * Token buckets by account: what a sequenced message costs is proof capacity. Cancels come first:
 * they may use all of a bucket, everything else leaves a quarter of it to them.
 */

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Accounts that are remembered; the least recently seen are forgotten, with full buckets. */
const BUCKETS_MAX = 100_000;

/** The part of a full bucket that is there for cancels alone. */
const CANCEL_SHARE = 1 / 4;

/** Takes one token; false where the account has none left for this. `now` in unix ms. */
export type RateLimiter = (account: number, now: number, isCancel: boolean) => boolean;

export function createRateLimiter({ perSecond, burst }: RateLimit): RateLimiter {
  const buckets = new Map<number, { tokens: number; time: number }>();
  const reserve = Math.floor(burst * CANCEL_SHARE);
  return (account, now, isCancel) => {
    const bucket = buckets.get(account) ?? { tokens: burst, time: now };
    const refill = (Math.max(now - bucket.time, 0) * perSecond) / 1000;
    const tokens = Math.min(bucket.tokens + refill, burst);
    const isTaken = tokens >= (isCancel ? 1 : 1 + reserve);
    // Deleted first, so that the map's order is that of last use.
    buckets.delete(account);
    buckets.set(account, { tokens: isTaken ? tokens - 1 : tokens, time: now });
    const [oldest] = buckets.keys();
    if (buckets.size > BUCKETS_MAX && oldest !== undefined) buckets.delete(oldest);
    return isTaken;
  };
}
