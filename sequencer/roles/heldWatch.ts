/** Finds what has come true for held words by prices and by time, and which cannot act any more. */
import type { Drop } from "../protocol/heldWord.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { HeldRecord } from "./accountRecords.ts";
import { type HeldBook, messageOfHeld } from "./heldBook.ts";
import { isPriceMet, type Prices, pricesOf } from "./heldConditions.ts";

export interface HeldWatch {
  /** The account's chains or keys may have moved. */
  moved(account: number): void;
  /** The word has come, or waits for something else now. */
  changed(held: HeldRecord): void;
  /**
   * Words whose present condition is true, by each fresh snapshot and by the time, in the order in
   * which they were left.
   */
  met(now: number, isWatched: (held: HeldRecord) => boolean): readonly HeldRecord[];
  /** Words that cannot act any more. */
  over(now: number, isWatched: (held: HeldRecord) => boolean): readonly HeldOver[];
}

export interface HeldOver {
  readonly held: HeldRecord;
  readonly reason: Drop;
}

interface Watching {
  readonly state: MemoryState;
  readonly book: HeldBook;
  snapshot(): Snapshot | undefined;
}

export function createHeldWatch({ state, book, snapshot }: Watching): HeldWatch {
  const movedAccounts = new Set<number>();
  let snapshotTime = 0;
  /** Nothing hangs on the time before it (unix ms). */
  let nextDue = 0;
  const pricesNow = (): Prices | undefined => {
    const newest = snapshot();
    if (newest === undefined || newest.time <= snapshotTime) return undefined;
    snapshotTime = newest.time;
    return pricesOf(state, newest);
  };
  // A key that changes its expiry is another key, which `chainFault` finds.
  const known = new WeakMap<HeldRecord, HeldEndAt>();
  const ends = (held: HeldRecord): HeldEndAt => {
    const end = known.get(held) ?? endOf(state, held);
    known.set(held, end);
    return end;
  };
  const dueOf = (held: HeldRecord): number => {
    const condition = held.conditions[held.met];
    const { at } = ends(held);
    return condition?.type === "time" ? Math.min(condition.at, at) : at;
  };
  return {
    moved: (account) => void movedAccounts.add(account),
    changed: (held) => {
      nextDue = Math.min(nextDue, dueOf(held));
    },
    met: (now, isWatched) => {
      const prices = pricesNow();
      if (prices === undefined && now < nextDue) return [];
      return [...book.all()].filter((held) => {
        const condition = held.conditions[held.met];
        if (condition === undefined || !isWatched(held)) return false;
        if (condition.type === "time") return condition.at <= now;
        return prices !== undefined && isPriceMet(condition, prices);
      });
    },
    over: (now, isWatched) => {
      const found: HeldOver[] = [];
      if (now >= nextDue) {
        nextDue = Number.POSITIVE_INFINITY;
        for (const held of book.all()) {
          const end = ends(held);
          const isOver = end.at <= now;
          // What is on its way will be told of soon; then it is looked at again.
          if (isOver && isWatched(held)) found.push({ held, reason: end.reason });
          nextDue = Math.min(nextDue, isOver ? now + RECHECK_MS : dueOf(held));
        }
      }
      for (const account of movedAccounts) {
        for (const held of book.of(account)) {
          const reason = isWatched(held) ? chainFault({ state, book }, held) : undefined;
          if (reason !== undefined) found.push({ held, reason });
        }
      }
      movedAccounts.clear();
      return found;
    },
  };
}

/** Until what is on its way is looked at again (ms). */
const RECHECK_MS = 100;

interface HeldEndAt {
  /** Unix ms. */
  readonly at: number;
  readonly reason: Drop;
}

/** When nothing can come of it any more (unix ms). */
function endOf(state: MemoryState, held: HeldRecord): HeldEndAt {
  const message = messageOfHeld(held);
  const key = state.session(held.account).keys[held.keyIndex];
  const ends: HeldEndAt[] = [
    { at: message.deadline, reason: "deadlinePassed" },
    { at: (key?.expiry ?? 0) * 1000, reason: "keyExpired" },
  ];
  if (message.kind !== "cancelAll") {
    const weights = state.book(message.book)?.weights ?? [];
    const legs = state.series().filter((_, slot) => (weights[slot] ?? 0) !== 0);
    const expiry = Math.min(...legs.map((series) => series.expiry));
    ends.push({ at: expiry * 1000, reason: "bookClosed" });
  }
  return ends.reduce((first, other) => (other.at < first.at ? other : first));
}

/** Why the word extends nothing that its key's chain can still come to. */
function chainFault(
  { state, book }: Pick<Watching, "state" | "book">,
  held: HeldRecord,
): Drop | undefined {
  const key = state.session(held.account).keys[held.keyIndex];
  if (key === undefined || key.version !== held.version || (key.x === 0n && key.y === 0n)) {
    return "keyChanged";
  }
  if (key.head === held.before) return undefined;
  return held.follows !== null && book.get(held.follows) !== undefined ? undefined : "headUsed";
}
