/**
 * The state as it was when a batch ended last: what the next one's circuit opens. Kept beside the
 * live state; the end of a batch brings over only what it touched.
 */
import type { StateReading } from "../engine/stateView.ts";
import type { Account, Book, Carry, Ranking, Roots, Series, Session } from "../protocol/state.ts";
import { emptyAccount, emptySession } from "../protocol/state.ts";
import type { MemoryState, Touched } from "../state/memoryState.ts";

/** Rows of the state that a batch has touched, and all that is not in rows. Plain data, copied. */
export interface StateChange {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly sessions: ReadonlyMap<number, Session>;
  /** Undefined: not there (any more). */
  readonly books: ReadonlyMap<number, Book | undefined>;
  readonly series: readonly Series[];
  readonly nextSeq: number;
  readonly carry: Carry | undefined;
  readonly fees: number;
  readonly ranking: Ranking | undefined;
}

export interface BaseState {
  account(id: number): Account;
  roots(): Roots;
  /** Takes the rows over as they are: nobody may change them afterwards. */
  advance(change: StateChange, roots: Roots): void;
  session(id: number): Session;
  book(id: number): Book | undefined;
  series(): readonly Series[];
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
    roots: () => current,
    session: (id) => sessions.get(id) ?? emptySession(),
    book: (id) => books.get(id),
    series: () => series,
    advance(change, newRoots) {
      current = newRoots;
      for (const [id, account] of change.accounts) accounts.set(id, account);
      for (const [id, session] of change.sessions) sessions.set(id, session);
      for (const [id, book] of change.books) {
        if (book === undefined) books.delete(id);
        else books.set(id, book);
      }
      series = change.series;
    },
  };
  base.advance(everythingOf(state), roots);
  return base;
}

function accountsOf(state: Pick<StateReading, "account">, ids: Iterable<number>) {
  return rowsOf(ids, (id) => copyAccount(state.account(id)));
}

/** What stands in the touched rows now. */
export function changeOf(
  state: StateReading,
  touched: Readonly<Record<keyof Touched, Iterable<number>>>,
): StateChange {
  const carry = state.carry();
  const ranking = state.ranking();
  return {
    accounts: accountsOf(state, touched.accounts),
    sessions: rowsOf(touched.sessions, (id) => copySession(state.session(id))),
    books: rowsOf(touched.books, (id) => copyBook(state.book(id))),
    series: state.series().map((slot) => ({ ...slot })),
    nextSeq: state.nextSeq(),
    carry: carry && { ...carry },
    fees: state.fees(),
    ranking: ranking && { ...ranking },
  };
}

/** The state after `change`, where `base` is the one before. */
export function readingAfter(base: BaseState, change: StateChange): StateReading {
  const { accounts, sessions, books } = change;
  return {
    account: (id) => accounts.get(id) ?? base.account(id),
    session: (id) => sessions.get(id) ?? base.session(id),
    book: (id) => (books.has(id) ? books.get(id) : base.book(id)),
    series: () => change.series,
    nextSeq: () => change.nextSeq,
    carry: () => change.carry,
    fees: () => change.fees,
    ranking: () => change.ranking,
  };
}

/** Sessions exist only for accounts that were deposited to or registered, in both tables' ids. */
function everythingOf(state: MemoryState): StateChange {
  const accounts = state.accountIds();
  const sessions = new Set([...accounts, ...state.touched().sessions]);
  return changeOf(state, { accounts, sessions, books: state.bookIds() });
}

function rowsOf<T>(ids: Iterable<number>, copy: (id: number) => T): Map<number, T> {
  return new Map([...ids].map((id) => [id, copy(id)]));
}

function copyAccount(account: Readonly<Account>): Account {
  return { ...account, positions: [...account.positions] };
}

function copySession(session: Readonly<Session>): Session {
  return { ...session, keys: session.keys.map((key) => ({ ...key })) };
}

/** Entries, weights and rates are replaced, never changed, so that copies share them. */
function copyBook(book: Readonly<Book> | undefined): Book | undefined {
  return book && { ...book, bids: [...book.bids], asks: [...book.asks] };
}
