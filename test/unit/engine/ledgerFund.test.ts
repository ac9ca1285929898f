// absorb, release, collectFees, and the fee rates of books.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import { FEE_ACCOUNT, LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import { feesFromWord, weightWords } from "../../../sequencer/protocol/state.ts";
import { assertRefused, createDistress, execute, LOCKED } from "./ledgerDistress.ts";
import { weightsOf } from "./market.ts";

const absorb = (amount: number, from = LOCKED): LedgerOperation => {
  return { kind: "absorb", from, amount };
};
const release: LedgerOperation = { kind: "release", account: LOCKED };
const collect: LedgerOperation = { kind: "collectFees" };

/** Equity of the locked account is 4 M below 0. */
const DEFICIT = { cash: { [LOCKED]: 6_000_000 } };

test("the fund pays a deficit down to the last unit, and not beyond", () => {
  const distress = createDistress(DEFICIT);
  const { state } = distress;
  assertRefused(distress, absorb(4_000_001), /would have equity left/);
  const { publicWords } = execute(distress, absorb(4_000_000));
  assert.deepEqual(
    [2, LOCKED].map((id) => state.account(id).cash),
    [6_000_000, 10_000_000],
  );
  const { kind, account, to, amount } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([kind, account, to, amount], [LEDGER_KINDS.absorb, 2, LOCKED, 4_000_000]);
  assertRefused(distress, absorb(1), /would have equity left/);
});

test("the fund pays from its own cash, stays covered, and not for itself", () => {
  const poor = createDistress({ cash: { ...DEFICIT.cash, 2: 1000 } });
  assertRefused(poor, absorb(1001), /cannot pay `1001`/);
  execute(poor, absorb(1000));
  // Short 10 lots of slot 1 at 100 with a worst mark of 120: 4 cash >= 1000 * 10 * 500.
  const positions = { 2: [0, -10, 0, 0], 4: [60, 10, 0, 0] };
  const held = createDistress({ positions, cash: { ...DEFICIT.cash, 2: 1_250_005 } });
  assertRefused(held, absorb(6), /cannot pay `6`/);
  execute(held, absorb(5));
  assertRefused(createDistress(), absorb(1, 2), /its own deficit/);
});

test("an absorbed amount is a positive amount", () => {
  const distress = createDistress(DEFICIT);
  assertRefused(distress, absorb(0), /above 0/);
  assertRefused(distress, absorb(-1), /integer from 0/);
  assertRefused(distress, absorb(0.5), /integer from 0/);
  assertRefused(createDistress({ cash: { 2: 2 ** 51 } }), absorb(2 ** 50), /integer from 0/);
});

test("a healthy account has nothing to absorb", () => {
  assertRefused(createDistress(), absorb(1), /would have equity left/);
  assertRefused(createDistress(), absorb(1, 9), /Account `9` would have equity left/);
});

test("an account at maintenance is released, one unit below it is not", () => {
  const below = createDistress({ cash: { [LOCKED]: 11_999_999 } });
  assertRefused(below, release, /below maintenance margin in scenario `0`/);
  const healthy = createDistress({ cash: { [LOCKED]: 12_000_000 } });
  const { publicWords } = execute(healthy, release);
  assert.equal(healthy.state.session(LOCKED).lockedSince, 0);
  const { kind, account } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([kind, account], [LEDGER_KINDS.release, LOCKED]);
});

test("release looks at the short-option minimum and at equity too", () => {
  const only = (row: number, change: number) => {
    const changes = Array.from({ length: 17 }, (_, s) => (s === row ? change : 0));
    return { mark: 100, isFinal: false, changes };
  };
  for (const [slot, cash, scenario] of [
    [only(16, 1), 10_099_999, 16],
    [only(16, 0), 9_999_999, 0],
    [only(0, -1), 9_999_999, 1],
  ] as const) {
    const options = { cash: { [LOCKED]: cash }, slots: [slot, slot, slot, slot] };
    assertRefused(createDistress(options), release, new RegExp(`in scenario \`${scenario}\``));
    execute(createDistress({ ...options, cash: { [LOCKED]: cash + 1 } }), release);
  }
});

test("what fills have paid goes to the fee account", () => {
  const distress = createDistress({ cash: { [FEE_ACCOUNT]: 5 } });
  const { state } = distress;
  state.setFees(1234);
  const { publicWords } = execute(distress, collect);
  assert.equal(state.fees(), 0);
  assert.equal(state.account(FEE_ACCOUNT).cash, 1239);
  const { kind, account, amount } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([kind, account, amount], [LEDGER_KINDS.collectFees, FEE_ACCOUNT, 1234]);
  assert.equal(unpack(LEDGER_OP, execute(distress, collect).publicWords[0]!).amount, 0);
});

test("fees wait where word or leaf could not state them", () => {
  const word = createDistress();
  word.state.setFees(2 ** 50);
  assertRefused(word, collect, /integer from 0 to 2\^50 - 1/);
  const leaf = createDistress({ cash: { [FEE_ACCOUNT]: 2 ** 52 - 2 } });
  leaf.state.setFees(2);
  assertRefused(leaf, collect, /would leave its range/);
  leaf.state.setFees(1);
  execute(leaf, collect);
});

const openBook = (taker: number, maker: number): LedgerOperation => {
  return { kind: "openBook", book: 7, weights: weightsOf({ 0: 1 }), fees: { taker, maker } };
};

const RATES: readonly (readonly [number, number])[] = [
  [0, 0],
  [2 ** 16 - 1, 2 ** 16 - 1],
  [2 ** 16 - 1, 1 - 2 ** 16],
  [3, -3],
  [0, 9],
];
for (const [taker, maker] of RATES) {
  test(`a book opens with fees of ${taker} and ${maker}`, () => {
    const distress = createDistress();
    const { publicWords } = execute(distress, openBook(taker, maker));
    assert.deepEqual(distress.state.book(7)?.fees, { taker, maker });
    assert.deepEqual(publicWords.slice(1, 3), weightWords(weightsOf({ 0: 1 })));
    assert.deepEqual(feesFromWord(publicWords[3]!), { taker, maker });
  });
}

const BAD_RATES: readonly (readonly [number, number, RegExp])[] = [
  [-1, 0, /`fees.taker` must be/],
  [2 ** 16, 0, /`fees.taker` must be/],
  [0.5, 0, /`fees.taker` must be/],
  [3, -4, /`fees.maker` must be from `-3`/],
  [0, -1, /`fees.maker` must be/],
  [3, 2 ** 16, /`fees.maker` must be/],
  [3, Number.NaN, /`fees.maker` must be/],
];
for (const [taker, maker, reason] of BAD_RATES) {
  test(`no book opens with fees of ${taker} and ${maker}`, () => {
    assertRefused(createDistress(), openBook(taker, maker), reason);
  });
}
