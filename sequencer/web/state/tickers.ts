/** Every instrument's newest ticker. Those who look are told of what has changed, once a frame. */
import { useSyncExternalStore } from "react";
import type { ChannelMessages } from "../../client/generated/api.ts";

export type Ticker = ChannelMessages["ticker"];

export interface TickerBoard {
  get(name: string): Ticker | undefined;
  put(ticker: Ticker): void;
  /** Returns the end of it. */
  follow(name: string, listener: () => void): () => void;
  /** Called after each frame's changes; for whoever sums up over many. */
  followAll(listener: () => void): () => void;
}

export function createTickerBoard(
  nextFrame: (paint: () => void) => void = requestAnimationFrame,
): TickerBoard {
  const tickers = new Map<string, Ticker>();
  const listeners = new Map<string, Set<() => void>>();
  const everything = new Set<() => void>();
  const changed = new Set<string>();
  const tell = (): void => {
    const names = [...changed];
    changed.clear();
    for (const name of names) for (const listener of listeners.get(name) ?? []) listener();
    for (const listener of everything) listener();
  };
  return {
    get: (name) => tickers.get(name),
    put(ticker) {
      const before = tickers.get(ticker.instrument_name);
      if (before !== undefined && before.timestamp > ticker.timestamp) return;
      tickers.set(ticker.instrument_name, ticker);
      if (changed.size === 0) nextFrame(tell);
      changed.add(ticker.instrument_name);
    },
    follow(name, listener) {
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own.add(listener));
      return () => void own.delete(listener);
    },
    followAll(listener) {
      everything.add(listener);
      return () => void everything.delete(listener);
    },
  };
}

export function useTicker(board: TickerBoard, name: string | undefined): Ticker | undefined {
  return useSyncExternalStore(
    (listener) => (name === undefined ? () => undefined : board.follow(name, listener)),
    () => (name === undefined ? undefined : board.get(name)),
  );
}
