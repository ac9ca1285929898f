import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type FullGreeks,
  forwardGreeks,
  type SpotInputs,
  spotGreeks,
  spotPrice,
} from "../../../sequencer/pricing/blackScholes.ts";

/** Terms: spot, strike, years, rate, cost of carry, volatility. */
type Terms = readonly [number, number, number, number, number, number];

const inputsOf = (kind: "C" | "P", terms: Terms): SpotInputs => {
  const [spot, strike, yearsToExpiry, rate, carry, volatility] = terms;
  return {
    isCall: kind === "C",
    spot,
    strike,
    yearsToExpiry,
    rate,
    yield: rate - carry,
    volatility,
  };
};

// Haug, "The Complete Guide to Option Pricing Formulas", 2nd edition, chapters 1 and 2; most are
// also in QuantLib's test-suite/europeanoption.cpp (testGreekValues).
const published: readonly (readonly [keyof FullGreeks, "C" | "P", Terms, string])[] = [
  ["price", "C", [60, 65, 0.25, 0.08, 0.08, 0.3], "2.1334"],
  ["price", "P", [100, 95, 0.5, 0.1, 0.05, 0.2], "2.4648"],
  ["price", "C", [19, 19, 0.75, 0.1, 0, 0.28], "1.7011"],
  ["price", "P", [40, 42, 0.75, 0.08, 0.04, 0.35], "5.0975"],
  ["delta", "C", [105, 100, 0.5, 0.1, 0, 0.36], "0.5946"],
  ["delta", "P", [105, 100, 0.5, 0.1, 0, 0.36], "-0.3566"],
  ["gamma", "C", [55, 60, 0.75, 0.1, 0.1, 0.3], "0.0278"],
  ["vega", "P", [55, 60, 0.75, 0.1, 0.1, 0.3], "18.9358"],
  ["theta", "P", [430, 405, 1 / 12, 0.07, 0.02, 0.2], "-31.1924"],
  ["rho", "C", [72, 75, 1, 0.09, 0.09, 0.19], "38.7325"],
  ["epsilon", "P", [500, 490, 0.25, 0.08, 0.03, 0.15], "42.2254"],
  ["charm", "P", [105, 90, 0.25, 0.14, 0, 0.24], "0.3700"],
  ["volga", "C", [90, 130, 0.75, 0.05, 0, 0.28], "92.3444"],
  ["speed", "C", [50, 48, 1 / 12, 0.06, 0.01, 0.2], "-0.0291"],
];

test("prices and greeks agree with Haug in every printed digit", () => {
  for (const [greek, kind, terms, printed] of published) {
    const value = spotGreeks(inputsOf(kind, terms))[greek];
    assert.equal(value.toFixed(4), printed, `${greek} of ${terms}`);
  }
});

test("py_vollib's Black, discounted and not", () => {
  const option = { isCall: true, forward: 100, strike: 100, yearsToExpiry: 0.5, volatility: 0.2 };
  // py_vollib.ref_python.black: 5.581106724604812, undiscounted_black: 5.637197779701664.
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual / expected - 1) < 1e-14, `${actual}`);
  near(forwardGreeks({ ...option, rate: 0.02 }).price, 5.581106724604812);
  near(forwardGreeks({ ...option, rate: 0 }).price, 5.637197779701664);
});

/** Each greek as the derivative of another by one input; time runs against the time to expiry. */
const derivatives: readonly (readonly [
  keyof FullGreeks,
  keyof FullGreeks,
  "spot" | "strike" | "yearsToExpiry" | "volatility" | "rate" | "yield",
])[] = [
  ["delta", "price", "spot"],
  ["gamma", "delta", "spot"],
  ["vega", "price", "volatility"],
  ["theta", "price", "yearsToExpiry"],
  ["rho", "price", "rate"],
  ["epsilon", "price", "yield"],
  ["vanna", "delta", "volatility"],
  ["vanna", "vega", "spot"],
  ["volga", "vega", "volatility"],
  ["charm", "delta", "yearsToExpiry"],
  ["charm", "theta", "spot"],
  ["veta", "vega", "yearsToExpiry"],
  ["speed", "gamma", "spot"],
  ["color", "gamma", "yearsToExpiry"],
  ["zomma", "gamma", "volatility"],
  ["ultima", "volga", "volatility"],
  ["dualDelta", "price", "strike"],
  ["dualGamma", "dualDelta", "strike"],
];

