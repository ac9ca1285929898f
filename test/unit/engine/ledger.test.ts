import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOperation, checkOperation } from "../../../sequencer/engine/ledger.ts";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { pack, unpack } from "../../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS, LEDGER_KINDS } from "../../../sequencer/protocol/constants.ts";
import { LEDGER_OP, SERIES_TERMS } from "../../../sequencer/protocol/layout.ts";
import { firstHead, nextHead } from "../../../sequencer/protocol/messages.ts";
import { weightWords } from "../../../sequencer/protocol/state.ts";
import {
  contextsOf,
  createMarket,
  DOMAIN,
  depositOf,
  EXPIRY,
  KEY,
  KEY_EXPIRY,
  type Market,
  NO_FEES,
  NOW,
  paymentBy,
  placeOf,
  send,
  slotRisk,
  snapshotOf,
  weightsOf,
} from "./market.ts";

const RICH = 1_000_000;
const NO_KEY = { x: 0n, y: 0n };
const DEPOSIT = depositOf(1, 5) as Extract<LedgerOperation, { kind: "deposit" }>;
const REGISTER: LedgerOperation = {
  kind: "registerKey",
  account: 1,
  owner: 101n,
  key: KEY,
  keyIndex: 3,
  keyExpiry: KEY_EXPIRY,
};
const FORCED: LedgerOperation = { kind: "forcedWithdraw", account: 1, owner: 101n, amount: 5 };
const LIST: LedgerOperation = {
  kind: "listSeries",
  slot: 3,
  isCall: false,
  strike: 77,
  expiry: EXPIRY,
};
const OPEN = openBook(5, weightsOf({ 0: 7, 2: -8 }));
/** What an operation's first word says where it says nothing else. */
const BLANK = {
  ...{ account: 0, to: 0, slot: 0, book: 0, keyIndex: 0, amount: 0, keyExpiry: 0 },
  ...{ lots: 0, isSubsidy: 0, isLong: 0 },
};

function openBook(book: number, weights: readonly number[]): LedgerOperation {
  return { kind: "openBook", book, weights, fees: NO_FEES };
}

const withdraw = (amount: number) => paymentBy(1, { kind: "withdraw", amount, deadline: NOW });
const transfer = (amount: number, to = 2) =>
  paymentBy(1, { kind: "transfer", amount, to, deadline: NOW });

/** Account 1 is one lot short in slot 0 at its mark of 100, account 2 long, account 4 unused. */
function createShort(): Market {
  const market = createMarket([RICH, RICH, 0]);
  send(market, 1, placeOf({ isSell: true }));
  send(market, 2, placeOf());
  return market;
}

/** {@link createShort} after expiry with final marks of 130, slots 0 and 1 settled. */
function createSettled(): Market {
  const { state } = createShort();
  const slots = [130, 130, 100, 0].map((mark, slot) => slotRisk(mark, 20, slot < 2));
  const market = {
    state,
    ...contextsOf(state, { snapshot: snapshotOf(slots), time: EXPIRY * 1000 }),
  };
  for (const slot of [0, 1]) {
    applyOperation(state, { kind: "settleSeries", slot }, market.ledger);
  }
  return market;
}

