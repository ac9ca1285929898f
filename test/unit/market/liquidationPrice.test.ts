// Estimated liquidation prices: exact for forwards, and near what a real matrix says for options.
import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveRisk, worstMaintenance } from "../../../sequencer/engine/risk.ts";
import {
  EXTREME_COVERED,
  estimateLiquidationPrices,
  FACTOR_MAX,
} from "../../../sequencer/market/liquidationPrice.ts";
import {
  BPS,
  buildRiskMatrix,
  DEFAULT_RISK_PARAMETERS,
} from "../../../sequencer/oracle/riskMatrix.ts";
import type { Series } from "../../../sequencer/protocol/state.ts";
import { EXPIRY, NOW, SIZES, seriesOf } from "./exampleMarket.ts";

const { unit } = SIZES;
const strikes = [24_000, 27_000, 30_000, 33_000, 36_000];
const series: readonly Series[] = [
  seriesOf(true, 0),
  ...strikes.flatMap((strike) => [seriesOf(true, strike), seriesOf(false, strike)]),
];
const slotAt = (isCall: boolean, strike: number) =>
  series.findIndex((item) => item.isCall === isCall && item.strike === strike);

/** The oracles' matrix with the forward at `forwardTicks` and 70 % volatility. */
function riskAt(forwardTicks: number) {
  const slots = buildRiskMatrix({
    parameters: DEFAULT_RISK_PARAMETERS,
    slots: series.map(({ isCall, strike }) => {
      const timeToExpiryMs = EXPIRY * 1000 - NOW;
      return { isCall, strikeTicks: strike, forwardTicks, ivBps: 7000, timeToExpiryMs };
    }),
  });
  return effectiveRisk(series, { slots });
}

function pricesOf(cash: number, legs: Readonly<Record<number, number>>) {
  const positions = series.map((_, slot) => legs[slot] ?? 0);
  const holdings = { cash, positions };
  const prices = estimateLiquidationPrices({
    ...{ holdings, risk: riskAt(30_000), series, unit },
    time: NOW,
  });
  /** Maintenance headroom by the real matrix, had the forward moved to `price`. */
  const maintenanceAt = (price: number) =>
    worstMaintenance({ owner: 0n, cash, positions }, riskAt(Math.round(price)), unit).value;
  return { ...prices, maintenanceAt };
}

test("a forward's liquidation price is where equity meets the range's loss", () => {
  // Long 0.1 at 3000 with -200 USDC of cash: 300 k - 16 % of 300 k = 200 at k = 200 / 252.
  const long = pricesOf(-200e6, { 0: 10 });
  assert.ok(Math.abs(long.down! - (30_000 * 200) / 252) < 1, `${long.down}`);
  assert.equal(long.up, null);
  const short = pricesOf(400e6, { 0: -10 });
  assert.ok(Math.abs(short.up! - (30_000 * 400) / 348) < 1, `${short.up}`);
  assert.equal(short.down, null);
});

test("prices are found up to the promised factor, and none beyond", () => {
  // Where a forward's equity meets its range's loss, as above.
  const shortCash = (factor: number) => 348e6 * factor;
  const longCash = (factor: number) => -252e6 * factor;
  assert.ok(FACTOR_MAX === 4);
  for (const factor of [3.7, 3.85, 3.99]) {
    const { up } = pricesOf(shortCash(factor), { 0: -10 });
    assert.ok(Math.abs((up ?? 0) - 30_000 * factor) < 5, `${factor}: ${up}`);
    const { down } = pricesOf(longCash(1 / factor), { 0: 10 });
    assert.ok(Math.abs((down ?? 0) - 30_000 / factor) < 5, `1/${factor}: ${down}`);
  }
  assert.equal(pricesOf(shortCash(4.01), { 0: -10 }).up, null);
  assert.equal(pricesOf(longCash(1 / 4.01), { 0: 10 }).down, null);
});

/** Name, USDC of cash, legs, which sides there are. */
const portfolios: readonly (readonly [string, number, Record<number, number>, string])[] = [
  ["short call", 150, { [slotAt(true, 33_000)]: -20 }, "up"],
  ["short put", 150, { [slotAt(false, 27_000)]: -20 }, "down"],
  ["short straddle", 230, { [slotAt(true, 30_000)]: -20, [slotAt(false, 30_000)]: -20 }, "both"],
  ["covered by a wing", 500, { [slotAt(true, 30_000)]: -20, [slotAt(true, 33_000)]: 20 }, "none"],
  ["long call", 0, { [slotAt(true, 30_000)]: 20 }, "none"],
  ["delta hedged", 350, { [slotAt(true, 30_000)]: -40, 0: 20 }, "both"],
];

for (const [name, cash, legs, sides] of portfolios) {
  test(`${name}: the oracles' matrix at that price puts maintenance near 0`, () => {
    const adjusted = cash * 1e6 - (legs[0] ?? 0) * 30_000 * unit;
    const { up, down, maintenanceAt } = pricesOf(adjusted, legs);
    assert.ok(maintenanceAt(30_000) > 0);
    assert.equal(up !== null, sides === "up" || sides === "both", `up \`${up}\``);
    assert.equal(down !== null, sides === "down" || sides === "both", `down \`${down}\``);
    for (const price of [up, down]) {
      if (price === null) continue;
      const away = price > 30_000 ? 1 : -1;
      // The estimate is within 2 % of where the real matrix changes its mind.
      assert.ok(maintenanceAt(price * (1 - away * 0.02)) > 0, `safe before \`${price}\``);
      assert.ok(maintenanceAt(price * (1 + away * 0.02)) < 0, `below after \`${price}\``);
    }
  });
}

test("what cannot be priced has no estimate, and neither has who is below already", () => {
  const positions = [0, -20, ...new Array<number>(9).fill(0)];
  const broken = { cash: 1e9, positions };
  const options = { holdings: broken, risk: riskAt(30_000), time: NOW, unit };
  const alone = series.map((terms, slot) => (slot === 1 ? terms : { ...terms, expiry: 5 }));
  const none = { up: null, down: null };
  assert.deepEqual(estimateLiquidationPrices({ ...options, series: alone }), none);
  const below = { cash: 0, positions };
  assert.deepEqual(estimateLiquidationPrices({ ...options, series, holdings: below }), none);
});

test("the part of an extreme move that counts is the oracles'", () => {
  assert.equal(EXTREME_COVERED, DEFAULT_RISK_PARAMETERS.extremeCoveredBps / BPS);
  assert.ok(FACTOR_MAX > 1);
});
