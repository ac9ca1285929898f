import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blackGreeks, blackPrice } from "../../../sequencer/pricing/black76.ts";
import { logRatio } from "../../../sequencer/pricing/deterministicMath.ts";
import { impliedOutcome, impliedVolatility } from "../../../sequencer/pricing/impliedVolatility.ts";
import { normalisedBlack } from "../../../sequencer/pricing/normalisedBlack.ts";

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
      fc.pre(price > 1e-300 && price < Math.min(forward, strike) * (1 - 1e-9));
      const implied = impliedVolatility({ ...terms, price });
      assert.ok(implied !== undefined);
      // Black's price itself, as a difference, has an error of roundings of the forward.
      const vega = blackGreeks({ ...terms, volatility }).vega;
      const allowed = 1e-13 * volatility + (4e-13 * price + 4e-16 * forward) / vega;
      assert.ok(Math.abs(implied - volatility) <= allowed, `${volatility} became ${implied}`);
    },
  );
  fc.assert(property, { numRuns: 5000 });
});

test("volatilities of ordinary options come back in 13 digits, in the money too", () => {
  for (const isCall of [true, false]) {
    for (const strike of [2000, 2400, 2500, 2700, 3200]) {
      for (const volatility of [0.3, 0.65, 1.2]) {
        const terms = { isCall, forward: 2500, strike, yearsToExpiry: 30 / 365 };
        const implied = impliedVolatility({
          ...terms,
          price: blackPrice({ ...terms, volatility }),
        });
        assert.ok(Math.abs((implied ?? 0) / volatility - 1) < 2e-13, `${strike} ${volatility}`);
      }
    }
  }
});

test("py_lets_be_rational's reference grid, a price of 1e-154 in it", () => {
  // tests/TestValues.json of vollib/py_lets_be_rational: [call or put, F, K, T, price, volatility].
  const grid = [
    ["C", 812, 652, 1.67, 327.35378865224504, 0.6545131643416582],
    ["P", 418, 161, 1.69, 13.197444183041023, 0.6470835274866289],
    ["C", 33, 965, 0.05, 1.2170804634726117e-154, 0.5705428707984721],
    ["C", 442, 481, 0.71, 82.1858144664737, 0.6563717614770669],
    ["P", 274, 433, 0.17, 161.4070444257288, 0.7021668590346242],
    ["C", 23, 452, 1.07, 0.00017751472868531362, 0.6819565729163032],
    ["P", 682, 88, 0.9, 0.4882866026012882, 0.8908643953169433],
    ["C", 67, 139, 1.2, 3.312068224477248, 0.5612563024406645],
    ["P", 622, 410, 0.82, 62.282875783721394, 0.801766681052573],
    ["C", 965, 863, 1.53, 313.02792674183473, 0.5871286717352608],
  ] as const;
  for (const [kind, forward, strike, yearsToExpiry, price, volatility] of grid) {
    const terms = { isCall: kind === "C", forward, strike, yearsToExpiry };
    const implied = impliedVolatility({ ...terms, price }) ?? Number.NaN;
    assert.ok(Math.abs(implied / volatility - 1) <= 1e-14, `${strike}: ${implied}`);
  }
});

test("minutes to expiry, and prices down to the smallest double", () => {
  const minute = 1 / (365 * 24 * 60);
  for (const yearsToExpiry of [minute, 60 * minute, 1]) {
    for (const strike of [2500, 2500.1, 2550, 3000, 25_000]) {
      for (const price of [5e-324, 1e-300, 1e-100, 1e-12, 0.1, 1000, 2499.999999]) {
        const terms = { isCall: true, forward: 2500, strike, yearsToExpiry };
        const implied = impliedVolatility({ ...terms, price });
        assert.ok(implied !== undefined && implied > 0 && Number.isFinite(implied));
        if (price < 1e-290) continue;
        const x = -logRatio(strike, 2500);
        const black = normalisedBlack(x, implied * Math.sqrt(yearsToExpiry));
        const value = 50 * Math.sqrt(strike) * black;
        assert.ok(Math.abs(value / price - 1) <= 1e-11, `${strike} ${price}: ${value}`);
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

test("why there is no volatility is said", () => {
  const call = { isCall: true, forward: 2500, strike: 2400, yearsToExpiry: 0.1 };
  const table = [
    [{ ...call, price: 99.99 }, "belowIntrinsic"],
    [{ ...call, price: -1 }, "belowIntrinsic"],
    [{ ...call, price: 2500 }, "aboveMaximum"],
    [{ ...call, isCall: false, price: 2400 }, "aboveMaximum"],
    [{ ...call, price: Number.POSITIVE_INFINITY }, "invalid"],
    [{ ...call, strike: -1, price: 1 }, "invalid"],
    [{ ...call, yearsToExpiry: 0, price: 101 }, "noTime"],
  ] as const;
  for (const [inputs, fault] of table) {
    assert.deepEqual(impliedOutcome(inputs), { volatility: undefined, fault });
  }
});

test("any numbers give a volatility or a reason, never NaN", () => {
  const any = fc.oneof(fc.double(), fc.double({ min: 0, max: 1e4, noNaN: true }));
  const property = fc.property(fc.boolean(), any, any, any, any, (isCall, ...numbers) => {
    const [forward, strike, yearsToExpiry, price] = numbers;
    const outcome = impliedOutcome({ isCall, forward, strike, yearsToExpiry, price });
    if (outcome.volatility === undefined) assert.ok(outcome.fault);
    else assert.ok(outcome.volatility >= 0, `${outcome.volatility}`);
  });
  fc.assert(property, { numRuns: 20_000 });
});
