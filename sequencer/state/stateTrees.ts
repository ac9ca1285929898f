/** The three trees over a state, and its roots. Twins: circuits/state. */
import type { StateReading } from "../engine/stateView.ts";
import {
  accountLeaf,
  bookLeaf,
  carryWord,
  emptyAccount,
  emptySession,
  type Roots,
  rankingWord,
  type Shape,
  seriesRoot,
  seriesWord,
  sessionLeaf,
  stateRoot,
} from "../protocol/state.ts";
import type { Touched } from "./memoryState.ts";
import { createMerkleTree, type MerkleTree } from "./merkleTree.ts";

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
    const words = series.map(seriesWord);
    const isKnown = table?.words.every((word, slot) => word === words[slot]) ?? false;
    if (table === undefined || !isKnown) table = { words, root: seriesRoot(series) };
    return table.root;
  }

  function leafOf(tree: keyof Touched, id: number, state: StateReading): bigint {
    if (tree === "accounts") return accountLeaf(state.account(id));
    if (tree === "sessions") return sessionLeaf(state.session(id));
    const book = state.book(id);
    return book === undefined ? 0n : bookLeaf(book, shape.depth);
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
    const of = (tree: keyof Touched) =>
      new Map([...touched[tree]].map((id) => [id, leafOf(tree, id, state)] as const));
    return { accounts: of("accounts"), sessions: of("sessions"), books: of("books") };
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
