/**
 * Who has which orders in the books. The engine changes sides as arrays; of a book that was edited
 * the entries that came and went are found by comparing its sides with how they were seen last.
 */
import type { OpenOrder } from "../engine/admission.ts";
import type { Book, Entry } from "../protocol/state.ts";

export interface OpenOrderIndex {
  /** The book was edited, put, or taken back to what it was. */
  note(book: number): void;
  /** Orders of an account that are in the books, void ones too, in no order. */
  of(account: number): Iterable<OpenOrder>;
}

/** A book's sides as they were when they were looked at. */
interface Seen {
  bids: readonly Entry[];
  asks: readonly Entry[];
}

const NOTHING: Seen = { bids: [], asks: [] };

/** `bookOf` gives a book as it is now; entries are replaced, never changed. */
export function createOpenOrderIndex(
  bookOf: (id: number) => Readonly<Book> | undefined,
): OpenOrderIndex {
  const seen = new Map<number, Seen>();
  const edited = new Set<number>();
  const byAccount = new Map<number, Map<Entry, OpenOrder>>();

  function take(entry: Entry, book: number, isSell: boolean): void {
    let own = byAccount.get(entry.account);
    if (own === undefined) {
      own = new Map();
      byAccount.set(entry.account, own);
    }
    const { account, seq, price, lots } = entry;
    own.set(entry, { account, seq, price, lots, book, isSell });
  }

  function drop(entry: Entry): void {
    const own = byAccount.get(entry.account);
    own?.delete(entry);
    if (own?.size === 0) byAccount.delete(entry.account);
  }

  /** What both ends have in common stays: most edits are of one place. */
  function compare(before: readonly Entry[], now: readonly Entry[], book: number, isSell: boolean) {
    let start = 0;
    while (start < before.length && start < now.length && before[start] === now[start]) start++;
    let [endBefore, end] = [before.length, now.length];
    while (endBefore > start && end > start && before[endBefore - 1] === now[end - 1]) {
      endBefore--;
      end--;
    }
    for (let at = start; at < endBefore; at++) drop(before[at]!);
    for (let at = start; at < end; at++) take(now[at]!, book, isSell);
  }

  function refresh(): void {
    for (const id of edited) {
      const before = seen.get(id) ?? NOTHING;
      const { bids, asks } = bookOf(id) ?? NOTHING;
      compare(before.bids, bids, id, false);
      compare(before.asks, asks, id, true);
      seen.set(id, { bids: [...bids], asks: [...asks] });
    }
    edited.clear();
  }

  return {
    note: (book) => void edited.add(book),
    of(account) {
      refresh();
      return byAccount.get(account)?.values() ?? [];
    },
  };
}
