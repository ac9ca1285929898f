/** The three trees over a state, and its roots. Twins: circuits/state. */
import type { StateReading } from "../engine/stateView.ts";
import { hashVector } from "../protocol/hash.ts";
import { accountLeaves, bookLeaves, sessionLeaves } from "../protocol/leaves.ts";
import {
  accountLeaf,
  carryWord,
  emptyAccount,
  emptySession,
  type Roots,
  rankingWord,
  type Shape,
  seriesWords,
  sessionLeaf,
  stateRoot,
} from "../protocol/state.ts";
import type { Touched } from "./memoryState.ts";
import { createMerkleTree, type MerkleTree } from "./merkleTree.ts";

/** Rows that are taken apart at a time: a state may have a million. */
const ROWS_READ = 1024;

export type TouchedIds = Readonly<Record<keyof Touched, Iterable<number>>>;

/** Of rows that have changed, by their ids. */
export type Leaves = Readonly<Record<keyof Touched, ReadonlyMap<number, bigint>>>;

export interface StateTrees {
  readonly accounts: MerkleTree;
  readonly sessions: MerkleTree;
  readonly books: MerkleTree;
  /** Writes the leaves of the touched ids as they are in `state` now, and returns them. */
  sync(state: StateReading, touched: TouchedIds): Leaves;
  /** The leaves that sync would write. */
  leaves(state: StateReading, touched: TouchedIds): Leaves;
  /** The roots of trees and of what `state` has besides; the trees must be in sync. */
  roots(state: StateReading): Roots;
  /** The root over {@link StateTrees.roots}. */
  root(state: StateReading): bigint;
}

/** The trees of the empty state. */
export function createStateTrees(shape: Shape): StateTrees {
  const levels = shape.accountLevels;
  const accounts = createMerkleTree({ levels, emptyLeaf: accountLeaf(emptyAccount(shape.slots)) });
  const sessions = createMerkleTree({ levels, emptyLeaf: sessionLeaf(emptySession()) });
  const books = createMerkleTree({ levels: shape.bookLevels, emptyLeaf: 0n });

  const trees = { accounts, sessions, books };
  /** The table changes with a snapshot, and many batches run by one. */
  let table: { readonly words: readonly bigint[]; readonly root: bigint } | undefined;

  function rootOfSeries(series: ReturnType<StateReading["series"]>): bigint {
    const words = seriesWords(series);
    const isKnown = table?.words.every((word, index) => word === words[index]) ?? false;
    if (table === undefined || !isKnown) table = { words, root: hashVector(words) };
    return table.root;
  }

  function roots(state: StateReading): Roots {
    return {
      accounts: accounts.root(),
      series: rootOfSeries(state.series()),
      fees: state.fees(),
      sessions: sessions.root(),
      books: books.root(),
      nextSeq: state.nextSeq(),
      carry: carryWord(state.carry()),
      ranking: rankingWord(state.ranking()),
    };
  }

  function leavesOf(state: StateReading, touched: TouchedIds): Leaves {
    const rows = (tree: keyof Touched) => [...touched[tree]];
    return {
      accounts: leafById(rows("accounts"), (id) => state.account(id), accountLeaves),
      sessions: leafById(rows("sessions"), (id) => state.session(id), sessionLeaves),
      books: bookLeafById(rows("books"), state, shape.depth),
    };
  }

  return {
    ...trees,
    leaves: leavesOf,
    sync(state, touched) {
      const leaves = leavesOf(state, touched);
      accounts.setMany(leaves.accounts);
      sessions.setMany(leaves.sessions);
      books.setMany(leaves.books);
      return leaves;
    },
    roots,
    root: (state) => stateRoot(roots(state)),
  };
}

function leafById<T>(
  ids: readonly number[],
  read: (id: number) => T,
  leaves: (rows: readonly T[]) => bigint[],
): Map<number, bigint> {
  const found = new Map<number, bigint>();
  for (let first = 0; first < ids.length; first += ROWS_READ) {
    const some = ids.slice(first, first + ROWS_READ);
    for (const [index, hash] of leaves(some.map(read)).entries()) found.set(some[index]!, hash);
  }
  return found;
}

/** Books that are not there have the leaf 0. */
function bookLeafById(
  ids: readonly number[],
  state: StateReading,
  depth: number,
): Map<number, bigint> {
  const isThere = (id: number) => state.book(id) !== undefined;
  const there = leafById(
    ids.filter(isThere),
    (id) => state.book(id)!,
    (books) => bookLeaves(books, depth),
  );
  return new Map(ids.map((id) => [id, there.get(id) ?? 0n]));
}
