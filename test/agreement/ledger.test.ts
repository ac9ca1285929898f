// The ledger circuit and the engine agree: every batch that the executor seals has a witness for
// the executor's root and public words. Directed sequences first, then random ones.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { checkOperation } from "../../sequencer/engine/ledger.ts";
import type { LedgerOperation, OperationRecord } from "../../sequencer/engine/records.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import type { LedgerMessage } from "../../sequencer/protocol/messages.ts";
import type { BookFees } from "../../sequencer/protocol/state.ts";
import { distressCommands, EVERY_VARIANT } from "../property/distressRuns.ts";
import { runs } from "../property/runs.ts";
import { loadCircuit, withPublicInputs } from "../support/circuit.ts";
import {
  createDistressRun,
  DISTRESS_KINDS,
  type DistressCommand,
  reachedBy,
  runDistress,
  TRADERS,
} from "../support/distress.ts";
import {
  copyMarket,
  createMarket,
  EXPIRY,
  FAR,
  FEES,
  keySecret,
  type Market,
  order,
  ownerOf,
  TEST_DOMAIN,
} from "../support/market.ts";
import { fundMarket, topUp } from "./commands.ts";
import { Coverage } from "./coverage.ts";

const circuit = await loadCircuit("ledger");
const coverage = new Coverage();

/** Seals what is open and asserts that every ledger batch so far has its witness. */
function assertAgreement(market: Market): void {
  if (market.executor.current() !== undefined) market.seal();
  for (const batch of market.sealed.splice(0)) {
    if (batch.kind === "ledger") circuit.check(withPublicInputs(batch));
  }
}

function operate(market: Market, operation: LedgerOperation): void {
  const statusOf = (): string => {
    return "slot" in operation ? market.state.series()[operation.slot]!.status : "";
  };
  const before = statusOf();
  const record = market.operate(operation);
  coverage.operation(record);
  if (operation.kind === "forcedClose" && record.outcome === "executed") {
    coverage.reach(`forcedClose ${before} to ${statusOf()}`);
  }
}

function pay(market: Market, account: number, message: LedgerMessage, keyIndex = 0): void {
  coverage.operation(market.payment(account, message, keyIndex));
}

const withdraw = (amount: number) => ({ kind: "withdraw", amount, deadline: FAR }) as const;
const transfer = (to: number, amount: number) =>
  ({ kind: "transfer", to, amount, deadline: FAR }) as const;
const forced = (account: number, amount: number) =>
  ({ kind: "forcedWithdraw", account, owner: ownerOf(account), amount }) as const;

const close = (account: number, slot: number, lots: number) =>
  ({ kind: "forcedClose", account, owner: ownerOf(account), slot, lots }) as const;

function register(account: number, keyIndex: number, isRevoked = false): LedgerOperation {
  const key = isRevoked ? { x: 0n, y: 0n } : publicKeyOf(keySecret(account, keyIndex));
  const keyExpiry = isRevoked ? 0 : FAR / 1000 - 1;
  return { kind: "registerKey", account, owner: ownerOf(account), key, keyIndex, keyExpiry };
}

function openBook(
  book: number,
  legs: Readonly<Record<number, number>>,
  fees: BookFees,
): LedgerOperation {
  const weights = Array.from({ length: 16 }, (_, slot) => legs[slot] ?? 0);
  return { kind: "openBook", book, weights, fees };
}

/** Accounts 1 and 4 with positions of 30 lots in slots 0 and 1, opposite to one another. */
function tradedMarket(): Market {
  const market = createMarket();
  fundMarket(market);
  for (const book of [0, 1]) {
    const price = 200 + 100 * book;
    market.trade(1, order({ book, isSell: true, price, lots: 30 }));
    market.trade(4, order({ book, price, lots: 30 }));
  }
  market.seal();
  market.sealed.length = 0;
  return market;
}

test("deposits, keys and listings from an empty state", () => {
  const market = createMarket();
  coverage.operation(market.deposit(255, 1));
  coverage.operation(market.deposit(255, 2 ** 50 - 1));
  operate(market, register(255, 3));
  topUp(market, 255, 0);
  fundMarket(market, [1000]);
  assertAgreement(market);
});

