import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { createStateTrees } from "../../../sequencer/state/stateTrees.ts";
import { createMarket, NOW, placeOf, SHAPE, send, weightsOf } from "../engine/market.ts";

const CARRY = {
  ...{ account: 1, book: 0, isSell: true, price: -5, lots: 2, timeInForce: "gtc" as const },
  ...{ postOnly: false, reduceOnly: false, seq: 7 },
};

function book(price: number) {
  const bids = [{ account: 1, seq: 1, price, lots: 1 }];
  const fees = { taker: 2, maker: -1 };
  return { weights: weightsOf({ 0: 1 }), generation: 1, fees, bids, asks: [] };
}

/** Changes one of everything. */
function editAll(state: MemoryState, value: number): void {
  state.editAccount(1).cash = value;
  state.editAccount(1).positions[2] = value;
  state.editSession(1).keys[3]!.head = BigInt(value);
  state.editSession(2).watermark = value;
  state.editSession(2).lockedSince = value;
  state.putBook(3, book(value));
  const { bids } = state.editBook(3);
  bids[0] = { ...bids[0]!, lots: value };
  state.editSeries(1).holders = value;
  state.setNextSeq(value);
  state.setCarry({ ...CARRY, lots: value });
  state.setFees(value);
  state.setRanking({ slot: 1, isLong: true, next: 9, seen: 2, best: 8, bestLots: value });
}

const text = (state: MemoryState): string => JSON.stringify(state.exportState());

test("the empty state has nothing in it, and nobody can write to what is not there", () => {
  const state = createMemoryState(SHAPE);
  assert.equal(state.nextSeq(), 1);
  assert.equal(state.carry(), undefined);
  assert.equal(state.fees(), 0);
  assert.equal(state.ranking(), undefined);
  assert.equal(state.book(0), undefined);
  assert.equal(state.account(5).owner, 0n);
  assert.deepEqual(state.accountIds(), []);
  assert.throws(() => {
    state.account(5).positions[0] = 1;
  }, TypeError);
  for (const id of [-1, 0.5, 4 ** SHAPE.accountLevels]) {
    assert.throws(() => state.editAccount(id), RangeError);
    assert.throws(() => state.editSession(id), RangeError);
  }
  assert.throws(() => state.editBook(0), RangeError);
  assert.throws(() => state.putBook(4 ** SHAPE.bookLevels, book(1)), RangeError);
  assert.throws(() => state.editSeries(SHAPE.slots), RangeError);
});

test("points nest, and rolling back to one brings back everything", () => {
  const state = createMemoryState(SHAPE);
  const texts = [text(state)];
  const points: number[] = [];
  for (const value of [1, 2, 3]) {
    points.push(state.checkpoint());
    editAll(state, value);
    editAll(state, value + 10);
    texts.push(text(state));
  }
  state.rollback(points[2]!);
  assert.equal(text(state), texts[2]);
  // The point is still there.
  editAll(state, 9);
  state.rollback(points[2]!);
  assert.equal(text(state), texts[2]);
  editAll(state, 8);
  state.rollback(points[0]!);
  assert.equal(text(state), texts[0]);
});

test("fees, ranking and the rates of a book come back each by itself", () => {
  const state = createMemoryState(SHAPE);
  editAll(state, 1);
  const before = text(state);
  const edits: readonly (() => void)[] = [
    () => state.setFees(5),
    () => state.setRanking(undefined),
    () => state.setRanking({ ...state.ranking()!, seen: 3 }),
    () => {
      state.editBook(3).fees = { taker: 0, maker: 0 };
    },
    () => {
      state.editSession(2).lockedSince = 0;
    },
  ];
  for (const edit of edits) {
    const point = state.checkpoint();
    edit();
    assert.notEqual(text(state), before);
    state.rollback(point);
    assert.equal(text(state), before);
  }
});

test("committing forgets the points", () => {
  const state = createMemoryState(SHAPE);
  const point = state.checkpoint();
  editAll(state, 1);
  state.commit();
  assert.throws(() => state.rollback(point), RangeError);
  const next = state.checkpoint();
  const before = text(state);
  editAll(state, 2);
  assert.throws(() => state.rollback(next + 99), RangeError);
  state.rollback(next);
  assert.equal(text(state), before);
});

