/**
 * Who has which orders in the books. One place of a side that changes is told by itself; of a book
 * that is changed as a whole all entries are forgotten before, and taken again when somebody asks.
 */
import {
  type AccountOrders,
  addOrder,
  createAccountOrders,
  dropOrder,
  type Resting,
  replaceOrder,
} from "../engine/pendingOrders.ts";
import type { Book, Entry } from "../protocol/state.ts";
import { createPages } from "./pages.ts";
import { insertAt, removeAt, sideOf } from "./places.ts";

export interface OpenOrderIndex {
  /** The book is about to be edited, put, or taken back to what it was. */
  note(book: number): void;
  /** An entry has come into `side` at `place`. */
  add(book: number, isSell: boolean, place: number, side: readonly Entry[]): void;
  /** The entry has left its place. */
  drop(book: number, isSell: boolean, place: number, entry: Entry): void;
  /** `entry` stands where `before` stood. */
  replace(
    book: number,
    isSell: boolean,
    place: number,
    change: { readonly before: Entry; readonly entry: Entry },
  ): void;
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
  /** Of the other ones: what is known of each entry. The best stands last: it goes most often. */
  const sides = createPages<Resting[]>();
  const byAccount = createPages<AccountOrders>();

  function take(entry: Entry, book: number, isSell: boolean): Resting {
    const { account } = entry;
    let own = byAccount.at(account);
    if (own === undefined) {
      own = createAccountOrders(account, slots);
      byAccount.put(account, own);
    }
    return addOrder(own, entry, book, isSell);
  }

  function forget(order: Resting): void {
    const { account } = order.entry;
    const own = byAccount.at(account)!;
    dropOrder(own, order);
    if (own.orders.length === 0) byAccount.put(account, undefined);
  }

  function note(book: number): void {
    unseen.add(book);
    for (const side of [sideOf(book, false), sideOf(book, true)]) {
      sides.at(side)?.forEach(forget);
      sides.put(side, undefined);
    }
  }

  function look(): void {
    for (const id of unseen) {
      const book = bookOf(id);
      if (book === undefined) continue;
      for (const isSell of [false, true]) {
        const entries = isSell ? book.asks : book.bids;
        const side = entries.map((entry) => take(entry, id, isSell));
        sides.put(sideOf(id, isSell), side.reverse());
      }
    }
    unseen.clear();
  }

  return {
    note,
    add(book, isSell, place, entries) {
      const side = sides.at(sideOf(book, isSell));
      if (side === undefined) return;
      // A side that was changed behind our back is looked at again.
      if (side.length + 1 !== entries.length) note(book);
      else insertAt(side, side.length - place, take(entries[place]!, book, isSell));
    },
    drop(book, isSell, place, entry) {
      const side = sides.at(sideOf(book, isSell));
      if (side === undefined) return;
      const at = side.length - 1 - place;
      const order = side[at];
      if (order?.entry !== entry) note(book);
      else {
        removeAt(side, at);
        forget(order);
      }
    },
    replace(book, isSell, place, { before, entry }) {
      const side = sides.at(sideOf(book, isSell));
      if (side === undefined) return;
      const at = side.length - 1 - place;
      const order = side[at];
      if (order?.entry !== before) note(book);
      else if (entry.account === before.account) {
        replaceOrder(byAccount.at(entry.account)!, order, entry);
      } else {
        side[at] = take(entry, book, isSell);
        forget(order);
      }
    },
    of(account) {
      if (unseen.size > 0) look();
      return byAccount.at(account);
    },
  };
}
