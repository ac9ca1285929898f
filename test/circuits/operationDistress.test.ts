// Cheating in the operations around a liquidation: for each line of what LedgerOperation proves.
import { test } from "node:test";
import { unpack } from "../../sequencer/protocol/codec.ts";
import { LEDGER_KINDS } from "../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { feesWord } from "../../sequencer/protocol/state.ts";
import { assertRefused, loadCircuit, withPublicInputs } from "../support/circuit.ts";
import {
  deficitBatch,
  releaseBatch,
  straddleTakeover,
  takeoverBatch,
} from "../support/distressBatches.ts";
import type { Made } from "../support/ledgerBatches.ts";
import { edited, refielded, restated, stated, wordsOf } from "../support/restated.ts";

const circuit = await loadCircuit("ledger");
const takeover = takeoverBatch();
const deficit = deficitBatch();
const release = releaseBatch();
const [BACKSTOP, INSURE, DELEVERAGE, ABSORB] = [0, 1, 6, 6];
const IDLE = ["0", "0", "0", "0"];

const bears = "Bearable: (1 - isTested - isClose) * health.fails";
const toBears = "LedgerOperation: op.isTakeover * toBears.fails";
const pays = "Takeover: InRange(HEALTH_BITS() + 2)(discount + deficit)";

/** Another value for one of the batch's accounts, as the circuit is told of its beginning. */
function held(made: Made, input: "cash" | "lockedSince", account: number, value: number) {
  const at = (made.batch.inputs.accountIds as string[]).indexOf(String(account));
  return edited(made, [input, at], value);
}

/** Account 3 locked `elapsed` seconds before the batch. */
function lockedFor(elapsed: number) {
  const seconds = Math.floor(Number(takeover.batch.inputs.time) / 1000);
  return held(takeover, "lockedSince", 3, seconds - elapsed);
}

/** The batch with other inputs, its words as they are. */
function withInputs({ market, batch }: Made, inputs: Record<string, string[]>): Made {
  return { market, batch: { ...batch, inputs: { ...batch.inputs, ...inputs } } };
}

const amountOf = (made: Made, at: number) =>
  unpack(LEDGER_OP, BigInt(wordsOf(made)[at]![0]!)).amount;

test("the batches to cheat with have witnesses", () => {
  for (const made of [takeover, deficit, release]) circuit.witness(withPublicInputs(made.batch));
});

test("LedgerOperation proves 1: the fund and the fee account are the ones that are meant", () => {
  const fund = "OperationWord: (op.isInsure + op.isAbsorb + op.isClose)";
  assertRefused(circuit, refielded(takeover, INSURE, { account: 5 }), fund);
  assertRefused(circuit, refielded(deficit, ABSORB, { account: 5 }), fund);
  const fees = "OperationWord: op.isCollect * (op.account";
  assertRefused(circuit, refielded(release, 3, { account: 3 }), fees);
});

test("LedgerOperation proves 1: fields that takeovers and rankings do not use are 0", () => {
  for (const [inputs, constraint] of [
    [refielded(takeover, BACKSTOP, { isSubsidy: 1 }), "(1 - op.isInsure - op.isDeleverage)"],
    [refielded(takeover, INSURE, { isLong: 1 }), "(1 - op.isRank) * op.isLong"],
    [refielded(takeover, 2, { to: 3 }), "(1 - op.hasTo) * op.to"],
    [refielded(takeover, 2, { lots: 3 }), "(1 - op.isTakeover - op.isClose) * op.lots"],
    [refielded(takeover, 2, { amount: 3 }), "(1 - hasAmount) * op.amount"],
    [refielded(release, 2, { slot: 1 }), "(1 - op.hasSlot) * op.slot"],
    [
      restated(takeover, INSURE, 1, 1n),
      "(1 - op.hasOwner - op.isList - op.isOpenBook - op.isClose)",
    ],
  ] as const) {
    assertRefused(circuit, inputs, `OperationWord: ${constraint}`);
  }
  for (const at of [BACKSTOP, INSURE, 2, DELEVERAGE]) {
    const refused = refielded(takeover, at, { executed: 0 });
    assertRefused(circuit, refused, "LedgerOperation: op.executed ===");
  }
});

