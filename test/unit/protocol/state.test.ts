import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CodecRangeError, unpack } from "../../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { ENTRY, layoutBits, RANKING } from "../../../sequencer/protocol/layout.ts";
import {
  accountLeaf,
  accountWords,
  bookLeaf,
  type Carry,
  carryFromWord,
  carryWord,
  ENTRY_SENTINEL,
  type Entry,
  emptyAccount,
  emptyKey,
  emptySeries,
  emptySession,
  entryWord,
  feesFromWord,
  feesWord,
  keyHash,
  rankingWord,
  seriesWord,
  seriesWords,
  sessionLeaf,
  sideWords,
  stateRoot,
  weightWords,
} from "../../../sequencer/protocol/state.ts";
import { runs } from "../../property/runs.ts";

const entry: fc.Arbitrary<Entry> = fc.record({
  account: fc.nat({ max: 2 ** 20 - 1 }),
  seq: fc.integer({ min: 1, max: 2 ** 40 - 1 }),
  price: fc.integer({ min: 1 - 2 ** 23, max: 2 ** 23 - 2 }),
  lots: fc.integer({ min: 1, max: 2 ** 22 - 1 }),
});

test("entries sort as integers by price, then seq, best first, sentinels last", () => {
  assert.equal(layoutBits(ENTRY), 106);
  fc.assert(
    fc.property(fc.boolean(), entry, entry, (isSell, a, b) => {
      fc.pre(a.price !== b.price || a.seq !== b.seq);
      const isBetter = a.price === b.price ? a.seq < b.seq : isSell === a.price < b.price;
      assert.equal(entryWord(isSell, a) < entryWord(isSell, b), isBetter);
      assert.ok(entryWord(isSell, a) < ENTRY_SENTINEL);
    }),
    runs(300),
  );
});

test("a side is filled up with sentinels and never longer than its depth", () => {
  const one = { account: 1, seq: 2, price: -3, lots: 4 };
  assert.deepEqual(sideWords(true, [one], 3), [
    entryWord(true, one),
    ENTRY_SENTINEL,
    ENTRY_SENTINEL,
  ]);
  assert.throws(() => sideWords(true, [one, one], 1), CodecRangeError);
});

test("a carry round trips, and none is 0", () => {
  const carry: fc.Arbitrary<Carry> = fc.record({
    account: fc.nat({ max: 2 ** 20 - 1 }),
    book: fc.nat({ max: 2 ** 12 - 1 }),
    isSell: fc.boolean(),
    price: fc.integer({ min: 1 - 2 ** 23, max: 2 ** 23 - 2 }),
    lots: fc.integer({ min: 1, max: 2 ** 22 - 1 }),
    timeInForce: fc.constantFrom("gtc", "ioc", "fok"),
    postOnly: fc.boolean(),
    reduceOnly: fc.boolean(),
    seq: fc.integer({ min: 1, max: 2 ** 40 - 1 }),
  });
  fc.assert(
    fc.property(carry, (subject) => {
      assert.notEqual(carryWord(subject), 0n);
      assert.deepEqual(carryFromWord(carryWord(subject)), { ...subject });
    }),
    runs(100),
  );
  assert.equal(carryWord(undefined), 0n);
  assert.equal(carryFromWord(0n), undefined);
});

test("fee rates round trip, a rebate with its sign, and none is 0", () => {
  const rate = fc.oneof(fc.constantFrom(0, 1, 2 ** 16 - 1), fc.nat({ max: 2 ** 16 - 1 }));
  fc.assert(
    fc.property(rate, rate, fc.boolean(), (taker, size, isRebate) => {
      const fees = { taker, maker: isRebate ? 0 - size : size };
      assert.deepEqual(feesFromWord(feesWord(fees)), fees);
    }),
    runs(100),
  );
  assert.equal(feesWord({ taker: 0, maker: 0 }), 0n);
  assert.throws(() => feesWord({ taker: 2 ** 16, maker: 0 }), { field: "taker" });
  assert.throws(() => feesWord({ taker: 0, maker: -(2 ** 16) }), { field: "maker" });
});

