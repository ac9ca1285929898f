/** Open, high, low and close of a number by minutes, which longer candles are joined from. */

export interface Candle {
  /** Beginning, unix ms. */
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

export interface CandleKeeper {
  add(time: number, value: number): void;
  /** Ascending, at most `limit`, the latest ones. `resolutionMs` is a multiple of a minute. */
  candles(range: { fromMs: number; toMs: number; resolutionMs: number; limit: number }): Candle[];
  latest(): Candle | undefined;
}

export const MINUTE_MS = 60_000;

/** A week of minutes. */
export const CANDLES_KEPT = 7 * 24 * 60;

export function createCandleKeeper(kept = CANDLES_KEPT): CandleKeeper {
  const minutes: Candle[] = [];
  return {
    add(at, value) {
      const time = at - (at % MINUTE_MS);
      const last = minutes.at(-1);
      // A clock that goes back adds to the minute that was there.
      if (last === undefined || time > last.time) {
        minutes.push({ time, open: value, high: value, low: value, close: value });
        if (minutes.length > kept) minutes.shift();
        return;
      }
      const high = Math.max(last.high, value);
      const low = Math.min(last.low, value);
      minutes[minutes.length - 1] = { ...last, high, low, close: value };
    },
    candles({ fromMs, toMs, resolutionMs, limit }) {
      const joined: Candle[] = [];
      for (const minute of minutes) {
        if (minute.time < fromMs - (fromMs % resolutionMs) || minute.time > toMs) continue;
        const time = minute.time - (minute.time % resolutionMs);
        const last = joined.at(-1);
        if (last === undefined || last.time !== time) joined.push({ ...minute, time });
        else {
          const high = Math.max(last.high, minute.high);
          const low = Math.min(last.low, minute.low);
          joined[joined.length - 1] = { ...last, high, low, close: minute.close };
        }
      }
      return joined.slice(-limit);
    },
    latest: () => minutes.at(-1),
  };
}
