/** The state as the engine sees it. Implementations: `state/memoryState.ts` and its wrappers. */
import type { Account, Book, Carry, Ranking, Series, Session } from "../protocol/state.ts";

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
  editSession(id: number): Session;
  editBook(id: number): Book;
  putBook(id: number, book: Book): void;
  editSeries(slot: number): Series;
  setNextSeq(seq: number): void;
  setCarry(carry: Carry | undefined): void;
  setFees(fees: number): void;
  setRanking(ranking: Ranking | undefined): void;
  /** A point to which {@link StateView.rollback} can return; points nest. */
  checkpoint(): number;
  rollback(point: number): void;
}