test("a ranking's word tells all of its fields, also past the last account", () => {
  const ranking = {
    slot: 63,
    isLong: true,
    next: 2 ** 20,
    seen: 5,
    best: 7,
    bestLots: 2 ** 22 - 1,
  };
  const fields = unpack(RANKING, rankingWord(ranking));
  assert.deepEqual(fields, { ...ranking, isLong: 1 });
  assert.equal(unpack(RANKING, rankingWord({ ...ranking, isLong: false })).isLong, 0);
  assert.equal(rankingWord(undefined), 0n);
});

test("cash and positions stay strictly inside their ranges", () => {
  const account = emptyAccount(16);
  for (const cash of [1 - 2 ** 52, 0, 2 ** 52 - 1]) {
    assert.equal(accountWords({ ...account, cash })[1], BigInt(cash) + (1n << 52n));
  }
  for (const cash of [-(2 ** 52), 2 ** 52]) {
    assert.throws(() => accountLeaf({ ...account, cash }), { field: "cash" });
  }
  const at = (lots: number) => ({ ...account, positions: account.positions.with(12, lots) });
  for (const lots of [1 - 2 ** 22, 2 ** 22 - 1]) {
    const words = accountWords(at(lots));
    assert.equal(words.length, 5);
    assert.ok(words.every((word) => word < FIELD_MODULUS));
    assert.equal((words[3]! >> (5n * 36n)) & 0xf_ffff_ffffn, BigInt(lots + 2 ** 22));
  }
  assert.throws(() => accountLeaf(at(2 ** 22)), CodecRangeError);
});

test("weights stand 32 to a word with offset 8", () => {
  const [low, high] = weightWords([-8, 7, ...new Array<number>(30).fill(0), 1]);
  assert.equal(low & 0xffn, 0xf0n);
  assert.equal(low >> 8n, BigInt(`0x${"8".repeat(30)}`));
  assert.equal(high, 9n);
  assert.equal(weightWords([0])[1], 0n);
  assert.throws(() => weightWords([8]), CodecRangeError);
  assert.throws(() => weightWords([-9]), CodecRangeError);
});

test("every field of every leaf and root matters", () => {
  const key = emptyKey();
  assert.equal(seriesWord(emptySeries()), 0n);
  const table = [1, 2, 3].map((mark) => ({ ...emptySeries(), mark, expiry: 2 ** 32 - 1 }));
  const [first, second, third] = table.map(seriesWord);
  assert.deepEqual(seriesWords(table), [first! + (second! << 119n), third]);
  assert.deepEqual(seriesWords(table.slice(0, 1)), [first]);
  const keys = [
    key,
    ...(["x", "y", "head"] as const).map((name) => ({ ...key, [name]: 1n })),
    ...(["expiry", "version"] as const).map((name) => ({ ...key, [name]: 1 })),
  ];
  assert.equal(new Set(keys.map(keyHash)).size, keys.length);
  const session = emptySession();
  const sessions = [
    session,
    { ...session, watermark: 1 },
    { ...session, lockedSince: 1 },
    ...[0, 1, 2, 3].map((index) => {
      return { ...session, keys: session.keys.with(index, { ...key, x: 1n }) };
    }),
  ];
  assert.equal(new Set(sessions.map(sessionLeaf)).size, sessions.length);
  const fees = { taker: 1, maker: 1 };
  const book = { weights: [1], generation: 1, fees, bids: [], asks: [] };
  const resting = [{ account: 1, seq: 1, price: 1, lots: 1 }];
  const books = [
    book,
    { ...book, weights: [2] },
    { ...book, generation: 2 },
    { ...book, fees: { ...fees, taker: 2 } },
    { ...book, fees: { ...fees, maker: 0 } },
    { ...book, fees: { ...fees, maker: -1 } },
    { ...book, bids: resting },
    { ...book, asks: resting },
  ];
  assert.equal(new Set(books.map((subject) => bookLeaf(subject, 2))).size, books.length);
  const numbers = { fees: 0, nextSeq: 0 };
  const words = { accounts: 0n, series: 0n, sessions: 0n, books: 0n, carry: 0n, ranking: 0n };
  const roots = { ...words, ...numbers };
  const names = Object.keys(words) as (keyof typeof words)[];
  const states = [
    roots,
    { ...roots, nextSeq: 1 },
    { ...roots, fees: 1 },
    ...names.map((name) => ({ ...roots, [name]: 1n })),
  ];
  assert.equal(new Set(states.map(stateRoot)).size, states.length);
});
