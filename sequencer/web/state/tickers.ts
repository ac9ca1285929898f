/** Every instrument's newest ticker. Those who look are told of what has changed, once a frame. */
import { useCallback, useSyncExternalStore } from "react";
import type { ChannelMessages } from "../../client/generated/api.ts";

export type Ticker = ChannelMessages["ticker"];

export interface TickerBoard {
  get(name: string): Ticker | undefined;
  put(ticker: Ticker): void;
  /** Returns the end of it. */
  follow(name: string, listener: () => void): () => void;
}

export function createTickerBoard(
  nextFrame: (paint: () => void) => void = requestAnimationFrame,
): TickerBoard {
  const tickers = new Map<string, Ticker>();
  const listeners = new Map<string, Set<() => void>>();
  const changed = new Set<string>();
  const tell = (): void => {
    const names = [...changed];
    changed.clear();
    for (const name of names) for (const listener of listeners.get(name) ?? []) listener();
  };
  return {
    get: (name) => tickers.get(name),
    put(ticker) {
      const before = tickers.get(ticker.instrument_name);
      if (before !== undefined && before.timestamp > ticker.timestamp) return;
      tickers.set(ticker.instrument_name, ticker);
      // Of most of a large market nobody looks: no frame is made for it.
      if (!listeners.has(ticker.instrument_name)) return;
      if (changed.size === 0) nextFrame(tell);
      changed.add(ticker.instrument_name);
    },
    follow(name, listener) {
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(name) === own) listeners.delete(name);
      };
    },
  };
}

export function useTicker(board: TickerBoard, name: string | undefined): Ticker | undefined {
  // The same function for the same name, or each render would leave and follow again.
  const follow = useCallback(
    (listener: () => void) => (name === undefined ? () => undefined : board.follow(name, listener)),
    [board, name],
  );
  return useSyncExternalStore(follow, () => (name === undefined ? undefined : board.get(name)));
}
