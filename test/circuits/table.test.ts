// The series table under operations, the books of a batch, and the opening of a book.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { hashVector } from "../../sequencer/protocol/hash.ts";
import { bookLeaf, ENTRY_SENTINEL, weightWords } from "../../sequencer/protocol/state.ts";
import { createMerkleTree } from "../../sequencer/state/merkleTree.ts";
import { assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

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
  const idle = { list: 0, settle: 0, release: 0, isCall: 1, strike: 70, expiry: 200 };
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

test("ChangeSlot proves 3: release takes one holder; without a flag nothing changes", async () => {
  assert.deepEqual(await changedTable({ release: 1 }, [1, 0]), [FIRST.with(1, 1), SECOND]);
  assert.deepEqual(await changedTable({}, [1, 0]), [FIRST, SECOND]);
  assert.deepEqual(await changedTable({ list: 1 }, [0, 0]), [FIRST, SECOND]);
});

const side = [ENTRY_SENTINEL, ENTRY_SENTINEL];
const books = {
  exists: [1, 0],
  weightWords: [weightWords([1, -1, 0]), weightWords([1, 0, 0])],
  generation: [7, 3],
  bids: [[5, ENTRY_SENTINEL], side],
  asks: [side, side],
  risk: [
    [1, 2],
    [10, 20],
    [100, 200],
  ],
  isListed: [1, 1, 0],
  isUnexpired: [1, 1, 1],
  generations: [3, 4, 9],
};
const opens = { file: "trade/Books.circom", main: "BooksOpened(2, 3, 1, 2)" };

test("BooksOpened proves 1: leaf[b] is the leaf of book b (0 if it does not exist)", async () => {
  const gadget = await loadGadget(opens);
  const [leaf, none] = readAll(gadget, gadget.witness(books), "leaf", 2);
  const other = gadget.witness({ ...books, bids: [side, side] });
  const empty = bookLeaf({ weights: [1, -1, 0], generation: 7, bids: [], asks: [] }, 2);
  assert.equal(gadget.read(other, "leaf[0]"), empty);
  assert.notEqual(leaf, empty);
  assert.equal(none, 0n);
  assertRejects(gadget, { ...books, exists: [2, 0] });
});

test("BooksOpened proves 2: isOpen and isPlain as SPEC sections 1 and 3 define them", async () => {
  const gadget = await loadGadget(opens);
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

test("BooksOpened proves 3: bookRisk = weights . risk, gram = weights . weights", async () => {
  const gadget = await loadGadget(opens);
  const witness = gadget.witness(books);
  const risk = [0, 1].map((b) => readAll(gadget, witness, `bookRisk[${b}]`, 2));
  assert.deepEqual(risk, [
    [wrapped(-9, R), wrapped(-18, R)],
    [1n, 2n],
  ]);
  const gram = [0, 1].map((b) => readAll(gadget, witness, `gram[${b}]`, 2).map(Number));
  assert.deepEqual(gram, [
    [2, 1],
    [1, 1],
  ]);
});

const emptySide = hashVector(side);
const old = { weights: [1, 0], generation: 3, bids: [], asks: [] };

function opening(leafBefore: bigint, isOld: boolean) {
  const tree = createMerkleTree({ levels: 1, emptyLeaf: 0n });
  tree.set(2, leafBefore);
  const inputs = {
    ...{ enabled: 1, book: 2, weightWords: weightWords([0, -2]), booksRoot: tree.root() },
    table: [slot([10, 2, 3, 1, 0, 1, 50, 99]), slot([20, 0, 4, 1, 0, 0, 60, 98])],
    ...{ oldExists: isOld ? 1 : 0, oldWeights: weightWords(isOld ? old.weights : [0, 0]) },
    oldGeneration: isOld ? old.generation : 0,
    oldSides: [emptySide, emptySide],
    siblings: tree.path(2),
  };
  return { tree, inputs };
}

test("OpenBook proves 1: the leaf was 0, or that of a book that is not open", async () => {
  const gadget = await loadGadget({ file: "ledger/OpenBook.circom", main: "OpenBook(2, 2, 1)" });
  gadget.witness(opening(0n, false).inputs);
  const leaf = bookLeaf(old, 2);
  const open = opening(leaf, true).inputs;
  assertRejects(gadget, open, "an open book");
  assertRejects(gadget, opening(leaf, false).inputs, "a book that is passed over");
  const relisted = [slot([10, 2, 4, 1, 0, 1, 50, 99]), open.table[1]!];
  gadget.witness({ ...open, table: relisted });
  const expired = [slot([10, 2, 3, 1, 0, 1, 50, 99], 0), open.table[1]!];
  gadget.witness({ ...open, table: expired });
  assertRejects(gadget, { ...open, table: expired, oldGeneration: 4 }, "another generation");
});

test("OpenBook proves 2: the new leaf has weights, generation and empty sides", async () => {
  const gadget = await loadGadget({ file: "ledger/OpenBook.circom", main: "OpenBook(2, 2, 1)" });
  const { tree, inputs } = opening(0n, false);
  const witness = gadget.witness(inputs);
  tree.set(2, bookLeaf({ weights: [0, -2], generation: 16, bids: [], asks: [] }, 2));
  assert.equal(gadget.read(witness, "booksRootAfter"), tree.root());
  assertRejects(gadget, { ...inputs, weightWords: weightWords([0, 0]) }, "no weights");
  const idle = gadget.witness({ ...inputs, enabled: 0 });
  assert.equal(gadget.read(idle, "booksRootAfter"), inputs.booksRoot);
});