// Short at 100 with a worst mark of 120: 25000 of the RICH + 100000 must stay; [amount, outcome].
const PAYMENTS: readonly (readonly [string, LedgerOperation, string])[] = [
  ["withdraw of all that is free", withdraw(RICH - 25_000), "executed"],
  ["withdraw of one more", withdraw(RICH - 24_999), "refused"],
  ["forced withdraw of all that is free", { ...FORCED, amount: RICH - 25_000 }, "executed"],
  ["forced withdraw of one more", { ...FORCED, amount: RICH - 24_999 }, "refused"],
  ["transfer of all that is free", transfer(RICH - 25_000), "executed"],
  ["transfer of one more", transfer(RICH - 24_999), "refused"],
  ["transfer to itself", transfer(1, 1), "refused"],
  ["transfer to an unused account", transfer(1, 4), "refused"],
  ["transfer to an account without cash", transfer(1, 3), "executed"],
];
for (const [name, operation, outcome] of PAYMENTS) {
  test(`${name}: ${outcome}`, () => {
    const { state, ledger } = createShort();
    const head = state.session(1).keys[0]!.head;
    const cashBefore = [1, 2, 3, 4].map((id) => state.account(id).cash);
    const record = applyOperation(state, operation, ledger);
    assert.equal(record.outcome, outcome);
    const fields = unpack(LEDGER_OP, record.publicWords[0]!);
    const message = "message" in operation ? operation.message : operation;
    assert.ok("amount" in message);
    const to = "to" in message ? message.to : 0;
    const { kind } = operation;
    assert.deepEqual(fields, {
      ...BLANK,
      kind: LEDGER_KINDS[kind],
      executed: outcome === "executed" ? 1 : 0,
      account: 1,
      to,
      amount: message.amount,
    });
    assert.deepEqual(record.publicWords.slice(1), [kind === "transfer" ? 0n : 101n, 0n, 0n]);
    const paid = outcome === "executed" ? message.amount : 0;
    const changes = [1, 2, 3, 4].map((id, index) => state.account(id).cash - cashBefore[index]!);
    assert.deepEqual(
      changes,
      [1, 2, 3, 4].map((id) => (id === 1 ? 0 - paid : id === to ? paid : 0)),
    );
    const isSigned = "word" in operation;
    const moved = isSigned ? nextHead(head, operation.word) : head;
    assert.equal(state.session(1).keys[0]!.head, moved);
  });
}

test("withdrawals never leave negative cash, however much the positions are worth", () => {
  const market = createMarket([RICH, RICH]);
  send(market, 1, placeOf({ isSell: true, lots: 2 }));
  send(market, 2, placeOf({ lots: 2 }));
  const { state, ledger } = market;
  const all = { ...FORCED, account: 2, owner: 102n, amount: state.account(2).cash + 1 };
  assert.equal(applyOperation(state, all, ledger).outcome, "refused");
  assert.equal(
    applyOperation(state, { ...all, amount: all.amount - 1 }, ledger).outcome,
    "executed",
  );
  assert.equal(state.account(2).cash, 0);
});

test("a deposit opens an account, registers its key and tells both", () => {
  const { state, ledger } = createMarket([]);
  const { publicWords } = applyOperation(state, { ...DEPOSIT, keyIndex: 2 }, ledger);
  const stated = { account: 1, amount: 5, keyIndex: 2, keyExpiry: KEY_EXPIRY };
  const word = pack(LEDGER_OP, { ...BLANK, ...stated, kind: LEDGER_KINDS.deposit, executed: 1 });
  assert.deepEqual(publicWords, [word, 101n, KEY.x, KEY.y]);
  assert.deepEqual(state.account(1), { owner: 101n, cash: 5, positions: [0, 0, 0, 0] });
  const head = firstHead({ domain: DOMAIN, account: 1, keyIndex: 2, version: 1 });
  assert.deepEqual(state.session(1).keys[2], { ...KEY, head, expiry: KEY_EXPIRY, version: 1 });
});

test("a deposit without a key leaves the keys alone", () => {
  const { state, ledger } = createMarket([RICH]);
  const keys = structuredClone(state.session(1).keys);
  applyOperation(state, { ...DEPOSIT, key: NO_KEY }, ledger);
  assert.equal(state.account(1).cash, RICH + 5);
  assert.deepEqual(state.session(1).keys, keys);
});

test("registering again starts a new chain, and (0, 0) revokes", () => {
  const { state, ledger } = createMarket([RICH]);
  const key = { x: 3n, y: 4n };
  const again = { ...REGISTER, keyIndex: 0, key } as LedgerOperation;
  const { publicWords } = applyOperation(state, again, ledger);
  assert.deepEqual(publicWords.slice(1), [101n, 3n, 4n]);
  const head = (version: number) => firstHead({ domain: DOMAIN, account: 1, keyIndex: 0, version });
  const expected = { ...key, head: head(2), expiry: KEY_EXPIRY, version: 2 };
  assert.deepEqual(state.session(1).keys[0], expected);
  applyOperation(state, { ...again, key: NO_KEY } as LedgerOperation, ledger);
  assert.deepEqual(state.session(1).keys[0], { ...expected, ...NO_KEY, head: head(3), version: 3 });
  assert.match(checkOperation(state, withdraw(1), ledger)!, /unknownKey/);
});

