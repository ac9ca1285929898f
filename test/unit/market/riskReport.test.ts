// Risk reports against figures worked out by hand, and against the engine's own verdicts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveRisk, firstBelowMaintenance, isCovered } from "../../../sequencer/engine/risk.ts";
import { forwardOf, underlyingPrice } from "../../../sequencer/market/marketData.ts";
import { reportRisk } from "../../../sequencer/market/riskReport.ts";
import { SPAN_ROWS, scenarioName } from "../../../sequencer/market/scenarios.ts";
import { SPAN_ARRAY } from "../../../sequencer/oracle/riskMatrix.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { SlotPrice } from "../../../sequencer/protocol/snapshot.ts";
import { EXPIRY, inputsOf, NOW, SERIES, SIZES, SLOTS, seriesOf } from "./exampleMarket.ts";

/** 1e-6 USDC. */
const usdc = (amount: number) => Math.round(amount * 1e6);
const near = (actual: number | undefined, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= tolerance, `${what}: \`${actual}\``);

test("a short call: 0.1 contract at 120, which gains 400 in the worst scenario", () => {
  const report = reportRisk(inputsOf(usdc(500), [-10, 0, 0, 0]));
  assert.equal(report.equity, usdc(500 - 12));
  assert.equal(report.maintenanceMargin, usdc(40));
  assert.equal(report.initialMargin, usdc(50), "5/4 of it");
  assert.equal(report.maintenanceHeadroom, usdc(488 - 40));
  assert.equal(report.initialHeadroom, usdc(488 - 50));
  assert.equal(report.worstScenario, 10);
  assert.equal(report.usage, 40 / 488);
  assert.deepEqual([report.isCovered, report.isBelowMaintenance], [true, false]);
  assert.equal(report.scenarios.length, 18);
  assert.deepEqual(report.scenarios[10], {
    scenario: 10,
    name: "price +1 range, vol up",
    pnl: usdc(-40),
    initialHeadroom: usdc(438),
    maintenanceHeadroom: usdc(448),
  });
  assert.equal(report.scenarios[12]?.pnl, usdc(11));
  assert.equal(report.scenarios[16]?.pnl, usdc(-1.5), "the short-option minimum");
  assert.equal(report.scenarios[17]?.pnl, 0, "unchanged");
  const [position] = report.positions;
  assert.deepEqual([position?.slot, position?.lots, position?.mark], [0, -10, 1200]);
  assert.equal(position?.value, usdc(-12));
  assert.deepEqual(position?.changes, SLOTS[0]?.changes);
});

test("greeks at the money: F (2 N(s/2) - 1) = 120, so N(s/2) is 0.52, which is delta", () => {
  const report = reportRisk(inputsOf(usdc(500), [-10, 0, 0, 0]));
  assert.equal(report.underlyingPrice, 30_000);
  // s/2 = 0.0501536, n(s/2) = 0.3984408, sqrt(T) = sqrt(30/365) = 0.2866926.
  const [position] = report.positions;
  near(position?.markIv ?? undefined, 0.1003072 / 0.2866926, 1e-5, "iv");
  near(position?.greeks?.delta, -0.1 * 0.52, 1e-9, "delta");
  near(position?.greeks?.gamma, (-0.1 * 0.3984408) / (3000 * 0.1003072), 1e-8, "gamma");
  near(position?.greeks?.vega, -0.1 * 3000 * 0.3984408 * 0.2866926 * 0.01, 1e-5, "vega");
  const theta = (0.1 * 3000 * 0.3984408 * 0.349877) / (2 * 0.2866926) / 365;
  near(position?.greeks?.theta, theta, 1e-5, "theta");
  assert.equal(report.greeks.delta, position?.greeks?.delta);
  assert.deepEqual(report.greeks.unknown, []);
});

test("a vertical loses what its legs lose together, not apart", () => {
  const report = reportRisk(inputsOf(usdc(100), [10, 0, -10, 0]));
  assert.equal(report.equity, usdc(100 + 7));
  // Down the range the spread loses 110 - 48 USDC for a contract; no other row costs anything.
  assert.equal(report.maintenanceMargin, usdc(6.2));
  assert.equal(report.initialMargin, usdc(7.75));
  assert.equal(report.worstScenario, 12);
  assert.equal(report.scenarios[10]?.pnl, usdc(14));
  assert.equal(report.scenarios[16]?.pnl, 0, "long and short of the minimum cancel");
});

