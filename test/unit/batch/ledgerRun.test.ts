// Takeovers in a ledger batch: who must sign, what must be in the tree, what the circuit is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { firstBelowMaintenance } from "../../../sequencer/engine/risk.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { messageWord, nextHead } from "../../../sequencer/protocol/messages.ts";
import { feesWord } from "../../../sequencer/protocol/state.ts";
import {
  createDistressRun,
  type DistressRun,
  ensureDistress,
  nextContext,
  WEAK,
  wait,
} from "../../support/distress.ts";
import {
  createMarket,
  EXPIRY,
  FAR,
  FEES,
  keySecret,
  listMarket,
  type Market,
  ownerOf,
  slotRisk,
} from "../../support/market.ts";

const TAKER = 6;

/** A ledger batch is open, the weak account locked for longer than anybody has to wait. */
function distressed(): DistressRun {
  const run = createDistressRun(() => {});
  ensureDistress(run, 1);
  wait(run.market, 600);
  run.market.openBatch("ledger");
  return run;
}

/** One lot of the weak account's short position, in the scenario that shows it below. */
function termsOf(market: Market) {
  const { risk } = nextContext(market);
  const account = market.state.account(WEAK);
  const scenario = firstBelowMaintenance(account, risk, market.state.unit)!;
  const slot = account.positions.findIndex((lots) => lots < 0);
  return { from: WEAK, slot, lots: 1, amount: 0, scenario };
}

/** A backstop of `account` with the signature of `secret` over the head after it. */
function backstop(market: Market, options: { secret?: bigint; from?: number; keyIndex?: number }) {
  const { secret = keySecret(TAKER), from = WEAK, keyIndex = 0 } = options;
  const { scenario, ...terms } = termsOf(market);
  const message = { kind: "backstop", ...terms, from, deadline: FAR } as const;
  const word = messageWord(message);
  const author = { account: TAKER, keyIndex };
  const { head } = market.state.session(TAKER).keys[keyIndex]!;
  const signature = sign(secret, nextHead(head, word));
  const operation = { kind: "backstop", author, message, word, scenario } as const;
  return { type: "operation", operation, signature } as const;
}

test("a backstop is signed by the key of the account that takes over", () => {
  const { market } = distressed();
  const entry = backstop(market, {});
  const { signature, ...unsigned } = entry;
  const wrong = backstop(market, { secret: keySecret(7) });
  for (const bad of [wrong, unsigned, { ...entry, signature: { ...signature, s: 0n } }]) {
    assert.throws(() => market.executor.operation(bad), /signature of account `6`/);
  }
  const other = backstop(market, { from: 7 }).operation;
  const forged = { ...entry, operation: { ...entry.operation, message: other.message } };
  assert.throws(() => market.executor.operation(forged), /malformed/);
  const record = market.executor.operation(entry);
  assert.ok(record !== "full" && record.outcome === "executed");
});

test("nobody outside of the tree is taken over, ranked, released or paid", () => {
  const { market } = distressed();
  const outside = 4 ** market.sizes.ledger.accountLevels;
  const takeover = { ...termsOf(market), from: outside, isSubsidy: false };
  const operations: readonly LedgerOperation[] = [
    backstop(market, { from: outside }).operation,
    { kind: "insure", ...takeover },
    { kind: "deleverage", account: TAKER, ...takeover },
    { kind: "deleverage", ...takeover, from: WEAK, account: outside },
    { kind: "absorb", from: outside, amount: 1 },
    { kind: "rank", account: outside, slot: 0, isLong: true },
    { kind: "release", account: -1 },
  ];
  for (const operation of operations) {
    const entry = { type: "operation", operation } as const;
    assert.throws(() => market.executor.operation(entry), /there is no account/, operation.kind);
  }
});

test("a batch that has no room for both accounts is full, and nothing has happened", () => {
  const { market } = distressed();
  const key = { x: 0n, y: 0n };
  for (const account of [7, 8, 9]) {
    const rest = { owner: ownerOf(account), key, keyIndex: 0, keyExpiry: 0 };
    market.operate({ kind: "deposit", account, amount: 0, ...rest });
  }
  const before = JSON.stringify(market.state.exportState());
  const operation = { kind: "insure", ...termsOf(market), isSubsidy: false } as const;
  assert.equal(market.executor.operation({ type: "operation", operation }), "full");
  assert.equal(market.executor.operation(backstop(market, {})), "full");
  assert.equal(JSON.stringify(market.state.exportState()), before);
  const collect = { type: "operation", operation: { kind: "collectFees" } } as const;
  assert.notEqual(market.executor.operation(collect), "full");
  assert.equal(market.executor.operation({ type: "operation", operation }), "full");
});

test("a key that the batch registers backs nothing in it", () => {
  const { market } = distressed();
  const key = publicKeyOf(keySecret(TAKER, 1));
  const rest = { keyIndex: 1, keyExpiry: FAR / 1000 - 1 };
  const owner = ownerOf(TAKER);
  market.operate({ kind: "registerKey", account: TAKER, owner, key, ...rest });
  const entry = backstop(market, { keyIndex: 1, secret: keySecret(TAKER, 1) });
  assert.equal(market.executor.operation(entry), "full");
  assert.notEqual(market.executor.operation(backstop(market, {})), "full");
});

test("the circuit is told scenarios and the fees of replaced books, 0 where there is none", () => {
  const { market } = distressed();
  const entry = backstop(market, {});
  market.executor.operation(entry);
  const weights = new Array<number>(16).fill(0).with(0, 1);
  const rates = { taker: 9, maker: -9 };
  market.operate({ kind: "openBook", book: 50, weights, fees: rates });
  const { steps } = market.sizes.ledger;
  const first = market.seal().inputs;
  const scenarios = [String(entry.operation.scenario), ...new Array(steps - 1).fill("0")];
  assert.deepEqual(first.takeoverScenario, scenarios);
  assert.deepEqual(first.oldBookFees, new Array(steps).fill("0"));
  market.time = EXPIRY * 1000;
  market.operate({ kind: "openBook", book: 50, weights: weights.with(0, 2), fees: FEES });
  const second = market.seal().inputs;
  const replaced = [String(feesWord(rates)), ...new Array(steps - 1).fill("0")];
  assert.deepEqual(second.oldBookFees, replaced);
});

test("no batch runs by a snapshot of other series than those that are listed", () => {
  const market = createMarket();
  for (const account of [2, 3, 4]) market.deposit(account, 1_000_000_000);
  listMarket(market);
  market.seal();
  market.time = EXPIRY * 1000;
  market.slots = market.slots.with(0, { ...slotRisk(5000, 0), isFinal: true });
  const old = market.snapshot();
  market.operate({ kind: "settleSeries", slot: 0 });
  const terms = { isCall: true, strike: 900_000, expiry: 2 * EXPIRY };
  market.operate({ kind: "listSeries", slot: 0, ...terms });
  market.seal();
  const entry = {
    type: "open",
    number: market.executor.nextNumber(),
    time: market.time + 1,
  } as const;
  for (const kind of ["trade", "ledger"] as const) {
    const opens = () => market.executor.open({ ...entry, kind, snapshot: old });
    assert.throws(opens, /prices another series than the one listed in slot `0`/);
  }
  const snapshot = market.snapshot();
  assert.deepEqual(snapshot.slots[0]!.terms, terms);
  market.executor.open({ ...entry, time: market.time + 1000, kind: "trade", snapshot });
});
