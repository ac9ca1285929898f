/** The state in memory, with an undo journal and a record of what was edited. */
import type { OpenOrder } from "../engine/pendingOrders.ts";
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
import {
  type ExportedChange,
  type ExportedState,
  exportChangeOf,
  exportParts,
  importParts,
} from "./exportedState.ts";
import { createGathered, type Gathered } from "./gathered.ts";
import { createHoldingEdits } from "./holdings.ts";
import { createJournal, createTable, type Table } from "./journal.ts";
import { createOpenOrderIndex, type OpenOrderIndex } from "./openOrders.ts";
import { createSideEdits } from "./sides.ts";

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
  /**
   * Every row that was edited since the last call (or {@link MemoryState.forgetChanges}, or the
   * empty state), as it is now, and all that stands in no rows; begins anew. It costs what has
   * changed, whatever the state's size.
   */
  exportChange(): ExportedChange;
  /** The next change is one since now. */
  forgetChanges(): void;
  /** For whoever follows the state: at first all ids that are there, then those edited since. */
  watchTouched(): Pick<Gathered, "take">;
  /** Replaces everything, journal included; every id that is there counts as touched. */
  importState(exported: ExportedState): void;
}

interface Parts {
  readonly accounts: Table<Account>;
  readonly sessions: Table<Session>;
  readonly books: Table<Book>;
  readonly openOrders: OpenOrderIndex;
  series: readonly Series[];
  listings: number;
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

  const touched: Touched = {
    accounts: accounts.touched,
    sessions: sessions.touched,
    books: books.touched,
  };
  const gathered = createGathered();
  const gatherers = [gathered];
  const clearTouched = (): void => {
    for (const each of gatherers) each.add(touched);
    for (const table of [accounts, sessions, books]) table.touched.clear();
  };
  const rows = { accounts: accounts.rows, sessions: sessions.rows, books: books.rows };
  const state: MemoryState = {
    shape,
    slots: shape.slots,
    depth: shape.depth,
    unit: shape.unit,
    account: (id) => accounts.rows.get(id) ?? noAccount,
    session: (id) => sessions.rows.get(id) ?? noSession,
    book: (id) => books.rows.get(id),
    series: () => parts.series,
    listings: () => parts.listings,
    nextSeq: () => parts.nextSeq,
    carry: () => parts.carry,
    fees: () => parts.fees,
    ranking: () => parts.ranking,
    editAccount: accounts.edit,
    ...createHoldingEdits(accounts, journal),
    editSession: sessions.edit,
    editBook: books.edit,
    putBook: books.put,
    ...createSideEdits({ books, journal, openOrders: parts.openOrders }),
    ...scalarEdits(parts, journal),
    checkpoint: journal.checkpoint,
    rollback: journal.rollback,
    commit: journal.clear,
    touched: () => touched,
    clearTouched,
    hasAccount: (id) => accounts.rows.has(id),
    accountIds: accounts.ids,
    bookIds: books.ids,
    ordersOf: parts.openOrders.of,
    openOrdersOf: (account) =>
      parts.openOrders.of(account)?.list(state.session(account).watermark) ?? [],
    exportState: () => exportParts(shape, { ...parts, ...rows }),
    exportChange() {
      gathered.add(touched);
      return exportChangeOf(shape, { ...parts, ...rows }, gathered.take());
    },
    forgetChanges: () => void gathered.take(),
    watchTouched() {
      const own = createGathered();
      gatherers.push(own);
      own.add({
        accounts: new Set(accounts.rows.keys()),
        sessions: new Set(sessions.rows.keys()),
        books: new Set(books.rows.keys()),
      });
      return {
        take: () => {
          own.add(touched);
          return own.take();
        },
      };
    },
    importState(exported) {
      const imported = importParts(shape, exported);
      journal.clear();
      clearTouched();
      accounts.refill(imported.accounts);
      sessions.refill(imported.sessions);
      books.refill(imported.books);
      parts.series = imported.series;
      parts.listings += 1;
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
  const openOrders = createOpenOrderIndex(shape.slots, (id) => books.rows.get(id));
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
    listings: 0,
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
): Pick<
  StateView,
  "editSeries" | "addHolders" | "setNextSeq" | "setCarry" | "setFees" | "setRanking"
> {
  type Name = Exclude<keyof Parts, "listings" | "accounts" | "sessions" | "books" | "openOrders">;
  const recordSlot = journal.recorder<number>((slot) => {
    const before = { ...parts.series[slot]! };
    return () => {
      parts.series = parts.series.with(slot, before);
      parts.listings += 1;
    };
  });
  function seriesOf(slot: number): Series {
    const series = parts.series[slot];
    if (series !== undefined) return series;
    throw new RangeError(`\`slot\` must be below ${parts.series.length}. Got \`${slot}\`.`);
  }
  function set<K extends Name>(name: K, value: Parts[K]): void {
    const before = parts[name];
    if (before === value) return;
    parts[name] = value;
    if (journal.isRecording()) {
      journal.note(() => {
        parts[name] = before;
      });
    }
  }
  return {
    editSeries(slot) {
      const series = seriesOf(slot);
      recordSlot(slot);
      parts.listings += 1;
      return series;
    },
    addHolders(slot, difference) {
      seriesOf(slot).holders += difference;
      if (!journal.isRecording()) return;
      journal.note(() => {
        seriesOf(slot).holders -= difference;
      });
    },
    setNextSeq: (seq) => set("nextSeq", seq),
    setCarry: (carry) => set("carry", carry),
    setFees: (fees) => set("fees", fees),
    setRanking: (ranking) => set("ranking", ranking),
  };
}