test("listing, opening, settling and settling positions tell their words", () => {
  const market = createSettled();
  const { state, ledger } = market;
  const settle: LedgerOperation = { kind: "settlePosition", account: 1, slot: 0 };
  const cash = state.account(1).cash;
  const settled = applyOperation(state, settle, ledger).publicWords;
  assert.equal(state.account(1).cash, cash - 130_000);
  assert.equal(state.series()[0]!.holders, 1);
  const first = (kind: LedgerOperation["kind"], fields: Partial<typeof BLANK>) =>
    pack(LEDGER_OP, { ...BLANK, ...fields, kind: LEDGER_KINDS[kind], executed: 1 });
  assert.deepEqual(settled, [first("settlePosition", { account: 1 }), 0n, 0n, 0n]);

  const list = { ...LIST, slot: 1, expiry: EXPIRY + 1 } as LedgerOperation;
  const listed = applyOperation(state, list, ledger).publicWords;
  const terms = pack(SERIES_TERMS, { isCall: 0, strike: 77, expiry: EXPIRY + 1 });
  assert.deepEqual(listed, [first("listSeries", { slot: 1 }), terms, 0n, 0n]);
  const { status, generation, strike, isCall } = state.series()[1]!;
  assert.deepEqual(
    { status, generation, strike, isCall },
    {
      status: "listed",
      generation: 2,
      strike: 77,
      isCall: false,
    },
  );

  const weights = weightsOf({ 1: -2 });
  const opened = applyOperation(state, openBook(1, weights), ledger).publicWords;
  assert.deepEqual(opened, [first("openBook", { book: 1 }), ...weightWords(weights), 0n]);
  assert.deepEqual(state.book(1), { weights, generation: 8, fees: NO_FEES, bids: [], asks: [] });
});

test("settling a series publishes and freezes its mark", () => {
  const { state, ledger } = createSettled();
  assert.deepEqual(
    state.series().map(({ status, mark }) => `${status} ${mark}`),
    ["settled 130", "settled 130", "listed 100", "empty 0"],
  );
  const later = contextsOf(state, {
    snapshot: snapshotOf([1, 2, 3, 4].map((mark) => slotRisk(mark, 20))),
    time: ledger.time + 1,
  });
  assert.deepEqual(later.ledger.risk.marks, [130, 130, 3, 0]);
});