test("edited ids are touched until they are cleared, undone ones again", () => {
  const state = createMemoryState(SHAPE);
  const ids = () => {
    const { accounts, sessions, books } = state.touched();
    return [[...accounts], [...sessions], [...books]];
  };
  const point = state.checkpoint();
  editAll(state, 1);
  assert.deepEqual(ids(), [[1], [1, 2], [3]]);
  state.clearTouched();
  state.account(4);
  assert.deepEqual(ids(), [[], [], []]);
  state.rollback(point);
  assert.deepEqual(
    ids().map((list) => list.toSorted()),
    [[1], [1, 2], [3]],
  );
});

test("a change has the rows touched since the last one, as they are now", () => {
  const state = createMemoryState(SHAPE);
  const changed = () => {
    const { accounts, sessions, books, fees } = state.exportChange();
    const rows = [accounts, sessions, books].map((table) => {
      return table.map(([id, row]) => (row === null ? -id : id));
    });
    return [...rows, fees];
  };
  assert.deepEqual(changed(), [[], [], [], 0]);
  const point = state.checkpoint();
  editAll(state, 1);
  state.clearTouched();
  state.setCash(9, 5);
  assert.deepEqual(changed(), [[1, 9], [1, 2], [3], 1], "also what no seal has cleared");
  state.clearTouched();
  changed();
  assert.deepEqual(changed(), [[], [], [], 1]);
  state.rollback(point);
  assert.deepEqual(changed(), [[-1, -9], [-1, -2], [-3], 0], "taken back: they are gone");
  editAll(state, 2);
  state.clearTouched();
  state.forgetChanges();
  assert.deepEqual(changed(), [[], [], [], 2]);
});

test("open orders are the account's live ones in every book", () => {
  const market = createMarket([2 ** 40, 2 ** 40]);
  const { state } = market;
  send(market, 1, placeOf({ price: 1 }));
  send(market, 1, { kind: "cancelAll", deadline: NOW });
  send(market, 1, placeOf({ book: 2, price: 3 }));
  send(market, 2, placeOf({ book: 2, price: 4 }));
  send(market, 1, placeOf({ book: 0, price: 200, isSell: true, lots: 6 }));
  const placed = { account: 1, lots: 6, price: 200, seq: 5, book: 0, isSell: true };
  assert.deepEqual(state.openOrdersOf(1), [
    placed,
    { account: 1, lots: 1, price: 3, seq: 3, book: 2, isSell: false },
  ]);
  assert.deepEqual(state.openOrdersOf(3), []);
  assert.deepEqual(state.bookIds(), [0, 1, 2]);
  assert.deepEqual(state.accountIds(), [1, 2]);
});

test("exported states are JSON, detached, and give the same root when imported", () => {
  const market = createMarket([2 ** 40, 2 ** 40]);
  const { state } = market;
  send(market, 1, placeOf({ price: -3, lots: 2 }));
  send(market, 1, placeOf({ price: -3, lots: 2 }));
  send(market, 2, placeOf({ price: -3, isSell: true, lots: 3 }));
  assert.ok(state.carry() !== undefined);
  state.setFees(2 ** 49 + 1);
  state.setRanking({ slot: 2, isLong: false, next: 4 ** 4, seen: 2, best: 1, bestLots: 3 });
  state.editSession(2).lockedSince = 77;
  const trees = createStateTrees(SHAPE);
  trees.sync(state, state.touched());
  const exported = state.exportState();
  const onDisk = JSON.stringify(exported);

  const other = createMemoryState(SHAPE);
  editAll(other, 5);
  const others = createStateTrees(SHAPE);
  others.sync(other, other.touched());
  other.clearTouched();
  other.importState(JSON.parse(onDisk));
  others.sync(other, other.touched());
  assert.equal(others.root(other), trees.root(state));
  assert.equal(text(other), onDisk);
  editAll(state, 5);
  editAll(other, 6);
  assert.equal(JSON.stringify(exported), onDisk);

  const deeper = createMemoryState({ ...SHAPE, depth: 4 });
  assert.throws(() => deeper.importState(exported), { field: "shape.depth" });
});
