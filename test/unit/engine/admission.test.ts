// The door's policy: what the venue refuses though it could be proven.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AdmissionContext,
  type AdmissionPolicy,
  checkAdmission,
  DEFAULT_POLICY,
} from "../../../sequencer/engine/admission.ts";
import { createOpenInterest } from "../../../sequencer/engine/openInterest.ts";
import type { OpenOrder } from "../../../sequencer/engine/pendingOrders.ts";
import type { PlaceMessage } from "../../../sequencer/protocol/messages.ts";
import type { BookFees } from "../../../sequencer/protocol/state.ts";
import { createMarket, type Market, NOW, placeOf, SHAPE } from "./market.ts";
import { buy, sell, sendToEnd } from "./orders.ts";

const RICH = 2 ** 40;

function check(
  { state, trade }: Market,
  account: number,
  message: PlaceMessage,
  context: Partial<AdmissionContext> = {},
): string {
  const openOrders = state.openOrdersOf(account);
  const full = { time: NOW, openOrders, risk: trade.risk, ...context };
  return checkAdmission(state, account, message, full) ?? "taken";
}

function policy(changes: Partial<AdmissionPolicy>): Partial<AdmissionContext> {
  return { policy: { ...DEFAULT_POLICY, ...changes } };
}

const bid = (fields: Partial<PlaceMessage> = {}) => placeOf(fields);
const offer = (fields: Partial<PlaceMessage> = {}) => placeOf({ ...fields, isSell: true });
const IOC_REDUCE = { timeInForce: "ioc", reduceOnly: true } as const;

// Mark 100, changes of 20 both ways: a lot either way at the mark costs 5 * 20 * 1000 / 4 = 25000.
test("orders that rest use margin up: each counts with what it can cost in a scenario", () => {
  const market = createMarket([75_000, RICH]);
  assert.equal(check(market, 1, offer({ lots: 3 })), "taken");
  assert.equal(check(market, 1, offer({ lots: 4 })), "insufficientMargin");
  sendToEnd(market, sell(1, { lots: 2 }));
  assert.equal(check(market, 1, offer({ lots: 1 })), "taken");
  assert.equal(check(market, 1, offer({ lots: 2 })), "insufficientMargin");
  // Offers in another book count with them, bids lose in the other scenarios.
  assert.equal(check(market, 1, offer({ book: 1, lots: 2 })), "insufficientMargin");
  assert.equal(check(market, 1, bid({ book: 1, lots: 3 })), "taken");
  // A good price of one order is not what another may rely on: the other may fill alone.
  assert.equal(check(market, 1, offer({ price: 160 })), "taken");
  sendToEnd(market, sell(1, { price: 160 }));
  assert.equal(check(market, 1, offer({ lots: 2 })), "insufficientMargin");
});

test("what is carried counts as what rests", () => {
  const market = createMarket([60_000, RICH]);
  sendToEnd(market, buy(2));
  const { state } = market;
  const carried = { ...placeOf({ isSell: true, lots: 2 }), account: 1, seq: 9 };
  const { kind: _, deadline: __, ...carry } = carried;
  state.setCarry(carry);
  assert.equal(check(market, 1, offer()), "insufficientMargin");
  assert.equal(check(market, 2, offer()), "taken");
  state.setCarry(undefined);
  assert.equal(check(market, 1, offer()), "taken");
});

test("void orders and orders of closed books use no margin", () => {
  const market = createMarket([50_000]);
  sendToEnd(market, sell(1, { lots: 2 }));
  assert.equal(check(market, 1, offer({ book: 1 })), "insufficientMargin");
  const open = market.state.openOrdersOf(1);
  market.state.editBook(0).generation += 1;
  assert.equal(check(market, 1, offer({ book: 1 }), { openOrders: open }), "taken");
});

test("an account without margin may still place what makes it no worse", () => {
  const market = createMarket([25_000, RICH]);
  sendToEnd(market, sell(1));
  sendToEnd(market, buy(2));
  market.state.editAccount(1).cash -= 10_000;
  assert.equal(check(market, 1, offer()), "insufficientMargin");
  // Buying back gains where the price rises, and elsewhere there is room down to no cash at all.
  assert.equal(check(market, 1, bid()), "taken");
  assert.equal(check(market, 1, bid({ price: 115 })), "taken");
  assert.equal(check(market, 1, bid({ price: 116 })), "insufficientMargin");
});

test("the worst fee of either role counts", () => {
  const ofFees = (fees: BookFees) => createMarket([25_000], SHAPE, fees);
  const fees: readonly (readonly [BookFees, string])[] = [
    [{ taker: 0, maker: 0 }, "taken"],
    [{ taker: 1, maker: 0 }, "insufficientMargin"],
    [{ taker: 0, maker: 1 }, "insufficientMargin"],
    [{ taker: 1, maker: -1 }, "insufficientMargin"],
  ];
  for (const [rates, expected] of fees) {
    assert.equal(check(ofFees(rates), 1, offer()), expected);
    const market = createMarket([26_000], SHAPE, rates);
    assert.equal(check(market, 1, offer()), "taken");
  }
});

