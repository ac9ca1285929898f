import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accountLeaf,
  bookLeaf,
  carryWord,
  rankingWord,
  seriesRoot,
  sessionLeaf,
  stateRoot,
} from "../../../sequencer/protocol/state.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import { createMerkleTree } from "../../../sequencer/state/merkleTree.ts";
import { createStateTrees } from "../../../sequencer/state/stateTrees.ts";
import { createMarket, placeOf, SHAPE, send } from "../engine/market.ts";

test("roots are those of trees with every leaf", () => {
  const market = createMarket([2 ** 40, 2 ** 40]);
  const { state } = market;
  send(market, 1, placeOf({ lots: 4 }));
  send(market, 2, placeOf({ isSell: true, lots: 5 }));
  const trees = createStateTrees(SHAPE);
  state.setFees(41);
  state.setRanking({ slot: 1, isLong: true, next: 9, seen: 2, best: 8, bestLots: 3 });
  trees.sync(state, state.touched());
  state.clearTouched();

  const full = (levels: number, leafOf: (id: number) => bigint): bigint => {
    const tree = createMerkleTree({ levels, emptyLeaf: 99n });
    tree.setMany(Array.from({ length: 4 ** levels }, (_, id) => [id, leafOf(id)]));
    return tree.root();
  };
  const expected = {
    accounts: full(SHAPE.accountLevels, (id) => accountLeaf(state.account(id))),
    sessions: full(SHAPE.accountLevels, (id) => sessionLeaf(state.session(id))),
    books: full(SHAPE.bookLevels, (id) => {
      const book = state.book(id);
      return book === undefined ? 0n : bookLeaf(book, SHAPE.depth);
    }),
    series: seriesRoot(state.series()),
    fees: 41,
    nextSeq: 3,
    carry: carryWord(state.carry()),
    ranking: rankingWord(state.ranking()),
  };
  assert.notEqual(expected.carry, 0n);
  assert.notEqual(expected.ranking, 0n);
  assert.deepEqual(trees.roots(state), expected);
  assert.equal(trees.root(state), stateRoot(expected));
});

test("syncing what was undone leads back to the root before", () => {
  const market = createMarket([2 ** 40, 2 ** 40]);
  const { state } = market;
  const trees = createStateTrees(SHAPE);
  const sync = () => {
    trees.sync(state, state.touched());
    state.clearTouched();
    return trees.root(state);
  };
  const before = sync();
  const point = state.checkpoint();
  send(market, 1, placeOf({ lots: 4 }));
  assert.notEqual(sync(), before);
  state.rollback(point);
  assert.equal(sync(), before);
});

test("the trees of the empty state are those of no state at all", () => {
  const state = createMemoryState(SHAPE);
  const trees = createStateTrees(SHAPE);
  const before = trees.root(state);
  state.editAccount(3);
  state.editSession(3);
  trees.sync(state, state.touched());
  assert.equal(trees.root(state), before);
});