test("withdrawals and transfers are executed or refused", () => {
  const market = tradedMarket();
  pay(market, 1, withdraw(1000));
  pay(market, 1, withdraw(40_000_000)); // no such cash
  pay(market, 1, withdraw(38_000_000)); // the margin of its position
  pay(market, 4, transfer(2, 5000));
  pay(market, 4, transfer(4, 5000)); // to itself
  pay(market, 4, transfer(200, 5000)); // to nobody
  pay(market, 2, transfer(4, 2_000_000)); // more than what came
  pay(market, 2, withdraw(5001));
  operate(market, forced(4, 1));
  operate(market, forced(4, 2 ** 50 - 1));
  operate(market, forced(2, 0));
  assertAgreement(market);
});

test("a withdrawal of the last unit that margin allows, and of one more", () => {
  const market = tradedMarket();
  const { amount } = mostOf(market, 1);
  pay(market, 1, withdraw(amount + 1));
  assertAgreement(market);
  pay(market, 1, withdraw(amount));
  assertAgreement(market);
  assert.equal(mostOf(market, 1).amount, 0);
});

/** The most that the account could take out, by trying against copies of nothing: bisection. */
function mostOf(market: Market, account: number): { amount: number } {
  let [low, high] = [0, 2 ** 40];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (canTake(market, account, middle)) low = middle;
    else high = middle - 1;
  }
  return { amount: low };
}

function canTake(market: Market, account: number, amount: number): boolean {
  const { state } = market;
  const { cash, positions } = state.account(account);
  const rest = cash - amount;
  const rooms = Array.from({ length: 17 }, (_, s) =>
    positions.reduce((sum, lots, slot) => {
      const { mark, changes } = market.slots[slot]!;
      return sum + BigInt(lots) * BigInt(4 * mark + 5 * (changes[s] ?? 0)) * BigInt(state.unit);
    }, 4n * BigInt(rest)),
  );
  return rest >= 0 && rooms.every((room) => room >= 0n);
}

test("positions are closed and orders voided by layer one, or nothing happens", () => {
  const market = tradedMarket();
  market.trade(1, order({ book: 2, lots: 1 }));
  operate(market, { kind: "forcedCancelAll", account: 1, owner: ownerOf(1) });
  operate(market, close(4, 0, 5));
  operate(market, close(1, 0, 2 ** 22 - 1)); // the fund has not that much
  topUp(market, 2, 2 ** 40);
  operate(market, close(1, 0, 2 ** 22 - 1));
  operate(market, close(1, 0, 1)); // nothing is left
  operate(market, close(4, 3, 1)); // and nothing ever was
  operate(market, { kind: "rank", account: 4, slot: 1, isLong: true });
  operate(market, close(4, 1, 29)); // which ends the ranking
  assertAgreement(market);
  market.time = EXPIRY * 1000;
  operate(market, close(4, 1, 1)); // expired
  assertAgreement(market);
  market.slots = market.slots.map((risk, slot) => (slot < 2 ? { ...risk, isFinal: true } : risk));
  operate(market, close(3, 1, 1)); // nobody's: it stays unsettled
  operate(market, close(4, 1, 1)); // final
  operate(market, close(1, 1, 1)); // settled thereby
  operate(market, close(1, 1, 1)); // nothing is left
  operate(market, { kind: "settleSeries", slot: 0 });
  operate(market, close(4, 0, 1)); // settled before
  assertAgreement(market);
});

/** Everything expires; of the slots named by bits of `a` the marks are final. */
function expire(market: Market, a: number): void {
  if (market.executor.current() !== undefined) market.seal();
  market.time = Math.max(market.time, EXPIRY * 1000);
  market.slots = market.slots.map((price, slot) => {
    return { ...price, isFinal: ((a >> (slot % 4)) & 1) === 1 };
  });
}

const ending = fc.record({
  a: fc.nat({ max: 15 }),
  closes: fc.array(fc.nat({ max: 0xffff }), { maxLength: 6 }),
});

