// Liquidation: when it may be sequenced (L1 to L4 of SPEC section 6), and what it does.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Liquidation, OrderStep } from "../../../sequencer/engine/records.ts";
import { firstBelowMaintenance } from "../../../sequencer/engine/risk.ts";
import { purge } from "../../../sequencer/engine/trade.ts";
import { checkLiquidation, liquidate } from "../../../sequencer/engine/transactions/liquidate.ts";
import type { SlotPrice } from "../../../sequencer/protocol/snapshot.ts";
import type { BookFees } from "../../../sequencer/protocol/state.ts";
import {
  contextsOf,
  createMarket,
  EXPIRY,
  type Market,
  NO_FEES,
  NOW,
  placeOf,
  SHAPE,
  send,
  slotRisk,
  snapshotOf,
} from "./market.ts";
import { buy, type Sent, sell, sendToEnd } from "./orders.ts";

const RICH = 1_000_000_000;
const LATER = NOW + 5000;

/** The next batch: marks and changes by slot, `slotRisk(100, 20)` where nothing is given. */
function nextBatch(market: Market, slots: readonly SlotPrice[], time = LATER): Market {
  const all = Array.from({ length: SHAPE.slots }, (_, slot) => slots[slot] ?? slotRisk(100, 20));
  const { state } = market;
  return { state, ...contextsOf(state, { snapshot: snapshotOf(all, time), time, kind: "trade" }) };
}

/**
 * Account 1 has sold 10 lots at 100 with just the initial margin; then the mark of slot 0 rises to
 * `mark`. Its cash is 1250000, so in scenario 0 it has `1250000 - 10000 (mark + 20)` left: -50000
 * at 110. At 114, the highest price that L2 allows there, a lot improves that by 16000, and the
 * headroom of -400000 by 84000.
 */
function distressed(resting: readonly Sent[] = [], mark = 110, fees: BookFees = NO_FEES): Market {
  const market = createMarket([250_000, RICH, RICH, 0], SHAPE, NO_FEES);
  sendToEnd(market, buy(2, { lots: 10 }));
  sendToEnd(market, sell(1, { lots: 10 }));
  market.state.editBook(0).fees = fees;
  for (const order of resting) sendToEnd(market, order);
  return nextBatch(market, [slotRisk(mark, 20)]);
}

const BUY: Liquidation = {
  ...{ account: 1, book: 0, isSell: false, price: 114, lots: 4 },
  ...{ reduceOnly: true, scenario: 0 },
};

function check({ state, trade }: Market, changes: Partial<Liquidation> = {}): string {
  return checkLiquidation(state, { ...BUY, ...changes }, trade) ?? "taken";
}

function act({ state, trade }: Market, changes: Partial<Liquidation> = {}): OrderStep {
  const record = liquidate(state, { ...BUY, ...changes }, trade);
  assert.ok(record.kind === "liquidate");
  return record.order;
}

test("an account below maintenance may be liquidated", () => {
  const market = distressed();
  assert.equal(firstBelowMaintenance(market.state.account(1), market.trade.risk, SHAPE.unit), 0);
  assert.equal(check(market), "taken");
});

test("L1: not in a scenario in which equity covers the loss", () => {
  assert.match(check(distressed(), { scenario: 1 }), /^L1: account `1`.*scenario `1`/);
  assert.match(check(distressed(), { scenario: 17 }), /^L1/);
  assert.match(check(distressed(), { account: 2 }), /^L1: account `2`/);
  // Below initial margin, but not below maintenance.
  const watched = distressed([], 105);
  assert.match(check(watched, { price: 109, lots: 1 }), /^L1/);
  assert.equal(check(distressed([], 106), { price: 110, lots: 1 }), "taken");
});

test("L2: not at a quarter of the way from mark to scenario or beyond", () => {
  assert.match(check(distressed(), { price: 115 }), /^L2.*Got `115`/);
  // A sale has to be at a better price than that.
  assert.match(check(distressed(), { isSell: true, price: 115, lots: 1 }), /^L2/);
});

