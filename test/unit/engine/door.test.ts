import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_POLICY } from "../../../sequencer/engine/admission.ts";
import {
  exposure,
  generationOf,
  isBookOpen,
  isPlain,
} from "../../../sequencer/engine/bookState.ts";
import { checkMessage, type DoorContext, type OpenOrder } from "../../../sequencer/engine/door.ts";
import { applyOperation } from "../../../sequencer/engine/ledger.ts";
import { type Message, messageWord } from "../../../sequencer/protocol/messages.ts";
import { emptyAccount, emptySeries } from "../../../sequencer/protocol/state.ts";
import {
  createMarket,
  depositOf,
  EXPIRY,
  KEY_EXPIRY,
  type Market,
  NO_FEES,
  NOW,
  placeOf,
  send,
  weightsOf,
} from "./market.ts";

const RICH = 2 ** 49;
const FAR = 2 ** 47;

function wordOf(message: Message): bigint {
  try {
    return messageWord(message);
  } catch {
    return 1n;
  }
}

function check(
  { state, ledger }: Market,
  { account = 1, keyIndex = 0 }: { account?: number; keyIndex?: number },
  message: Message,
  context: Partial<DoorContext> = {},
): string {
  const incoming = { author: { account, keyIndex }, message, word: wordOf(message) };
  const openOrders = state.openOrdersOf(account);
  const now = { risk: ledger.risk, time: NOW, openOrders, ...context };
  return checkMessage(state, incoming, now) ?? "taken";
}

const cancel = { kind: "cancel", book: 0, isSell: true, price: 5, seq: 1, deadline: FAR } as const;
const cancelAll = { kind: "cancelAll", deadline: FAR } as const;
const withdraw = (amount: number) => ({ kind: "withdraw", amount, deadline: FAR }) as const;
const transfer = (amount: number, to: number) =>
  ({ kind: "transfer", amount, to, deadline: FAR }) as const;
const fok = { timeInForce: "fok" } as const;
const reduce = { timeInForce: "ioc", reduceOnly: true } as const;
const far = { deadline: FAR };

const WIDE = { ...DEFAULT_POLICY, bandTicks: 2 ** 23 };

