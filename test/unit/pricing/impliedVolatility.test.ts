import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blackPrice, timeValue } from "../../../sequencer/pricing/black76.ts";
import { impliedVolatility } from "../../../sequencer/pricing/impliedVolatility.ts";

test("the implied volatility gives the out-of-the-money price back", () => {
  const property = fc.property(
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.double({ min: 0.001, max: 3, noNaN: true }),
    fc.double({ min: 0.01, max: 5, noNaN: true }),
    (logMoneyness, yearsToExpiry, volatility) => {
      const forward = 2500;
      const strike = forward * Math.exp(logMoneyness);
      const terms = { isCall: strike >= forward, forward, strike, yearsToExpiry };
      const price = blackPrice({ ...terms, volatility });
      fc.pre(price > 1e-200 && price < Math.min(forward, strike) * (1 - 1e-9));
      const implied = impliedVolatility({ ...terms, price });
      assert.ok(implied !== undefined);
      const again = timeValue(forward, strike, implied * Math.sqrt(yearsToExpiry));
      // Price differences cancel far out of the money: compare relative to the forward as well.
      const error = Math.abs(again - price);
      assert.ok(error <= 1e-9 * price || error <= 1e-13 * forward, `${price} became ${again}`);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

test("volatilities of ordinary options come back in 12 digits, in the money too", () => {
  for (const isCall of [true, false]) {
    for (const strike of [2000, 2400, 2500, 2700, 3200]) {
      for (const volatility of [0.3, 0.65, 1.2]) {
        const terms = { isCall, forward: 2500, strike, yearsToExpiry: 30 / 365 };
        const implied = impliedVolatility({
          ...terms,
          price: blackPrice({ ...terms, volatility }),
        });
        assert.ok(Math.abs((implied ?? 0) / volatility - 1) < 1e-11, `${strike} ${volatility}`);
      }
    }
  }
});

test("prices that no volatility explains have none", () => {
  const call = { isCall: true, forward: 2500, strike: 2400, yearsToExpiry: 0.1 };
  const table: readonly (readonly [string, Parameters<typeof impliedVolatility>[0], unknown])[] = [
    ["below intrinsic", { ...call, price: 99.99 }, undefined],
    ["intrinsic", { ...call, price: 100 }, 0],
    ["the bound", { ...call, price: 2500 }, undefined],
    ["not a number", { ...call, price: Number.NaN }, undefined],
    ["time value at expiry", { ...call, yearsToExpiry: 0, price: 101 }, undefined],
    ["a forward", { ...call, strike: 0, price: 2500 }, 0],
    ["a forward above itself", { ...call, strike: 0, price: 2501 }, undefined],
  ];
  for (const [name, inputs, expected] of table) {
    assert.equal(impliedVolatility(inputs), expected, name);
  }
});
