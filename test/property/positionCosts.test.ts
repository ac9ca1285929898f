// Costs and profits of positions against a plain recomputation: from all trades and cash movements
// of random flows, in exact fractions, and from what the accounts' cash has really done.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { publishedFills } from "../../sequencer/engine/trade.ts";
import { type Effect, movedAccounts } from "../../sequencer/roles/effect.ts";
import { legCosts } from "../../sequencer/roles/legCosts.ts";
import {
  type CostRow,
  createPositionCosts,
  type PositionCosts,
} from "../../sequencer/roles/positionCosts.ts";
import { mergeRows, type Row } from "../../sequencer/state/exportedState.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import { ACCOUNTS, type Command, command, createFlow, type Flow, type Sequenced } from "./flow.ts";
import { runs } from "./runs.ts";

interface Held {
  readonly cash: number;
  readonly positions: readonly number[];
}

const copyOf = (state: MemoryState): Map<number, Held> =>
  new Map(
    state.accountIds().map((id) => {
      const { cash, positions } = state.account(id);
      return [id, { cash, positions: [...positions] }];
    }),
  );

/** As the node makes it of a log entry. */
function effectOf({ records, operation }: Sequenced, before: Map<number, Held>): Effect {
  const entry = operation && ({ type: "operation", operation: operation.operation } as const);
  const moved = entry === undefined ? [] : movedAccounts(entry as Effect["entry"]);
  const cashBefore = new Map(moved.map((id) => [id, before.get(id)?.cash ?? 0]));
  return { position: 0, entry, steps: records, operation, cashBefore } as unknown as Effect;
}