test("L3: not where a lot does not improve the scenario", () => {
  // Equity is gone at 160, so that every scenario shows it; in scenario 1 an option is worth 140.
  const ruined = distressed([], 160);
  assert.match(check(ruined, { scenario: 1, price: 154 }), /^L3.*Got `154`/);
  assert.match(check(ruined, { scenario: 1, price: 140 }), /^L3/);
  assert.doesNotMatch(check(ruined, { scenario: 1, price: 139 }), /^L3/);
  assert.match(check(ruined, { scenario: 17, price: 160, lots: 1 }), /^L2/);
  assert.equal(check(ruined, { scenario: 17, price: 159, lots: 1 }), "taken");
  assert.match(check(distressed(), { isSell: true, price: 130, lots: 1 }), /^L3/);
  assert.doesNotMatch(check(distressed(), { isSell: true, price: 131 }), /^L3/);
});

test("L3: not where the fee could eat the improvement", () => {
  assert.equal(check(distressed([], 110, { taker: 15, maker: 0 })), "taken");
  const dear = distressed([], 110, { taker: 16, maker: 0 });
  assert.match(check(dear), /^L3/);
  assert.equal(check(dear, { price: 113, lots: 3 }), "taken");
});

test("L4: no lot more than restores initial margin", () => {
  // Four lots at 114 add 336000 to the headroom, short of 400000, so a fifth is needed.
  assert.equal(check(distressed(), { lots: 5 }), "taken");
  assert.match(check(distressed(), { lots: 6 }), /^L4.*Got `6`/);
  // At 110 a lot adds 100000: four are just enough.
  assert.equal(check(distressed(), { price: 110, lots: 4 }), "taken");
  assert.match(check(distressed(), { price: 110, lots: 5 }), /^L4/);
});

test("L4: not where initial margin would only be further away", () => {
  // In scenario 1 an option is worth 140, a lot of which initial margin asks 135.
  const ruined = distressed([], 160);
  assert.match(check(ruined, { scenario: 1, price: 135, lots: 1 }), /^L4: `price`.*Got `135`/);
  assert.equal(check(ruined, { scenario: 1, price: 134, lots: 1 }), "taken");
  const sale = { isSell: true, reduceOnly: false, lots: 1 };
  assert.match(check(distressed(), { ...sale, price: 135 }), /^L4: `price`/);
  assert.equal(check(distressed(), { ...sale, price: 136 }), "taken");
});

const REFUSED: readonly (readonly [string, Partial<Liquidation>, RegExp])[] = [
  ["no lots", { lots: 0 }, /^`lots`.*Got `0`/],
  ["broken lots", { lots: 1.5 }, /^`lots`/],
  ["too many lots", { lots: 2 ** 22 }, /^`lots`/],
  ["a price below its range", { price: -(2 ** 23) }, /^`price`/],
  ["a price above its range", { price: 2 ** 23 - 1 }, /^`price`/],
  ["no such scenario", { scenario: 18 }, /^`scenario`.*0 to 17.*Got `18`/],
  ["a negative scenario", { scenario: -1 }, /^`scenario`/],
  ["no such book", { book: 9 }, /^book `9` was never opened/],
  ["an account that nobody has", { account: 9 }, /^L1/],
];
for (const [name, changes, reason] of REFUSED) {
  test(`refused: ${name}`, () => {
    const market = distressed();
    assert.match(check(market, changes), reason);
    const before = JSON.stringify(market.state.exportState());
    assert.throws(() => act(market, changes), { name: "EngineAssertion" });
    assert.equal(JSON.stringify(market.state.exportState()), before);
  });
}

test("refused: a book that is not open", () => {
  const market = nextBatch(distressed(), [slotRisk(110, 20)], EXPIRY * 1000);
  assert.match(check(market), /^book `0` is not open/);
});

test("refused: while an interrupted order is to go on", () => {
  const market = distressed([sell(3, { price: 114 })]);
  send(market, 2, placeOf({ price: 114, lots: 2 }));
  assert.match(check(market), /interrupted/);
});

test("refused: lots that could leave the range of positions", () => {
  const market = distressed();
  market.state.editAccount(1).cash = -(2 ** 51);
  const lots = 2 ** 22 - 1;
  assert.match(check(market, { isSell: true, price: 136, lots }), /^`lots` must keep positions/);
  assert.equal(check(market, { isSell: true, price: 136, lots: lots - 10 }), "taken");
});

