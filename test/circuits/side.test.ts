// Sides of books: where an order stands, and the side after it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { ENTRY_SENTINEL } from "../../sequencer/protocol/state.ts";
import { runs } from "../property/runs.ts";
import {
  accepts,
  assertPinned,
  assertRejects,
  readAll,
  vectors,
  wrapped,
} from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const locate = "gadgets/SideLocate.circom";
const file = "trade/Side.circom";
const DEPTH = 4;
const ACCOUNT = 1n << 22n;
const SEQ = 1n << 42n;
const PRICE = 1n << 82n;

/** An order of 5 lots of account 9 at a priority of `key` and `seq`. */
function entry(key: bigint, seq: bigint): bigint {
  return key * PRICE + seq * SEQ + 9n * ACCOUNT + 5n;
}

function padded(orders: readonly bigint[]): bigint[] {
  return [...orders, ...new Array<bigint>(DEPTH - orders.length).fill(ENTRY_SENTINEL)];
}

const LAST_KEY = 2n ** 24n - 2n;
const priority = fc
  .tuple(
    fc.oneof(fc.constantFrom(1n, 2n, LAST_KEY), fc.bigInt({ min: 1n, max: 6n })),
    fc.oneof(fc.constantFrom(1n, 2n ** 40n - 1n), fc.bigInt({ min: 1n, max: 4n })),
  )
  .map(([key, seq]) => ({ key, seq }));
const side = fc
  .uniqueArray(priority, { maxLength: DEPTH, selector: ({ key, seq }) => `${key} ${seq}` })
  .map((orders) => orders.map(({ key, seq }) => entry(key, seq)))
  .map((orders) => padded(orders.sort((a, b) => (a < b ? -1 : 1))));
const bound = priority.map(({ key, seq }) => key * PRICE + seq * SEQ);

/** What SideLocate says, by the words of its comment. */
function located(orders: readonly bigint[], limit: bigint) {
  const found = orders.findIndex((order) => order >= limit);
  const place = found < 0 ? DEPTH : found;
  const at = orders[place] ?? ENTRY_SENTINEL;
  const isExact = at >> 42n === limit >> 42n;
  return { place, at, previous: orders[place - 1] ?? 0n, isExact };
}

function assertLocated(
  gadget: Gadget,
  witness: readonly bigint[],
  orders: bigint[],
  limit: bigint,
) {
  const { place, at, previous, isExact } = located(orders, limit);
  const marks = Array.from({ length: DEPTH }, (_, index) => (index === place ? 1n : 0n));
  assert.deepEqual(readAll(gadget, witness, "isAt", DEPTH), marks);
  assert.equal(gadget.read(witness, "at"), at);
  assert.equal(gadget.read(witness, "previous"), previous);
  assert.equal(gadget.read(witness, "isExact"), isExact ? 1n : 0n);
  if (isExact) assert.equal(gadget.read(witness, "account"), 9n);
}