// Mark 100, band 20 by the changes or by ticks: [order, policy, expected].
const BANDS: readonly (readonly [PlaceMessage, Partial<AdmissionPolicy>, string])[] = [
  [bid({ price: 200 }), {}, "taken"],
  [bid({ price: 201 }), {}, "priceOutOfBand"],
  [offer({ price: 0 }), {}, "taken"],
  [offer({ price: -1 }), {}, "priceOutOfBand"],
  [bid({ price: 120 }), { bandTicks: 5 }, "taken"],
  [bid({ price: 121 }), { bandTicks: 5 }, "priceOutOfBand"],
  [offer({ price: 80 }), { bandTicks: 5 }, "taken"],
  [offer({ price: 79 }), { bandTicks: 5 }, "priceOutOfBand"],
  [bid({ price: 160 }), { bandTicks: 5, bandMoves: 3 }, "taken"],
  [bid({ price: 161 }), { bandTicks: 5, bandMoves: 3 }, "priceOutOfBand"],
  [bid({ price: 1 }), { bandTicks: 5 }, "taken"],
  [offer({ price: 900 }), { bandTicks: 5 }, "taken"],
  [bid({ price: 900, ...IOC_REDUCE }), { bandTicks: 5 }, "taken"],
  // The spread's legs move together: its mark is 0 and so is its change.
  [bid({ book: 2, price: 5 }), { bandTicks: 5 }, "taken"],
  [bid({ book: 2, price: 6 }), { bandTicks: 5 }, "priceOutOfBand"],
  [offer({ book: 2, price: -6 }), { bandTicks: 5 }, "priceOutOfBand"],
];
for (const [index, [message, changes, expected]] of BANDS.entries()) {
  const { book, isSell, price } = message;
  const side = isSell ? "offer" : "bid";
  test(`price band ${index}: ${side} of book ${book} at ${price}: ${expected}`, () => {
    assert.equal(check(createMarket([RICH]), 1, message, policy(changes)), expected);
  });
}

test("the position cap counts orders, side by side, and lets pass what reduces", () => {
  const market = createMarket([RICH, RICH]);
  const cap = policy({ positionLimit: 10 });
  assert.equal(check(market, 1, bid({ lots: 9 }), cap), "taken");
  assert.equal(check(market, 1, bid({ lots: 10 }), cap), "limitExceeded");
  sendToEnd(market, sell(2, { lots: 20 }));
  sendToEnd(market, buy(1, { lots: 20 }));
  assert.equal(check(market, 1, bid(), cap), "limitExceeded");
  assert.equal(check(market, 1, offer({ lots: 20 }), cap), "taken");
  assert.equal(check(market, 1, offer({ lots: 29 }), cap), "taken");
  assert.equal(check(market, 1, offer({ lots: 30 }), cap), "limitExceeded");
  assert.equal(check(market, 1, offer({ lots: 99, ...IOC_REDUCE }), cap), "taken");
  // Of a combination each leg counts: this one reduces slot 0 and opens slot 1.
  assert.equal(check(market, 1, offer({ book: 2, price: 0, lots: 9 }), cap), "taken");
  assert.equal(check(market, 1, offer({ book: 2, price: 0, lots: 10 }), cap), "limitExceeded");
  const wider = policy({ positionLimit: 2 ** 30 });
  assert.equal(check(market, 1, bid({ lots: 2 ** 21 - 20 }), wider), "limitExceeded");
});

test("the open-interest cap meets what opens, on either side", () => {
  const market = createMarket([RICH, RICH, RICH]);
  sendToEnd(market, sell(2, { lots: 6 }));
  sendToEnd(market, buy(1, { lots: 6 }));
  const openInterest = createOpenInterest(SHAPE.slots);
  for (const id of market.state.accountIds()) openInterest.update(id, market.state.account(id));
  assert.equal(openInterest.of(0), 6);
  const cap = { ...policy({ openInterestLimit: 8 }), openInterest: openInterest.of };
  for (const isSell of [false, true]) {
    assert.equal(check(market, 3, placeOf({ isSell, lots: 2 }), cap), "taken");
    assert.equal(check(market, 3, placeOf({ isSell, lots: 3 }), cap), "openInterestExceeded");
  }
  assert.equal(check(market, 3, bid({ book: 1, lots: 8 }), cap), "taken");
  assert.equal(check(market, 1, offer({ lots: 8 }), cap), "taken");
  assert.equal(check(market, 1, offer({ lots: 9 }), cap), "openInterestExceeded");
  assert.equal(
    check(market, 2, bid({ lots: 6 }), { ...cap, ...policy({ openInterestLimit: 0 }) }),
    "taken",
  );
  const open: OpenOrder = { account: 1, book: 0, isSell: true, price: 100, seq: 9, lots: 6 };
  const none = { ...cap, ...policy({ openInterestLimit: 6 }) };
  assert.equal(check(market, 1, offer(), { ...none, openOrders: [open] }), "openInterestExceeded");
  assert.equal(check(market, 1, offer({ lots: 9, ...IOC_REDUCE }), none), "taken");
});

test("open interest follows accounts up, down and across", () => {
  const openInterest = createOpenInterest(2);
  openInterest.update(1, { positions: [5, -1] });
  openInterest.update(2, { positions: [-5, 1] });
  openInterest.update(1, { positions: [7, -1] });
  assert.deepEqual([openInterest.of(0), openInterest.of(1)], [7, 1]);
  openInterest.update(1, { positions: [-2, 0] });
  openInterest.update(2, { positions: [2, 0] });
  assert.deepEqual([openInterest.of(0), openInterest.of(1)], [2, 0]);
});
