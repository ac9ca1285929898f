// Forced operations beside withdrawals: cancel-all, and the close of a position at the mark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOperation } from "../../../sequencer/engine/ledger.ts";
import type { LedgerOperation, OperationRecord } from "../../../sequencer/engine/records.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import { LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import {
  assertRefused,
  createDistress,
  type Distress,
  type DistressOptions,
  execute,
  LOCKED,
  rankHolders,
} from "./ledgerDistress.ts";
import { EXPIRY, slotRisk } from "./market.ts";

/** Holds 60 lots of slot 0 at 100 ticks, which may move by 20: a close costs 20 ticks a lot. */
const LONG = 4;
const FUND = 2;
const CHARGE = 20_000;
const ownerOf = (account: number) => BigInt(100 + account);

function close(lots: number, account = LONG, slot = 0): LedgerOperation {
  return { kind: "forcedClose", account, owner: ownerOf(account), slot, lots };
}

/** Asserts a no-op: served, stated as refused, and without a trace. */
function assertNoOp({ state, ledger }: Distress, operation: LedgerOperation): OperationRecord {
  const before = state.exportState();
  const record = applyOperation(state, operation, ledger);
  assert.equal(record.outcome, "refused");
  assert.deepEqual(state.exportState(), before);
  assert.equal(unpack(LEDGER_OP, record.publicWords[0]!).executed, 0);
  return record;
}

const cashOf = ({ state }: Distress, ...ids: number[]) => ids.map((id) => state.account(id).cash);

test("a long position is closed at the mark, for the short-option minimum", () => {
  const distress = createDistress();
  const { publicWords } = execute(distress, close(10));
  assert.deepEqual(cashOf(distress, LONG, FUND), [50_800_000, 9_200_000]);
  assert.equal(distress.state.account(LONG).positions[0], 50);
  assert.equal(distress.state.account(FUND).positions[0], 10);
  const { kind, account, to, slot, lots, amount } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([kind, account, to, slot], [LEDGER_KINDS.forcedClose, FUND, LONG, 0]);
  assert.deepEqual([lots, amount], [10, CHARGE]);
  assert.deepEqual(publicWords.slice(1), [ownerOf(LONG), 0n, 0n]);
});

test("a short position is bought back, also of an account in liquidation", () => {
  const distress = createDistress();
  execute(distress, close(10, LOCKED));
  assert.deepEqual(cashOf(distress, LOCKED, FUND), [10_300_000, 11_200_000]);
  assert.equal(distress.state.account(LOCKED).positions[0], -90);
});

test("a close never goes beyond the position, and ends a ranking", () => {
  const distress = createDistress();
  rankHolders(distress);
  const { publicWords } = execute(distress, close(2 ** 22 - 1));
  assert.equal(distress.state.account(LONG).positions[0], 0);
  assert.equal(distress.state.account(FUND).positions[0], 60);
  assert.equal(distress.state.series()[0]!.holders, 3);
  assert.equal(distress.state.ranking(), undefined);
  assert.equal(unpack(LEDGER_OP, publicWords[0]!).lots, 2 ** 22 - 1);
});

test("where there is nothing to close, nothing happens, and a ranking goes on", () => {
  const distress = createDistress();
  rankHolders(distress);
  const { publicWords } = assertNoOp(distress, close(1, LONG, 1));
  assert.equal(unpack(LEDGER_OP, publicWords[0]!).amount, CHARGE);
  assertNoOp(distress, close(1, 6));
});

test("a series that has expired or is settled is not closed but paid out", () => {
  const expired = (isFinal: boolean): Distress => {
    const slots = new Array(4).fill({ ...slotRisk(100, 20), isFinal });
    const { state, ledger } = createDistress({ slots });
    return { state, ledger: { ...ledger, time: EXPIRY * 1000 } };
  };
  assertNoOp(expired(false), close(10));
  const final = expired(true);
  assertNoOp(final, close(10));
  execute(final, { kind: "settleSeries", slot: 0 });
  assertNoOp(final, close(10));
  const { state, ledger } = createDistress();
  execute({ state, ledger: { ...ledger, time: EXPIRY * 1000 - 1 } }, close(10));
});

