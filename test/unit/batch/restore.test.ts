// The ledger half of the state from public words alone, over batches with fees, liquidations,
// takeovers and everything else that moves cash and positions.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRestoredLedger, RestoreError } from "../../../sequencer/batch/restore.ts";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { OperationRecord } from "../../../sequencer/engine/records.ts";
import { pack, unpack } from "../../../sequencer/protocol/codec.ts";
import {
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
  type LedgerKind,
  MARKS_PER_WORD,
} from "../../../sequencer/protocol/constants.ts";
import { HEADER, LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import { Coverage } from "../../agreement/coverage.ts";
import { distressCommands, EVERY_VARIANT } from "../../property/distressRuns.ts";
import { runs } from "../../property/runs.ts";
import { assertBalanced, totalWorth } from "../../support/conservation.ts";
import {
  createDistressRun,
  type DistressRun,
  reachedBy,
  runDistress,
} from "../../support/distress.ts";
import { expiredBatch } from "../../support/forcedBatches.ts";

const coverage = new Coverage();

/** What an operation brings in, negative: takes out (1e-6 USDC). */
function broughtIn({ operation, outcome }: OperationRecord): number {
  if (operation.kind === "deposit") return operation.amount;
  if (outcome === "refused") return 0;
  if (operation.kind === "forcedWithdraw") return -operation.amount;
  return operation.kind === "withdraw" && operation.message.kind === "withdraw"
    ? -operation.message.amount
    : 0;
}

/** Checks invariant I1 after every operation. */
function checkedRun(): DistressRun {
  let worth = 0n;
  let run: DistressRun | undefined;
  run = createDistressRun((record) => {
    for (const name of reachedBy(record)) coverage.reach(name);
    worth += BigInt(broughtIn(record));
    if (run === undefined) return;
    assert.equal(totalWorth(run.market.state), worth, record.operation.kind);
    assertBalanced(run.market.state);
  });
  return run;
}

function restoreAll({ market }: DistressRun): void {
  const ledger = createRestoredLedger(market.sizes.trade);
  for (const batch of market.sealed) {
    ledger.apply(batch.words);
    assert.equal(ledger.root(), batch.rootAfter);
  }
  const { state } = market;
  assert.equal(ledger.fees(), state.fees());
  assert.deepEqual(ledger.series(), state.series());
  for (const id of state.accountIds()) assert.deepEqual(ledger.account(id), state.account(id));
}

test("every batch's words lead to its root, and nothing comes from nowhere", (t) => {
  fc.assert(
    fc.property(distressCommands(6), (commands) => {
      const run = checkedRun();
      for (const command of commands) runDistress(run, command);
      if (run.market.executor.current() !== undefined) run.market.seal();
      restoreAll(run);
    }),
    { ...runs(3), examples: [[[...EVERY_VARIANT]]], endOnFailure: true },
  );
  t.diagnostic(coverage.table());
  coverage.assertComplete([
    ...["backstop executed", "insure executed", "deleverage executed", "absorb executed"],
    ...["rank executed", "release executed", "collectFees executed", "openBook executed"],
    ...["forcedClose executed", "forcedClose refused", "forcedCancelAll executed"],
    ...["backstop with discount", "insure with subsidy", "deleverage with subsidy"],
  ]);
});

test("a takeover whose word is changed leads to no root", () => {
  const run = checkedRun();
  for (const kind of ["trade", "insure", "collectFees"] as const) {
    runDistress(run, { kind, a: 1, b: 2 });
  }
  run.market.seal();
  const { sealed, sizes } = run.market;
  const found = sealed.flatMap((batch) => placesOf(batch, "insure").map((at) => ({ batch, at })));
  const { batch, at } = found[0]!;
  const fields = unpack(LEDGER_OP, batch.words[at]!);
  assert.ok(fields.amount > 0, "the takeover has a price");
  const lies = [
    { ...fields, lots: fields.lots + 1 },
    { ...fields, amount: fields.amount + 1 },
    { ...fields, isSubsidy: 1 - fields.isSubsidy },
    { ...fields, account: fields.account + 1 },
    { ...fields, slot: fields.slot + 1 },
  ];
  for (const lie of lies) {
    const ledger = createRestoredLedger(sizes.trade);
    for (const before of sealed.slice(0, sealed.indexOf(batch))) ledger.apply(before.words);
    const words = batch.words.with(at, pack(LEDGER_OP, lie));
    assert.throws(() => ledger.apply(words), RestoreError);
  }
});

test("a forced close whose word is changed leads to no root, but for lots that nobody has", () => {
  const run = checkedRun();
  for (const [a, b] of [
    [0, 4],
    [1, 19],
  ] as const) {
    runDistress(run, { kind: b === 4 ? "trade" : "forcedClose", a, b });
  }
  const batch = run.market.seal();
  const at = placesOf(batch, "forcedClose")[0]!;
  const { sealed, sizes } = run.market;
  const fields = unpack(LEDGER_OP, batch.words[at]!);
  assert.equal(fields.executed, 1);
  const apply = (change: Partial<typeof fields>) => {
    const ledger = createRestoredLedger(sizes.trade);
    for (const before of sealed.slice(0, sealed.indexOf(batch))) ledger.apply(before.words);
    ledger.apply(batch.words.with(at, pack(LEDGER_OP, { ...fields, ...change })));
  };
  apply({});
  // There were fewer lots than that to close.
  apply({ lots: fields.lots + 1 });
  for (const lie of [
    { executed: 0 },
    { lots: 1 },
    { amount: fields.amount + 1 },
    { account: fields.account + 1 },
    { to: fields.to + 1 },
    { slot: fields.slot + 1 },
  ]) {
    assert.throws(() => apply(lie), RestoreError, JSON.stringify(lie));
  }
});

/** Where the first words of a batch's operations of one kind stand. */
function placesOf({ kind, words }: SealedBatch, operation: LedgerKind): number[] {
  if (kind !== "ledger") return [];
  const first = HEADER.length + Math.ceil(16 / MARKS_PER_WORD);
  return [...words.keys()].filter((at) => {
    const isFirst = at >= first && (at - first) % LEDGER_OP_WORDS === 0;
    return isFirst && unpack(LEDGER_OP, words[at]!).kind === LEDGER_KINDS[operation];
  });
}

test("closes of expired series are payments, in the words too", () => {
  const { market, batch } = expiredBatch();
  const ledger = createRestoredLedger(market.sizes.trade);
  for (const { words } of market.sealed) ledger.apply(words);
  assert.equal(ledger.root(), batch.rootAfter);
  assert.deepEqual(
    ledger
      .series()
      .map(({ status }) => status)
      .slice(0, 2),
    ["settled", "listed"],
  );
  for (const id of [2, 3, 4]) {
    const { cash, positions } = market.state.account(id);
    assert.deepEqual([ledger.account(id).cash, ledger.account(id).positions], [cash, positions]);
  }
  assert.equal(ledger.account(4).positions[0], 0);
});