test("a short straddle loses on both sides of the range", () => {
  const report = reportRisk(inputsOf(usdc(50), [-10, -10, 0, 0]));
  assert.equal(report.equity, usdc(50 - 24));
  assert.equal(report.scenarios[10]?.pnl, usdc(-32));
  assert.equal(report.scenarios[12]?.pnl, usdc(-26));
  assert.equal(report.scenarios[16]?.pnl, usdc(-3));
  assert.equal(report.maintenanceHeadroom, usdc(26 - 32));
  assert.deepEqual([report.isCovered, report.isBelowMaintenance], [false, true]);
  near(report.greeks.delta, 0.1 * (0.48 - 0.52), 1e-9, "delta of the straddle");
  const { up, down } = report.liquidationPrices;
  assert.deepEqual([up, down], [null, null], "it is below maintenance where it stands");
});

test("headrooms round down, and big accounts are exact", () => {
  // 5/4 of a loss of one tick and one lot is 1250, the cash 1 does not change that.
  const slots = [{ ...SLOTS[0]!, changes: SLOTS[0]!.changes.map(() => -1) }, ...SLOTS.slice(1)];
  const inputs = inputsOf(1, [1, 0, 0, 0]);
  const odd = reportRisk({ ...inputs, sizes: { ...SIZES, unit: 1 }, snapshot: { time: 5, slots } });
  assert.equal(odd.initialHeadroom, Math.floor(1 + 1200 - 1.25));
  const report = reportRisk(inputsOf(2 ** 51, [-(2 ** 21), 2 ** 21, 0, 0]));
  const loss = 2 ** 21 * (4000 + 800) * 1000;
  assert.equal(report.maintenanceHeadroom, 2 ** 51 - loss);
  assert.equal(report.initialHeadroom, 2 ** 51 - (loss / 4) * 5);
});

/** Deterministic, and small steps of it look random. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("the report says of random accounts what the engine says", () => {
  const seed = 20_261_121;
  const random = generator(seed);
  const seen = new Set<string>();
  for (let round = 0; round < 400; round++) {
    const slots: SlotPrice[] = SERIES.map(() => ({
      mark: Math.floor(random() * 3000),
      isFinal: random() < 0.1,
      changes: Array.from({ length: SCENARIOS }, () => Math.floor((random() - 0.5) * 2000)),
    }));
    const positions = SERIES.map(() => Math.floor((random() - 0.5) * 50));
    const cash = Math.floor((random() - 0.3) * 1e8);
    const snapshot = { time: 1_799_000_000_000, slots };
    const inputs = { ...inputsOf(cash, positions), snapshot };
    const report = reportRisk(inputs);
    const account = { owner: 1n, cash, positions: [...positions] };
    const risk = effectiveRisk(SERIES, snapshot);
    const below = firstBelowMaintenance(account, risk, SIZES.unit);
    const first = report.scenarios.find((row) => row.maintenanceHeadroom < 0)?.scenario;
    assert.equal(first, below, `seed ${seed}, round ${round}`);
    assert.equal(report.isCovered, isCovered(account, risk, SIZES.unit), `round ${round}`);
    for (const { initialHeadroom, maintenanceHeadroom } of report.scenarios) {
      const unchanged = report.scenarios[17]!.initialHeadroom;
      const twentieth = (4 * (4 * initialHeadroom) + 4 * unchanged) / 20;
      assert.ok(Math.abs(maintenanceHeadroom - twentieth) <= 1, "SPEC section 4");
    }
    seen.add(`${report.isCovered}/${report.isBelowMaintenance}`);
  }
  assert.deepEqual([...seen].sort(), ["false/false", "false/true", "true/false"]);
});

test("scenario names are those of the oracles' rows", () => {
  assert.deepEqual(SPAN_ROWS, SPAN_ARRAY);
  assert.equal(scenarioName(0), "price 0, vol up");
  assert.equal(scenarioName(5), "price -1/3 range, vol down");
  assert.equal(scenarioName(14), "price extreme +, covered in part");
  assert.equal(scenarioName(16), "short-option minimum");
  assert.equal(scenarioName(17), "unchanged");
  assert.throws(() => scenarioName(18), /from 0 to 17. Got `18`/);
});

test("series that are newer than the snapshot tell no forward: their marks are 0", () => {
  const unseen = [seriesOf(true, 40_000), seriesOf(false, 40_000), seriesOf(true, 0)];
  assert.equal(forwardOf(unseen, [0, 0, 0], EXPIRY), undefined);
  assert.equal(underlyingPrice(unseen, [0, 0, 0], NOW), null);
  const series = [...unseen, seriesOf(true, 30_000), seriesOf(false, 30_000)];
  assert.equal(forwardOf(series, [0, 0, 0, 1300, 1200], EXPIRY), 30_100);
  assert.equal(forwardOf(series, [0, 0, 30_090, 1300, 1200], EXPIRY), 30_090, "seen");
  // A put that is worth less than half a tick is not one that nobody has seen.
  assert.equal(forwardOf(series.slice(3), [9000, 0], EXPIRY), 39_000);
});
