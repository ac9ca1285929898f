/** The state in memory, with an undo journal and a record of what was edited. */
import { isVoid } from "../engine/bookState.ts";
import type { OpenOrder } from "../engine/door.ts";
import type { StateView } from "../engine/stateView.ts";
import {
  type Account,
  type Book,
  type Carry,
  emptyAccount,
  emptySeries,
  emptySession,
  type Ranking,
  type Series,
  type Session,
  type Shape,
} from "../protocol/state.ts";
import { type ExportedState, exportParts, importParts } from "./exportedState.ts";
import { createJournal, createTable, type Table } from "./journal.ts";
import { createOpenOrderIndex, type OpenOrderIndex } from "./openOrders.ts";

/** Ids that were edited; an id may stand here though its edit was undone. */
export interface Touched {
  readonly accounts: ReadonlySet<number>;
  readonly sessions: ReadonlySet<number>;
  readonly books: ReadonlySet<number>;
}

export interface MemoryState extends StateView {
  readonly shape: Shape;
  /** Forgets the journal: points taken before can no longer be returned to. */
  commit(): void;
  /** What was edited since {@link MemoryState.clearTouched}; live sets. */
  touched(): Touched;
  clearTouched(): void;
  /** Whether the account was ever edited. */
  hasAccount(id: number): boolean;
  /** Ids of the accounts that were ever edited, ascending. */
  accountIds(): number[];
  /** Ids of the books that were ever opened, ascending. */
  bookIds(): number[];
  /** Live orders of an account: those that are not void, in no order. */
  openOrdersOf(account: number): OpenOrder[];
  exportState(): ExportedState;
  /** Replaces everything, journal included; every id that is there counts as touched. */
  importState(exported: ExportedState): void;
}

interface Parts {
  readonly accounts: Table<Account>;
  readonly sessions: Table<Session>;
  readonly books: Table<Book>;
  readonly openOrders: OpenOrderIndex;
  series: readonly Series[];
  nextSeq: number;
  carry: Carry | undefined;
  fees: number;
  ranking: Ranking | undefined;
}

/** The state before anything happened: `nextSeq` 1, no accounts, no series, no books. */
export function createMemoryState(shape: Shape): MemoryState {
  const journal = createJournal();
  const parts = createParts(shape, journal);
  const { accounts, sessions, books } = parts;
  // Shared by all ids that were never edited, so nobody may write to them.
  const noAccount = Object.freeze(emptyAccount(shape.slots));
  Object.freeze(noAccount.positions);
  const noSession = Object.freeze(emptySession());
  Object.freeze(noSession.keys);

  const clearTouched = (): void => {
    for (const table of [accounts, sessions, books]) table.touched.clear();
  };
  const state: MemoryState = {
    shape,
    slots: shape.slots,
    depth: shape.depth,
    unit: shape.unit,
    account: (id) => accounts.rows.get(id) ?? noAccount,
    session: (id) => sessions.rows.get(id) ?? noSession,
    book: (id) => books.rows.get(id),
    series: () => parts.series,
    nextSeq: () => parts.nextSeq,
    carry: () => parts.carry,
    fees: () => parts.fees,
    ranking: () => parts.ranking,
    editAccount: accounts.edit,
    editSession: sessions.edit,
    editBook: books.edit,
    putBook: books.put,
    ...scalarEdits(parts, journal),
    checkpoint: journal.checkpoint,
    rollback: journal.rollback,
    commit: journal.clear,
    touched: () => ({
      accounts: accounts.touched,
      sessions: sessions.touched,
      books: books.touched,
    }),
    clearTouched,
    hasAccount: (id) => accounts.rows.has(id),
    accountIds: accounts.ids,
    bookIds: books.ids,
    openOrdersOf: (account) =>
      [...parts.openOrders.of(account)].filter((order) => !isVoid(state, order)),
    exportState() {
      const rows = { accounts: accounts.rows, sessions: sessions.rows, books: books.rows };
      return exportParts(shape, { ...parts, ...rows });
    },
    importState(exported) {
      const imported = importParts(shape, exported);
      journal.clear();
      clearTouched();
      accounts.refill(imported.accounts);
      sessions.refill(imported.sessions);
      books.refill(imported.books);
      parts.series = imported.series;
      parts.nextSeq = imported.nextSeq;
      parts.carry = imported.carry;
      parts.fees = imported.fees;
      parts.ranking = imported.ranking;
    },
  };
  return state;
}

function createParts(shape: Shape, journal: ReturnType<typeof createJournal>): Parts {
  const accountsMax = 4 ** shape.accountLevels;
  const openOrders = createOpenOrderIndex((id) => books.rows.get(id));
  const books = createTable<Book>({
    name: "book",
    size: 4 ** shape.bookLevels,
    journal,
    create: () => {
      throw new RangeError("`book` was never opened: put it before it is edited.");
    },
    clone: cloneBook,
    note: openOrders.note,
  });
  return {
    ...{ books, openOrders },
    accounts: createTable({
      name: "account",
      size: accountsMax,
      journal,
      create: () => emptyAccount(shape.slots),
      clone: (account) => ({ ...account, positions: [...account.positions] }),
    }),
    sessions: createTable({
      name: "session",
      size: accountsMax,
      journal,
      create: emptySession,
      clone: (session) => ({ ...session, keys: session.keys.map((key) => ({ ...key })) }),
    }),
    series: Array.from({ length: shape.slots }, emptySeries),
    nextSeq: 1,
    carry: undefined,
    fees: 0,
    ranking: undefined,
  };
}

/** Entries, weights and rates are replaced, never changed, so that copies share them. */
function cloneBook(book: Book): Book {
  return { ...book, bids: [...book.bids], asks: [...book.asks] };
}

/** Edits of what is not a table. */
function scalarEdits(
  parts: Parts,
  journal: ReturnType<typeof createJournal>,
): Pick<StateView, "editSeries" | "setNextSeq" | "setCarry" | "setFees" | "setRanking"> {
  type Name = Exclude<keyof Parts, "accounts" | "sessions" | "books" | "openOrders">;
  const record = journal.recorder<Name>((name) => {
    const before = { [name]: parts[name] };
    return () => void Object.assign(parts, before);
  });
  const recordSlot = journal.recorder<number>((slot) => {
    const before = { ...parts.series[slot]! };
    return () => {
      parts.series = parts.series.with(slot, before);
    };
  });
  function set<K extends Name>(name: K, value: Parts[K]): void {
    record(name);
    parts[name] = value;
  }
  return {
    editSeries(slot) {
      const series = parts.series[slot];
      if (series === undefined) {
        throw new RangeError(`\`slot\` must be below ${parts.series.length}. Got \`${slot}\`.`);
      }
      recordSlot(slot);
      return series;
    },
    setNextSeq: (seq) => set("nextSeq", seq),
    setCarry: (carry) => set("carry", carry),
    setFees: (fees) => set("fees", fees),
    setRanking: (ranking) => set("ranking", ranking),
  };
}
