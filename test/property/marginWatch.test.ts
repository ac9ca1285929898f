// Who is below maintenance margin, by a watch that weighs few accounts and by weighing all of them:
// along random prices, trades, settlements, locks and restarts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  firstBelowMaintenance,
  maintenanceValues,
  type Risk,
} from "../../sequencer/engine/risk.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { createMarginWatch, type MarginCalls } from "../../sequencer/roles/marginWatch.ts";
import { createMemoryState, type MemoryState } from "../../sequencer/state/memoryState.ts";
import { sizesOf } from "../support/market.ts";
import { runs } from "./runs.ts";

const SHAPE = sizesOf("tiny").trade;
const ACCOUNTS = 12;
const UNIT = SHAPE.unit;

/** By weighing everybody. */
function callsOf(state: MemoryState, risk: Risk): MarginCalls {
  const failing: { id: number; deficit: number }[] = [];
  const recovered: number[] = [];
  for (const id of state.accountIds()) {
    const account = state.account(id);
    if (firstBelowMaintenance(account, risk, UNIT) !== undefined) {
      const worst = Math.min(...maintenanceValues(account, risk));
      failing.push({ id, deficit: -(Math.floor(account.cash / UNIT) + worst) });
    } else if (state.session(id).lockedSince !== 0) recovered.push(id);
  }
  failing.sort((left, right) => right.deficit - left.deficit);
  return { failing: failing.map(({ id }) => id), recovered };
}

function setLots(state: MemoryState, id: number, slot: number, lots: number): void {
  const { positions } = state.editAccount(id);
  const before = positions[slot]!;
  positions[slot] = lots;
  state.addHolders(slot, (lots === 0 ? 0 : 1) - (before === 0 ? 0 : 1));
}

const account = fc.integer({ min: 0, max: ACCOUNTS - 1 });
const slot = fc.integer({ min: 0, max: SHAPE.slots - 1 });

type Act =
  | { readonly kind: "cash"; readonly id: number; readonly cash: number }
  | { readonly kind: "lots"; readonly id: number; readonly slot: number; readonly lots: number }
  | { readonly kind: "lock"; readonly id: number; readonly since: number }
  | { readonly kind: "move"; readonly slot: number; readonly by: number; readonly change: number }
  | { readonly kind: "undo" | "commit" | "restart" };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant("cash" as const),
    id: account,
    cash: fc.integer({ min: -600, max: 2_000 }).map((units) => units * UNIT - 7),
  }),
  fc.record({
    kind: fc.constant("lots" as const),
    ...{ id: account, slot, lots: fc.integer({ min: -6, max: 6 }) },
  }),
  fc.record({
    kind: fc.constant("lock" as const),
    ...{ id: account, since: fc.integer({ min: 0, max: 1 }) },
  }),
  fc.record({
    kind: fc.constant("move" as const),
    slot,
    by: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -90, max: 90 })),
    change: fc.integer({ min: -40, max: 40 }),
  }),
  fc.record({ kind: fc.constantFrom("undo" as const, "commit" as const, "restart" as const) }),
);

const FLAT: Risk = {
  marks: new Array<number>(SHAPE.slots).fill(100),
  changes: Array.from({ length: SHAPE.slots }, () => new Array<number>(SCENARIOS).fill(0)),
};

function movedBy(risk: Risk, { slot: at, by, change }: Extract<Act, { kind: "move" }>): Risk {
  const marks = risk.marks.with(at, Math.max(0, risk.marks[at]! + by));
  const row = risk.changes[at]!.map((_, s) => (s % 5 === 2 ? change : Math.trunc(change / 3)));
  return { marks, changes: risk.changes.with(at, row) };
}

test("the watch finds whom weighing all of them finds", () => {
  let [found, spared] = [0, 0];
  const property = fc.property(
    fc.array(fc.array(act, { minLength: 2, maxLength: 6 }), { minLength: 10, maxLength: 30 }),
    (all) => {
      const state = createMemoryState(SHAPE);
      for (let id = 0; id < ACCOUNTS; id++) state.editAccount(id).cash = 200 * UNIT;
      let watch = createMarginWatch(state);
      let weighed = 0;
      let risk = FLAT;
      for (const acts of all) {
        const point = state.checkpoint();
        for (const each of acts) {
          if (each.kind === "cash") state.editAccount(each.id).cash = each.cash;
          else if (each.kind === "lots") setLots(state, each.id, each.slot, each.lots);
          else if (each.kind === "lock") state.editSession(each.id).lockedSince = each.since;
          else if (each.kind === "move") risk = movedBy(risk, each);
          else if (each.kind === "undo") state.rollback(point);
          else if (each.kind === "commit") state.clearTouched();
          else {
            weighed += watch.weighed();
            watch = createMarginWatch(state);
          }
        }
        state.commit();
        const expected = callsOf(state, risk);
        assert.deepEqual(watch.scan(risk), expected);
        found += expected.failing.length;
      }
      spared += all.length * ACCOUNTS - weighed - watch.weighed();
    },
  );
  fc.assert(property, runs(300));
  assert.ok(found > 100, `only \`${found}\` accounts failed`);
  assert.ok(spared > 1_000, `only \`${spared}\` accounts were spared`);
});

test("small moves weigh nobody who is far from failing", () => {
  const state = createMemoryState(SHAPE);
  for (let id = 0; id < 100; id++) {
    state.editAccount(id).cash = 100_000 * UNIT;
    setLots(state, id, id % SHAPE.slots, 5);
  }
  // One who fails after some hundred ticks down.
  state.editAccount(50).cash = 10 * UNIT;
  state.clearTouched();
  const watch = createMarginWatch(state);
  let risk = FLAT;
  const failed: number[] = [];
  for (let step = 0; step < 101; step++) {
    failed.push(...watch.scan(risk).failing);
    risk = { ...risk, marks: risk.marks.map((mark) => Math.max(0, mark - 1)) };
  }
  assert.deepEqual(failed, []);
  assert.ok(watch.weighed() < 120, `\`${watch.weighed()}\` were weighed`);
  state.editAccount(50).cash = -1 * UNIT;
  assert.deepEqual(watch.scan(risk), { failing: [50], recovered: [] });
  assert.deepEqual(watch.scan(risk), { failing: [50], recovered: [] });
});

test("an account fails at the very tick at which it cannot pay", () => {
  for (const lots of [1, 3, -1, -4]) {
    const state = createMemoryState(SHAPE);
    setLots(state, 7, 2, lots);
    // Equity of 50 lot ticks, and a millionth more than nothing.
    state.editAccount(7).cash = (50 - lots * 100) * UNIT + 1;
    state.clearTouched();
    const watch = createMarginWatch(state);
    const step = lots > 0 ? -1 : 1;
    for (let ticks = 0; ticks < 60; ticks++) {
      const risk = { ...FLAT, marks: FLAT.marks.with(2, 100 + step * ticks) };
      const isLost = 50 - Math.abs(lots) * ticks < 0;
      assert.deepEqual(watch.scan(risk).failing, isLost ? [7] : [], `${lots} lots, ${ticks} ticks`);
    }
  }
});
