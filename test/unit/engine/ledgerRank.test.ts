import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import { LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import {
  assertRefused,
  createDistress,
  type Distress,
  execute,
  LOCKED,
  rankHolders,
} from "./ledgerDistress.ts";
import { contextsOf, slotRisk, snapshotOf } from "./market.ts";

const rank = (account: number, isLong = true, slot = 0): LedgerOperation => {
  return { kind: "rank", account, slot, isLong };
};
const LONG = { slot: 0, isLong: true };

/** Ranks in the given order and returns what is then under way. */
function ranked(distress: Distress, operations: readonly LedgerOperation[]) {
  for (const operation of operations) execute(distress, operation);
  return distress.state.ranking();
}

test("a ranking begins with any holder of either side, and says so", () => {
  const distress = createDistress();
  const { publicWords } = execute(distress, rank(4));
  const stated = unpack(LEDGER_OP, publicWords[0]!);
  const { kind, account, slot, isLong, to, lots } = stated;
  assert.deepEqual([kind, account, slot, isLong], [LEDGER_KINDS.rank, 4, 0, 1]);
  assert.deepEqual([to, lots, ...publicWords.slice(1)], [0, 0, 0n, 0n, 0n]);
  const first = { ...LONG, next: 5, seen: 1, best: 4, bestLots: 60 };
  assert.deepEqual(distress.state.ranking(), first);
});

test("a holder of the other side counts and is not the best", () => {
  const opposite = { ...LONG, next: 4, seen: 1, best: 0, bestLots: 0 };
  assert.deepEqual(ranked(createDistress(), [rank(3)]), opposite);
  const shorts = { slot: 0, isLong: false, next: 6, seen: 3, best: 3, bestLots: 100 };
  assert.deepEqual(
    ranked(createDistress(), [rank(3, false), rank(4, false), rank(5, false)]),
    shorts,
  );
});

test("the ranking of all holders has seen as many as there are, the largest first", () => {
  const distress = createDistress({ positions: { 4: [40, 0, 0, 0], 5: [60, 0, 0, 0] } });
  rankHolders(distress);
  const all = { ...LONG, next: 6, seen: 3, best: 5, bestLots: 60 };
  assert.deepEqual(distress.state.ranking(), all);
  assert.equal(distress.state.series()[0]!.holders, 3);
});

test("of equals the first stays the best", () => {
  const distress = createDistress({ positions: { 4: [50, 0, 0, 0], 5: [50, 0, 0, 0] } });
  rankHolders(distress);
  assert.equal(distress.state.ranking()?.best, 4);
});

test("an account below the next begins the ranking anew, so that nobody counts twice", () => {
  const again = { ...LONG, next: 5, seen: 1, best: 4, bestLots: 60 };
  assert.deepEqual(ranked(createDistress(), [rank(4), rank(4)]), again);
  assert.deepEqual(ranked(createDistress(), [rank(5), rank(4)]), again);
});

test("another slot or side begins the ranking anew", () => {
  const other = { slot: 0, isLong: false, next: 6, seen: 1, best: 0, bestLots: 0 };
  assert.deepEqual(ranked(createDistress(), [rank(4), rank(5, false)]), other);
  const both = createDistress({ positions: { 4: [60, -2, 0, 0], 5: [40, 2, 0, 0] } });
  const second = { slot: 1, isLong: true, next: 6, seen: 1, best: 5, bestLots: 2 };
  assert.deepEqual(ranked(both, [rank(4), rank(5, true, 1)]), second);
});

test("an account that holds nothing is not ranked, and no slot that is not there", () => {
  const distress = createDistress();
  assertRefused(distress, rank(6), /Account `6` holds nothing in slot `0`/);
  assertRefused(distress, rank(4, true, 1), /Account `4` holds nothing in slot `1`/);
  assertRefused(distress, rank(4, true, 4), /`slot` must be below 4/);
  assertRefused(distress, rank(4, true, -1), /`slot` must be below 4/);
});

test("a takeover ends a ranking, and the next needs another", () => {
  const distress = createDistress();
  rankHolders(distress);
  const terms = { from: LOCKED, slot: 0, lots: 5, amount: 0, isSubsidy: false, scenario: 0 };
  const deleverage = { kind: "deleverage", account: 4, ...terms } as const;
  execute(distress, deleverage);
  assert.equal(distress.state.ranking(), undefined);
  assertRefused(distress, deleverage, /no ranking/);
  rankHolders(distress);
  assert.equal(distress.state.ranking()?.bestLots, 55);
  execute(distress, { kind: "insure", ...terms });
  assert.equal(distress.state.ranking(), undefined);
});

test("a trade batch ends a ranking, a ledger batch goes on with it", () => {
  const distress = createDistress();
  rankHolders(distress, { accounts: [3, 4] });
  const { state } = distress;
  const slots = Array.from({ length: 4 }, () => slotRisk(100, 20));
  const goesOn = { state, ...contextsOf(state, { snapshot: snapshotOf(slots), kind: "ledger" }) };
  execute(goesOn, rank(5));
  assert.equal(state.ranking()?.seen, 3);
  contextsOf(state, { snapshot: snapshotOf(slots), kind: "trade" });
  assert.equal(state.ranking(), undefined);
});