/** Accounts 1 is rich, 2 has 25000: one lot short. [message, by account and key, now, code]. */
const TABLE: readonly (readonly [
  Message,
  { account?: number; keyIndex?: number },
  Partial<DoorContext>,
  string,
])[] = [
  [placeOf(), {}, {}, "taken"],
  [placeOf({ lots: 0 }), {}, {}, "badLots"],
  [placeOf({ lots: -1 }), {}, {}, "badLots"],
  [placeOf({ lots: 2 ** 22 }), {}, {}, "badLots"],
  [placeOf({ lots: 0.5 }), {}, {}, "badLots"],
  [placeOf({ price: -(2 ** 23) }), {}, {}, "badPrice"],
  [placeOf({ price: 2 ** 23 - 1 }), {}, {}, "badPrice"],
  [placeOf({ price: 0.5 }), {}, {}, "badPrice"],
  [{ ...cancel, price: 2 ** 23 }, {}, {}, "badPrice"],
  [placeOf({ postOnly: true, ...fok }), {}, {}, "badFlags"],
  [placeOf({ reduceOnly: true }), {}, {}, "badFlags"],
  [placeOf({ ...reduce, book: 2 }), {}, {}, "badFlags"],
  [placeOf({ ...reduce, book: 0 }), {}, {}, "taken"],
  [withdraw(0), {}, {}, "malformed"],
  [withdraw(2 ** 50), {}, {}, "malformed"],
  [transfer(0, 2), {}, {}, "malformed"],
  [placeOf(), { account: 9 }, {}, "unknownAccount"],
  [placeOf(), { keyIndex: 1 }, {}, "unknownKey"],
  [placeOf(), { keyIndex: 4 }, {}, "unknownKey"],
  [placeOf(), { keyIndex: -1 }, {}, "unknownKey"],
  [cancelAll, {}, { time: KEY_EXPIRY * 1000 - 1 }, "taken"],
  [cancelAll, {}, { time: KEY_EXPIRY * 1000 }, "keyExpired"],
  [placeOf({ deadline: NOW }), {}, {}, "taken"],
  [placeOf({ deadline: NOW - 1 }), {}, {}, "deadlinePassed"],
  [placeOf({ book: 9 }), {}, {}, "unknownBook"],
  [{ ...cancel, book: 9 }, {}, {}, "unknownBook"],
  [placeOf(far), {}, { time: EXPIRY * 1000 - 1 }, "taken"],
  [placeOf(far), {}, { time: EXPIRY * 1000 }, "bookClosed"],
  [cancel, {}, { time: EXPIRY * 1000 }, "bookClosed"],
  [cancel, {}, {}, "taken"],
  [cancel, {}, { risk: undefined }, "taken"],
  [cancelAll, {}, { risk: undefined }, "taken"],
  [placeOf(), {}, { risk: undefined }, "noSnapshot"],
  [withdraw(1), {}, { risk: undefined }, "noSnapshot"],
  [placeOf({ isSell: true }), { account: 2 }, {}, "taken"],
  [placeOf({ isSell: true, price: 99 }), { account: 2 }, {}, "insufficientMargin"],
  [placeOf({ isSell: true, lots: 2 }), { account: 2 }, {}, "insufficientMargin"],
  [placeOf({ isSell: true, lots: 2, ...reduce }), { account: 2 }, {}, "taken"],
  [placeOf({ lots: 2 ** 21 - 1 }), {}, {}, "taken"],
  [placeOf({ lots: 2 ** 21 }), {}, {}, "limitExceeded"],
  [placeOf({ price: 16778, lots: 2 ** 21 - 1 }), {}, { policy: WIDE }, "limitExceeded"],
  [placeOf({ price: 16777, lots: 2 ** 20 }), {}, { policy: WIDE }, "taken"],
  [withdraw(25_000), { account: 2 }, {}, "taken"],
  [withdraw(25_001), { account: 2 }, {}, "insufficientCash"],
  [transfer(25_000, 1), { account: 2 }, {}, "taken"],
  [transfer(25_001, 1), { account: 2 }, {}, "insufficientCash"],
  [transfer(1, 2), { account: 2 }, {}, "malformed"],
  [transfer(1, 9), { account: 2 }, {}, "unknownAccount"],
];
for (const [index, [message, author, context, code]] of TABLE.entries()) {
  const { deadline: _, ...shown } = message;
  const time = context.time === undefined ? "" : ` at ${context.time}`;
  test(`door ${index}: ${JSON.stringify({ ...shown, ...author })}${time}: ${code}`, () => {
    assert.equal(check(createMarket([RICH, 25_000]), author, message, context), code);
  });
}

test("a word that is not the message's is malformed", () => {
  const { state, ledger } = createMarket([RICH]);
  const incoming = { author: { account: 1, keyIndex: 0 }, message: cancelAll, word: 3n };
  const context = { risk: ledger.risk, time: NOW, openOrders: [] };
  assert.equal(checkMessage(state, incoming, context), "malformed");
});

test("positions and open orders count together, leg by leg", () => {
  const market = createMarket([RICH, RICH]);
  const half = 2 ** 20;
  send(market, 2, placeOf({ isSell: true, lots: half }));
  send(market, 1, placeOf({ lots: half }));
  const { state } = market;
  assert.equal(check(market, {}, placeOf({ lots: half - 1 })), "taken");
  assert.equal(check(market, {}, placeOf({ lots: half })), "limitExceeded");
  assert.equal(check(market, {}, placeOf({ book: 2, lots: half })), "limitExceeded");
  assert.equal(check(market, {}, placeOf({ book: 1, lots: half })), "taken");
  const open: OpenOrder = { account: 1, book: 0, isSell: false, price: 1, seq: 9, lots: half };
  assert.equal(check(market, {}, placeOf(), { openOrders: [open] }), "limitExceeded");
  // What it sells brings it nearer to nothing, whatever rests on the other side.
  const sale = placeOf({ isSell: true, lots: half });
  assert.equal(check(market, {}, sale, { openOrders: [open] }), "taken");
  assert.equal(check(market, {}, placeOf(), { openOrders: [{ ...open, isSell: true }] }), "taken");
  // What rests in a book that is not open cannot trade.
  state.editBook(0).generation += 1;
  assert.equal(check(market, {}, placeOf({ book: 1 }), { openOrders: [open] }), "taken");
});

