// Liquidations as entries of a batch: what the executor takes, what it refuses, what it is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiquidateEntry, LogEntry } from "../../../sequencer/batch/log.ts";
import {
  decodeRecord,
  encodeJson,
  encodeRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import { unpack } from "../../../sequencer/protocol/codec.ts";
import {
  MESSAGE_KINDS,
  PRICE_OFFSET,
  TIME_IN_FORCE,
} from "../../../sequencer/protocol/constants.ts";
import { TRADE_MESSAGE } from "../../../sequencer/protocol/layout.ts";
import { feesWord, rankingWord } from "../../../sequencer/protocol/state.ts";
import { distressMarket } from "../../agreement/commands.ts";
import {
  copyMarket,
  createMarket,
  type Market,
  order,
  TEST_DOMAIN,
  VARIED_FEES,
} from "../../support/market.ts";

const start = createMarket();
distressMarket(start);

/** Account 2 is short of slot 0 at a mark of 350 that may rise by 144 in scenario 16. */
const ENTRY: LiquidateEntry = {
  type: "liquidate",
  account: 2,
  book: 0,
  isSell: false,
  price: 380,
  lots: 2,
  reduceOnly: true,
  scenario: 16,
};

function opened(kind: "trade" | "ledger" = "trade"): Market {
  const market = copyMarket(start);
  market.openBatch(kind);
  return market;
}

test("an entry survives the log's JSON and leads to the same root", () => {
  const [first, second] = [opened(), opened()];
  const record = makeRecord({ position: 7, epoch: 3, hash: logOrigin(TEST_DOMAIN) }, ENTRY);
  assert.equal(encodeRecord(record), encodeJson(record));
  assert.equal(encodeRecord({ ...record }), encodeJson(record));
  const read = decodeRecord(encodeJson(record));
  assert.deepEqual(read, record);
  const [step] = [first.executor.liquidate(ENTRY)];
  assert.deepEqual(second.executor.apply(read.entry), { type: "liquidate", steps: [step] });
  assert.equal(first.seal().rootAfter, second.seal().rootAfter);
  assert.ok(first.state.session(2).lockedSince > 0);
});

const REFUSED: readonly (readonly [string, Partial<LiquidateEntry>, RegExp])[] = [
  ["a healthy account", { account: 1 }, /L1: account `1`/],
  ["a limit that is too high", { price: 386 }, /L2/],
  ["a limit that improves nothing", { scenario: 17, price: 349 }, /L1/],
  ["more lots than it needs", { lots: 900 }, /L4/],
  ["a book that was never opened", { book: 9 }, /book `9` was never opened/],
  ["an account beyond the tree", { account: 256 }, /no account `256`/],
  ["a broken account", { account: 1.5 }, /no account `1.5`/],
  ["a scenario beyond the matrix", { scenario: 18 }, /`scenario`/],
];
for (const [name, changes, reason] of REFUSED) {
  test(`an invalid entry: ${name}`, () => {
    const market = opened();
    const before = encodeJson(market.state.exportState());
    const entry: LogEntry = { ...ENTRY, ...changes };
    const refusal = { name: "InvalidEntryError", message: reason };
    assert.throws(() => market.executor.apply(entry), refusal);
    assert.equal(encodeJson(market.state.exportState()), before);
    assert.equal(market.executor.current()!.used, 0);
  });
}

test("a ledger batch takes no liquidation, and neither does none", () => {
  const refusal = (message: RegExp) => ({ name: "InvalidEntryError", message });
  assert.throws(() => opened("ledger").executor.liquidate(ENTRY), refusal(/batch of this kind/));
  assert.throws(() => copyMarket(start).executor.liquidate(ENTRY), refusal(/no batch is open/));
});

test("a full batch, or one whose order is carried on, has no room for it", () => {
  const market = opened();
  const { steps } = market.sizes.trade;
  for (let used = 0; used < steps; used++) market.trade(1, order({ book: 2, price: 1 + used }));
  assert.equal(market.executor.liquidate(ENTRY), "full");
  assert.throws(() => market.executor.apply(ENTRY), { message: /no room/ });

  const carrying = opened();
  for (let used = 0; used < steps - 1; used++) {
    carrying.trade(1, order({ book: 0, isSell: true, price: 400 + used, lots: 1 }));
  }
  carrying.trade(4, order({ book: 0, price: 420, lots: 3 }));
  assert.ok(carrying.state.carry() !== undefined);
  assert.equal(carrying.executor.liquidate(ENTRY), "full");
});

test("what does not fit the working set is undone, the lock too", () => {
  const market = copyMarket(start);
  const { accounts, signers } = market.sizes.trade;
  assert.ok(accounts <= signers, "each account can sign once");
  const others = [1, 3, 4, ...Array.from({ length: accounts }, (_, index) => 5 + index)];
  for (const account of others.slice(3)) market.deposit(account, 10_000_000);
  market.seal();
  market.openBatch("trade");
  for (const [index, account] of others.slice(0, accounts).entries()) {
    market.trade(account, order({ book: 2, price: 1 + index }));
  }
  assert.ok(market.executor.current()!.used < market.sizes.trade.steps);
  const before = encodeJson(market.state.exportState());
  assert.equal(market.executor.liquidate(ENTRY), "full");
  assert.equal(encodeJson(market.state.exportState()), before);
  assert.equal(market.state.session(2).lockedSince, 0);
});

test("the circuit is told the order, the scenario, the lock, the rates and the fees", () => {
  const market = copyMarket(start);
  market.state.setRanking({ slot: 0, isLong: true, next: 2, seen: 1, best: 1, bestLots: 10 });
  market.trade(1, order({ book: 0, isSell: true, price: 370, lots: 1 }));
  market.liquidate(ENTRY);
  const { inputs } = market.seal();
  assert.deepEqual((inputs.isLiquidate as string[]).slice(0, 3), ["0", "1", "0"]);
  assert.deepEqual((inputs.filledLots as string[]).slice(0, 3), ["0", "1", "0"]);
  assert.deepEqual((inputs.scenario as string[]).slice(0, 2), ["16", "0"]);
  const word = unpack(TRADE_MESSAGE, BigInt((inputs.word as string[])[1]!));
  assert.deepEqual(word, {
    kind: MESSAGE_KINDS.liquidate,
    book: 0,
    isSell: 0,
    price: 380 + PRICE_OFFSET,
    lots: 2,
    timeInForce: TIME_IN_FORCE.ioc,
    postOnly: 0,
    reduceOnly: 1,
    deadline: 0,
    seq: 2,
  });
  const place = (inputs.accountIds as string[]).indexOf("2");
  assert.equal((inputs.lockedSince as string[])[place], "0");
  assert.equal((inputs.bookFees as string[])[0], `${feesWord(VARIED_FEES[0]!)}`);
  assert.equal(BigInt(inputs.feesBefore as string), BigInt(start.state.fees()));
  assert.ok(start.state.fees() > 0);
  const second = copyMarket(market);
  second.liquidate({ ...ENTRY, lots: 1 });
  const later = second.seal().inputs;
  const lockedAt = (later.lockedSince as string[])[(later.accountIds as string[]).indexOf("2")];
  assert.equal(lockedAt, `${market.time / 1000}`);
  assert.equal(later.rankingBefore, `${rankingWord(undefined)}`);
  assert.ok(BigInt(later.feesBefore as string) > BigInt(inputs.feesBefore as string));
});

test("a trade batch ends the ranking, and its circuit is told of it", () => {
  const market = copyMarket(start);
  const ranking = { slot: 0, isLong: true, next: 2, seen: 1, best: 1, bestLots: 10 };
  market.operate({ kind: "rank", account: 1, slot: 0, isLong: true });
  market.seal();
  assert.deepEqual(market.state.ranking(), ranking);
  market.openBatch("trade");
  assert.equal(market.state.ranking(), undefined);
  const { inputs } = market.seal();
  assert.equal(inputs.rankingBefore, `${rankingWord(ranking)}`);
});
