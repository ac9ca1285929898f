import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startBatch } from "../../../sequencer/engine/batchStart.ts";
import { bookRates, SCENARIO_ROWS } from "../../../sequencer/engine/kept.ts";
import {
  admissibility,
  bookValues,
  cashQuotient,
  effectiveRisk,
  firstBelowMaintenance,
  firstUncovered,
  firstUnrelieved,
  isCovered,
  maintenanceValues,
  type Risk,
  scenarioValues,
  wholeUnits,
  worstMaintenance,
} from "../../../sequencer/engine/risk.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { emptyAccount, emptySeries } from "../../../sequencer/protocol/state.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import { runs } from "../../property/runs.ts";
import { SHAPE, slotRisk, snapshotOf } from "./market.ts";

const SLOTS = 64;

function edges(min: number, max: number) {
  return fc.oneof(fc.constantFrom(min, max, 0, 1, -1), fc.integer({ min, max })).map((value) => {
    return Math.min(max, Math.max(min, value));
  });
}

const cashOf = edges(1 - 2 ** 52, 2 ** 52 - 1);
const unitOf = edges(1, 1023);
const change = edges(1 - 2 ** 20, 2 ** 20 - 1);
const slot = fc.record({
  mark: edges(0, 2 ** 20 - 1),
  changes: fc.array(change, { minLength: SCENARIOS, maxLength: SCENARIOS }),
  position: edges(1 - 2 ** 22, 2 ** 22 - 1),
  weight: edges(-8, 7),
});
const market = fc.record({
  slots: fc.array(slot, { minLength: SLOTS, maxLength: SLOTS }),
  cash: cashOf,
  unit: unitOf,
});

function riskOf(slots: readonly { mark: number; changes: number[] }[]): Risk {
  return { marks: slots.map(({ mark }) => mark), changes: slots.map(({ changes }) => changes) };
}

/** `sum quantity (4 mark + 5 change)` in big integers, row 17 unchanged. */
function exact(quantities: readonly number[], risk: Risk, factors = [4n, 5n]): bigint[] {
  const [ofMark, ofChange] = factors as [bigint, bigint];
  return Array.from({ length: SCENARIO_ROWS }, (_, row) => {
    return quantities.reduce((sum, quantity, index) => {
      const moved = BigInt(row < SCENARIOS ? risk.changes[index]![row]! : 0);
      return sum + BigInt(quantity) * (ofMark * BigInt(risk.marks[index]!) + ofChange * moved);
    }, 0n);
  });
}

const LISTED = { ...emptySeries(), status: "listed" as const };

test("17 scenarios and the unchanged one", () => {
  assert.equal(SCENARIO_ROWS, 18);
  const risk = effectiveRisk([LISTED], snapshotOf([slotRisk(100, 20)]));
  const account = { ...emptyAccount(0), positions: [3] };
  assert.equal(scenarioValues(account, risk).at(-1), 3 * 4 * 100);
  assert.equal(maintenanceValues(account, risk).at(-1), 3 * 100);
  assert.deepEqual(bookValues([1], risk).slice(0, 2), [120, 80]);
});

test("the cash quotient is floor(4 cash / unit)", () => {
  fc.assert(
    fc.property(cashOf, unitOf, (cash, unit) => {
      const product = 4n * BigInt(cash);
      const floor = product / BigInt(unit) - (product % BigInt(unit) < 0n ? 1n : 0n);
      assert.equal(BigInt(cashQuotient(cash, unit)), floor);
      const whole = BigInt(cash) / BigInt(unit) - (BigInt(cash) % BigInt(unit) < 0n ? 1n : 0n);
      assert.equal(BigInt(wholeUnits(cash, unit)), whole);
    }),
    runs(2000),
  );
});

