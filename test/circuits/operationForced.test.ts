// Cheating in forced operations: for each line of what LedgerOperation proves of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { unpack } from "../../sequencer/protocol/codec.ts";
import { LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { assertRefused, loadCircuit, withPublicInputs } from "../support/circuit.ts";
import {
  closingBatch,
  expiredBatch,
  expiringBatch,
  poorFundBatch,
} from "../support/forcedBatches.ts";
import type { Made } from "../support/ledgerBatches.ts";
import { edited, refielded, resigned, restated, stated, wordsOf } from "../support/restated.ts";

const circuit = await loadCircuit("ledger");
const closing = closingBatch();
const poor = poorFundBatch();
const paid = expiredBatch();
const [CANCEL, LONG, SHORT, NOTHING] = [0, 1, 2, 3];
const IDLE = ["0", "0", "0", "0"];

const verdict = "LedgerOperation: op.executed ===";

/** Another value for one of the batch's accounts, as the circuit is told of its beginning. */
function held(made: Made, input: "cash" | "watermark", account: number, value: number) {
  const at = (made.batch.inputs.accountIds as string[]).indexOf(String(account));
  return edited(made, [input, at], value);
}

const fieldsOf = (made: Made, at: number) => unpack(LEDGER_OP, BigInt(wordsOf(made)[at]![0]!));

test("the batches to cheat with have witnesses, and closes of both outcomes", () => {
  for (const made of [closing, poor, paid, expiringBatch(false), expiringBatch(true)]) {
    circuit.witness(withPublicInputs(made.batch));
  }
  const outcomes = wordsOf(closing).map((_, at) => fieldsOf(closing, at).executed);
  assert.deepEqual(outcomes, [1, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual([fieldsOf(poor, 0).executed, fieldsOf(poor, 1).executed], [0, 0]);
});

test("LedgerOperation proves 1: fields that forced operations do not use are 0", () => {
  for (const [inputs, constraint] of [
    [refielded(closing, CANCEL, { to: 3 }), "(1 - op.hasTo) * op.to"],
    [refielded(closing, CANCEL, { lots: 3 }), "(1 - op.isTakeover - op.isClose) * op.lots"],
    [refielded(closing, CANCEL, { slot: 1 }), "(1 - op.hasSlot) * op.slot"],
    [refielded(closing, CANCEL, { amount: 1 }), "(1 - hasAmount) * op.amount"],
    [refielded(closing, LONG, { book: 1 }), "(1 - op.isOpenBook) * op.book"],
    [refielded(closing, LONG, { keyIndex: 1 }), "(1 - hasKeyWords) * (op.keyIndex"],
    [refielded(closing, LONG, { isSubsidy: 1 }), "(1 - op.isInsure - op.isDeleverage)"],
    [refielded(closing, LONG, { isLong: 1 }), "(1 - op.isRank) * op.isLong"],
    [restated(closing, LONG, 2, 1n), "(1 - hasKeyWords - op.isOpenBook) * words[2]"],
    [restated(closing, CANCEL, 3, 1n), "(1 - hasKeyWords - op.isOpenBook) * words[3]"],
    [refielded(closing, LONG, { account: 5 }), "(op.isInsure + op.isAbsorb + op.isClose)"],
  ] as const) {
    assertRefused(circuit, inputs, `OperationWord: ${constraint}`);
  }
});

test("LedgerOperation proves 12: a cancel-all is executed, for the account's owner", () => {
  assertRefused(circuit, refielded(closing, CANCEL, { executed: 0 }), verdict);
  const named = "LedgerOperation: (op.hasOwner - op.isDeposit) * (owner - words[1])";
  assertRefused(circuit, restated(closing, CANCEL, 1, 0x1009n), named);
});

test("LedgerOperation proves 12: the watermark becomes nextSeq, of that account", () => {
  const words = wordsOf(closing);
  assertRefused(circuit, stated(closing, words.with(CANCEL, IDLE)), "Ledger: sessions.leafAfter");
  const others = words[SHORT]![1]!;
  const moved = refielded(closing, CANCEL, { account: 3 }).operationWords as string[][];
  const other = stated(closing, words.with(CANCEL, [moved[CANCEL]![0]!, others, "0", "0"]));
  assertRefused(circuit, other, "Ledger: sessions.leafAfter");
  assertRefused(circuit, edited(closing, ["nextSeqBefore"], 7), "Ledger: sessions.leafAfter");
});

test("LedgerOperation proves 13: F1, the charge is the minimum, lots are the position's", () => {
  const charge = "ForcedClose: isClose * (MARGIN_INITIAL_FACTOR() * amount";
  const { amount } = fieldsOf(closing, LONG);
  assert.ok(amount > 0);
  for (const at of [LONG, SHORT, NOTHING]) {
    assertRefused(circuit, refielded(closing, at, { amount: amount + 1 }), charge);
    assertRefused(circuit, refielded(closing, at, { amount: 0 }), charge);
  }
  assertRefused(circuit, refielded(closing, LONG, { lots: 31 }), "Ledger: accounts.leafAfter");
  assertRefused(circuit, refielded(closing, SHORT, { lots: 99 }), "Ledger: accounts.leafAfter");
  // Layer one knows how many were asked for; the position says how many there were.
  circuit.witness(refielded(closing, SHORT, { lots: 100 }));
});

test("LedgerOperation proves 13: executed exactly if there is something to close", () => {
  assertRefused(circuit, refielded(closing, LONG, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(closing, SHORT, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(closing, NOTHING, { executed: 1 }), verdict);
  assertRefused(circuit, refielded(closing, 4, { executed: 1 }), verdict);
});

test("LedgerOperation proves 13: F2, until the series expires and no longer", () => {
  const [early, late] = [expiringBatch(false), expiringBatch(true)];
  assert.deepEqual([fieldsOf(early, 0).executed, fieldsOf(late, 0).executed], [1, 0]);
  assertRefused(circuit, refielded(early, 0, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(late, 0, { executed: 1 }), verdict);
});

test("LedgerOperation proves 13: F2, an expired series is paid out, and settles", () => {
  const { market } = paid;
  const fields = wordsOf(paid).map((_, at) => fieldsOf(paid, at));
  assert.deepEqual(
    fields.map(({ executed, amount }) => [executed, amount]),
    [
      [1, 0],
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  );
  const states = [0, 1].map((slot) => market.state.series()[slot]!.status);
  assert.deepEqual(states, ["settled", "listed"]);
  for (const at of [0, 1]) {
    assertRefused(circuit, refielded(paid, at, { executed: 0 }), verdict);
    const charge = "ForcedClose: isClose * (MARGIN_INITIAL_FACTOR() * amount";
    assertRefused(circuit, refielded(paid, at, { amount: 1000 }), charge);
    const owner = "LedgerOperation: op.isClose * (toOwner + closedOwner - words[1])";
    assertRefused(circuit, restated(paid, at, 1, 0x1009n), owner);
  }
  for (const at of [2, 3]) assertRefused(circuit, refielded(paid, at, { executed: 1 }), verdict);
  // Whoever is paid first settles the series; the fund's account is nobody's counterparty.
  const [first, second, ...rest] = wordsOf(paid);
  circuit.witness(stated(paid, [second!, first!, ...rest]));
  assertRefused(circuit, stated(paid, wordsOf(paid).with(0, IDLE)), "Ledger: accounts.leafAfter");
  const both = stated(paid, wordsOf(paid).with(0, IDLE).with(1, IDLE));
  assertRefused(circuit, both, "Ledger: accounts.leafAfter");
  assertRefused(circuit, held(paid, "cash", 4, 2 ** 51 - 20_000_000), verdict);
});

test("LedgerOperation proves 13: F2, a mark that is not final pays nothing", () => {
  const { slots } = paid.market.snapshot();
  const open = resigned(
    paid.batch,
    slots.map((slot) => ({ ...slot, isFinal: false, changes: slot.changes.map(() => 0) })),
  );
  assertRefused(circuit, open, verdict);
});

test("LedgerOperation proves 13: F3 and F4, both accounts bear it", () => {
  for (const at of [0, 1]) {
    assertRefused(circuit, refielded(poor, at, { executed: 1 }), verdict);
  }
  assertRefused(circuit, held(closing, "cash", 2, 1_000_000), verdict);
  assertRefused(circuit, held(closing, "cash", 4, -200_000_000), verdict);
  assertRefused(circuit, held(closing, "cash", 4, 2 ** 51), verdict);
});

test("LedgerOperation proves 13: of the named owner's account, not the fund's", () => {
  const owner = "LedgerOperation: op.isClose * (toOwner + closedOwner - words[1])";
  assertRefused(circuit, restated(closing, LONG, 1, 0x1009n), owner);
  assertRefused(circuit, restated(closing, NOTHING, 1, 0x1009n), owner);
  assertRefused(circuit, refielded(closing, NOTHING, { to: 3 }), owner);
  const self = "LedgerOperation: (op.isTakeover + op.isAbsorb + op.isClose) * isSelf";
  assertRefused(circuit, refielded(closing, LONG, { to: 2 }), self);
});

test("LedgerOperation proves 13: nothing that was refused has happened", () => {
  const words = wordsOf(closing);
  // Without its operation the batch is the same but for its words: the others' accounts agree.
  circuit.witness(stated(closing, words.with(NOTHING, IDLE)));
  assertRefused(circuit, stated(closing, words.with(LONG, IDLE)), "Ledger: accounts.leafAfter");
});
