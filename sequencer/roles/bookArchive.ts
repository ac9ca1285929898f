/** What the ids of books have meant and when, since they are used again for other combinations. */
import { generationOf } from "../engine/bookState.ts";
import { legsOf } from "../engine/kept.ts";
import type { BookOpening } from "../market/publicBook.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Effect } from "./effect.ts";

/** Openings that a node remembers of what ids have meant before; what they mean now is extra. */
export const PAST_OPENINGS_KEPT = 5000;

export interface BookArchive {
  /** Right after the entry's execution. */
  observe(effect: Effect): void;
  /** Of each book oldest first; JSON-safe. */
  openings(): readonly BookOpening[];
}

/**
 * Begins with what the ids mean now; `memory` is of the same moment. `time`: the latest in the log
 * (unix ms), from which a book is known that `memory` says nothing of.
 */
export function createBookArchive(
  state: Pick<MemoryState, "series" | "book" | "bookIds">,
  time: number,
  memory: readonly BookOpening[] = [],
): BookArchive {
  const past = memory.filter(({ until }) => until !== null);
  const present = new Map(
    memory.filter(({ until }) => until === null).map((opening) => [opening.book, opening]),
  );
  const begin = (book: number, weights: readonly number[], since: number): void => {
    const table = state.series();
    const legs = legsOf(weights).map(({ slot, weight }) => {
      return { slot, weight, generation: table[slot]!.generation };
    });
    present.set(book, { book, legs, since, until: null });
  };
  const end = (book: number, until: number): void => {
    const before = present.get(book);
    if (before === undefined) return;
    // Whichever ended first is forgotten first: of an id that is always the oldest.
    past.push({ ...before, until });
    if (past.length > PAST_OPENINGS_KEPT) past.shift();
  };
  for (const id of state.bookIds()) {
    const book = state.book(id);
    if (book === undefined || present.has(id)) continue;
    // Where a leg has been listed again nobody knows the series of its time, nor trades in it.
    if (generationOf(book.weights, state.series()) !== book.generation) continue;
    begin(id, book.weights, time);
  }
  return {
    observe: ({ operation, batch }) => {
      if (operation?.outcome !== "executed" || operation.operation.kind !== "openBook") return;
      const { book, weights } = operation.operation;
      end(book, batch.time);
      begin(book, weights, batch.time);
    },
    openings: () => [...past, ...present.values()],
  };
}
