// Leaves of the state: books, the series table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generationOf } from "../../sequencer/engine/bookState.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import {
  bookLeaf,
  ENTRY_SENTINEL,
  feesWord,
  type Series,
  seriesRoot,
  seriesWords,
  weightWords,
} from "../../sequencer/protocol/state.ts";
import { accepts, assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

test("Weights proves 1: the 4-bit fields less 8, and no bit above slot M", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "Weights(3)" });
  const words = weightWords([-8, 7, 0]);
  const witness = assertPinned(gadget, { words });
  assert.deepEqual(readAll(gadget, witness, "weights", 3), [wrapped(-8, R), 7n, 0n]);
  assertRejects(gadget, { words: [words[0] + (1n << 12n), 0n] });
  assertRejects(gadget, { words: [words[0], 1n] });
});

test("Weights proves 2: squares[m] = weights[m]^2", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "Weights(3)" });
  const witness = gadget.witness({ words: weightWords([-8, 7, 0]) });
  assert.deepEqual(readAll(gadget, witness, "squares", 3), [64n, 49n, 0n]);
});

test("LiveGenerations proves: the generation of live slots, else more than any sum", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "LiveGenerations(4)" });
  const generation = [5, 6, 7, 8];
  const inputs = { generation, isListed: [1, 1, 0, 0], isUnexpired: [1, 0, 1, 0] };
  const witness = assertPinned(gadget, inputs);
  const dead = 1n << 41n;
  assert.deepEqual(readAll(gadget, witness, "out", 4), [5n, dead, dead, dead]);
});

test("IsBookOpen proves: 1 exactly if it exists and all legs live as they did", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "IsBookOpen(2)" });
  const dead = 1n << 41n;
  const isOpen = (exists: number, squares: number[], generation: number, live: bigint[]) => {
    const inputs = { exists, squares, generation, liveGenerations: live };
    return gadget.read(assertPinned(gadget, inputs), "out");
  };
  assert.equal(isOpen(1, [1, 4], 22, [2n, 5n]), 1n);
  assert.equal(isOpen(0, [1, 4], 22, [2n, 5n]), 0n);
  assert.equal(isOpen(1, [1, 4], 22, [2n, dead]), 0n);
  assert.equal(isOpen(1, [1, 4], 21, [2n, 5n]), 0n);
  assert.equal(isOpen(1, [1, 0], 2, [2n, dead]), 1n);
  assert.equal(generationOf([1, -2], [series({ generation: 2 }), series({ generation: 5 })]), 22);
});

test("BookLeaf proves: leaf = exists ? hash of sides, weights, generation, fees : 0", async () => {
  const gadget = await loadGadget({ file: "state/Book.circom", main: "BookLeaf(2)" });
  const weights = [1, 0, 0];
  const fees = { taker: 3, maker: -1 };
  const book = { weights, generation: 3, fees, bids: [], asks: [] };
  const side = [ENTRY_SENTINEL, ENTRY_SENTINEL];
  const sides = { bids: side, asks: side };
  const words = { weightWords: weightWords(weights), fees: feesWord(fees) };
  const inputs = { ...words, generation: 3, ...sides };
  const leaf = (exists: number, change = {}) =>
    gadget.read(gadget.witness({ ...inputs, ...change, exists }), "leaf");
  assert.equal(leaf(1), bookLeaf(book, 2));
  assert.equal(leaf(0), 0n);
  assert.notEqual(leaf(1, { bids: [1n, ENTRY_SENTINEL] }), bookLeaf(book, 2));
  assert.notEqual(leaf(1, { fees: feesWord({ ...fees, maker: 1 }) }), bookLeaf(book, 2));
  assert.notEqual(leaf(1, { asks: [1n, ENTRY_SENTINEL] }), bookLeaf(book, 2));
  const crossed = leaf(1, { bids: [1n, ENTRY_SENTINEL], asks: side });
  assert.notEqual(leaf(1, { bids: side, asks: [1n, ENTRY_SENTINEL] }), crossed);
});

function series(change: Partial<Series>): Series {
  const terms = { isCall: true, strike: 9, expiry: 100 };
  return { status: "listed", ...terms, generation: 2, holders: 3, mark: 50, ...change };
}