test("SideLocate proves 1: at is the first entry at the bound, whatever is hinted", async () => {
  const gadget = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})`, freeHints: true });
  const hints = [...vectors([0n, 1n], DEPTH), [2n, R - 1n, 0n, 0n], [R - 1n, 0n, 2n, 0n]];
  fc.assert(
    fc.property(side, bound, (orders, limit) => {
      const inputs = { side: orders, enabled: 1, bound: limit };
      const taken = hints.filter((hint) => accepts(gadget, { ...inputs, hint_isAt: hint }));
      assert.equal(taken.length, 1, "an order must have one place only");
      const witness = gadget.witness({ ...inputs, hint_isAt: taken[0]! });
      assertLocated(gadget, witness, orders, limit);
    }),
    runs(60),
  );
});

test("SideLocate proves 1: no wire can be forged; a worse entry never goes first", async () => {
  const gadget = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})` });
  const orders = padded([entry(3n, 4n), entry(3n, 5n), entry(7n, 1n)]);
  for (const limit of [1n, 3n * PRICE + 5n * SEQ, 8n * PRICE]) {
    const witness = assertPinned(gadget, { side: orders, enabled: 1, bound: limit });
    assertLocated(gadget, witness, orders, limit);
  }
  // Where an order crosses, the bound is 1: only the first entry lies there.
  const free = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})`, freeHints: true });
  for (const hint_isAt of vectors([0n, 1n], DEPTH)) {
    const isFirst = hint_isAt.every((bit, index) => bit === (index === 0 ? 1n : 0n));
    assert.equal(accepts(free, { side: orders, enabled: 1, bound: 1, hint_isAt }), isFirst);
  }
});

test("SideLocate proves 1: places that add up to one, one of them -1, are refused", async () => {
  const gadget = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})` });
  const free = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})`, freeHints: true });
  const orders = [1n, 5n, 9n, 12n].map((key) => entry(key, 1n));
  for (const [key, forged] of [
    [8n, [R - 1n, 1n, 1n, 0n]],
    [2n, [0n, 1n, 1n, R - 1n]],
  ] as const) {
    const inputs = { side: orders, enabled: 1, bound: key * PRICE };
    assertLocated(gadget, assertPinned(gadget, inputs), orders, key * PRICE);
    // Entry and entry before it, as sums, are where the bound lies between.
    assert.equal(accepts(free, { ...inputs, hint_isAt: forged }), false);
  }
});

test("SideLocate proves 2: isExact = 1 exactly if the entry has the bound's priority", async () => {
  const gadget = await loadGadget({ file: locate, main: `SideLocate(${DEPTH})`, freeHints: true });
  const orders = padded([entry(3n, 4n), entry(3n, 5n), entry(LAST_KEY, 2n ** 40n - 1n)]);
  for (const order of orders) {
    const limit = (order >> 42n) << 42n;
    for (const off of [0n, SEQ, -SEQ]) {
      const named = limit + off;
      const isKnown = orders.some((each) => each >> 42n === named >> 42n);
      const said = vectors([0n, 1n], DEPTH)
        .map((hint_isAt) => ({ side: orders, enabled: 1, bound: named, hint_isAt }))
        .filter((inputs) => accepts(gadget, inputs))
        .map((inputs) => gadget.read(gadget.witness(inputs), "isExact"));
      // Nobody can say that an order is not there which is, nor the other way round.
      assert.ok(said.every((exact) => exact === (isKnown ? 1n : 0n)));
    }
  }
});

const CHANGES = ["insert", "remove", "replace", "restore", "nothing"] as const;

function changeInputs(
  orders: bigint[],
  limit: bigint,
  kind: (typeof CHANGES)[number],
  put: bigint,
) {
  const { place, at, previous } = located(orders, limit);
  const flags = Object.fromEntries(
    CHANGES.slice(0, 4).map((name) => [name, name === kind ? 1 : 0]),
  );
  return {
    ...{ side: orders, saved: padded([entry(1n, 1n)]), at, previous, put, ...flags },
    isBefore: orders.map((_, index) => (index < place ? 1 : 0)),
    isAt: orders.map((_, index) => (index === place ? 1 : 0)),
  };
}

function changedSide(orders: bigint[], limit: bigint, kind: (typeof CHANGES)[number], put: bigint) {
  const { place } = located(orders, limit);
  if (kind === "restore") return padded([entry(1n, 1n)]);
  if (kind === "insert") return orders.toSpliced(place, 0, put).slice(0, DEPTH);
  if (place === DEPTH || kind === "nothing") return orders;
  if (kind === "replace") return orders.with(place, put);
  return [...orders.toSpliced(place, 1), ENTRY_SENTINEL];
}

test("SideChange proves 1: after is the side with the one change at the place", async () => {
  const gadget = await loadGadget({ file, main: `SideChange(${DEPTH})` });
  fc.assert(
    fc.property(side, bound, fc.constantFrom(...CHANGES), (orders, limit, kind) => {
      const put = limit + 11n;
      const witness = gadget.witness(changeInputs(orders, limit, kind, put));
      const expected = changedSide(orders, limit, kind, put);
      assert.deepEqual(readAll(gadget, witness, "after", DEPTH), expected, kind);
    }),
    runs(200),
  );
  const orders = padded([entry(3n, 4n), entry(3n, 5n)]);
  for (const kind of CHANGES) assertPinned(gadget, changeInputs(orders, 4n * PRICE, kind, 77n));
});

const access = "trade/BookAccess.circom";
const sides = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [
    [7, 8, 9],
    [10, 11, 12],
  ],
];

test("ChosenSide proves: the side of the chosen book, else the first book's bids", async () => {
  const gadget = await loadGadget({ file: access, main: "ChosenSide(2)" });
  for (const [isBook, isAsk, place] of [
    [[1, 0], 0, 0],
    [[1, 0], 1, 1],
    [[0, 1], 0, 2],
    [[0, 1], 1, 3],
    [[0, 0], 0, 0],
    [[0, 0], 1, 0],
  ] as const) {
    const witness = assertPinned(gadget, { isBook, isAsk });
    const expected = [0, 1, 2, 3].map((index) => (index === place ? 1n : 0n));
    assert.deepEqual(readAll(gadget, witness, "out", 4), expected);
  }
});

const rows = sides.flat();
/** A row read, what is added to each of its cells, and the row written back. */
const ADDED = `template Added(n, width) {
    signal input chosen[n];
    signal input rows[n][width];
    signal input more[width];
    signal output row[width] <== ReadRow(n, width)(chosen, rows);
    signal by[width];
    for (var j = 0; j < width; j++) {
        by[j] <== row[j] * more[j] + 1;
    }
    signal output out[n][width] <== ReplaceRow(n, width)(chosen, rows, row, by);
}`;
const added = { file: "gadgets/Row.circom", main: "Added(4, 3)", around: ADDED };
/** Factors of 0 and 1 among them: what is written then does not, or just so, depend on the row. */
const MORE = [
  [2, 0, 1],
  [1, 1, 1],
  [0, 0, 0],
];

test("ReplaceRow proves 1 and 2: the row is the chosen one, and it alone is replaced", async () => {
  const gadget = await loadGadget(added);
  for (const more of MORE) {
    for (const place of rows.keys()) {
      const chosen = rows.map((_, index) => (index === place ? 1 : 0));
      const witness = assertPinned(gadget, { chosen, rows, more });
      const row = readAll(gadget, witness, "row", 3).map(Number);
      assert.deepEqual(row, rows[place]);
      const out = rows.map((_, at) => readAll(gadget, witness, `out[${at}]`, 3).map(Number));
      const by = row.map((cell, j) => cell * more[j]! + 1);
      assert.deepEqual(out, rows.with(place, by));
    }
  }
});

test("ReplaceRow proves 1: another row than the chosen one is refused", async () => {
  const gadget = await loadGadget({ file: "gadgets/Row.circom", main: "ReplaceRow(4, 3)" });
  for (const more of MORE) {
    for (const place of rows.keys()) {
      const chosen = rows.map((_, index) => (index === place ? 1 : 0));
      const others = vectors([0n, 1n, R - 1n], 3).map((off) =>
        rows[place]!.map((cell, j) => wrapped(BigInt(cell) + off[j]!, R)),
      );
      // What is written follows from the row that is claimed, as it does in a step.
      const taken = [...others, ...rows.map((row) => row.map(BigInt))].filter((row) => {
        const by = row.map((cell, j) => wrapped(cell * BigInt(more[j]!) + 1n, R));
        return accepts(gadget, { chosen, rows, row, by });
      });
      assert.deepEqual(taken, [rows[place]!.map(BigInt), rows[place]!.map(BigInt)]);
    }
  }
});

test("OppositeTop proves: out = the first entry of the side that is traded against", async () => {
  const gadget = await loadGadget({ file: access, main: "OppositeTop(2, 3)" });
  const top = (isBook: number[], isSell: number) =>
    gadget.read(assertPinned(gadget, { sides, isBook, isSell }), "out");
  assert.deepEqual(
    [top([1, 0], 0), top([1, 0], 1), top([0, 1], 0), top([0, 0], 1)],
    [4n, 1n, 10n, 0n],
  );
});

test("IsNonNegative of prices: 1 and 2^24 - 2 cross what they must", async () => {
  const gadget = await loadGadget({ file: "gadgets/Range.circom", main: "IsNonNegative(24)" });
  for (const limit of [1n, LAST_KEY]) {
    for (const top of [1n, LAST_KEY, LAST_KEY + 1n]) {
      const witness = gadget.witness({ in: limit - top });
      assert.equal(gadget.read(witness, "out"), limit >= top ? 1n : 0n);
    }
  }
  assertRejects(gadget, { in: 2n ** 24n });
});