/** A fraction of bigints: nothing is ever rounded. */
interface Plain {
  lots: bigint;
  numerator: bigint;
  denominator: bigint;
  paid: bigint;
  closings: bigint;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Average cost by fractions: what leaves takes its part of the cost with it. */
function addPlain(plain: Plain, lots: bigint, cost: bigint): void {
  plain.paid += cost;
  const isOpening = plain.lots === 0n || plain.lots > 0n === lots > 0n;
  const [size, held] = [absolute(lots), absolute(plain.lots)];
  const closed = isOpening ? 0n : size < held ? size : held;
  if (closed > 0n) {
    plain.closings += 1n;
    plain.numerator *= held - closed;
    plain.denominator *= held;
  }
  const opened = size - closed;
  plain.numerator = plain.numerator * size + cost * opened * plain.denominator;
  plain.denominator *= size;
  plain.lots += lots;
}

type Journal = Map<string, Plain>;

function entryOf(journal: Journal, account: number, slot: number): Plain {
  const key = `${account} ${slot}`;
  const nothing = { lots: 0n, numerator: 0n, denominator: 1n, paid: 0n, closings: 0n };
  const found = journal.get(key) ?? nothing;
  journal.set(key, found);
  return found;
}

/** What every trade and every other change of positions has been, by the accounts alone. */
function keepJournal(journal: Journal, flow: Flow, done: Sequenced, before: Map<number, Held>) {
  const { state, trade } = flow.market;
  for (const fill of publishedFills(done.records)) {
    const { weights } = state.book(fill.book)!;
    const side = fill.takerIsSell ? -1 : 1;
    const costs = legCosts(weights, fill.price, trade.risk.marks);
    const sum = costs.reduce((total, { ticks }) => total + ticks, 0);
    assert.equal(sum, fill.price, "legs cost what the package costs");
    for (const { slot, weight, ticks } of costs) {
      for (const [account, sign] of [
        [fill.taker, side],
        [fill.maker, -side],
      ] as const) {
        const lots = BigInt(sign * fill.lots * weight);
        const cost = BigInt(sign * fill.lots * ticks * state.unit);
        addPlain(entryOf(journal, account, slot), lots, cost);
      }
    }
  }
  const operation = done.operation?.operation;
  if (operation === undefined || done.operation?.outcome !== "executed") return;
  if (operation.kind === "listSeries") {
    for (const id of ACCOUNTS) journal.delete(`${id} ${operation.slot}`);
  }
  for (const id of state.accountIds()) {
    const after = state.account(id);
    for (const [slot, lots] of after.positions.entries()) {
      const change = lots - (before.get(id)?.positions[slot] ?? 0);
      if (change === 0) continue;
      const cost = BigInt((before.get(id)?.cash ?? 0) - after.cash);
      addPlain(entryOf(journal, id, slot), BigInt(change), cost);
    }
  }
}

function compare(costs: PositionCosts, journal: Journal, state: MemoryState): void {
  for (const id of ACCOUNTS) {
    const own = costs.of(id);
    for (const [slot, lots] of state.account(id).positions.entries()) {
      const plain = entryOf(journal, id, slot);
      const { cost, realized } = own.find((item) => item.slot === slot) ?? {
        ...{ cost: 0, realized: 0 },
      };
      assert.ok(cost !== null && realized !== null);
      assert.equal(plain.lots, BigInt(lots), "the journal is of these positions");
      assert.equal(BigInt(cost) - BigInt(realized), plain.paid, "not a unit is lost");
      const exact = plain.numerator / plain.denominator;
      const away = absolute(BigInt(cost) - exact);
      assert.ok(away <= plain.closings + 1n, `${cost} is not ${exact}, rounded at each close`);
      if (lots === 0) assert.equal(cost, 0);
    }
  }
}

/** Cash moves by what is paid for lots and by fees, whatever the costs are made of. */
function assertPaid(done: Sequenced, before: Map<number, Held>, flow: Flow, change: Paid): void {
  const { state } = flow.market;
  const isCashOnly = change.size === 0;
  if (isCashOnly) return;
  for (const id of ACCOUNTS) {
    const fees = publishedFills(done.records).reduce((sum, fill) => {
      const own = fill.taker === id ? fill.takerFee : 0;
      return sum + own + (fill.maker === id ? fill.makerFee : 0);
    }, 0);
    const moved = state.account(id).cash - (before.get(id)?.cash ?? 0);
    assert.equal(moved + (change.get(id) ?? 0) + fees, 0, `account ${id}`);
  }
}

type Paid = ReadonlyMap<number, number>;

function paidOf(costs: PositionCosts): Map<number, number> {
  return new Map(
    ACCOUNTS.map((id) => {
      const sum = costs.of(id).reduce((total, { cost, realized }) => total + cost! - realized!, 0);
      return [id, sum];
    }),
  );
}

function changeOf(before: Paid, after: Paid): Paid {
  const changes = [...after].map(([id, paid]) => [id, paid - (before.get(id) ?? 0)] as const);
  return new Map(changes.filter(([, paid]) => paid !== 0));
}

type Rows = readonly Row<CostRow>[];

const trackerOf = (flow: Flow, rows: Rows = []): PositionCosts =>
  createPositionCosts({ state: flow.market.state, risk: () => flow.market.trade.risk, rows });

const reached = new Map<string, number>();

function follow(list: readonly Command[], restartEvery: number): void {
  const flow = createFlow();
  const { state } = flow.market;
  const costs = trackerOf(flow);
  let again = trackerOf(flow);
  // What a disk would have of it.
  let rows: Rows = [];
  const journal: Journal = new Map();
  for (const [index, entry] of list.entries()) {
    const before = copyOf(state);
    const paid = paidOf(costs);
    const done = flow.run(entry);
    if (done === undefined) continue;
    const effect = effectOf(done, before);
    costs.observe(effect);
    again.observe(effect);
    keepJournal(journal, flow, done, before);
    compare(costs, journal, state);
    const kind = done.operation?.operation.kind;
    if (kind !== "listSeries") assertPaid(done, before, flow, changeOf(paid, paidOf(costs)));
    for (const id of ACCOUNTS) assert.deepEqual(again.of(id), costs.of(id), "as without restarts");
    if (index % restartEvery === 0) {
      rows = mergeRows(rows, JSON.parse(JSON.stringify(again.takeChange())));
      again = trackerOf(flow, rows);
    }
    if (kind !== undefined) reached.set(kind, (reached.get(kind) ?? 0) + 1);
    for (const { book } of publishedFills(done.records)) {
      reached.set(`book ${book}`, (reached.get(`book ${book}`) ?? 0) + 1);
    }
  }
}

test("costs and profits are those of all trades, whatever happens and however it restarts", () => {
  const commands = fc.array(command, { minLength: 60, maxLength: 140, size: "max" });
  fc.assert(fc.property(commands, fc.integer({ min: 1, max: 9 }), follow), runs(600));
  if (process.env.FC_NUM_RUNS !== undefined) return;
  const moving = ["book 0", "book 2", "book 3", "settlePosition", "forcedClose", "backstop"];
  for (const name of moving) assert.ok((reached.get(name) ?? 0) > 0, `${name} was never reached`);
});

const leg = (slot: number, weight: number, ticks: number) => ({ slot, weight, ticks });

test("a package's price is shared out by the marks, whole ticks only", () => {
  const spread = [1, -1, 0];
  // 2 too dear: 1.05 and 0.95 are rounded towards 0, and the first takes what is left.
  assert.deepEqual(legCosts(spread, 12, [100, 90, 0]), [leg(0, 1, 102), leg(1, -1, -90)]);
  assert.deepEqual(legCosts(spread, 10, [100, 90, 0]), [leg(0, 1, 100), leg(1, -1, -90)]);
  assert.deepEqual(legCosts(spread, 3, [100, 90, 0]), [leg(0, 1, 96), leg(1, -1, -93)]);
  assert.deepEqual(legCosts([0, 1, -2], 5, [0, 0, 0]), [leg(1, 1, 1), leg(2, -2, 4)]);
  assert.deepEqual(legCosts([0, 1], 77, [0, 50]), [leg(1, 1, 77)], "one leg costs the price");
});
