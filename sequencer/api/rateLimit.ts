/** Token buckets: `burst` at once, `perSecond` in the long run. */

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface TokenBucket {
  /** Takes `cost` if it is there. Otherwise nothing is taken: ms until it will be. */
  take(cost: number): number;
  /** Takes `cost` even into debt: for work that turned out dearer than was known. */
  charge(cost: number): void;
  /** Milliseconds until one token is there; 0: now. */
  wait(): number;
  isFull(): boolean;
}

export function createTokenBucket(limit: RateLimit, now: () => number): TokenBucket {
  let tokens = limit.burst;
  let at = now();
  const refill = () => {
    const time = now();
    tokens = Math.min(limit.burst, tokens + (Math.max(0, time - at) * limit.perSecond) / 1000);
    at = time;
  };
  const waitFor = (cost: number) =>
    tokens >= cost ? 0 : Math.ceil(((cost - tokens) * 1000) / limit.perSecond);
  return {
    take(cost) {
      refill();
      const wait = waitFor(cost);
      if (wait === 0) tokens -= cost;
      return wait;
    },
    charge(cost) {
      refill();
      // A floor on the debt: nobody is locked out for longer than one burst takes to refill.
      tokens = Math.max(tokens - cost, -limit.burst);
    },
    wait() {
      refill();
      return waitFor(1);
    },
    isFull() {
      refill();
      return tokens >= limit.burst;
    },
  };
}

export interface BucketTable {
  get(key: string | number): TokenBucket;
}

/**
 * One bucket for each key, at most `entriesMax`: full buckets say nothing and are forgotten first;
 * if none is full, the oldest goes.
 */
export function createBucketTable(
  limit: RateLimit,
  entriesMax: number,
  now: () => number,
): BucketTable {
  const buckets = new Map<string | number, TokenBucket>();
  const makeRoom = () => {
    for (const [key, bucket] of buckets) if (bucket.isFull()) buckets.delete(key);
    for (const key of buckets.keys()) {
      if (buckets.size < entriesMax) return;
      buckets.delete(key);
    }
  };
  return {
    get(key) {
      const known = buckets.get(key);
      if (known !== undefined) return known;
      if (buckets.size >= entriesMax) makeRoom();
      const bucket = createTokenBucket(limit, now);
      buckets.set(key, bucket);
      return bucket;
    },
  };
}
