// The sums that are kept of an account's orders (engine/pendingOrders.ts) are what a walk over all
// books gives, and admission answers by them what it answers by the orders one by one, after every
// instruction of random flows, half of which are undone.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkAdmission } from "../../sequencer/engine/admission.ts";
import { isBookOpen } from "../../sequencer/engine/bookState.ts";
import { makerFee } from "../../sequencer/engine/fees.ts";
import { followedValues, lowestValue } from "../../sequencer/engine/kept.ts";
import {
  countedOrders,
  pendingCosts,
  placeOf,
  sumsOf,
} from "../../sequencer/engine/pendingOrders.ts";
import type { Risk } from "../../sequencer/engine/risk.ts";
import type { Entry } from "../../sequencer/protocol/state.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import { createMarket, NOW, placeOf as placeMessage, SHAPE } from "../unit/engine/market.ts";
import { ACCOUNTS, type Command, command, createFlow, type Flow } from "./flow.ts";
import { runs } from "./runs.ts";

const commands = fc.array(command, { minLength: 40, maxLength: 120, size: "max" });
const ROWS = 18;

interface Walked {
  notional: bigint;
  worstCosts: bigint;
  readonly reach: bigint[];
  readonly costs: bigint[];
}

const least = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));

/** Every side of every book is searched, and every order summed up with integers of any size. */
function walk(state: MemoryState, id: number, { risk, time }: { risk: Risk; time: number }) {
  const found: Walked = {
    notional: 0n,
    worstCosts: 0n,
    reach: new Array<bigint>(2 * SHAPE.slots).fill(0n),
    costs: new Array<bigint>(ROWS).fill(0n),
  };
  for (const book of state.bookIds()) {
    const { bids, asks, weights, fees } = state.book(book)!;
    if (!isBookOpen(state, state.book(book)!, time)) continue;
    const own = ({ account, seq }: Entry) => account === id && seq >= state.session(id).watermark;
    const lots = [
      ...bids.filter(own).map((entry) => [entry.price, entry.lots] as const),
      ...asks.filter(own).map((entry) => [entry.price, -entry.lots] as const),
    ];
    for (const [price, signed] of lots) {
      const fee = makerFee(fees, price);
      add(found, { weights, price: BigInt(price), signed: BigInt(signed), fee: BigInt(fee) }, risk);
    }
  }
  return found;
}

function add(
  found: Walked,
  order: { weights: readonly number[]; price: bigint; signed: bigint; fee: bigint },
  risk: Risk,
): void {
  const { weights, price, signed, fee } = order;
  const size = signed < 0n ? -signed : signed;
  found.notional += (price < 0n ? -price : price) * size;
  for (const [slot, weight] of weights.entries()) {
    const moved = BigInt(weight) * signed;
    if (moved !== 0n) found.reach[placeOf(slot, Number(moved))]! += moved < 0n ? -moved : moved;
  }
  const changes = found.costs.map((_, row) => {
    const rate = weights.reduce((sum, weight, slot) => {
      const change = risk.changes[slot]![row] ?? 0;
      return sum + BigInt(weight) * BigInt(4 * risk.marks[slot]! + 5 * change);
    }, 0n);
    return signed * (rate - 4n * price) - 4n * fee * size;
  });
  for (const [row, change] of changes.entries()) if (change < 0n) found.costs[row]! += change;
  if (least(changes) < 0n) found.worstCosts += least(changes);
}

/** Times before and after the flow's own: books close between them, and open again. */
function timesOf({ market }: Flow, { a, b }: Command): number[] {
  return [market.trade.time, market.trade.time + (a % 3) * 1_800_001, NOW + (b % 2) * 3_600_000];
}

