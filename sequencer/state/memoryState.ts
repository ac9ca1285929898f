/** The state in memory, with an undo journal and a record of what was edited. */
import { listOrders, type OpenOrder } from "../engine/pendingOrders.ts";
import type { StateView } from "../engine/stateView.ts";
import {
  type Account,
  type Book,
  emptyAccount,
  emptySeries,
  emptySession,
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
import { createJournal, type Journal } from "./journal.ts";
import { createOpenOrderIndex, type OpenOrderIndex } from "./openOrders.ts";
import { createScalarEdits, type Scalars } from "./scalars.ts";
import { createSideEdits } from "./sides.ts";
import { createTable, type Table } from "./table.ts";
import { createFloors, createRatesOfBooks, type Floors } from "./values.ts";

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

interface Parts extends Scalars {
  readonly accounts: Table<Account>;
  readonly sessions: Table<Session>;
  readonly books: Table<Book>;
  readonly openOrders: OpenOrderIndex;
  readonly floors: Floors;
}

/** The state before anything happened: `nextSeq` 1, no accounts, no series, no books. */
export function createMemoryState(shape: Shape): MemoryState {
  const journal = createJournal();
  const parts = createParts(shape, journal);
  const { accounts, sessions, books, openOrders, floors } = parts;
  const rates = createRatesOfBooks();
  const scalars = createScalarEdits(parts, journal);
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
    for (const table of [accounts, sessions, books]) table.clearTouched();
  };
  const rows = { accounts: accounts.rows, sessions: sessions.rows, books: books.rows };
  const state: MemoryState = {
    shape,
    slots: shape.slots,
    depth: shape.depth,
    unit: shape.unit,
    account: (id) => accounts.at(id) ?? noAccount,
    session: (id) => sessions.at(id) ?? noSession,
    book: books.at,
    series: () => parts.series,
    listings: () => parts.listings,
    nextSeq: () => parts.nextSeq,
    carry: () => parts.carry,
    fees: () => parts.fees,
    ranking: () => parts.ranking,
    editAccount: accounts.edit,
    ...createHoldingEdits(accounts, { floors, journal, addHolders: scalars.addHolders }),
    editSession: sessions.edit,
    editBook: books.edit,
    putBook: books.put,
    ...createSideEdits({ books, journal, openOrders }),
    ...scalars,
    checkpoint: journal.checkpoint,
    rollback: journal.rollback,
    commit: journal.clear,
    touched: () => touched,
    clearTouched,
    hasAccount: (id) => accounts.rows.has(id),
    accountIds: accounts.ids,
    bookIds: books.ids,
    ordersOf: openOrders.of,
    openOrdersOf(account) {
      const own = openOrders.of(account);
      return own === undefined ? [] : listOrders(own, state.session(account).watermark);
    },
    floorOf: (id, risk, enough) => floors.of(id, state.account(id), risk, enough),
    ratesOf(id, risk) {
      const book = books.at(id);
      if (book === undefined) throw new RangeError(`Book \`${id}\` was never opened.`);
      return rates.of(id, book, risk);
    },
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

function createParts(shape: Shape, journal: Journal): Parts {
  const accountsMax = 4 ** shape.accountLevels;
  const floors = createFloors(journal);
  const openOrders = createOpenOrderIndex(shape.slots, (id) => books.at(id));
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
    ...{ books, openOrders, floors },
    accounts: createTable({
      name: "account",
      size: accountsMax,
      journal,
      create: () => emptyAccount(shape.slots),
      clone: (account) => ({ ...account, positions: [...account.positions] }),
      note: floors.note,
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
