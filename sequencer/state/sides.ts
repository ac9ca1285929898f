/** Changes of one place of a book's side: each undoes itself, and tells the index of orders. */
import type { StateView } from "../engine/stateView.ts";
import type { Book, Entry } from "../protocol/state.ts";
import type { Journal, Table } from "./journal.ts";
import type { OpenOrderIndex } from "./openOrders.ts";

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
    const book = books.rows.get(id);
    if (book === undefined) throw new RangeError(`Book \`${id}\` was never opened.`);
    books.touched.add(id);
    return isSell ? book.asks : book.bids;
  }

  function insert(id: number, isSell: boolean, place: number, entry: Entry): void {
    const side = touch(id, isSell);
    // By hand: splice makes an array of what it removes.
    for (let at = side.length; at > place; at--) side[at] = side[at - 1]!;
    side[place] = entry;
    openOrders.add(id, isSell, entry);
  }

  function remove(id: number, isSell: boolean, place: number): Entry | undefined {
    const side = touch(id, isSell);
    const entry = side[place];
    if (entry === undefined) return undefined;
    for (let at = place + 1; at < side.length; at++) side[at - 1] = side[at]!;
    side.pop();
    openOrders.drop(id, entry);
    return entry;
  }

  function replace(id: number, isSell: boolean, place: number, entry: Entry): Entry | undefined {
    const side = touch(id, isSell);
    const before = side[place];
    if (before === undefined) return undefined;
    side[place] = entry;
    openOrders.drop(id, before);
    openOrders.add(id, isSell, entry);
    return before;
  }

  function requireEntry(entry: Entry | undefined, place: number): Entry {
    if (entry === undefined) throw new RangeError(`No order stands in place \`${place}\`.`);
    return entry;
  }

  return {
    insertOrder(id, isSell, place, entry) {
      const { length } = touch(id, isSell);
      if (!(place >= 0 && place <= length)) {
        throw new RangeError(`\`place\` must be at most \`${length}\`. Got \`${place}\`.`);
      }
      insert(id, isSell, place, entry);
      if (journal.isRecording()) journal.note(() => void remove(id, isSell, place));
    },
    replaceOrder(id, isSell, place, entry) {
      const before = requireEntry(replace(id, isSell, place, entry), place);
      if (journal.isRecording()) journal.note(() => void replace(id, isSell, place, before));
    },
    removeOrder(id, isSell, place) {
      const entry = requireEntry(remove(id, isSell, place), place);
      if (journal.isRecording()) {
        journal.note(() => {
          const { length } = touch(id, isSell);
          insert(id, isSell, Math.min(place, length), entry);
        });
      }
      return entry;
    },
  };
}
