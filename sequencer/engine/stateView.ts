/** The state as the engine sees it. Implementations: `state/memoryState.ts` and its wrappers. */
import type { Account, Book, Carry, Entry, Ranking, Series, Session } from "../protocol/state.ts";
import type { BookRates } from "./kept.ts";
import type { AccountOrders } from "./pendingOrders.ts";
import type { Risk } from "./risk.ts";

/**
 * Getters return the live object; the engine changes it only after `edit*` has been called for
 * it in the same operation, so that implementations can record or undo.
 */
export interface StateView {
  readonly slots: number;
  readonly depth: number;
  readonly unit: number;
  account(id: number): Readonly<Account>;
  session(id: number): Readonly<Session>;
  /** Undefined: never opened. */
  book(id: number): Readonly<Book> | undefined;
  series(): readonly Readonly<Series>[];
  nextSeq(): number;
  carry(): Carry | undefined;
  /** 1e-6 USDC that fills have paid and nobody has collected. */
  fees(): number;
  ranking(): Ranking | undefined;
  editAccount(id: number): Account;
  /** What `editAccount` would do for one number, without copying the account. */
  setCash(id: number, cash: number): void;
  setLots(id: number, slot: number, lots: number): void;
  /**
   * What `setCash`, `setLots` for each leg of a book of which so many lots are bought (or sold, not
   * 0), and `addHolders` would do.
   */
  exchange(id: number, cash: number, rates: BookRates, signedLots: number): void;
  editSession(id: number): Session;
  editBook(id: number): Book;
  putBook(id: number, book: Book): void;
  /** One place of a side of an open book: what `editBook` would do, without copying the book. */
  insertOrder(book: number, isSell: boolean, place: number, entry: Entry): void;
  replaceOrder(book: number, isSell: boolean, place: number, entry: Entry): void;
  /** Returns what stood there. */
  removeOrder(book: number, isSell: boolean, place: number): Entry;
  editSeries(slot: number): Series;
  setNextSeq(seq: number): void;
  setCarry(carry: Carry | undefined): void;
  setFees(fees: number): void;
  setRanking(ranking: Ranking | undefined): void;
  /** Of an account that has orders in books. */
  ordersOf(account: number): AccountOrders | undefined;
  /**
   * No more than the account's positions are worth in any scenario, in lot ticks, four times the
   * value it stands for: the least value itself where less than `enough` is known of it.
   */
  floorOf(account: number, risk: Risk, enough: number): number;
  /** What the weights of an open book are worth. */
  ratesOf(book: number, risk: Risk): BookRates;
  /** Another number as soon as terms, status or generation of a series may be other ones. */
  listings(): number;
  /** Counts an account more (or fewer) that holds a position in the slot. */
  addHolders(slot: number, difference: number): void;
  /** A point to which {@link StateView.rollback} can return; points nest. */
  checkpoint(): number;
  rollback(point: number): void;
}

/** What of the state is under its root. */
export type StateReading = Pick<
  StateView,
  "account" | "session" | "book" | "series" | "nextSeq" | "carry" | "fees" | "ranking"
>;
