/** The three trees over a state, and its roots. Twins: circuits/state. */
import type { StateView } from "../engine/stateView.ts";
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
  sessionLeaf,
  stateRoot,
} from "../protocol/state.ts";
import type { Touched } from "./memoryState.ts";
import { createMerkleTree, type MerkleTree } from "./merkleTree.ts";

export interface StateTrees {
  readonly accounts: MerkleTree;
  readonly sessions: MerkleTree;
  readonly books: MerkleTree;
  /** Writes the leaves of the touched ids as they are in `state` now. */
  sync(state: StateView, touched: Touched): void;
  /** The roots of trees and of what `state` has besides; the trees must be in sync. */
  roots(state: StateView): Roots;
  /** The root over {@link StateTrees.roots}. */
  root(state: StateView): bigint;
}

/** The trees of the empty state. */
export function createStateTrees(shape: Shape): StateTrees {
  const levels = shape.accountLevels;
  const accounts = createMerkleTree({ levels, emptyLeaf: accountLeaf(emptyAccount(shape.slots)) });
  const sessions = createMerkleTree({ levels, emptyLeaf: sessionLeaf(emptySession()) });
  const books = createMerkleTree({ levels: shape.bookLevels, emptyLeaf: 0n });

  function roots(state: StateView): Roots {
    return {
      accounts: accounts.root(),
      series: seriesRoot(state.series()),
      fees: state.fees(),
      sessions: sessions.root(),
      books: books.root(),
      nextSeq: state.nextSeq(),
      carry: carryWord(state.carry()),
      ranking: rankingWord(state.ranking()),
    };
  }

  return {
    accounts,
    sessions,
    books,
    sync(state, touched) {
      accounts.setMany(leaves(touched.accounts, (id) => accountLeaf(state.account(id))));
      sessions.setMany(leaves(touched.sessions, (id) => sessionLeaf(state.session(id))));
      books.setMany(
        leaves(touched.books, (id) => {
          const book = state.book(id);
          return book === undefined ? 0n : bookLeaf(book, shape.depth);
        }),
      );
    },
    roots,
    root: (state) => stateRoot(roots(state)),
  };
}

function* leaves(
  ids: Iterable<number>,
  leafOf: (id: number) => bigint,
): Generator<readonly [number, bigint]> {
  for (const id of ids) yield [id, leafOf(id)];
}
