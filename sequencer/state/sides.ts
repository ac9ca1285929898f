/** Changes of one place of a book's side: each undoes itself, and tells the index of orders. */
import type { StateView } from "../engine/stateView.ts";
import type { Book, Entry } from "../protocol/state.ts";
import type { Journal } from "./journal.ts";
import type { OpenOrderIndex } from "./openOrders.ts";
import { insertAt, removeAt, sideOf } from "./places.ts";
import type { Table } from "./table.ts";

export type SideEdits = Pick<StateView, "insertOrder" | "replaceOrder" | "removeOrder">;

/**
 * Throws RangeError for books that were never opened, and for places that are not there. What is
 * undone on a book that was also edited as a whole may find other entries than it left: the copy
 * of the whole is put back after it, and the index is told of what is really there.
 */
export function createSideEdits({
  books,
  journal,
  openOrders,
}: {
  readonly books: Table<Book>;
  readonly journal: Journal;
  readonly openOrders: OpenOrderIndex;
}): SideEdits {
  function touch(id: number, isSell: boolean): Entry[] {
    const book = books.at(id);
    if (book === undefined) throw new RangeError(`Book \`${id}\` was never opened.`);
    books.touch(id);
    return isSell ? book.asks : book.bids;
  }

  function remove(id: number, isSell: boolean, place: number): Entry | undefined {
    const side = touch(id, isSell);
    const entry = side[place];
    if (entry === undefined) return undefined;
    removeAt(side, place);
    openOrders.drop(id, isSell, place, entry);
    return entry;
  }

  function replace(id: number, isSell: boolean, place: number, entry: Entry): Entry | undefined {
    const side = touch(id, isSell);
    const before = side[place];
    if (before === undefined) return undefined;
    side[place] = entry;
    openOrders.replace(id, isSell, place, { before, entry });
    return before;
  }

  function requireEntry(entry: Entry | undefined, place: number): Entry {
    if (entry === undefined) throw new RangeError(`No order stands in place \`${place}\`.`);
    return entry;
  }

  // A side's number is twice its book's, and one more for offers.
  function undoInsert(_: undefined, side: number, place: number): void {
    remove(side >> 1, side % 2 === 1, place);
  }

  function undoReplace(before: Entry, side: number, place: number): void {
    replace(side >> 1, side % 2 === 1, place, before);
  }

  function undoRemove(entry: Entry, side: number, place: number): void {
    const entries = touch(side >> 1, side % 2 === 1);
    const there = Math.min(place, entries.length);
    insertAt(entries, there, entry);
    openOrders.add(side >> 1, side % 2 === 1, there, entries);
  }

  return {
    insertOrder(id, isSell, place, entry) {
      const side = touch(id, isSell);
      if (!(place >= 0 && place <= side.length)) {
        throw new RangeError(`\`place\` must be at most \`${side.length}\`. Got \`${place}\`.`);
      }
      insertAt(side, place, entry);
      openOrders.add(id, isSell, place, side);
      if (journal.isRecording()) journal.note(undoInsert, undefined, sideOf(id, isSell), place);
    },
    replaceOrder(id, isSell, place, entry) {
      const before = requireEntry(replace(id, isSell, place, entry), place);
      if (journal.isRecording()) journal.note(undoReplace, before, sideOf(id, isSell), place);
    },
    removeOrder(id, isSell, place) {
      const entry = requireEntry(remove(id, isSell, place), place);
      if (journal.isRecording()) journal.note(undoRemove, entry, sideOf(id, isSell), place);
      return entry;
    },
  };
}
