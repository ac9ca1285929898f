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
  const distress = createDistress({ cash: { [FUND]: 20_000_000 } });
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

/** In the first millisecond after the expiry of slot 0, at 100 ticks. */
function expired({ isFinal = true, ...options }: DistressOptions & { isFinal?: boolean } = {}) {
  const slots = new Array(4).fill({ ...slotRisk(100, 20), isFinal });
  const { state, ledger } = createDistress({ slots, ...options });
  return { state, ledger: { ...ledger, time: EXPIRY * 1000 } };
}

test("an expired series is settled and the whole position paid out, without the fund", () => {
  const distress = expired();
  const { state } = distress;
  rankHolders(distress);
  const { publicWords } = execute(distress, close(10));
  assert.deepEqual(cashOf(distress, LONG, FUND), [56_000_000, 10_000_000]);
  assert.equal(state.account(LONG).positions[0], 0);
  assert.equal(state.account(FUND).positions[0], 0);
  const { status, holders, mark } = state.series()[0]!;
  assert.deepEqual([status, holders, mark], ["settled", 2, 100]);
  assert.equal(state.ranking(), undefined);
  const { account, to, lots, amount } = unpack(LEDGER_OP, publicWords[0]!);
  assert.deepEqual([account, to, lots, amount], [FUND, LONG, 10, 0]);
});

test("a settled series is paid out to whoever closes it, in liquidation too", () => {
  const distress = expired();
  execute(distress, { kind: "settleSeries", slot: 0 });
  execute(distress, close(1, LOCKED));
  assert.deepEqual(cashOf(distress, LOCKED), [1_500_000]);
  assert.equal(distress.state.account(LOCKED).positions[0], 0);
  assertNoOp(distress, close(1, LOCKED));
});

test("what is paid out asks nothing of the fund, but must fit its owner's limits", () => {
  execute(expired({ cash: { [FUND]: -5 } }), close(60));
  const most = 2 ** 51 - 6_000_000;
  execute(expired({ cash: { [LONG]: most - 1 } }), close(60));
  assertNoOp(expired({ cash: { [LONG]: most } }), close(60));
});

test("without a last mark, or a position, an expired series stays as it is", () => {
  assertNoOp(expired({ isFinal: false }), close(10));
  assertNoOp(expired(), close(10, 6));
  const { state, ledger } = createDistress();
  execute({ state, ledger: { ...ledger, time: EXPIRY * 1000 - 1 } }, close(10));
  assert.equal(state.series()[0]!.status, "listed");
});

/** The last that is executed, and the first that is not. */
function assertEdge(operation: LedgerOperation, done: DistressOptions, not: DistressOptions): void {
  execute(createDistress(done), operation);
  assertNoOp(createDistress(not), operation);
}

test("in the worst scenario at least half of the fund's equity remains", () => {
  // Short 10 lots with 1.2 M more: 2 (4 cash - 5 M) >= 4 cash - 4 M from 1.5 M on.
  const short = close(10, LOCKED);
  assertEdge(short, { cash: { 2: 300_000 } }, { cash: { 2: 299_999 } });
  // Long 10 lots for 100,000 that may lose 9/10: 2 (4 cash - 0.5 M) >= 4 cash + 4 M from 1.25 M on.
  const slots = new Array(4).fill(slotRisk(100, 90));
  assertEdge(close(10), { slots, cash: { 2: 1_350_000 } }, { slots, cash: { 2: 1_349_999 } });
});

test("half of the fund's equity stays cash: it buys no more than it keeps", () => {
  // 10 lots are worth 1 M, and cost 0.8 M.
  assertEdge(close(10), { cash: { 2: 1_800_000 } }, { cash: { 2: 1_799_999 } });
  // Who has less cash than that may still sell.
  const held = { positions: { 2: [0, 100, 0, 0], 5: [40, -100, 0, 0] }, cash: { 2: 1_000_000 } };
  execute(createDistress(held), close(1, LOCKED));
  assertNoOp(createDistress(held), close(1));
});

test("a fund without equity takes nothing", () => {
  const held = { positions: { 2: [0, -100, 0, 0], 5: [40, 100, 0, 0] } };
  const withCash = (cash: number) => ({ ...held, cash: { 2: cash } });
  assertNoOp(createDistress(withCash(9_979_999)), close(1));
  assertNoOp(createDistress(withCash(9_979_999)), close(1, LOCKED));
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
