/** A token bucket: how many messages may go out now, below what the venue would take. */

export interface Pacing {
  /** Messages that may go out now. */
  available(): number;
  /** Takes `count` of them, or none: false. */
  take(count: number): boolean;
}

/** `now` in ms; the bucket begins full and holds `burst`. */
export function createPacing(
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  now: () => number,
): Pacing {
  let [tokens, at] = [burst, now()];
  const refill = (): void => {
    const time = now();
    tokens = Math.min(burst, tokens + (Math.max(0, time - at) * perSecond) / 1000);
    at = time;
  };
  return {
    available() {
      refill();
      return Math.floor(tokens);
    },
    take(count) {
      refill();
      if (tokens < count) return false;
      tokens -= count;
      return true;
    },
  };
}
