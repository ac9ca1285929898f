// What the planner chooses in the books, and that the engine takes every step that it plans.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVoid } from "../../../sequencer/engine/bookState.ts";
import { firstBelowMaintenance, type Risk } from "../../../sequencer/engine/risk.ts";
import { liquidate } from "../../../sequencer/engine/transactions/liquidate.ts";
import { purgeOrder } from "../../../sequencer/engine/transactions/purge.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { Entry } from "../../../sequencer/protocol/state.ts";
import { planBookStep, planLock } from "../../../sequencer/roles/bookLiquidation.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { type Chance, createChance } from "../../simulation/random.ts";

const SHAPE = { slots: 3, depth: 4, accountLevels: 2, bookLevels: 1, unit: 1000 };
const TIME = 1_800_000_000_000;
const SHORT = 3;
const MAKER = 4;
const OTHER = 5;

/** Slots 0 and 1 move alike, slot 2 not at all; even scenarios go up by 100, odd ones down. */
const RISK: Risk = {
  marks: [720, 700, 50],
  changes: [100, 100, 0].map((move) => {
    return Array.from({ length: SCENARIOS }, (_, row) => (row % 2 === 0 ? move : -move));
  }),
};
const CONTEXT = { risk: RISK, time: TIME };

/** Plain books 0 to 2, and book 3 over slots 0 and 1 together. */
function createState(): MemoryState {
  const state = createMemoryState(SHAPE);
  for (let slot = 0; slot < SHAPE.slots; slot++) {
    const terms = { isCall: true, strike: 20_000, expiry: TIME / 1000 + 1000 };
    Object.assign(state.editSeries(slot), { ...terms, status: "listed", generation: 1 });
  }
  const fees = { taker: 6, maker: 0 };
  for (const [book, weights] of [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 1, 0],
  ].entries()) {
    const generation = weights.filter((weight) => weight !== 0).length;
    state.putBook(book, { weights, generation, fees, bids: [], asks: [] });
  }
  state.setNextSeq(100);
  for (const id of [MAKER, OTHER]) state.editAccount(id).cash = 10_000_000_000;
  // Equity 120 USDC against a loss of 400 USDC.
  hold(state, SHORT, [-4000, 0, 0], 3_000_000_000);
  hold(state, MAKER, [4000, 0, 0], 10_000_000_000);
  return state;
}

function hold(state: MemoryState, id: number, positions: number[], cash: number): void {
  Object.assign(state.editAccount(id), { positions, cash, owner: 1n });
  for (const slot of positions.keys()) {
    const holders = [SHORT, MAKER, OTHER].filter(
      (each) => state.account(each).positions[slot] !== 0,
    );
    state.editSeries(slot).holders = holders.length;
  }
}

function offer(state: MemoryState, book: number, entry: Partial<Entry> & { price: number }): void {
  state.editBook(book).asks.push({ account: MAKER, seq: 50, lots: 5000, ...entry });
}

test("a position is closed in its own book before any other, however cheap", () => {
  const state = createState();
  offer(state, 0, { price: 740 });
  offer(state, 1, { price: 701 });
  const step = planBookStep(state, SHORT, CONTEXT);
  assert.equal(step?.type, "liquidate");
  assert.deepEqual(step.liquidation, {
    ...{ account: SHORT, book: 0, isSell: false, price: 740, reduceOnly: true, scenario: 0 },
    // No more than initial margin asks for: 4 * 120 less 5 * 400 USDC, at 5 * 100 - 4 * 20 ticks.
    lots: Math.ceil(1_520_000 / 420),
  });
});

test("where nothing closes it is hedged, by what costs least for what it improves", () => {
  const state = createState();
  offer(state, 1, { price: 710 });
  offer(state, 3, { price: 1425 });
  const step = planBookStep(state, SHORT, CONTEXT);
  // Book 1: 16 ticks for 84 of improvement; book 3: 11 for 189.
  assert.equal(step?.type === "liquidate" && step.liquidation.book, 3);
});

test("prices beyond a quarter of the way to the scenario are let be", () => {
  const state = createState();
  offer(state, 0, { price: 745 });
  assert.equal(planBookStep(state, SHORT, CONTEXT), undefined);
  const lock = planLock(state, SHORT, CONTEXT);
  assert.ok(lock);
  const record = liquidate(state, lock, CONTEXT);
  assert.equal(record.kind === "liquidate" && record.order.outcome, "killed");
  assert.equal(state.session(SHORT).lockedSince, TIME / 1000);
});

