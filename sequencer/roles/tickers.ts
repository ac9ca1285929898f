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

/** Which combinations hang on which books, while nothing is listed, opened or expires. */
interface Index {
  readonly plain: ReadonlyMap<number, number>;
  readonly combinationsOf: ReadonlyMap<number, readonly number[]>;
  /** {@link identityOf} every book. */
  readonly identities: ReadonlyMap<number, string>;
  /** Of the next expiry, unix ms. */
  readonly goodUntil: number;
}

/** Begins with nothing told: the first change of a book tells its ticker. */
export function createTickerTracker(parts: Parts): TickerTracker {
  const { state } = parts;
  const told = new Map<number, string>();
  let index: Index | undefined;
  return {
    observe(changes, time) {
      if (changes.length === 0) return [];
      if (index === undefined || isStale(index, state, changes, time)) index = indexOf(state, time);
      const concerned = new Set<number>();
      for (const { book } of changes) {
        concerned.add(book);
        for (const other of index.combinationsOf.get(book) ?? []) concerned.add(other);
      }
      const tickers: BookTicker[] = [];
      for (const book of concerned) {
        const ticker = tickerOf(parts, book, index.plain);
        const text = JSON.stringify(ticker);
        if (told.get(book) === text) continue;
        told.set(book, text);
        tickers.push({ ...ticker, time });
      }
      return tickers;
    },
  };
}

/** A book that is opened, for the first time or anew, has a change of its own before it trades. */
function isStale(
  { identities, goodUntil }: Index,
  state: MemoryState,
  changes: readonly BookChange[],
  time: number,
): boolean {
  if (time >= goodUntil) return true;
  return changes.some(({ book }) => identityOf(state, book) !== identities.get(book));
}

function identityOf(state: MemoryState, book: number): string {
  const { generation, weights } = state.book(book)!;
  return `${generation}:${weights.join()}`;
}

function indexOf(state: MemoryState, time: number): Index {
  const plain = plainBooks(state, time);
  const combinationsOf = new Map<number, number[]>();
  const identities = new Map<number, string>();
  for (const book of state.bookIds()) {
    const { weights } = state.book(book)!;
    identities.set(book, identityOf(state, book));
    if (isPlain(weights)) continue;
    for (const [slot, weight] of weights.entries()) {
      const leg = weight === 0 ? undefined : plain.get(slot);
      if (leg === undefined) continue;
      const known = combinationsOf.get(leg) ?? [];
      combinationsOf.set(leg, [...known, book]);
    }
  }
  const expiries = state.series().map(({ expiry }) => expiry * 1000);
  const goodUntil = Math.min(
    ...expiries.filter((expiry) => expiry > time),
    Number.MAX_SAFE_INTEGER,
  );
  return { plain, combinationsOf, identities, goodUntil };
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
