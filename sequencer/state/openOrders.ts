/**
 * Who has which orders in the books. One place of a side that changes is told by itself; of a book
 * that is changed as a whole all entries are forgotten before, and taken again when somebody asks.
 */
import { type AccountOrders, createAccountOrders } from "../engine/pendingOrders.ts";
import type { Book, Entry } from "../protocol/state.ts";

export interface OpenOrderIndex {
  /** The book is about to be edited, put, or taken back to what it was. */
  note(book: number): void;
  /** The entry has come into the book. */
  add(book: number, isSell: boolean, entry: Entry): void;
  /** The entry has left the book. */
  drop(book: number, entry: Entry): void;
  /** Of an account that has orders in books. */
  of(account: number): AccountOrders | undefined;
}

/** `bookOf` gives a book as it is now; entries are replaced, never changed. */
export function createOpenOrderIndex(
  slots: number,
  bookOf: (id: number) => Readonly<Book> | undefined,
): OpenOrderIndex {
  /** Books of which nothing is known until they are looked at. */
  const unseen = new Set<number>();
  const byAccount = new Map<number, AccountOrders>();

  function take(entry: Entry, book: number, isSell: boolean): void {
    const { account } = entry;
    let own = byAccount.get(account);
    if (own === undefined) {
      own = createAccountOrders(account, slots);
      byAccount.set(account, own);
    }
    own.add(entry, book, isSell);
  }

  function forget(entry: Entry): void {
    const own = byAccount.get(entry.account);
    own?.drop(entry);
    if (own?.size() === 0) byAccount.delete(entry.account);
  }

  function isUnseen(book: number): boolean {
    return unseen.size > 0 && unseen.has(book);
  }

  function look(): void {
    for (const id of unseen) {
      const book = bookOf(id);
      if (book === undefined) continue;
      for (const entry of book.bids) take(entry, id, false);
      for (const entry of book.asks) take(entry, id, true);
    }
    unseen.clear();
  }

  return {
    note(id) {
      if (isUnseen(id)) return;
      unseen.add(id);
      const book = bookOf(id);
      book?.bids.forEach(forget);
      book?.asks.forEach(forget);
    },
    add(book, isSell, entry) {
      if (!isUnseen(book)) take(entry, book, isSell);
    },
    drop(book, entry) {
      if (!isUnseen(book)) forget(entry);
    },
    of(account) {
      if (unseen.size > 0) look();
      return byAccount.get(account);
    },
  };
}