const FIELDS = ["mark", "holders", "generation", "listed", "settled", "isCall", "strike", "expiry"];

test("SeriesTable proves 1: root = hashVector(words), every field within its width", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTable(3)" });
  const most = { mark: 2 ** 20 - 1, holders: 2 ** 20 - 1, generation: 2 ** 20 - 1 };
  const last = { ...most, isCall: true, strike: 2 ** 24 - 1, expiry: 2 ** 32 - 1 };
  const table = [series({}), series({ status: "settled", isCall: false, ...most }), series(last)];
  const words = seriesWords(table);
  assert.equal(words.length, 2);
  const witness = assertPinned(gadget, { words, seconds: 99 });
  assert.equal(gadget.read(witness, "root"), seriesRoot(table));
  const fields = [0, 1, 2].map((m) =>
    FIELDS.map((name) => Number(gadget.read(witness, `fields[${m}].${name}`))),
  );
  assert.deepEqual(fields, [
    [50, 3, 2, 1, 0, 1, 9, 100],
    [...Object.values(most), 0, 1, 0, 9, 100],
    [...Object.values(most), 1, 0, 1, 2 ** 24 - 1, 2 ** 32 - 1],
  ]);
  // A pair has 238 bits, the one that is left 119.
  assertRejects(gadget, { words: [words[0]! + (1n << 238n), words[1]!], seconds: 99 });
  assertRejects(gadget, { words: [words[0]!, words[1]! + (1n << 119n)], seconds: 99 });
});

test("SeriesTable proves 1: what moves between two slots of a word is another root", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTable(2)" });
  const table = [series({}), series({ mark: 51 })];
  const [word = 0n] = seriesWords(table);
  const honest = gadget.read(gadget.witness({ words: [word], seconds: 99 }), "root");
  assert.equal(honest, seriesRoot(table));
  const pair = 1n << 119n;
  const swapped = word / pair + (word % pair) * pair;
  // One mark for the expiry's highest bits below it, and the other way round.
  for (const other of [swapped, word + pair - (1n << 118n), word - pair + (1n << 118n)]) {
    if (!accepts(gadget, { words: [other], seconds: 99 })) continue;
    const witness = gadget.witness({ words: [other], seconds: 99 });
    assert.notEqual(gadget.read(witness, "root"), honest);
  }
  // Only one choice of fields has the word: no bit of it can be another.
  assertPinned(gadget, { words: [word], seconds: 99 });
});

test("SeriesTable proves 2: unexpired exactly if the expiry is after the second", async () => {
  const gadget = await loadGadget({ file: "state/Series.circom", main: "SeriesTable(2)" });
  const words = seriesWords([series({ expiry: 100 }), series({ expiry: 2 ** 32 - 1 })]);
  for (const [seconds, first, second] of [
    [99, 1, 1],
    [100, 0, 1],
    [2 ** 32 - 1, 0, 0],
  ]) {
    const witness = gadget.witness({ words, seconds: seconds! });
    assert.deepEqual(readAll(gadget, witness, "isUnexpired", 2), [BigInt(first!), BigInt(second!)]);
  }
});

test("SeriesTableRoot proves: root = hashVector of the packed fields", async () => {
  const others = [{}, { mark: 51, strike: 2 ** 24 - 1 }, { expiry: 2 ** 32 - 1, holders: 0 }];
  for (const table of [others.slice(0, 1), others].map((changes) => changes.map(series))) {
    const main = `SeriesTableRoot(${table.length})`;
    const gadget = await loadGadget({ file: "state/Series.circom", main });
    const fields = table.map(({ status, isCall, ...rest }) => {
      return { ...rest, listed: status === "listed" ? 1 : 0, settled: 0, isCall: isCall ? 1 : 0 };
    });
    const witness = gadget.witness({ fields });
    assert.equal(gadget.read(witness, "root"), seriesRoot(table));
    if (table.length < 2) continue;
    const [first, second, third] = fields;
    const swapped = gadget.witness({ fields: [second!, first!, third!] });
    assert.notEqual(gadget.read(swapped, "root"), seriesRoot(table), "swapped in their word");
  }
});
