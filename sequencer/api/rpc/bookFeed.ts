/**
 * Every book as its changes have left it, in memory: answers and feeds are read from here at once.
 * Changes come after their records are durable, so nothing here speaks of what a crash could take.
 */

import { bookChecksum } from "../../market/bookChecksum.ts";
import type { BookChange, BookInfo, BookLevel, LevelChange } from "../../market/publicBook.ts";

/** Best level first on both sides. */
export interface FedBook {
  readonly book: number;
  readonly changeId: number;
  readonly time: number;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

export interface BookFeed {
  /** Undefined: never opened. */
  book(id: number): FedBook | undefined;
  /** Of the book as it is. */
  checksum(id: number): number;
  /** Takes the next change. False: it does not follow, so the book must be fetched anew. */
  apply(change: BookChange): boolean;
  /** Takes a whole book, unless a later one is there. */
  load(book: Pick<BookInfo, "book" | "changeId" | "time" | "bids" | "asks">): void;
}

interface Kept extends FedBook {
  checksum?: number;
}

export function createBookFeed(): BookFeed {
  const books = new Map<number, Kept>();
  return {
    book: (id) => books.get(id),
    checksum: (id) => {
      const kept = books.get(id);
      if (kept === undefined) return 0;
      kept.checksum ??= bookChecksum(kept.bids, kept.asks);
      return kept.checksum;
    },
    apply: (change) => {
      const before = books.get(change.book);
      if ((before?.changeId ?? 0) >= change.changeId) return true;
      if (change.prevChangeId !== (before?.changeId ?? 0)) return false;
      const { book, changeId, time } = change;
      const bids = changed(before?.bids ?? [], change.bids, (a, b) => b.price - a.price);
      const asks = changed(before?.asks ?? [], change.asks, (a, b) => a.price - b.price);
      books.set(book, { book, changeId, time, bids, asks });
      return true;
    },
    load: ({ book, changeId, time, bids, asks }) => {
      if ((books.get(book)?.changeId ?? -1) > changeId) return;
      books.set(book, { book, changeId, time, bids, asks });
    },
  };
}

function changed(
  levels: readonly BookLevel[],
  changes: readonly LevelChange[],
  order: (a: BookLevel, b: BookLevel) => number,
): readonly BookLevel[] {
  if (changes.length === 0) return levels;
  const gone = new Set(changes.map(({ price }) => price));
  const kept = levels.filter(({ price }) => !gone.has(price));
  for (const { action, price, lots, orders } of changes) {
    if (action !== "delete") kept.push({ price, lots, orders });
  }
  return kept.sort(order);
}