test("the account is locked, its orders are void, and no seq is used", () => {
  const market = distressed([sell(1, { book: 1, price: 140 }), buy(1, { price: 20 })]);
  const { state, trade } = market;
  const seq = state.nextSeq();
  assert.equal(state.openOrdersOf(1).length, 2);
  const step = act(market);
  assert.equal(state.nextSeq(), seq);
  assert.equal(state.session(1).watermark, seq);
  assert.equal(state.session(1).lockedSince, LATER / 1000);
  assert.deepEqual(state.openOrdersOf(1), []);
  assert.equal(purge(state, { book: 0, isSell: false, price: 20, seq: 4 }).kind, "purge");
  assert.equal(step.before.seq, 0);
  // The lock keeps its time.
  const later = nextBatch(market, [slotRisk(110, 20)], LATER + 60_000);
  act(later);
  assert.equal(state.session(1).lockedSince, LATER / 1000);
  const deadline = trade.time;
  const [cancelAll] = send(market, 1, { kind: "cancelAll", deadline });
  assert.equal(cancelAll!.kind, "cancelAll");
  const name = { book: 1, isSell: true, price: 140, seq: 3 };
  const [cancel] = send(market, 1, { kind: "cancel", ...name, deadline });
  assert.ok(cancel!.kind === "cancel" && cancel!.outcome === "cancelled");
  assert.throws(() => send(market, 1, placeOf()), /accountLocked/);
  assert.equal(state.nextSeq(), seq + 2);
});

test("after the lock is lifted new orders are good", () => {
  const market = distressed();
  act(market);
  market.state.editSession(1).lockedSince = 0;
  sendToEnd(market, buy(1, { price: 20 }));
  assert.equal(market.state.openOrdersOf(1).length, 1);
});

/** `lots` of the step, its case, outcome, lots of account 1 afterwards. */
const STEPS: readonly (readonly [string, readonly Sent[], string, string, number])[] = [
  ["nothing to trade with", [], "noCross", "killed", -10],
  ["an offer beyond the limit", [sell(3, { price: 115, lots: 9 })], "noCross", "killed", -10],
  ["an offer of just as much", [sell(3, { price: 114, lots: 4 })], "fill", "filled", -6],
  ["an offer of more", [sell(3, { price: 112, lots: 9 })], "fill", "filled", -6],
  [
    "offers of less",
    [sell(3, { price: 112, lots: 3 }), sell(3, { price: 113, lots: 9 })],
    "fill",
    "killed",
    -7,
  ],
  ["its own order", [sell(1, { price: 114, lots: 4 })], "makerVoid", "killed", -10],
  ["a maker without margin", [sell(4, { price: 110, lots: 4 })], "makerMargin", "killed", -10],
];
for (const [name, resting, orderCase, outcome, position] of STEPS) {
  test(`one step that meets ${name}: ${orderCase}, ${outcome}`, () => {
    const market = distressed(resting);
    const step = act(market);
    assert.equal(step.orderCase, orderCase);
    assert.equal(step.outcome, outcome);
    assert.equal(step.after, undefined);
    assert.equal(market.state.carry(), undefined);
    assert.equal(market.state.account(1).positions[0], position);
    assert.ok(market.state.session(1).lockedSince > 0);
  });
}

test("a fill pays the taker's fee and improves the scenario by price", () => {
  const market = distressed([sell(3, { price: 112, lots: 2 })], 110, { taker: 5, maker: -1 });
  const { fill } = act(market);
  assert.equal(fill!.takerSeq, 0);
  assert.equal(fill!.takerFee, 10_000);
  assert.equal(fill!.makerFee, -2000);
  assert.equal(market.state.fees(), 8000);
  assert.equal(market.state.account(1).cash, 1_250_000 - 224_000 - 10_000);
});

test("not even a liquidation makes another scenario worse that is not covered", () => {
  const market = createMarket([500_000, RICH, RICH]);
  for (const book of [0, 1]) {
    sendToEnd(market, buy(2, { book, lots: 10 }));
    sendToEnd(market, sell(1, { book, lots: 10 }));
  }
  sendToEnd(market, sell(3, { price: 104 }));
  // Slot 0 rises in the even scenarios, slot 1 in the odd ones, twice as far: it is short of both.
  const odd = {
    ...slotRisk(100, 40),
    changes: slotRisk(100, 40).changes.map((x) => -Math.min(x, 0)),
  };
  const next = nextBatch(market, [slotRisk(100, 20), odd]);
  next.state.editAccount(1).cash -= 350_000;
  const step = act(next, { price: 104, lots: 1 });
  assert.equal(step.orderCase, "takerMargin");
  assert.equal(step.failedScenario, 1);
  assert.equal(next.state.account(1).positions[0], -10);
});