test("a carried order counts as an open one", () => {
  const market = createMarket([RICH, RICH]);
  const half = 2 ** 20;
  send(market, 2, placeOf({ isSell: true }));
  send(market, 1, placeOf({ lots: half + 1 }));
  assert.equal(market.state.carry()!.lots, half);
  assert.equal(check(market, {}, placeOf({ lots: half - 2 })), "taken");
  assert.equal(check(market, {}, placeOf({ lots: half - 1 })), "limitExceeded");
});

test("cash and notional of all orders stay below 2^51", () => {
  const market = createMarket([2 ** 50 - 1]);
  applyOperation(market.state, depositOf(1, 2 ** 50 - 1), market.ledger);
  // One lot at price 1 has a notional of 1000.
  assert.equal(check(market, {}, placeOf({ price: 1 })), "limitExceeded");
  assert.equal(check(market, {}, placeOf({ price: 0 })), "taken");
});

test("a locked account places nothing, but cancels, and pays what it can spare", () => {
  const market = createMarket([RICH, 25_000]);
  market.state.editSession(1).lockedSince = NOW / 1000;
  assert.equal(check(market, {}, placeOf()), "accountLocked");
  assert.equal(check(market, {}, placeOf({ ...reduce })), "accountLocked");
  assert.equal(check(market, {}, cancel), "taken");
  assert.equal(check(market, {}, cancelAll), "taken");
  assert.equal(check(market, {}, withdraw(1)), "taken");
  assert.equal(check(market, { account: 2 }, placeOf({ isSell: true })), "taken");
});

test("a backstop for an account that is not locked is refused", () => {
  const market = createMarket([RICH, RICH]);
  const terms = { from: 2, slot: 0, lots: 1, amount: 0, deadline: FAR };
  assert.equal(check(market, {}, { kind: "backstop", ...terms }), "takeoverRefused");
  assert.equal(
    check(market, {}, { kind: "backstop", ...terms }, { risk: undefined }),
    "noSnapshot",
  );
});

test("books: plain, generation, open", () => {
  const plain: readonly (readonly [number[], boolean])[] = [
    [[0, 1, 0, 0], true],
    [[0, -1, 0, 0], false],
    [[0, 2, 0, 0], false],
    [[1, 1, 0, 0], false],
    [[1, -1, 0, 0], false],
  ];
  for (const [weights, expected] of plain) assert.equal(isPlain(weights), expected);
  const series = [1, 2, 3, 4].map((generation) => ({ ...emptySeries(), generation }));
  assert.equal(generationOf([0, 2, -3, 0], series), 8 + 27);
  const account = { ...emptyAccount(4), positions: [5, -6, 7, 0] };
  assert.equal(exposure(account, [1, 2, -1, 7]), -14);

  const { state } = createMarket([]);
  const weights = weightsOf({ 0: 1, 1: -1 });
  const book = { weights, generation: 2, fees: NO_FEES, bids: [], asks: [] };
  assert.equal(isBookOpen(state, book, NOW), true);
  assert.equal(isBookOpen(state, book, EXPIRY * 1000 - 1), true);
  assert.equal(isBookOpen(state, book, EXPIRY * 1000), false);
  assert.equal(isBookOpen(state, { ...book, generation: 3 }, NOW), false);
  assert.equal(isBookOpen(state, { ...book, weights: weightsOf({ 3: 1 }) }, NOW), false);
  state.editSeries(1).status = "settled";
  assert.equal(isBookOpen(state, book, NOW), false);
});
