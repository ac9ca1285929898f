/**
 * The state as it was at the last seal: what a batch's circuit opens. Kept beside the live state;
 * a seal copies over only what the batch touched.
 */
import type { StateView } from "../engine/stateView.ts";
import type { Account, Book, Roots, Series, Session } from "../protocol/state.ts";
import { emptyAccount, emptySession } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";

export interface BaseState {
  account(id: number): Account;
  session(id: number): Session;
  book(id: number): Book | undefined;
  series(): readonly Series[];
  roots(): Roots;
  /** Takes over the given ids from the live state, and the series table and roots. */
  advance(
    state: StateView,
    touched: { accounts: Iterable<number>; sessions: Iterable<number>; books: Iterable<number> },
    roots: Roots,
  ): void;
}

/** A copy of everything in `state`, whose trees have `roots`. */
export function createBaseState(state: MemoryState, roots: Roots): BaseState {
  const accounts = new Map<number, Account>();
  const sessions = new Map<number, Session>();
  const books = new Map<number, Book>();
  let series: readonly Series[] = [];
  let current = roots;
  const base: BaseState = {
    account: (id) => accounts.get(id) ?? emptyAccount(state.slots),
    session: (id) => sessions.get(id) ?? emptySession(),
    book: (id) => books.get(id),
    series: () => series,
    roots: () => current,
    advance(view, touched, newRoots) {
      for (const id of touched.accounts) accounts.set(id, structuredClone(view.account(id)));
      for (const id of touched.sessions) sessions.set(id, structuredClone(view.session(id)));
      for (const id of touched.books) {
        const book = view.book(id);
        if (book === undefined) books.delete(id);
        else books.set(id, structuredClone(book));
      }
      series = view.series().map((slot) => ({ ...slot }));
      current = newRoots;
    },
  };
  const ids = state.accountIds();
  base.advance(
    state,
    { accounts: ids, sessions: sessionIds(state), books: state.bookIds() },
    roots,
  );
  return base;
}

/** Sessions exist only for accounts that were deposited to or registered, in both tables' ids. */
function sessionIds(state: MemoryState): number[] {
  const { sessions } = state.touched();
  return [...new Set([...state.accountIds(), ...sessions])];
}
