/** The three trees over a state, and its roots. Twins: circuits/state. */
import type { StateReading } from "../engine/stateView.ts";
import { type HashAll, hashEach } from "../protocol/hash.ts";
import {
  accountLeaf,
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
import { hashLeaves, type Leaves, type TouchedIds } from "./leaves.ts";
import { createMerkleTree, type MerkleTree } from "./merkleTree.ts";

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

/** The trees of the empty state. `hashAll`: who hashes, if not this thread alone. */
export function createStateTrees(shape: Shape, hashAll: HashAll = hashEach): StateTrees {
  const { accountLevels: levels, bookLevels, slots, depth } = shape;
  const emptyLeaf = accountLeaf(emptyAccount(slots));
  const accounts = createMerkleTree({ levels, emptyLeaf, hashAll });
  const sessions = createMerkleTree({ levels, emptyLeaf: sessionLeaf(emptySession()), hashAll });
  const books = createMerkleTree({ levels: bookLevels, emptyLeaf: 0n, hashAll });

  const trees = { accounts, sessions, books };
  /** The table changes with a snapshot, and many batches run by one. */
  let table: { readonly words: readonly bigint[]; readonly root: bigint } | undefined;

  function rootOfSeries(series: ReturnType<StateReading["series"]>): bigint {
    const words = series.map(seriesWord);
    const isKnown = table?.words.every((word, slot) => word === words[slot]) ?? false;
    if (table === undefined || !isKnown) table = { words, root: seriesRoot(series) };
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

  const leavesOf = (state: StateReading, touched: TouchedIds): Leaves =>
    hashLeaves(state, touched, { depth, hashAll });

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