const MARKETS = { open: () => createMarket([RICH]), short: createShort, settled: createSettled };
const SETTLE_SERIES = (slot: number): LedgerOperation => ({ kind: "settleSeries", slot });
const SETTLE = (account: number, slot: number): LedgerOperation => {
  return { kind: "settlePosition", account, slot };
};
/** Operations that have no proof: market, operation with changed fields, why. */
const IMPOSSIBLE: readonly (readonly [keyof typeof MARKETS, LedgerOperation, object, RegExp])[] = [
  ["open", DEPOSIT, { owner: 102n }, /belongs to `101`/],
  ["open", DEPOSIT, { owner: 0n, account: 9 }, /must be an address/],
  ["open", DEPOSIT, { owner: 1n << 160n, account: 9 }, /must be an address/],
  ["open", DEPOSIT, { amount: 2 ** 50 }, /`amount`/],
  ["open", DEPOSIT, { amount: -1 }, /`amount`/],
  ["open", DEPOSIT, { keyIndex: 4 }, /`keyIndex`/],
  ["open", DEPOSIT, { keyExpiry: 2 ** 32 }, /`keyExpiry`/],
  ["open", DEPOSIT, { key: { x: FIELD_MODULUS, y: 0n } }, /field elements/],
  ["open", REGISTER, { owner: 102n }, /belongs to/],
  ["open", REGISTER, { account: 9, owner: 109n }, /belongs to `0`/],
  ["open", REGISTER, { keyIndex: -1 }, /`keyIndex`/],
  ["open", FORCED, { owner: 102n }, /belongs to/],
  ["open", FORCED, { amount: 2 ** 50 }, /`amount`/],
  ["open", withdraw(1), { kind: "transfer" }, /must be of kind transfer/],
  ["open", withdraw(1), { word: 1n }, /malformed/],
  ["open", withdraw(1), { author: { account: 1, keyIndex: 1 } }, /unknownKey/],
  ["open", withdraw(1), { author: { account: 9, keyIndex: 0 } }, /unknownAccount/],
  ["open", paymentBy(1, { kind: "withdraw", amount: 1, deadline: NOW - 1 }), {}, /deadlinePassed/],
  ["open", LIST, { slot: 0 }, /is listed/],
  ["open", LIST, { slot: 4 }, /below 4/],
  ["open", LIST, { expiry: NOW / 1000 }, /in the future/],
  ["open", LIST, { strike: 2 ** 24 }, /`strike`/],
  ["settled", LIST, { slot: 0, expiry: EXPIRY + 1 }, /has `2` holders/],
  ["open", OPEN, { book: 0 }, /is open/],
  ["open", OPEN, { book: 2 ** 12 }, /below 2\^12/],
  ["open", OPEN, { weights: [1] }, /must have 4 entries/],
  ["open", OPEN, { weights: weightsOf({}) }, /at least one/],
  ["open", OPEN, { weights: weightsOf({ 0: 8 }) }, /between -8 and 7/],
  ["open", SETTLE_SERIES(0), {}, /has not expired/],
  ["settled", SETTLE_SERIES(2), {}, /is not final/],
  ["settled", SETTLE_SERIES(0), {}, /is not listed/],
  ["settled", SETTLE_SERIES(4), {}, /below 4/],
  ["short", SETTLE(1, 0), {}, /is not settled/],
  ["settled", SETTLE(1, 1), {}, /holds nothing/],
  ["settled", SETTLE(1, 4), {}, /below 4/],
];
for (const [market, operation, fields, reason] of IMPOSSIBLE) {
  test(`${operation.kind} with ${String(reason)} is not sequenced`, () => {
    const { state, ledger } = MARKETS[market]();
    const subject = { ...operation, ...fields } as LedgerOperation;
    assert.match(checkOperation(state, subject, ledger)!, reason);
    const before = JSON.stringify(state.exportState());
    const error = { name: "EngineAssertion", message: reason };
    assert.throws(() => applyOperation(state, subject, ledger), error);
    assert.equal(JSON.stringify(state.exportState()), before);
  });
}

test("a settled position is worth in cash what it was worth before", () => {
  const { state, ledger } = createSettled();
  const total = () => [1, 2].reduce((sum, id) => sum + state.account(id).cash, 0);
  const before = total();
  for (const account of [1, 2]) applyOperation(state, SETTLE(account, 0), ledger);
  assert.equal(total(), before);
  assert.equal(state.series()[0]!.holders, 0);
});

test("a book over a series that was listed anew is opened again without its orders", () => {
  const { state, ledger } = createSettled();
  const at = weightsOf({ 0: 1 });
  assert.equal(checkOperation(state, openBook(0, at), ledger), undefined);
  for (const account of [1, 2]) applyOperation(state, SETTLE(account, 0), ledger);
  const list = { ...LIST, slot: 0, expiry: EXPIRY + 9 } as LedgerOperation;
  applyOperation(state, list, ledger);
  applyOperation(state, openBook(0, at), ledger);
  assert.equal(state.book(0)!.generation, 2);
  assert.match(checkOperation(state, openBook(0, at), ledger)!, /is open/);
});

test("no book is opened in the place of the one that an interrupted order is in", () => {
  const { state, ledger } = createSettled();
  const open = openBook(0, weightsOf({ 0: 1 }));
  const flags = { isSell: false, postOnly: false, reduceOnly: false } as const;
  const order = { account: 1, book: 0, price: 5, lots: 3, timeInForce: "gtc", seq: 1 } as const;
  state.setCarry({ ...order, ...flags });
  assert.match(checkOperation(state, open, ledger)!, /interrupted order is in book/);
  state.setCarry({ ...order, ...flags, book: 1 });
  assert.equal(checkOperation(state, open, ledger), undefined);
});