/** Closes of accounts that hold anything there, now and then of one that does not. */
function end(market: Market, { a, closes }: { a: number; closes: readonly number[] }): void {
  expire(market, a);
  const { state } = market;
  const ids = state.accountIds().filter((id) => id > 2 && state.account(id).owner !== 0n);
  for (const b of closes) {
    operate(market, close(ids[b % ids.length]!, (b >> 3) % 4, 1 + (b >> 5)));
  }
}

test("keys are registered, replaced and revoked between the messages of others", () => {
  const market = createMarket();
  fundMarket(market);
  assertAgreement(market);
  operate(market, register(1, 1));
  operate(market, register(1, 1));
  pay(market, 1, withdraw(5), 0);
  pay(market, 1, withdraw(6), 1); // waits for the next batch
  operate(market, register(1, 1, true));
  operate(market, register(2, 0));
  pay(market, 2, transfer(3, 7));
  assertAgreement(market);
});

test("a series settles, is paid out and listed again, and its books open again", () => {
  const market = tradedMarket();
  market.time = EXPIRY * 1000;
  market.slots = market.slots.map((risk, slot) => (slot < 2 ? { ...risk, isFinal: true } : risk));
  for (const slot of [0, 1]) operate(market, { kind: "settleSeries", slot });
  operate(market, { kind: "settlePosition", account: 1, slot: 0 });
  operate(market, forced(4, 19_000_000)); // with one position paid and one not
  operate(market, { kind: "settlePosition", account: 4, slot: 0 });
  pay(market, 1, withdraw(3));
  const terms = { isCall: false, strike: 7, expiry: 2 * EXPIRY };
  operate(market, { kind: "listSeries", slot: 0, ...terms });
  operate(market, openBook(0, { 0: 1 }, FEES));
  operate(market, openBook(63, { 0: -8 }, { taker: 2 ** 16 - 1, maker: 1 - 2 ** 16 }));
  operate(market, { kind: "settlePosition", account: 4, slot: 1 });
  operate(market, { kind: "settlePosition", account: 1, slot: 1 });
  assertAgreement(market);
});

const command = fc.record({
  kind: fc.constantFrom(
    "deposit",
    "key",
    "forced",
    "forcedCancelAll",
    "forcedClose",
    "withdraw",
    "transfer",
    "list",
    "open",
    "trade",
  ),
  account: fc.constantFrom<number>(1, 2, 3, 4),
  a: fc.nat({ max: 0xffff }),
  b: fc.nat({ max: 0xffff }),
});
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function run(market: Market, { kind, account, a, b }: Command): void {
  const amount = 1 + b * (1 + (a % 300));
  if (kind === "deposit") topUp(market, account, amount);
  else if (kind === "key") operate(market, register(account, 1 + (a % 3), b % 3 === 0));
  else if (kind === "forced") operate(market, forced(account, amount));
  else if (kind === "forcedCancelAll") operate(market, { kind, account, owner: ownerOf(account) });
  else if (kind === "forcedClose")
    operate(market, close(account === 2 ? 4 : account, a % 4, 1 + (b % 40)));
  else if (kind === "withdraw") pay(market, account, withdraw(amount));
  else if (kind === "transfer") pay(market, account, transfer(1 + (a % 5), amount));
  else if (kind === "trade") {
    const shape = { book: a % 4, price: 200 + 100 * (a % 4), lots: 1 + (b % 9) };
    market.trade(account, order({ ...shape, isSell: b % 2 === 0 }));
  } else tryOperation(market, operatorOf(kind, a, b));
}

function operatorOf(kind: "list" | "open", a: number, b: number): LedgerOperation {
  const expiry = EXPIRY + b;
  if (kind === "list") {
    return { kind: "listSeries", slot: a % 8, isCall: b % 2 === 0, strike: b, expiry };
  }
  const fees = { taker: b, maker: (a % (b + 1)) - (a % 2 === 0 ? b : 0) };
  return openBook(a % 9, { [a % 8]: 1, [b % 8]: (b % 15) - 7 }, fees);
}

