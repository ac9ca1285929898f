/** The best of every book, and what combinations are worth by the books of their legs. */
import { isBookOpen, isPlain } from "../engine/bookState.ts";
import { impliedPrices } from "../market/implied.ts";
import type { BookChange, BookTicker, ImpliedPrices } from "../market/publicBook.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { DepthTracker } from "./depthTracker.ts";

export interface TickerTracker {
  /** Tickers that are not as they were, after changes at `time` (unix ms). */
  observe(changes: readonly BookChange[], time: number): BookTicker[];
}

interface Parts {
  readonly state: MemoryState;
  readonly depths: DepthTracker;
}

/** Levels that an implied price may reach into: a weight is at most 8 lots. */
const LEVELS = 8;

/** Of each slot, the open plain book with the lowest id. */
export function plainBooks(state: MemoryState, time: number): Map<number, number> {
  const plain = new Map<number, number>();
  for (const id of state.bookIds()) {
    const book = state.book(id)!;
    if (!isPlain(book.weights) || !isBookOpen(state, book, time)) continue;
    const slot = book.weights.indexOf(1);
    if (!plain.has(slot)) plain.set(slot, id);
  }
  return plain;
}

/** Null for a plain book. `plain` as {@link plainBooks} gives it. */
export function impliedOf(
  { state, depths }: Parts,
  book: number,
  plain: ReadonlyMap<number, number>,
): ImpliedPrices | null {
  const { weights } = state.book(book)!;
  if (isPlain(weights)) return null;
  return impliedPrices(weights, (slot) => {
    const id = plain.get(slot);
    return id === undefined ? undefined : depths.depth(id, LEVELS);
  });
}

/** Begins with nothing told: the first change of a book tells its ticker. */
export function createTickerTracker(parts: Parts): TickerTracker {
  const { state } = parts;
  const told = new Map<number, string>();
  return {
    observe(changes, time) {
      if (changes.length === 0) return [];
      const plain = plainBooks(state, time);
      const changed = new Set(changes.map(({ book }) => book));
      const tickers: BookTicker[] = [];
      for (const book of state.bookIds()) {
        if (!isConcerned(state, book, { changed, plain })) continue;
        const ticker = tickerOf(parts, book, plain);
        const text = JSON.stringify(ticker);
        if (told.get(book) === text) continue;
        told.set(book, text);
        tickers.push({ ...ticker, time });
      }
      return tickers;
    },
  };
}

/** Whether the book or, for a combination, the book of a leg has changed. */
function isConcerned(
  state: MemoryState,
  book: number,
  news: { readonly changed: ReadonlySet<number>; readonly plain: ReadonlyMap<number, number> },
): boolean {
  if (news.changed.has(book)) return true;
  const { weights } = state.book(book)!;
  if (isPlain(weights)) return false;
  return weights.some((weight, slot) => {
    const leg = weight === 0 ? undefined : news.plain.get(slot);
    return leg !== undefined && news.changed.has(leg);
  });
}

function tickerOf(
  parts: Parts,
  book: number,
  plain: ReadonlyMap<number, number>,
): Omit<BookTicker, "time"> {
  const best = parts.depths.depth(book, 1);
  const bestBid = best?.bids[0] ?? null;
  const bestAsk = best?.asks[0] ?? null;
  return { book, bestBid, bestAsk, implied: impliedOf(parts, book, plain) };
}