test("coverage is what big integers say, up to the ranges' ends", () => {
  fc.assert(
    fc.property(market, fc.boolean(), ({ slots, cash, unit }, isNear) => {
      const risk = riskOf(slots);
      const positions = slots.map(({ position }) => position);
      const values = exact(positions, risk);
      assert.deepEqual(scenarioValues({ ...emptyAccount(0), positions }, risk).map(BigInt), values);
      // Half of the runs put cash where one scenario's headroom is about 0.
      const near = Number((-BigInt(unit) * values[3]!) / 4n);
      const usesNear = isNear && Math.abs(near) < 2 ** 52;
      const account = { owner: 1n, cash: usesNear ? near : cash, positions };
      const worst = values.findIndex((value) => {
        return 4n * BigInt(account.cash) + BigInt(unit) * value < 0n;
      });
      assert.equal(firstUncovered(account, risk, unit), worst < 0 ? undefined : worst);
      assert.equal(isCovered(account, risk, unit), worst < 0);
    }),
    runs(200),
  );
});

test("maintenance is what big integers say, and what the headrooms say", () => {
  fc.assert(
    fc.property(market, fc.boolean(), ({ slots, cash, unit }, isNear) => {
      const risk = riskOf(slots);
      const positions = slots.map(({ position }) => position);
      const values = exact(positions, risk, [1n, 1n]);
      const near = Number(-BigInt(unit) * values[5]!);
      const account = {
        owner: 1n,
        cash: isNear && Math.abs(near) < 2 ** 52 ? near : cash,
        positions,
      };
      assert.deepEqual(maintenanceValues(account, risk).map(BigInt), values);
      const levels = values.map((value) => BigInt(account.cash) + BigInt(unit) * value);
      const below = levels.findIndex((level) => level < 0n);
      assert.equal(firstBelowMaintenance(account, risk, unit), below < 0 ? undefined : below);
      const least = levels.reduce((a, b) => (a < b ? a : b));
      const worst = worstMaintenance(account, risk, unit);
      assert.equal(levels[worst.scenario], least);
      assert.equal(worst.value < 0, least < 0n);
      if (least > -(2n ** 52n) && least < 2n ** 52n) assert.equal(BigInt(worst.value), least);
      const rooms = exact(positions, risk).map((value) => {
        return 4n * BigInt(account.cash) + BigInt(unit) * value;
      });
      for (const [row, level] of levels.entries()) {
        assert.equal(20n * level, 4n * rooms[row]! + rooms.at(-1)!);
      }
    }),
    runs(200),
  );
});

test("admissibility is what big integers say, up to the ranges' ends", () => {
  const price = edges(1 - 2 ** 23, 2 ** 23 - 2);
  const lots = edges(1 - 2 ** 22, 2 ** 22 - 1).filter((value) => value !== 0);
  const fee = edges(1 - 2 ** 16, 2 ** 16 - 1);
  fc.assert(
    fc.property(market, price, lots, fee, ({ slots, cash, unit }, ticks, signedLots, paid) => {
      const risk = riskOf(slots);
      const weights = slots.map(({ weight }) => weight);
      const positions = slots.map(({ position, weight }) => {
        const after = position + signedLots * weight;
        return Math.abs(after) < 2 ** 22 ? position : -Math.trunc((signedLots * weight) / 2);
      });
      const fits = positions.every((before, index) => {
        return (
          Math.abs(before) < 2 ** 22 && Math.abs(before + signedLots * weights[index]!) < 2 ** 22
        );
      });
      fc.pre(fits);
      const rates = exact(weights, risk);
      const headroomsAfter = exact(positions, risk).map((value, row) => {
        const each = BigInt(signedLots) * (rates[row]! - 4n * BigInt(ticks));
        const fees = 4n * BigInt(paid) * BigInt(Math.abs(signedLots));
        const moved = BigInt(unit) * (each - fees);
        return { moved, after: 4n * BigInt(cash) + BigInt(unit) * value + moved };
      });
      const failing = headroomsAfter.findIndex(({ moved, after }) => moved < 0n && after < 0n);
      const state = createMemoryState({ ...SHAPE, slots: SLOTS, unit });
      Object.assign(state.editAccount(1), { cash, positions });
      const exchange = { rates: bookRates(weights, risk), price: ticks, signedLots, fee: paid };
      assert.equal(admissibility(state, 1, exchange), failing < 0 ? undefined : failing);
    }),
    // Lots that fit 64 positions of random weights are small: many runs are skipped.
    { ...runs(200), maxSkipsPerRun: 1000 },
  );
});