function checkSums(flow: Flow, given: Command): void {
  const { state, trade } = flow.market;
  for (const [index, id] of ACCOUNTS.entries()) {
    // Not all are asked each time: what has come and gone meanwhile is counted later.
    if ((given.a >> index) % 2 === 0) continue;
    for (const time of timesOf(flow, given)) {
      // Another risk over the same listings, every other time.
      const changes = trade.risk.changes.map((slot) => slot.map((change) => 2 * change));
      const risk = time % 2 === given.c % 2 ? trade.risk : { ...trade.risk, changes };
      const expected = walk(state, id, { risk, time });
      const own = state.ordersOf(id);
      const sums = own && sumsOf(own, state, { risk, time });
      if (own === undefined || sums === undefined) {
        assert.equal(expected.notional, 0n);
        continue;
      }
      assert.equal(BigInt(sums.notional), expected.notional);
      assert.equal(BigInt(sums.worstCosts), expected.worstCosts);
      assert.deepEqual(sums.reach.map(BigInt), expected.reach);
      assert.deepEqual(pendingCosts(countedOrders(own, state)).map(BigInt), expected.costs);
    }
    checkFloor(flow, id, given);
    checkVerdicts(flow, id, given);
  }
}

/** What is known of the least value is never above it, and is enough or the value itself. */
function checkFloor({ market }: Flow, id: number, { a, b, c }: Command): void {
  const { state, trade } = market;
  const { positions } = state.account(id);
  // Positions of which nothing is known yet.
  const plain = Math.min(...followedValues([...positions], trade.risk));
  const enough = plain - (b % 3) * 10 ** (c % 7);
  const floor = state.floorOf(id, trade.risk, enough);
  assert.ok(floor === plain || (floor >= enough && floor < plain));
  if (a % 5 !== 0) return;
  assert.equal(state.floorOf(id, trade.risk, Number.POSITIVE_INFINITY), plain);
  assert.equal(lowestValue(positions, trade.risk), plain);
}

/** The same orders, given one by one or found in the state, are answered alike. */
function checkVerdicts({ market }: Flow, id: number, { a, b, c }: Command): void {
  const { state, trade } = market;
  const openOrders = state.openOrdersOf(id);
  for (const book of state.bookIds()) {
    const terms = { book, isSell: a % 2 === 0, price: (b % 300) - 20, lots: 1 + (c % 400) };
    const message = placeMessage({ ...terms, reduceOnly: c % 7 === 0 });
    const context = { time: trade.time, risk: trade.risk };
    assert.equal(
      checkAdmission(state, id, message, context),
      checkAdmission(state, id, message, { ...context, openOrders }),
    );
  }
}

test("an order that came and went since the last question is not counted", () => {
  const { state, trade } = createMarket([2 ** 40]);
  const entry = (seq: number) => ({ account: 1, seq, price: 90, lots: 3 });
  state.insertOrder(0, false, 0, entry(1));
  const sums = () => sumsOf(state.ordersOf(1)!, state, trade)!.notional;
  assert.equal(sums(), 270);
  state.insertOrder(0, false, 1, entry(2));
  state.removeOrder(0, false, 1);
  assert.equal(sums(), 270);
  state.insertOrder(0, false, 1, entry(3));
  state.replaceOrder(0, false, 1, { ...entry(3), lots: 1 });
  assert.equal(sums(), 360);
});

const text = (state: MemoryState): string => JSON.stringify(state.exportState());

test("sums of open orders are those of a walk over all books, also when much is undone", () => {
  let counted = 0;
  let undone = 0;
  fc.assert(
    fc.property(commands, (list) => {
      const flow = createFlow();
      const { state } = flow.market;
      for (const given of list) {
        const before = text(state);
        const point = state.checkpoint();
        if (flow.run(given) === undefined) continue;
        checkSums(flow, given);
        if (given.b % 2 === 0) {
          state.rollback(point);
          undone += 1;
          assert.equal(text(state), before);
          checkSums(flow, given);
          // What the flow knows of marks was undone too: it goes on in a batch of its own.
          flow.run({ ...given, kind: "batch" });
          checkSums(flow, given);
        }
        counted += ACCOUNTS.filter((id) => state.openOrdersOf(id).length > 0).length;
        state.commit();
      }
    }),
    runs(30),
  );
  assert.ok(counted > 0 && undone > 0, "no order ever rested, or nothing was ever undone");
});