test("void orders in the way are purged, the account's own with its first step", () => {
  const state = createState();
  offer(state, 0, { account: OTHER, price: 730, seq: 40, lots: 1 });
  offer(state, 0, { account: SHORT, price: 731, seq: 41, lots: 1 });
  offer(state, 0, { price: 732 });
  state.editSession(OTHER).watermark = 45;
  const first = planBookStep(state, SHORT, CONTEXT);
  assert.deepEqual(first, {
    type: "purge",
    entry: { type: "purge", book: 0, isSell: true, price: 730, seq: 40 },
  });
  state.editBook(0).asks.shift();
  const second = planBookStep(state, SHORT, CONTEXT);
  assert.ok(second?.type === "liquidate");
  liquidate(state, second.liquidation, CONTEXT);
  assert.ok(state.book(0)?.asks.every(({ account }) => account !== SHORT));
  const third = planBookStep(state, SHORT, CONTEXT);
  assert.equal(third?.type === "liquidate" && third.liquidation.price, 732);
});

test("a healthy account has no plan", () => {
  const state = createState();
  offer(state, 0, { price: 700 });
  state.editAccount(SHORT).cash += 280_000_000;
  assert.equal(firstBelowMaintenance(state.account(SHORT), RISK, SHAPE.unit), undefined);
  assert.equal(planBookStep(state, SHORT, CONTEXT), undefined);
  assert.equal(planLock(state, SHORT, CONTEXT), undefined);
});

test("random markets: every plan is taken, fills, and ends", (context) => {
  const seed = Number(process.env.STRADDLE_SEED ?? 5);
  const chance = createChance(seed);
  let [steps, fills, healed] = [0, 0, 0];
  for (let round = 0; round < 1500; round++) {
    const state = createState();
    const positions = RISK.marks.map(() => chance.pick(8001) - 4000);
    const worth = positions.reduce((sum, lots, slot) => sum + lots * RISK.marks[slot]!, 0);
    const equity = chance.pick(600_000) - 100_000;
    hold(state, SHORT, positions, (equity - worth) * SHAPE.unit);
    fillBooks(state, chance);
    for (let count = 0; ; count++) {
      assert.ok(count < 200, `seed ${seed}, round ${round}: no end`);
      const step = planBookStep(state, SHORT, CONTEXT);
      if (step === undefined) break;
      steps += 1;
      if (step.type === "purge") {
        purgeOrder(state, step.entry);
        continue;
      }
      const record = liquidate(state, step.liquidation, CONTEXT);
      assert.ok(record.kind === "liquidate");
      const { fill, removed, outcome } = record.order;
      assert.ok(fill !== undefined || removed.length > 0, `round ${round}: ${outcome}`);
      if (fill !== undefined) fills += 1;
    }
    if (firstBelowMaintenance(state.account(SHORT), RISK, SHAPE.unit) === undefined) healed += 1;
  }
  context.diagnostic(`${steps} steps, ${fills} fills, ${healed} of 1500 accounts end healthy`);
  assert.ok(fills > 500);
});

/** Orders around the books' marks, some void, some the account's own. */
function fillBooks(state: MemoryState, chance: Chance): void {
  state.editSession(OTHER).watermark = 60;
  for (const id of state.bookIds()) {
    const book = state.editBook(id);
    const mark = book.weights.reduce((sum, weight, slot) => sum + weight * RISK.marks[slot]!, 0);
    for (const side of [book.bids, book.asks]) {
      const sign = side === book.asks ? 1 : -1;
      for (let count = chance.pick(4); count > 0; count--) {
        const account = chance.one([MAKER, MAKER, OTHER, SHORT]);
        const price = mark + sign * (chance.pick(60) - 15);
        side.push({ account, price, seq: 20 + chance.pick(70), lots: 1 + chance.pick(3000) });
      }
      side.sort((left, right) => sign * (left.price - right.price) || left.seq - right.seq);
    }
    // A real book is never crossed by orders that are not void.
    const live = (side: readonly Entry[]) => side.find((entry) => !isVoid(state, entry));
    while ((live(book.bids)?.price ?? -1e9) >= (live(book.asks)?.price ?? 1e9)) book.bids.shift();
  }
}