// Mark 100, changes +-20, unit 1000: one lot short at 100 needs 25000, at 95 it needs 30000.
const MARGINS: readonly (readonly [cash: number, position: number, covered: number | undefined])[] =
  [
    [0, 0, undefined],
    [-1, 0, 0],
    [-100_000, 1, 1],
    [-75_000, 1, undefined],
    [-75_001, 1, 1],
    [125_000, -1, undefined],
    [124_999, -1, 0],
  ];
for (const [cash, position, expected] of MARGINS) {
  test(`cash ${cash} with ${position} lots first fails in ${expected}`, () => {
    const risk = effectiveRisk([LISTED], snapshotOf([slotRisk(100, 20)]));
    const account = { owner: 1n, cash, positions: [position] };
    assert.equal(firstUncovered(account, risk, 1000), expected);
  });
}

test("slots that are not listed keep their mark; neither they nor final marks change", () => {
  const series = [
    { ...emptySeries(), mark: 3 },
    { ...LISTED, mark: 1 },
    { ...emptySeries(), status: "settled" as const, mark: 2 },
    LISTED,
  ];
  const slots = [slotRisk(10, 5), slotRisk(11, 5), slotRisk(12, 5), slotRisk(13, 5, true)];
  const risk = effectiveRisk(series, snapshotOf(slots));
  assert.deepEqual(risk.marks, [3, 11, 2, 13]);
  assert.deepEqual(
    risk.changes.map(([first]) => first),
    [0, 5, 0, 0],
  );
  assert.throws(() => effectiveRisk(series, snapshotOf([])), /must have `4` slots. Got `0`/);
});

test("a batch's start writes the effective marks into the table", () => {
  const state = createMemoryState(SHAPE);
  Object.assign(state.editSeries(1), { status: "settled", mark: 9 });
  for (const slot of [2, 3]) Object.assign(state.editSeries(slot), { status: "listed", mark: 1 });
  const risk = startBatch(
    state,
    snapshotOf([5, 6, 7, 8].map((mark) => slotRisk(mark, 0))),
    "trade",
  );
  assert.deepEqual(risk.marks, [0, 9, 7, 8]);
  assert.deepEqual(
    state.series().map(({ mark }) => mark),
    risk.marks,
  );
});

test("a trade batch's start ends the ranking, a ledger batch's does not", () => {
  const state = createMemoryState(SHAPE);
  const snapshot = snapshotOf(Array.from({ length: SHAPE.slots }, () => slotRisk(1, 0)));
  const ranking = { slot: 1, isLong: true, next: 4, seen: 2, best: 3, bestLots: 9 };
  state.setRanking(ranking);
  startBatch(state, snapshot, "ledger");
  assert.deepEqual(state.ranking(), ranking);
  startBatch(state, snapshot, "trade");
  assert.equal(state.ranking(), undefined);
});

test("relief: nothing falls below where the exhibited scenario stood, or it does not fall", () => {
  const before = [-10, 5, -4, -20];
  assert.equal(firstUnrelieved(before, [3, -15, -6, 0], -10), undefined);
  assert.equal(firstUnrelieved(before, [3, -16, 0, 0], -10), 1);
  assert.equal(firstUnrelieved(before, [3, 0, -7, 0], -10), 2);
  // It stood below the exhibited one: it may stay there, and not fall.
  assert.equal(firstUnrelieved(before, [3, 0, 0, -1], -10), 3);
});
