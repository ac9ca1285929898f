/**
 * Leaves of rows, in two rounds of hashes that do not wait for each other: what stands in a leaf by
 * its hash, then the leaves.
 */
import type { StateReading } from "../engine/stateView.ts";
import type { HashAll } from "../protocol/hash.ts";
import {
  accountWords,
  type Book,
  bookWords,
  emptySideHash,
  hashOfNoKey,
  keyWords,
  sessionWords,
  sideWords,
} from "../protocol/state.ts";
import type { Touched } from "./memoryState.ts";

export type TouchedIds = Readonly<Record<keyof Touched, Iterable<number>>>;

/** Of rows that have changed, by their ids. */
export type Leaves = Readonly<Record<keyof Touched, ReadonlyMap<number, bigint>>>;

/** A hash of the round, once the round is over. */
type Later = () => bigint;

interface Round {
  ask(vector: readonly bigint[]): Later;
  run(hashAll: HashAll): void;
}

/** A book that is not there has the leaf 0. */
export function hashLeaves(
  state: StateReading,
  touched: TouchedIds,
  { depth, hashAll }: { readonly depth: number; readonly hashAll: HashAll },
): Leaves {
  const [parts, leaves] = [createRound(), createRound()];
  // Sides first: where several threads hash, the longest should not begin last.
  const books = rowsOf(touched.books, (id) => {
    const book = state.book(id);
    return book && { book, sides: sidesOf(parts, book, depth) };
  });
  const sessions = rowsOf(touched.sessions, (id) => {
    const session = state.session(id);
    return { session, keys: session.keys.map((key) => ofKey(parts, keyWords(key))) };
  });
  const accounts = rowsOf(touched.accounts, (id) => parts.ask(accountWords(state.account(id))));
  parts.run(hashAll);
  const ofBooks = mapped(books, (row) => {
    if (row === undefined) return () => 0n;
    const [bids, asks] = row.sides;
    return leaves.ask(bookWords(row.book, bids(), asks()));
  });
  const ofSessions = mapped(sessions, ({ session, keys }) =>
    leaves.ask(
      sessionWords(
        session,
        keys.map((hash) => hash()),
      ),
    ),
  );
  leaves.run(hashAll);
  return { accounts: told(accounts), sessions: told(ofSessions), books: told(ofBooks) };
}

function createRound(): Round {
  const vectors: (readonly bigint[])[] = [];
  let hashes: readonly bigint[] = [];
  return {
    ask: (vector) => {
      const at = vectors.push(vector) - 1;
      return () => hashes[at]!;
    },
    run: (hashAll) => {
      hashes = hashAll(vectors);
    },
  };
}

function sidesOf(round: Round, { bids, asks }: Book, depth: number): readonly [Later, Later] {
  const of = (isSell: boolean, entries: Book["bids"]): Later =>
    entries.length === 0
      ? () => emptySideHash(depth)
      : round.ask(sideWords(isSell, entries, depth));
  return [of(false, bids), of(true, asks)];
}

function ofKey(round: Round, words: readonly bigint[] | undefined): Later {
  return words === undefined ? hashOfNoKey : round.ask(words);
}

function rowsOf<T>(ids: Iterable<number>, of: (id: number) => T): Map<number, T> {
  return new Map([...ids].map((id) => [id, of(id)]));
}

function mapped<T, U>(rows: ReadonlyMap<number, T>, of: (row: T) => U): Map<number, U> {
  return new Map([...rows].map(([id, row]) => [id, of(row)]));
}

function told(rows: ReadonlyMap<number, Later>): Map<number, bigint> {
  return mapped(rows, (hash) => hash());
}