/** What no proof could sequence is left out. */
function tryOperation(market: Market, operation: LedgerOperation): void {
  const time = market.time + 1000;
  const risk = market.executor.risk()!;
  const context = { risk, time, domain: TEST_DOMAIN, snapshot: { slots: market.slots } };
  if (checkOperation(market.state, operation, context) === undefined) operate(market, operation);
}

test("random operations, with trades in between", () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 16, maxLength: 20 }), ending, (commands, last) => {
      const market = tradedMarket();
      for (const each of commands) run(market, each);
      end(market, last);
      assertAgreement(market);
    }),
    { ...runs(1), endOnFailure: true },
  );
});

const distress = new Coverage();
const distressCommand = fc.record({
  kind: fc.constantFrom(...DISTRESS_KINDS),
  a: fc.nat({ max: 0xffff }),
  b: fc.nat({ max: 0xffff }),
});

function seenInDistress(record: OperationRecord): void {
  for (const name of reachedBy(record)) distress.reach(name);
}

test("markets in distress, with takeovers, the fund, rankings and fees", (t) => {
  const seed = Number(process.env.FC_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(distressCommands(4), (commands) => {
      const run = createDistressRun(seenInDistress);
      for (const command of commands) runDistress(run, command);
      assertAgreement(run.market);
    }),
    { ...runs(2, 200), seed, examples: [[[...EVERY_VARIANT]]], endOnFailure: true },
  );
  t.diagnostic(distress.table());
  distress.assertComplete([
    ...["backstop executed", "backstop with discount", "insure executed", "insure with subsidy"],
    ...["deleverage executed", "deleverage with subsidy", "absorb executed", "rank executed"],
    ...["release executed", "collectFees executed", "openBook executed"],
    ...["forcedClose executed", "forcedClose refused", "forcedCancelAll executed"],
  ]);
});

/** Messages of accounts in liquidation are not sequenced. */
function runUnlessLocked(market: Market, each: Command): void {
  const isMessage = ["trade", "withdraw", "transfer"].includes(each.kind);
  if (isMessage && market.state.session(each.account).lockedSince !== 0) return;
  run(market, each);
}

/** The market after each command of one long distress, to start others from. */
function marketsAlong(commands: readonly DistressCommand[]): Market[] {
  const run = createDistressRun(() => {});
  return commands.map((each) => {
    runDistress(run, each);
    if (run.market.executor.current() !== undefined) run.market.seal();
    return copyMarket(run.market);
  });
}

test("short sequences that begin anywhere in a distress: a batch or a few each", (t) => {
  const seed = Number(process.env.FC_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const starts = [...fc.sample(distressCommands(4), { ...runs(1, 20), seed }), EVERY_VARIANT];
  const any = fc.oneof(
    command.map((each) => ({ ...each, account: each.account + TRADERS[0]! - 1 })),
    distressCommand,
  );
  const sequence = fc.array(any, { minLength: 1, maxLength: 4 });
  const from = fc.constantFrom(...starts.flatMap(marketsAlong));
  fc.assert(
    fc.property(from, sequence, fc.option(ending), (start, commands, last) => {
      const market = copyMarket(start);
      for (const each of commands) {
        if ("account" in each) runUnlessLocked(market, each);
        else runDistress({ market, seen: seenInDistress }, each);
      }
      if (last !== null) end(market, last);
      assertAgreement(market);
    }),
    { ...runs(4, 4800), seed, endOnFailure: true },
  );
});

test("the sequences above reached every operation, executed and refused", (t) => {
  t.diagnostic(coverage.table());
  coverage.assertComplete([
    ...["deposit executed", "registerKey executed", "listSeries executed", "openBook executed"],
    ...["settleSeries executed", "settlePosition executed"],
    ...["forcedWithdraw executed", "forcedWithdraw refused", "forcedCancelAll executed"],
    ...["forcedClose executed", "forcedClose refused", "forcedClose listed to listed"],
    ...["forcedClose listed to settled", "forcedClose settled to settled"],
    ...["withdraw executed", "withdraw refused", "transfer executed", "transfer refused"],
  ]);
});