test("LedgerOperation proves 2: a backstop is signed, with its slot, lots and amount", () => {
  assertRefused(circuit, refielded(takeover, BACKSTOP, { amount: 699_999 }), "Signer");
  assertRefused(circuit, refielded(takeover, BACKSTOP, { lots: 11 }), "Signer");
  const others = "SignedOperation: op.isSigned * (op.account - signersAccount)";
  assertRefused(circuit, refielded(takeover, BACKSTOP, { account: 4 }), others);
  const time = BigInt(takeover.batch.inputs.time as string);
  const late = edited(takeover, ["deadline", BACKSTOP], time - 1n);
  assertRefused(circuit, late, "SignedOperation: InRange(TIME_BITS())(timeLeft)");
});

test("LedgerOperation proves 7: T1, from a locked account below maintenance, to another", () => {
  assertRefused(circuit, refielded(takeover, INSURE, { to: 4 }), "LockAge: enabled * isUnlocked");
  assertRefused(circuit, held(takeover, "lockedSince", 3, 0), "LockAge: enabled * isUnlocked");
  const self = "LedgerOperation: (op.isTakeover + op.isAbsorb + op.isClose) * isSelf";
  assertRefused(circuit, refielded(takeover, INSURE, { to: 2 }), self);
  const mild = edited(takeover, ["takeoverScenario", INSURE], 8);
  assertRefused(circuit, mild, "Takeover: InRange(HEALTH_BITS())(-maintenance - isTakeover)");
  const rich = held(takeover, "cash", 3, 50_000_000);
  assertRefused(circuit, rich, "Takeover: InRange(HEALTH_BITS())(-maintenance - isTakeover)");
});

test("LedgerOperation proves 7: T2, lots of a position that loses in the scenario", () => {
  assertRefused(circuit, refielded(takeover, INSURE, { lots: 91 }), "Reduction");
  assertRefused(
    circuit,
    refielded(takeover, INSURE, { lots: 0 }),
    "Reduction: enabled * isNothing",
  );
  assertRefused(circuit, refielded(takeover, INSURE, { slot: 1 }), "Reduction");
  const gains = edited(takeover, ["takeoverScenario", INSURE], 0);
  assertRefused(circuit, gains, "Takeover: InRange(CHANGE_BITS() + 3)(spared - isTakeover)");
});

test("LedgerOperation proves 7: T3, no lot more than restores initial margin", () => {
  const needs = "Takeover: InRange(HEALTH_BITS())(unit * spared - after";
  // Headroom of 4 * 10 - 5 * 0.144 * 90 M, less 4 * 0.1 that it pays: 35 lots of 0.72 restore it.
  assertRefused(circuit, refielded(takeover, INSURE, { lots: 36 }), needs);
});

test("LedgerOperation proves 7: T4, no more than half of the loss, and less before", () => {
  const limit = (8 * 144 * 1000) / 2;
  assertRefused(circuit, refielded(takeover, INSURE, { amount: limit + 1 }), pays);
  assertRefused(circuit, lockedFor(127), pays);
});

test("LedgerOperation proves 7: T5, nobody subsidises what has equity", () => {
  assertRefused(circuit, refielded(takeover, INSURE, { isSubsidy: 1 }), pays);
  assertRefused(circuit, refielded(deficit, 0, { amount: 1_350_001 }), pays);
});

test("LedgerOperation proves 7: T6, who takes over can bear it", () => {
  assertRefused(circuit, held(takeover, "cash", 5, 1_000_000), bears);
});

test("LedgerOperation proves 7: T6, no fall may hurt more than the rise that is exhibited", () => {
  const honest = straddleTakeover(6);
  circuit.witness(withPublicInputs(honest.batch));
  // T2 to T5 would allow both: 39 lots are missing, and a payment of half of what they lose.
  assertRefused(circuit, refielded(honest, 0, { lots: 7 }), toBears);
  assertRefused(circuit, refielded(honest, 0, { amount: 20_000 }), toBears);
});

test("LedgerOperation proves 7: T7, the fund waits, and engages half of its equity", () => {
  // 2.1 M of equity would be covered, and lose more than half of that, with the margin on top.
  assertRefused(circuit, held(takeover, "cash", 2, 2_000_000), bears);
  assertRefused(circuit, lockedFor(255), "Takeover: isInsure * (1 - age.isAuctionOver)");
});

