/** Price levels of the books as the public sees them, and their changes. */
import { isVoid } from "../engine/bookState.ts";
import type { StateView } from "../engine/stateView.ts";
import type { BookChange, BookLevel, LevelChange } from "../market/publicBook.ts";
import type { Entry } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Effect } from "./effect.ts";

export interface DepthTracker {
  /** Changes by one executed entry; at most one for each book. */
  observe(effect: Effect): BookChange[];
  /** Best level first; undefined: never opened. */
  depth(book: number, levels: number): Depth | undefined;
}

export interface Depth {
  readonly changeId: number;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

/**
 * A change has the id `position + 1` of its entry in the log: it grows, survives restarts, and no
 * entry changes a book twice. `position`: of the next entry.
 */
export function createDepthTracker(options: {
  state: MemoryState;
  position: number;
}): DepthTracker {
  const { state, position } = options;
  const known = new Map<number, Depth>();
  for (const book of state.bookIds()) {
    const depth = readDepth(state, book, position);
    if (depth !== undefined) known.set(book, depth);
  }

  function observe(effect: Effect): BookChange[] {
    const changes: BookChange[] = [];
    for (const book of touchedBooks(effect, known)) {
      const before = known.get(book);
      const after = readDepth(state, book, effect.position + 1);
      if (after === undefined) continue;
      const bids = levelChanges(before?.bids ?? [], after.bids);
      const asks = levelChanges(before?.asks ?? [], after.asks);
      if (before !== undefined && bids.length === 0 && asks.length === 0) continue;
      known.set(book, after);
      changes.push({
        book,
        changeId: after.changeId,
        prevChangeId: before?.changeId ?? 0,
        time: effect.batch.time,
        bids,
        asks,
      });
    }
    return changes;
  }

  function depth(book: number, levels: number): Depth | undefined {
    const found = known.get(book);
    if (found === undefined) return undefined;
    const { changeId, bids, asks } = found;
    return { changeId, bids: bids.slice(0, levels), asks: asks.slice(0, levels) };
  }

  return { observe, depth };
}

function touchedBooks(effect: Effect, all: ReadonlyMap<number, unknown>): Set<number> {
  const books = new Set<number>();
  const { operation } = effect;
  if (operation?.operation.kind === "openBook") books.add(operation.operation.book);
  if (operation?.operation.kind === "forcedCancelAll") {
    for (const book of all.keys()) books.add(book);
  }
  for (const step of effect.steps) {
    // A liquidation voids what its account has in any book.
    if (step.kind === "liquidate") for (const book of all.keys()) books.add(book);
    if ("order" in step) books.add(step.order.before.book);
    else if (step.kind === "purge") books.add(step.book);
    else if (step.kind === "cancel" && step.message.kind === "cancel") books.add(step.message.book);
    else if (step.kind === "cancelAll") for (const book of all.keys()) books.add(book);
  }
  return books;
}

function readDepth(state: StateView, id: number, changeId: number): Depth | undefined {
  const book = state.book(id);
  if (book === undefined) return undefined;
  return { changeId, bids: levelsOf(state, book.bids), asks: levelsOf(state, book.asks) };
}

/** Entries stand best first, so equal prices are neighbours. */
function levelsOf(state: StateView, entries: readonly Entry[]): BookLevel[] {
  const levels: { price: number; lots: number; orders: number }[] = [];
  for (const entry of entries) {
    if (isVoid(state, entry)) continue;
    const last = levels.at(-1);
    if (last?.price === entry.price) {
      last.lots += entry.lots;
      last.orders += 1;
    } else levels.push({ price: entry.price, lots: entry.lots, orders: 1 });
  }
  return levels;
}

function levelChanges(before: readonly BookLevel[], after: readonly BookLevel[]): LevelChange[] {
  const old = new Map(before.map((level) => [level.price, level]));
  const changes: LevelChange[] = [];
  for (const level of after) {
    const previous = old.get(level.price);
    old.delete(level.price);
    if (previous === undefined) changes.push({ ...level, action: "new" });
    else if (previous.lots !== level.lots || previous.orders !== level.orders) {
      changes.push({ ...level, action: "change" });
    }
  }
  for (const { price } of old.values()) {
    changes.push({ price, lots: 0, orders: 0, action: "delete" });
  }
  return changes;
}
