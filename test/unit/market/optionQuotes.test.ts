import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardsOf, quoteOption } from "../../../sequencer/market/optionQuotes.ts";
import { volatilityIndex } from "../../../sequencer/market/volatilityIndex.ts";
import { blackPrice, MS_PER_YEAR } from "../../../sequencer/pricing/black76.ts";

const NOW = 1_800_000_000_000;
const TICK = 100_000;
const DAY = 86_400;
const near = (actual: number | null, expected: number, within: number) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= within, `${actual} not ${expected}`);

/** In ticks of 0.1 USDC, rounded as marks are. */
function series(
  isCall: boolean,
  strike: number,
  days: number,
  volatility: number,
  forward: number,
) {
  const expiry = NOW / 1000 + days * DAY;
  const yearsToExpiry = (days * DAY * 1000) / MS_PER_YEAR;
  const price = blackPrice({ isCall, forward, strike, yearsToExpiry, volatility });
  return { status: "listed", isCall, strike, expiry, mark: Math.round(price) } as const;
}

test("volatilities of mark, bid and ask, and greeks in USDC of one contract", () => {
  const forward = 20_000;
  const terms = series(true, 20_000, 30, 0.6, forward);
  const { mark } = terms;
  const asked = { terms, forward, time: NOW, tickSize: TICK };
  const quote = quoteOption({ ...asked, mark, bid: mark - 20, ask: mark + 20 });
  near(quote.markIv, 0.6, 1e-3);
  assert.ok(quote.bidIv! < quote.markIv! && quote.markIv! < quote.askIv!);
  const { delta, gamma, vega, theta, rho } = quote.greeks!;
  near(delta, 0.5343, 1e-3);
  // F = 2000 USDC: n(d1) / (F s), F n(d1) sqrt(T) / 100, -F n(d1) vol / (2 sqrt(T)) / 365.
  near(gamma, 0.001156, 1e-5);
  near(vega, 2.279, 1e-2);
  near(theta, -2.279, 2e-2);
  assert.equal(rho, 0);
  const bump = (by: number) =>
    blackPrice({ ...terms, forward: forward + by, yearsToExpiry: 30 / 365, volatility: 0.6 });
  near(delta, (bump(10) - bump(-10)) / 20, 1e-4);
});

test("what tells no volatility is null, and a forward has a delta of 1", () => {
  const forward = 20_000;
  const terms = series(true, 20_000, 30, 0.6, forward);
  const rest = { bid: null, ask: 30_000, time: NOW, tickSize: TICK };
  const unknown = quoteOption({ ...rest, terms, forward: undefined, mark: 1 });
  assert.deepEqual(unknown.greeks, null);
  const absurd = quoteOption({ ...rest, terms, forward, mark: 25_000 });
  assert.deepEqual([absurd.markIv, absurd.bidIv, absurd.askIv], [null, null, null]);
  const settled = { ...terms, status: "settled" } as const;
  assert.equal(quoteOption({ ...rest, terms: settled, forward, mark: 5 }).markIv, null);
  const late = { ...rest, time: terms.expiry * 1000 };
  assert.equal(quoteOption({ ...late, terms, forward, mark: 5 }).forward, null);
  const zero = { ...terms, strike: 0 };
  assert.equal(quoteOption({ ...rest, terms: zero, forward, mark: forward }).greeks?.delta, 1);
});

test("the volatility index interpolates total variance to 30 days at the money", () => {
  const smile = (days: number, volatility: number, forward: number) =>
    [18_000, 20_000, 22_000].flatMap((strike) => [
      series(true, strike, days, volatility, forward),
      series(false, strike, days, volatility, forward),
    ]);
  const flat = [...smile(14, 0.5, 20_500), ...smile(60, 0.5, 20_500)];
  near(volatilityIndex(flat, NOW)!, 0.5, 2e-3);
  const term = [...smile(14, 0.8, 20_000), ...smile(60, 0.5, 20_000)];
  const variance = (days: number, volatility: number) => (volatility ** 2 * days) / 365;
  const share = (30 - 14) / (60 - 14);
  const total = variance(14, 0.8) * (1 - share) + variance(60, 0.5) * share;
  near(volatilityIndex(term, NOW)!, Math.sqrt((total * 365) / 30), 3e-3);
  near(volatilityIndex(smile(14, 0.8, 20_000), NOW)!, 0.8, 2e-3);
  assert.equal(volatilityIndex([], NOW), undefined);
  assert.equal(forwardsOf(flat).size, 2);
});