const anySpot = fc.record({
  isCall: fc.boolean(),
  spot: fc.double({ min: 80, max: 125, noNaN: true }),
  strike: fc.double({ min: 80, max: 125, noNaN: true }),
  yearsToExpiry: fc.double({ min: 0.1, max: 2, noNaN: true }),
  volatility: fc.double({ min: 0.2, max: 1.5, noNaN: true }),
  rate: fc.double({ min: -0.1, max: 0.3, noNaN: true }),
  yield: fc.double({ min: -0.1, max: 0.3, noNaN: true }),
});

test("every greek is the derivative of the greek below it", () => {
  const property = fc.property(anySpot, (inputs) => {
    const greeks = spotGreeks(inputs);
    for (const [name, of, by] of derivatives) {
      const size = 1e-4 * Math.max(Math.abs(inputs[by]), 0.1);
      const at = (moved: number) => spotGreeks({ ...inputs, [by]: inputs[by] + moved })[of];
      const central = (h: number) => (at(h) - at(-h)) / (2 * h);
      // Richardson's extrapolation of two central differences.
      const slope = (4 * central(size) - central(2 * size)) / 3;
      const expected = by === "yearsToExpiry" ? -slope : slope;
      const scale = Math.abs(expected) + Math.abs(at(0)) * 1e-3 + 1e-6;
      const error = Math.abs(greeks[name] - expected) / scale;
      assert.ok(error <= 2e-5, `${name} ${greeks[name]}, d${of}/d${by} ${expected}`);
    }
  });
  fc.assert(property, { numRuns: 1500 });
});

test("the price solves the Black-Scholes-Merton equation", () => {
  const property = fc.property(anySpot, (inputs) => {
    const { price, delta, gamma, theta } = spotGreeks(inputs);
    const { spot, volatility, rate } = inputs;
    const drift = (rate - inputs.yield) * spot * delta;
    const diffusion = (volatility ** 2 * spot ** 2 * gamma) / 2;
    assert.ok(Math.abs(theta + drift + diffusion - rate * price) <= 1e-10 * spot);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("put-call parity of prices and greeks", () => {
  const property = fc.property(anySpot, (inputs) => {
    const call = spotGreeks({ ...inputs, isCall: true });
    const put = spotGreeks({ ...inputs, isCall: false });
    const { spot, strike, yearsToExpiry: years, rate } = inputs;
    const held = spot * Math.exp(-inputs.yield * years);
    const owed = strike * Math.exp(-rate * years);
    const near = (a: number, b: number) => assert.ok(Math.abs(a - b) <= 1e-11 * spot, `${a} ${b}`);
    near(call.price - put.price, held - owed);
    near(call.delta - put.delta, held / spot);
    near(call.theta - put.theta, inputs.yield * held - rate * owed);
    near(call.rho - put.rho, years * owed);
    for (const same of ["gamma", "vega", "vanna", "volga", "zomma", "ultima"] as const) {
      assert.equal(call[same], put[same], same);
    }
  });
  fc.assert(property, { numRuns: 1000 });
});

test("at expiry and without volatility greeks are those of the intrinsic value", () => {
  const base = { isCall: true, spot: 110, strike: 100, rate: 0.05, yield: 0.02 };
  const expired = spotGreeks({ ...base, yearsToExpiry: 0, volatility: 0.5 });
  assert.deepEqual([expired.price, expired.delta, expired.dualDelta], [10, 1, -1]);
  assert.ok([expired.gamma, expired.vega, expired.ultima].every((greek) => greek === 0));
  const still = spotGreeks({ ...base, yearsToExpiry: 1, volatility: 0 });
  const expected = 110 * Math.exp(-0.02) - 100 * Math.exp(-0.05);
  assert.ok(Math.abs(still.price - expected) < 1e-12);
  assert.ok(Math.abs(still.delta - Math.exp(-0.02)) < 1e-15);
  const far = spotGreeks({ ...base, spot: 1e-5, yearsToExpiry: 0.001, volatility: 0.1 });
  assert.ok(Object.values(far).every((greek) => Number.isFinite(greek)));
  assert.throws(() => spotPrice({ ...base, yearsToExpiry: 1, volatility: Number.NaN }), /NaN/);
});

test("rho of a forward's option is -T times its price", () => {
  const option = { isCall: false, forward: 90, strike: 100, yearsToExpiry: 0.7, volatility: 0.6 };
  const greeks = forwardGreeks({ ...option, rate: 0.04 });
  assert.ok(Math.abs(greeks.rho + 0.7 * greeks.price) < 1e-12);
});
