// What is known of an account's least value (state/values.ts) is never above it, and is enough for
// who asks or the value itself: whatever is traded, set, edited as a whole, undone or imported, and
// under whichever risk. Positions, cash and holders
// come back with what is undone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bookRates, followedValues } from "../../sequencer/engine/kept.ts";
import type { Risk } from "../../sequencer/engine/risk.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import type { Shape } from "../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../sequencer/state/memoryState.ts";
import { createChance } from "../simulation/random.ts";
import { runs } from "./runs.ts";

const SHAPE: Shape = { slots: 6, depth: 4, accountLevels: 2, bookLevels: 1, unit: 1000 };
const ACCOUNTS = 4;
const STEPS = 150;

type Chance = ReturnType<typeof createChance>;

function riskOf(chance: Chance): Risk {
  const slots = Array.from({ length: SHAPE.slots }, () => chance.pick(2 ** 20));
  const change = () => chance.pick(2 ** 21 - 1) - 2 ** 20 + 1;
  return { marks: slots, changes: slots.map(() => Array.from({ length: SCENARIOS }, change)) };
}

/** Weights of books: one leg, or several of either sign. */
function weightsOf(chance: Chance): number[] {
  const weights = Array.from({ length: SHAPE.slots }, () => {
    return chance.happens(30) ? chance.pick(16) - 8 : 0;
  });
  weights[chance.pick(SHAPE.slots)] = 1;
  return weights;
}

const signed = (chance: Chance, limit: number): number => chance.pick(2 * limit + 1) - limit;

/** Changes something, by one of the ways that there are. */
function change(state: MemoryState, chance: Chance, market: { risk: Risk; books: number[][] }) {
  const id = chance.pick(ACCOUNTS);
  const what = chance.pick(20);
  const slot = chance.pick(SHAPE.slots);
  if (what < 14) {
    const rates = bookRates(market.books[chance.pick(market.books.length)]!, market.risk);
    // Now and then so many that what is known is not worth keeping.
    const lots = signed(chance, what === 0 ? 2 ** 22 : 2 ** 12);
    state.exchange(id, chance.pick(2 ** 30), rates, lots === 0 ? 1 : lots);
  } else if (what < 16) state.setLots(id, slot, signed(chance, 2 ** 12));
  else if (what === 16) state.editAccount(id).positions[slot] = signed(chance, 2 ** 12);
  else if (what === 17) {
    const positions = Array.from({ length: SHAPE.slots }, () => signed(chance, 2 ** 12));
    Object.assign(state.editAccount(id), { positions });
  } else if (what === 18) state.importState(state.exportState());
  return what;
}

/** Cash and positions, and how many hold each slot. */
function holdingsOf(state: MemoryState): string {
  const { accounts, series } = state.exportState();
  return JSON.stringify([accounts, series]);
}

test("what is known of the least value is never above it, and enough or the value itself", () => {
  let isBelow = 0;
  for (let seed = 0; seed < runs(60).numRuns; seed++) {
    const chance = createChance(seed);
    const risks = [riskOf(chance), riskOf(chance)];
    const books = Array.from({ length: 5 }, () => weightsOf(chance));
    const state = createMemoryState(SHAPE);
    let point: { readonly id: number; readonly holdings: string } | undefined;
    for (let step = 0; step < STEPS; step++) {
      const risk = risks[chance.happens(90) ? 0 : 1]!;
      // An import forgets the points.
      if (change(state, chance, { risk, books }) === 18) point = undefined;
      const asked = risks[chance.happens(90) ? 0 : 1]!;
      const id = chance.pick(ACCOUNTS);
      // Others than those of the account: nothing is known of them.
      const least = Math.min(...followedValues([...state.account(id).positions], asked));
      const enough = chance.happens(80) ? least - chance.pick(2 ** 31) * 2 ** 8 : least + 1;
      const floor = state.floorOf(id, asked, enough);
      assert.ok(floor === least || (floor >= enough && floor < least), `seed ${seed} at ${step}`);
      if (floor < least) isBelow += 1;
      if (point !== undefined && chance.happens(10)) {
        state.rollback(point.id);
        assert.equal(holdingsOf(state), point.holdings);
      } else if (chance.happens(10)) {
        point = { id: state.checkpoint(), holdings: holdingsOf(state) };
      } else if (chance.happens(3)) {
        state.commit();
        point = undefined;
      }
    }
  }
  assert.ok(isBelow > 100, `a bound was used only \`${isBelow}\` times`);
});

test("of an account that is edited as a whole nothing is known until the next checkpoint", () => {
  const chance = createChance(1);
  const risk = riskOf(chance);
  const state = createMemoryState(SHAPE);
  const row = state.editAccount(1);
  const floor = () => state.floorOf(1, risk, Number.NEGATIVE_INFINITY);
  assert.equal(floor(), 0);
  row.positions[2] = -5;
  const short = Math.min(...followedValues([...row.positions], risk));
  assert.ok(short < 0);
  assert.equal(floor(), short);
  state.checkpoint();
  assert.equal(floor(), short);
});