test("LedgerOperation proves 7: T8, the largest holder of a complete ranking, after all", () => {
  const late = "Takeover: isDeleverage * (1 - age.isDeleverageTime)";
  assertRefused(circuit, lockedFor(511), late);
  const seen = "TopOfRanking: enabled * (ranking.seen - holders)";
  const words = wordsOf(takeover);
  assertRefused(circuit, stated(takeover, words.with(5, IDLE)), seen);
  assertRefused(circuit, stated(takeover, words.with(5, words[4]!)), seen);
  const best = "TopOfRanking: enabled * (ranking.best - account)";
  assertRefused(circuit, refielded(takeover, DELEVERAGE, { account: 5 }), best);
  const side = "TopOfRanking: enabled * (ranking.isLong - isLong)";
  // The fund takes over after the others were ranked: nobody is ranked any more.
  const order = [...[0, 3, 4, 5, INSURE, DELEVERAGE].map((at) => words[at]!), IDLE];
  const ended = withInputs(takeover, {
    takeoverScenario: new Array<string>(words.length).fill("16"),
  });
  assertRefused(circuit, stated(ended, order), side);
});

test("LedgerOperation proves 7: lots and amounts are in the accounts afterwards", () => {
  assertRefused(
    circuit,
    refielded(takeover, DELEVERAGE, { lots: 6 }),
    "Ledger: accounts.leafAfter",
  );
  assertRefused(
    circuit,
    refielded(takeover, INSURE, { amount: 99_999 }),
    "Ledger: accounts.leafAfter",
  );
  assertRefused(circuit, refielded(deficit, 5, { amount: 49_999 }), "Ledger: accounts.leafAfter");
});

test("LedgerOperation proves 8: the fund absorbs a deficit, and stays covered", () => {
  const amount = amountOf(deficit, ABSORB);
  assertRefused(circuit, refielded(deficit, ABSORB, { amount: amount + 1 }), pays);
  const nothing = "SignedOperation: (op.isWithdraw + op.isTransfer + op.isAbsorb) * hasNoAmount";
  assertRefused(circuit, refielded(deficit, ABSORB, { amount: 0 }), nothing);
  const self = "LedgerOperation: (op.isTakeover + op.isAbsorb + op.isClose) * isSelf";
  assertRefused(circuit, refielded(deficit, ABSORB, { to: 2 }), self);
  assertRefused(
    circuit,
    refielded(deficit, ABSORB, { amount: amount - 1 }),
    "Ledger: accounts.leafAfter",
  );
  // Alone in the batch, of a fund without enough.
  const alone = [wordsOf(deficit)[ABSORB]!, ...new Array<string[]>(6).fill(IDLE)];
  const at = (deficit.batch.inputs.accountIds as string[]).indexOf("2");
  const cash = (deficit.batch.inputs.cash as string[]).with(at, "5000000");
  assertRefused(circuit, stated(withInputs(deficit, { cash }), alone), bears);
});

test("LedgerOperation proves 9: rank counts those who hold the slot", () => {
  const holds = "LedgerOperation: (op.isPayOut + op.isRank) * move.heldNothing";
  assertRefused(circuit, refielded(takeover, 2, { slot: 1 }), holds);
  assertRefused(circuit, refielded(release, 0, { isLong: 1 }), "PublicData");
  assertRefused(circuit, stated(release, wordsOf(release).with(0, IDLE)), "PublicData");
});

test("LedgerOperation proves 10: release needs maintenance margin, and unlocks", () => {
  const [rank, deposit, unlock, ...rest] = wordsOf(release);
  assertRefused(circuit, stated(release, [rank!, unlock!, deposit!, ...rest]), bears);
  assertRefused(circuit, stated(release, [rank!, deposit!, IDLE, ...rest]), "PublicData");
  assertRefused(circuit, refielded(release, 2, { account: 1 }), "PublicData");
});

test("LedgerOperation proves 11: all fees are collected, and stated", () => {
  const all = "LedgerOperation: op.isCollect * (op.amount - before.fees)";
  const amount = amountOf(release, 3);
  assertRefused(circuit, refielded(release, 3, { amount: amount - 1 }), all);
  assertRefused(circuit, refielded(release, 3, { amount: amount + 1 }), all);
  const words = wordsOf(release);
  assertRefused(circuit, stated(release, words.with(6, words[3]!)), all);
  const nothing = { kind: LEDGER_KINDS.idle, executed: 0, account: 0, amount: 0 };
  assertRefused(circuit, refielded(release, 3, nothing), "Ledger: accounts.leafAfter");
});

test("LedgerOperation proves 6: a book's fee rates are stated, a rebate within the fee", () => {
  const rebate = feesWord({ taker: 2, maker: -3 });
  assertRefused(circuit, restated(release, 5, 3, rebate), "BookFees: InRange(FEE_BITS())");
  const other = feesWord({ taker: 3, maker: -2 });
  assertRefused(circuit, restated(release, 5, 3, other), "PublicData");
});
