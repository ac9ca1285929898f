// The series table under operations, the books of a batch, and the opening of a book.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import {
  type BookFees,
  bookLeaf,
  ENTRY_SENTINEL,
  feesWord,
  lastBookWords,
  weightWords,
} from "../../sequencer/protocol/state.ts";
import { createMerkleTree } from "../../sequencer/state/merkleTree.ts";
import { assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";
import { laneWords } from "../support/lanes.ts";

const NAMES = ["mark", "holders", "generation", "listed", "settled", "isCall", "strike", "expiry"];

function slot(values: readonly number[], isUnexpired = 1) {
  return { fields: Object.fromEntries(NAMES.map((name, at) => [name, values[at]!])), isUnexpired };
}

const table = [slot([10, 2, 3, 1, 0, 1, 50, 99]), slot([20, 0, 4, 0, 1, 0, 60, 98], 0)];
const TABLE = "ledger/Table.circom";

test("ReadSlot proves: the chosen slot's fields; all zero where no slot is chosen", async () => {
  const gadget = await loadGadget({ file: TABLE, main: "ReadSlot(2)" });
  const read = (isSlot: number[]) => {
    const witness = assertPinned(gadget, { isSlot, table, isFinal: [0, 1] });
    const fields = NAMES.map((name) => Number(gadget.read(witness, `fields.${name}`)));
    return [...fields, Number(gadget.read(witness, "final"))];
  };
  // Terms are read by nobody: they are 0.
  assert.deepEqual(read([1, 0]), [10, 2, 3, 1, 0, 0, 0, 99, 0]);
  assert.deepEqual(read([0, 1]), [20, 0, 4, 0, 1, 0, 0, 98, 1]);
  assert.deepEqual(read([0, 0]), new Array(9).fill(0));
});

async function changedTable(change: Readonly<Record<string, number>>, isSlot: number[]) {
  const gadget = await loadGadget({ file: TABLE, main: "ChangeSlot(2)" });
  const idle = { list: 0, settle: 0, holdersChange: 0, isCall: 1, strike: 70, expiry: 200 };
  const witness = assertPinned(gadget, { ...idle, ...change, isSlot, table });
  return [0, 1].map((m) => [
    ...NAMES.map((name) => Number(gadget.read(witness, `after[${m}].fields.${name}`))),
    Number(gadget.read(witness, `after[${m}].isUnexpired`)),
  ]);
}

const FIRST = [10, 2, 3, 1, 0, 1, 50, 99, 1];
const SECOND = [20, 0, 4, 0, 1, 0, 60, 98, 0];

test("ChangeSlot proves 1: list gives terms, generation + 1, listed and unexpired", async () => {
  const after = await changedTable({ list: 1 }, [0, 1]);
  assert.deepEqual(after, [FIRST, [20, 0, 5, 1, 0, 1, 70, 200, 1]]);
});

test("ChangeSlot proves 2: settle makes the chosen slot's status settled", async () => {
  const after = await changedTable({ settle: 1 }, [1, 0]);
  assert.deepEqual(after, [[10, 2, 3, 0, 1, 1, 50, 99, 1], SECOND]);
});

test("ChangeSlot proves 3: holders change; without a flag nothing else does", async () => {
  assert.deepEqual(await changedTable({ holdersChange: -1 }, [1, 0]), [FIRST.with(1, 1), SECOND]);
  assert.deepEqual(await changedTable({ holdersChange: 2 }, [0, 1]), [FIRST, SECOND.with(1, 2)]);
  assert.deepEqual(await changedTable({}, [1, 0]), [FIRST, SECOND]);
  assert.deepEqual(await changedTable({ list: 1 }, [0, 0]), [FIRST, SECOND]);
});

const side = [ENTRY_SENTINEL, ENTRY_SENTINEL];
const books = {
  exists: [1, 0],
  weightWords: [weightWords([1, -1, 0]), weightWords([1, 0, 0])],
  generation: [7, 3],
  fees: [feesWord({ taker: 4, maker: -1 }), 0n],
  bids: [[5, ENTRY_SENTINEL], side],
  asks: [side, side],
  mark: [1, 2, 3],
  changes: [[5], [-6], [7]].map(laneWords),
  isListed: [1, 1, 0],
  isUnexpired: [1, 1, 1],
  generations: [3, 4, 9],
};
const inBatch = { file: "trade/Books.circom", main: "BooksOpened(2, 3, 1, 2)" };

test("BooksOpened proves 1: leaf[b] is the leaf of book b (0 if it does not exist)", async () => {
  const gadget = await loadGadget(inBatch);
  const [leaf, none] = readAll(gadget, gadget.witness(books), "leaf", 2);
  const other = gadget.witness({ ...books, bids: [side, side] });
  const fees = { taker: 4, maker: -1 };
  const empty = bookLeaf({ weights: [1, -1, 0], generation: 7, fees, bids: [], asks: [] }, 2);
  assert.equal(gadget.read(other, "leaf[0]"), empty);
  assert.notEqual(leaf, empty);
  assert.equal(none, 0n);
  assertRejects(gadget, { ...books, exists: [2, 0] });
});

test("BooksOpened proves 2: isOpen and isPlain as SPEC sections 1 and 3 define them", async () => {
  const gadget = await loadGadget(inBatch);
  const read = (change: object, name: string) =>
    readAll(gadget, gadget.witness({ ...books, ...change }), name, 2).map(Number);
  assert.deepEqual(read({}, "isOpen"), [1, 0]);
  assert.deepEqual(read({ exists: [1, 1] }, "isOpen"), [1, 1]);
  assert.deepEqual(read({ isUnexpired: [1, 0, 1] }, "isOpen"), [0, 0]);
  assert.deepEqual(read({ isListed: [1, 0, 0] }, "isOpen"), [0, 0]);
  assert.deepEqual(read({ generations: [3, 5, 9] }, "isOpen"), [0, 0]);
  assert.deepEqual(read({}, "isPlain"), [0, 1]);
  const plain = (weights: number[]) =>
    read({ weightWords: [weightWords(weights), weightWords([0, 0, 0])] }, "isPlain");
  assert.deepEqual(
    [plain([0, 0, 1]), plain([0, 0, -1])],
    [
      [1, 0],
      [0, 0],
    ],
  );
  assert.deepEqual(
    [plain([2, -1, 0]), plain([1, 1, -1])],
    [
      [0, 0],
      [0, 0],
    ],
  );
});

test("BooksOpened proves 3: what weights are worth, gram = weights . weights", async () => {
  const gadget = await loadGadget(inBatch);
  const witness = gadget.witness(books);
  const risk = [0, 1].map((b) => readAll(gadget, witness, `bookRisk[${b}]`, 2));
  assert.deepEqual(risk, [
    [51n, wrapped(-4, R)],
    [29n, 4n],
  ]);
  const gram = [0, 1].map((b) => readAll(gadget, witness, `gram[${b}]`, 2).map(Number));
  assert.deepEqual(gram, [
    [2, 1],
    [1, 1],
  ]);
});

test("BooksOpened proves 4: the fee rates of each book", async () => {
  const gadget = await loadGadget(inBatch);
  const witness = gadget.witness(books);
  const rates = [0, 1].map((b) => readAll(gadget, witness, `feeRates[${b}]`, 3).map(Number));
  assert.deepEqual(rates, [
    [4, 1, 1],
    [0, 0, 0],
  ]);
});

test("SlotChanges proves: 5 times the changes of the chosen slot", async () => {
  const gadget = await loadGadget({ file: TABLE, main: "SlotChanges(2, 6)" });
  const changes = [
    [1, -2, 0, 2 ** 20 - 1, 0, 1 - 2 ** 20],
    [0, 1, 9, 0, 0, 0],
  ];
  const read = (isSlot: number[]) => {
    const inputs = { isSlot, changes: changes.map(laneWords) };
    return readAll(gadget, assertPinned(gadget, inputs), "out", 6);
  };
  for (const [slot, row] of changes.entries()) {
    const expected = row.map((change) => wrapped(5 * change, R));
    assert.deepEqual(read(slot === 0 ? [1, 0] : [0, 1]), expected);
  }
  assert.deepEqual(read([0, 0]), new Array(6).fill(0n));
});

test("SlotChanges: a change that no word can hold is refused where it is chosen", async () => {
  const gadget = await loadGadget({ file: TABLE, main: "SlotChanges(2, 6)" });
  for (const wrong of [2 ** 20, -(2 ** 20) - 1]) {
    const changes = [[0, wrong, 0, 0, 0, 0], new Array<number>(6).fill(1)].map(laneWords);
    assertRejects(gadget, { isSlot: [1, 0], changes });
    gadget.witness({ isSlot: [0, 1], changes });
  }
});

const old = { weights: [1, 0], generation: 3, fees: { taker: 4, maker: -1 }, bids: [], asks: [] };
const rates = { taker: 9, maker: -9 };
const opening = {
  ...{ enabled: 1, weightWords: weightWords([0, -2]), fees: feesWord(rates) },
  table: [slot([10, 2, 3, 1, 0, 1, 50, 99]), slot([20, 0, 4, 1, 0, 0, 60, 98])],
  ...{ oldExists: 0, oldWeights: weightWords([0, 0]), oldGeneration: 0, oldFees: 0 },
  oldSides: new Array<bigint>(4).fill(ENTRY_SENTINEL),
};
const reopening = {
  ...{ ...opening, oldExists: 1, oldWeights: weightWords(old.weights) },
  ...{ oldGeneration: old.generation, oldFees: feesWord(old.fees) },
};
const opens = { file: "ledger/OpenBook.circom", main: "OpenBook(2, 2)" };

test("OpenBook proves 1: the leaf before is 0, or that of a book that is not open", async () => {
  const gadget = await loadGadget(opens);
  assert.equal(gadget.read(gadget.witness(opening), "leafBefore"), 0n);
  assertRejects(gadget, reopening, "an open book");
  assertRejects(gadget, { ...reopening, oldExists: 2 }, "a book that exists twice");
  const leaf = bookLeaf(old, 2);
  const relisted = [slot([10, 2, 4, 1, 0, 1, 50, 99]), opening.table[1]!];
  const expired = [slot([10, 2, 3, 1, 0, 1, 50, 99], 0), opening.table[1]!];
  for (const table of [relisted, expired]) {
    const witness = gadget.witness({ ...reopening, table });
    assert.equal(gadget.read(witness, "leafBefore"), leaf);
    for (const cheat of [
      { oldGeneration: 2 },
      { oldFees: 4 },
      { oldSides: [1n, ...opening.oldSides.slice(1)] },
    ]) {
      const other = gadget.witness({ ...reopening, table, ...cheat });
      assert.notEqual(gadget.read(other, "leafBefore"), leaf);
    }
  }
});

test("OpenBook proves 2: the leaf after has weights, fees, generation, empty sides", async () => {
  const gadget = await loadGadget(opens);
  const leaf = (fees: BookFees) =>
    bookLeaf({ weights: [0, -2], generation: 16, fees, bids: [], asks: [] }, 2);
  const witness = gadget.witness(opening);
  assert.equal(gadget.read(witness, "leafAfter"), leaf(rates));
  const free = gadget.witness({ ...opening, fees: 0 });
  assert.equal(gadget.read(free, "leafAfter"), leaf({ taker: 0, maker: 0 }));
  const empty = weightWords([0, 0]);
  assertRejects(gadget, { ...opening, weightWords: empty }, "no weights");
  gadget.witness({ ...opening, weightWords: empty, enabled: 0 });
});

test("OpenedBookLeaf proves: the leaf of a book, whatever of its sides is told", async () => {
  const resting = { account: 1, seq: 3, price: 5, lots: 2 };
  for (const depth of [2, 6, 8, 32]) {
    const main = `OpenedBookLeaf(${depth})`;
    const gadget = await loadGadget({ file: "state/Book.circom", main });
    const book = { ...old, bids: [resting], asks: new Array(depth).fill(resting) };
    const told = lastBookWords(book, depth);
    const { generation } = book;
    const own = { weightWords: weightWords(book.weights), generation, fees: feesWord(book.fees) };
    const inputs = { exists: 1, ...own, sides: told.slice(0, -4) };
    const leaf = (change: object) => gadget.read(gadget.witness({ ...inputs, ...change }), "leaf");
    assert.equal(leaf({}), bookLeaf(book, depth));
    assert.equal(leaf({ exists: 0 }), 0n);
    const others = [
      { generation: generation + 1 },
      { fees: own.fees + 1n },
      { weightWords: weightWords([0, 1]) },
      ...inputs.sides.map((word, at) => ({ sides: inputs.sides.with(at, word + 1n) })),
    ];
    for (const other of others) assert.notEqual(leaf(other), bookLeaf(book, depth));
  }
  // The last Poseidon of 48 elements would not hold all that is a book's own.
  const short = { file: "state/Book.circom", main: "OpenedBookLeaf(22)" };
  await assert.rejects(loadGadget(short), /assert/i);
});

test("OpenBook proves 3: fee rates in their widths, a rebate within the taker's rate", async () => {
  const gadget = await loadGadget({ file: "ledger/OpenBook.circom", main: "BookFees()" });
  const most = 2 ** 16 - 1;
  for (const [taker, maker] of [
    [0, 0],
    [0, most],
    [most, most],
    [most, -most],
    [9, -9],
    [9, -1],
  ]) {
    assertPinned(gadget, { word: feesWord({ taker: taker!, maker: maker! }) });
  }
  assertRejects(gadget, { word: feesWord({ taker: 8, maker: -9 }) }, "too high a rebate");
  assertRejects(gadget, { word: feesWord({ taker: 0, maker: -1 }) }, "a rebate of nothing paid");
  assertRejects(gadget, { word: 1n << 32n }, "a rebate of nothing");
  assertRejects(gadget, { word: 1n << 33n }, "bits above the layout");
  const whole = await loadGadget(opens);
  assertRejects(whole, { ...opening, fees: feesWord({ taker: 8, maker: -9 }) });
});

const shared = { file: "ledger/KeyOrPath.circom", main: "KeyOrPath(2)" };
const given = { oldKey: [1, 2, 3, 4], chain: [5, 6, 7, 8], newKey: [9, 10], newMeta: 11 };

function pathInputs(id: number) {
  const tree = createMerkleTree({ levels: 2, emptyLeaf: 0n });
  for (const [at, leaf] of [3n, 4n, 5n, 6n].entries()) tree.set(id ^ (5 * at), leaf);
  const inputs = { id, leafBefore: 3n, leafAfter: 77n, siblings: tree.path(id) };
  return { tree, inputs };
}

test("KeyOrPath proves 1: the hashes of a key that takes another's place", async () => {
  const gadget = await loadGadget(shared);
  for (const { inputs } of [pathInputs(0), pathInputs(9)]) {
    const witness = gadget.witness({ isKey: 1, ...given, ...inputs });
    assert.equal(gadget.read(witness, "oldHash"), poseidon([1n, 2n, 3n, 4n]));
    const head = poseidon([5n, 6n, 7n, 8n]);
    assert.equal(gadget.read(witness, "newHash"), poseidon([9n, 10n, head, 11n]));
  }
});

test("KeyOrPath proves 2: else the roots with the leaf before and after", async () => {
  const gadget = await loadGadget(shared);
  for (const id of [0, 6, 9, 15]) {
    const { tree, inputs } = pathInputs(id);
    const witness = gadget.witness({ isKey: 0, ...given, ...inputs });
    assert.equal(gadget.read(witness, "rootBefore"), tree.root());
    tree.set(id, 77n);
    assert.equal(gadget.read(witness, "rootAfter"), tree.root());
  }
  const { inputs } = pathInputs(3);
  assertRejects(gadget, { isKey: 0, ...given, ...inputs, id: 16 }, "an id beyond the tree");
});
