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

export interface StateTrees {
  readonly accounts: MerkleTree;
  readonly sessions: MerkleTree;
  readonly books: MerkleTree;
  /**
   * Writes one leaf as it is in `state` now. The next sync takes it for done: nothing may change in
   * between.
   */
  move(tree: keyof Touched, id: number, state: StateReading): void;
  /** Writes the leaves of the touched ids as they are in `state` now. */
  sync(state: StateReading, touched: Readonly<Record<keyof Touched, Iterable<number>>>): void;
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
  const moved = {
    accounts: new Set<number>(),
    sessions: new Set<number>(),
    books: new Set<number>(),
  };
  const names = ["accounts", "sessions", "books"] as const;
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

  return {
    ...trees,
    move(tree, id, state) {
      trees[tree].set(id, leafOf(tree, id, state));
      moved[tree].add(id);
    },
    sync(state, touched) {
      for (const tree of names) {
        const left = [...touched[tree]].filter((id) => !moved[tree].has(id));
        trees[tree].setMany(left.map((id) => [id, leafOf(tree, id, state)] as const));
        moved[tree].clear();
      }
    },
    roots,
    root: (state) => stateRoot(roots(state)),
  };
}
