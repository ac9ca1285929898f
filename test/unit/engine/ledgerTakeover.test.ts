import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import { LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import { nextHead } from "../../../sequencer/protocol/messages.ts";
import {
  assertRefused,
  backstop,
  createDistress,
  type DistressOptions,
  deleverage,
  execute,
  insure,
  LOCKED,
  LOCKED_CASH,
  LOSS,
  rankHolders,
  TRADER,
} from "./ledgerDistress.ts";
import { slotRisk } from "./market.ts";

test("a backstop moves lots at the mark and the discount, and ends a ranking", () => {
  const distress = createDistress();
  const { state } = distress;
  rankHolders(distress);
  const head = state.session(TRADER).keys[0]!.head;
  const operation = backstop({ lots: 25, amount: 1234 });
  const { publicWords } = execute(distress, operation);
  const cost = 25 * 100 * 1000;
  assert.equal(state.account(LOCKED).cash, LOCKED_CASH - cost - 1234);
  assert.equal(state.account(TRADER).cash, 50_000_000 + cost + 1234);
  assert.deepEqual(state.account(LOCKED).positions, [-75, 0, 0, 0]);
  assert.deepEqual(state.account(TRADER).positions, [-25, 0, 0, 0]);
  assert.equal(state.ranking(), undefined);
  assert.equal(
    state.session(TRADER).keys[0]!.head,
    nextHead(head, "word" in operation ? operation.word : 0n),
  );
  assert.deepEqual(unpack(LEDGER_OP, publicWords[0]!), {
    kind: LEDGER_KINDS.backstop,
    executed: 1,
    account: TRADER,
    to: LOCKED,
    slot: 0,
    book: 0,
    keyIndex: 0,
    amount: 1234,
    keyExpiry: 0,
    lots: 25,
    isSubsidy: 0,
    isLong: 0,
  });
  assert.deepEqual(publicWords.slice(1), [0n, 0n, 0n]);
});

test("insure and deleverage say who took over, and a subsidy is paid to the locked account", () => {
  const broke = createDistress({ cash: { [LOCKED]: 9_000_000, 2: 100_000_000 } });
  const { state } = broke;
  const cost = 10 * 100 * 1000;
  const words = execute(broke, insure({ amount: 3, isSubsidy: true })).publicWords;
  const insured = unpack(LEDGER_OP, words[0]!);
  assert.deepEqual([insured.account, insured.to, insured.isSubsidy], [2, LOCKED, 1]);
  assert.equal(state.account(LOCKED).cash, 9_000_000 - cost + 3);
  assert.equal(state.account(2).cash, 100_000_000 + cost - 3);
  rankHolders(broke, { accounts: [2, 3, 4, 5] });
  const { publicWords } = execute(broke, deleverage({ amount: 4, isSubsidy: true }));
  const deleveraged = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual(
    [deleveraged.kind, deleveraged.account, deleveraged.to, deleveraged.lots],
    [LEDGER_KINDS.deleverage, 4, LOCKED, 10],
  );
  assert.deepEqual(state.account(4).positions, [50, 0, 0, 0]);
  assert.equal(state.account(4).cash, 50_000_000 + cost - 4);
});

test("a long position is sold at the mark to who takes it over", () => {
  const positions = { 3: [100, 0, 0, 0], 4: [-60, 0, 0, 0], 5: [-40, 0, 0, 0] };
  const distress = createDistress({ positions, cash: { [LOCKED]: -8_500_000 } });
  execute(distress, backstop({ lots: 25, scenario: 1 }));
  const { state } = distress;
  assert.deepEqual(
    [3, TRADER].map((id) => state.account(id).positions[0]),
    [75, 25],
  );
  assert.equal(state.account(LOCKED).cash, -8_500_000 + 25 * 100 * 1000);
});

/** `refused` breaks the named condition alone: `allowed`, one step away, is executed. */
interface Case {
  readonly name: string;
  readonly reason: RegExp;
  readonly refused: LedgerOperation;
  readonly allowed: LedgerOperation;
  /** Of the refused one. */
  readonly setup?: DistressOptions;
  /** Of the allowed one; by default as for the refused. */
  readonly other?: DistressOptions;
  readonly ranked?: Parameters<typeof rankHolders>[1];
  readonly otherRanked?: Parameters<typeof rankHolders>[1];
}

const EVEN: DistressOptions = { cash: { [LOCKED]: 12_000_000 } };
// Long 10 of slot 1 as well, which gains where the short position loses.
const HEDGED: DistressOptions = {
  positions: { 3: [-100, 10, 0, 0], 4: [60, -10, 0, 0] },
  cash: { [LOCKED]: 10_300_000 },
};
const atSecond = (lockedFor: number): DistressOptions => ({ lockedFor });
/** The fund with this cash takes 10 lots at 1 M: headroom_0 must be at least twice the cash. */
const fundWith = (cash: number): DistressOptions => ({ cash: { 2: cash } });
// 2 (4 (cash + 1 M) - 5 M) >= 4 cash from 0.5 M on.
const HALF = 500_000;
/** The fund owes 10 M in a slot that falls where slot 0 rises. */
const indebted = (cash: number): DistressOptions => ({
  cash: { 2: cash },
  positions: { 2: [0, -100, 0, 0], 4: [60, 100, 0, 0] },
  slots: [slotRisk(100, 20), slotRisk(100, -20), slotRisk(100, 20), slotRisk(100, 20)],
});
/** Short slot 1 as well, which loses where slot 0 gains: 1900 ticks there, 2000 in a rise. */
const STRADDLE: DistressOptions = {
  positions: { 3: [-100, -100, 0, 0], 4: [60, 100, 0, 0] },
  cash: { [LOCKED]: 21_500_000 },
  slots: [
    slotRisk(100, 20),
    { ...slotRisk(100, 0), changes: slotRisk(100, 39).changes.map((move) => Math.max(0, -move)) },
    ...[slotRisk(100, 20), slotRisk(100, 20)],
  ],
};

const CASES: readonly Case[] = [
  {
    name: "T1: an account that is not locked",
    reason: /not locked/,
    refused: backstop(),
    allowed: backstop(),
    setup: { lockedFor: undefined },
    other: { lockedFor: 0 },
  },
  {
    name: "T1: an account at maintenance",
    reason: /not below maintenance/,
    refused: backstop({ lots: 1 }),
    allowed: backstop({ lots: 1 }),
    setup: EVEN,
    other: { cash: { [LOCKED]: 11_999_999 } },
  },
  {
    name: "T1: in the exhibited scenario",
    reason: /not below maintenance margin in scenario `1`/,
    refused: backstop({ scenario: 1 }),
    allowed: backstop({ scenario: 16 }),
  },
  {
    name: "T2: more than the position",
    reason: /at most the position of `100`/,
    refused: backstop({ lots: 101 }),
    allowed: backstop({ lots: 100 }),
    setup: { cash: { [LOCKED]: 10_019_999 } },
  },
  {
    name: "T2: a slot without position",
    reason: /at most the position of `0`/,
    refused: backstop({ slot: 1, lots: 1 }),
    allowed: backstop({ lots: 1 }),
  },
  {
    name: "T2: what gains in the scenario",
    reason: /does not lose in scenario `0`/,
    refused: backstop({ slot: 1, lots: 1 }),
    allowed: backstop({ slot: 0, lots: 1 }),
    setup: HEDGED,
  },
  {
    // Its headroom in scenario 0 is -4 M, and every lot adds 5 LOSS to it.
    name: "T3: a lot more than restores initial margin",
    reason: /no more than restore initial margin in scenario `0`/,
    refused: backstop({ lots: 41 }),
    allowed: backstop({ lots: 40 }),
  },
  {
    name: "T3: counts the discount",
    reason: /no more than restore initial margin in scenario `0`/,
    refused: backstop({ lots: 41, amount: 0 }),
    allowed: backstop({ lots: 41, amount: 1 }),
  },
  {
    name: "T4: a discount beyond half of the loss",
    reason: /`amount` must be at most `100000`/,
    refused: backstop({ amount: 5 * LOSS + 1 }),
    allowed: backstop({ amount: 5 * LOSS }),
  },
  {
    name: "T4: the auction ends after 256 s",
    reason: /`amount` must be at most `99609`/,
    refused: backstop({ amount: 99_610 }),
    allowed: backstop({ amount: 99_610 }),
    setup: atSecond(255),
    other: atSecond(256),
  },
  {
    name: "T4: no discount in the lock's second",
    reason: /`amount` must be at most `0`/,
    refused: backstop({ amount: 1 }),
    allowed: backstop({ amount: 0 }),
    setup: atSecond(0),
  },
  {
    name: "T5: a subsidy that leaves equity",
    reason: /must not leave any equity/,
    refused: insure({ amount: 1_000_001, isSubsidy: true }),
    allowed: insure({ amount: 1_000_000, isSubsidy: true }),
    setup: { cash: { [LOCKED]: 9_000_000, 2: 20_000_000 } },
  },
  {
    name: "T6: a fall would hurt more than the rise did",
    reason: /Account `3` would fall too low in scenario `1`/,
    refused: backstop({ lots: 6 }),
    allowed: backstop({ lots: 5 }),
    setup: STRADDLE,
  },
  {
    name: "T6: the discount counts for who gives up, too",
    reason: /Account `3` would fall too low in scenario `1`/,
    refused: backstop({ lots: 4, amount: 20_001 }),
    allowed: backstop({ lots: 4, amount: 20_000 }),
    setup: STRADDLE,
  },
  {
    name: "T6: the other account lacks margin",
    reason: /takes over the lots would lack margin in scenario `0`/,
    refused: backstop(),
    allowed: backstop(),
    // 4 (cash + 1 M) + 1000 * -10 * (400 + 100) >= 0 from 250000 on.
    setup: { cash: { [TRADER]: 249_999 } },
    other: { cash: { [TRADER]: 250_000 } },
  },
  {
    name: "T6: the discount counts for who takes over",
    reason: /takes over the lots would lack margin in scenario `0`/,
    refused: backstop({ amount: 999 }),
    allowed: backstop({ amount: 1000 }),
    setup: { cash: { [TRADER]: 249_000 } },
  },
  {
    name: "the range of positions",
    reason: /An account would leave the range/,
    refused: backstop({ lots: 10 }),
    allowed: backstop({ lots: 9 }),
    setup: {
      positions: { 6: [-(2 ** 22 - 10), 0, 0, 0], 4: [60 + 2 ** 22 - 10, 0, 0, 0] },
      cash: { [TRADER]: 2 ** 51 },
    },
  },
  {
    name: "the range of cash",
    reason: /An account would leave the range/,
    refused: backstop(),
    allowed: backstop(),
    setup: { cash: { [TRADER]: 2 ** 52 - 1_000_000 } },
    other: { cash: { [TRADER]: 2 ** 52 - 1_000_001 } },
  },
  {
    name: "T7: the fund waits for the auction",
    reason: /must wait `256` s from the lock. Got `255`/,
    refused: insure(),
    allowed: insure(),
    setup: atSecond(255),
    other: atSecond(256),
  },
  {
    name: "T7: the fund engages at most half of its equity",
    reason: /more than half of its equity in scenario `0`/,
    refused: insure(),
    allowed: insure(),
    setup: fundWith(HALF - 1),
    other: fundWith(HALF),
  },
  {
    name: "T7: the fund's equity is at least 0 afterwards",
    reason: /The fund would have no equity/,
    refused: insure(),
    allowed: insure(),
    setup: indebted(9_999_999),
    other: indebted(10_000_000),
  },
  {
    name: "T7: the fund's own positions",
    reason: /cannot take over from itself/,
    refused: insure({ from: 2 }),
    allowed: insure(),
  },
  {
    name: "a backstop of one's own account",
    reason: /cannot take over from itself/,
    refused: backstop({}, LOCKED),
    allowed: backstop({}, 4),
  },
  {
    name: "T8: deleveraging comes last",
    reason: /must wait `512` s from the lock. Got `511`/,
    refused: deleverage(),
    allowed: deleverage(),
    setup: atSecond(511),
    other: atSecond(512),
    ranked: {},
  },
  {
    name: "T8: no ranking",
    reason: /no ranking of slot `0`, long/,
    refused: deleverage(),
    allowed: deleverage(),
    ranked: { accounts: [] },
    otherRanked: {},
  },
  {
    name: "T8: the ranking of the other side",
    reason: /no ranking of slot `0`, long/,
    refused: deleverage(),
    allowed: deleverage(),
    ranked: { isLong: false },
    otherRanked: { isLong: true },
  },
  {
    name: "T8: the ranking of another slot",
    reason: /no ranking of slot `0`, long/,
    refused: deleverage(),
    allowed: deleverage(),
    setup: { positions: { 3: [-100, 10, 0, 0], 4: [60, -10, 0, 0] }, cash: { 3: 10_300_000 } },
    ranked: { accounts: [3, 4], slot: 1 },
    otherRanked: {},
  },
  {
    name: "T8: a ranking that has not seen all",
    reason: /must have seen `3` holders. Got `2`/,
    refused: deleverage(),
    allowed: deleverage(),
    ranked: { accounts: [3, 4] },
    otherRanked: { accounts: [3, 4, 5] },
  },
  {
    name: "T8: another than the first",
    reason: /`account` must be `4`/,
    refused: deleverage({}, 5),
    allowed: deleverage({}, 4),
    ranked: {},
  },
  {
    name: "T8: more than the first holds",
    reason: /`lots` must be at most `60`, the first's. Got `61`/,
    refused: deleverage({ lots: 61 }),
    allowed: deleverage({ lots: 60 }),
    setup: { cash: { [LOCKED]: 9_999_999 } },
    ranked: {},
  },
];
for (const { name, reason, refused, allowed, setup, other, ranked, otherRanked } of CASES) {
  test(`a takeover is refused: ${name}`, () => {
    const distress = createDistress(setup);
    if (ranked !== undefined) rankHolders(distress, ranked);
    assertRefused(distress, refused, reason);
    const fine = createDistress(other ?? setup);
    const ranking = otherRanked ?? ranked;
    if (ranking !== undefined) rankHolders(fine, ranking);
    execute(fine, allowed);
  });
}