/** The last that is executed, and the first that is not. */
function assertEdge(operation: LedgerOperation, done: DistressOptions, not: DistressOptions): void {
  execute(createDistress(done), operation);
  assertNoOp(createDistress(not), operation);
}

test("the fund takes what half of its cash bears, and keeps cash", () => {
  // Short 10 lots with 1.2 M more: 4 cash - 10 * 500 * 1000 >= 2 cash from 2.5 M on.
  const short = close(10, LOCKED);
  assertEdge(short, { cash: { 2: 1_300_000 } }, { cash: { 2: 1_299_999 } });
  // Long lots cannot lose more than they cost: cash is what ends first.
  assertEdge(close(10), { cash: { 2: 800_000 } }, { cash: { 2: 799_999 } });
});

test("a close that leaves the closer without margin is refused", () => {
  // Equity falls by the charge: 4 * (6 M + cash) >= 4 * 200,000.
  assertEdge(close(10), { cash: { 4: -5_800_000 } }, { cash: { 4: -5_800_001 } });
});

test("both accounts stay within the limits of cash and positions", () => {
  const slots = new Array(4).fill(slotRisk(100, 0));
  const held = (lots: number) => ({
    slots,
    cash: { 2: 2 ** 40 },
    positions: { 2: [lots, 0, 0, 0], 5: [40 - lots, 0, 0, 0] },
  });
  assertEdge(close(10), held(2 ** 21 - 11), held(2 ** 21 - 10));
  const shorts = (lots: number) => held(-lots);
  assertEdge(close(10, LOCKED), shorts(2 ** 21 - 10), shorts(2 ** 21 - 9));
  const paid = (cash: number) => ({ slots, cash: { 4: cash } });
  assertEdge(close(10), paid(2 ** 51 - 1_000_001), paid(2 ** 51 - 1_000_000));
  const fund = (cash: number) => ({ slots, cash: { 2: cash } });
  assertEdge(close(10, LOCKED), fund(2 ** 51 - 1_000_001), fund(2 ** 51 - 1_000_000));
  const poor = (cash: number) => ({ slots, cash: { 3: cash, 2: 2 ** 40 } });
  // Without changes nothing gets worse: a debt as large as the range of cash may be carried.
  assertEdge(close(10, LOCKED), poor(1_000_000 - 2 ** 51), poor(999_999 - 2 ** 51));
});

test("a minimum below 0 is no gift", () => {
  const falling = { ...slotRisk(100, 20), changes: new Array<number>(17).fill(-20) };
  const distress = createDistress({ slots: new Array(4).fill(falling) });
  const { publicWords } = execute(distress, close(10));
  assert.equal(unpack(LEDGER_OP, publicWords[0]!).amount, 0);
  assert.deepEqual(cashOf(distress, LONG, FUND), [51_000_000, 9_000_000]);
});

test("what layer one refuses at the door is never sequenced", () => {
  const distress = createDistress();
  assertRefused(distress, { ...close(1), owner: 7n } as LedgerOperation, /belongs to/);
  assertRefused(distress, close(1, FUND), /against itself/);
  assertRefused(distress, close(1, LONG, 4), /`slot` must be below/);
  for (const lots of [0, -1, 0.5, 2 ** 22]) assertRefused(distress, close(lots), /from 1 to/);
});

test("B6: a forced cancel-all voids every order so far, and uses no seq", () => {
  const distress = createDistress();
  const { state } = distress;
  state.setNextSeq(41);
  const cancel = { kind: "forcedCancelAll", account: LONG, owner: ownerOf(LONG) } as const;
  const { publicWords } = execute(distress, cancel);
  assert.equal(state.session(LONG).watermark, 41);
  assert.equal(state.nextSeq(), 41);
  const { kind, account, executed } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([kind, account, executed], [LEDGER_KINDS.forcedCancelAll, LONG, 1]);
  assert.deepEqual(publicWords.slice(1), [ownerOf(LONG), 0n, 0n]);
  assertRefused(distress, { ...cancel, owner: 7n }, /belongs to/);
});
