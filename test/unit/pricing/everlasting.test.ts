import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  everlastingDiscrete,
  everlastingFunding,
  everlastingQuote,
} from "../../../sequencer/pricing/everlasting.ts";

const WEEK = 7 / 365;
const call = { isCall: true, strike: 50_000, volatility: 1, periodYears: WEEK };

test("Deri's printed examples: 50000 call, volatility 100 %, funding period 7 days", () => {
  // docs.deri.io, "Numerical examples of everlasting option pricing".
  const out = everlastingQuote({ ...call, spot: 40_000 });
  assert.equal(out.price.toFixed(4), "223.3667");
  assert.equal(everlastingFunding(out.price, 0, 1 / 365, WEEK).toFixed(4), "31.9095");
  assert.equal(out.funding, out.price);
  assert.equal(everlastingQuote({ ...call, spot: 50_000 }).price.toFixed(4), "2445.1621");
});

test("funded more and more often, the discrete price nears the closed form", () => {
  for (const rates of [{}, { rate: 0.3, yield: 0.1 }]) {
    for (const isCall of [true, false]) {
      const inputs = { ...call, ...rates, isCall, spot: 47_000 };
      const limit = everlastingQuote(inputs).price;
      const gaps = [32, 64, 128].map((parts) => {
        return Math.abs(everlastingDiscrete(inputs, WEEK / parts) - limit);
      });
      assert.ok(gaps[0]! / limit < 0.04, `${gaps[0]! / limit}`);
      for (const i of [1, 2]) {
        const factor = gaps[i - 1]! / gaps[i]!;
        assert.ok(factor > 1.8 && factor < 2.2, `gap falls by ${factor}`);
      }
    }
  }
});

test("paid once a period it is 1/2, 1/4, ... of dated options", () => {
  // sum of 2^-i at-the-money options of i weeks; sqrt(i / (2 pi)) S vol sqrt(week) to first order.
  const small = { ...call, spot: 50_000, volatility: 0.01 };
  let expected = 0;
  for (let i = 1; i < 60; i++) expected += 2 ** -i * Math.sqrt((i * WEEK) / (2 * Math.PI));
  const price = everlastingDiscrete(small, WEEK);
  assert.ok(Math.abs(price / (expected * 500) - 1) < 1e-6, `${price} ${expected * 500}`);
});

const anyInputs = fc.record({
  isCall: fc.boolean(),
  spot: fc.double({ min: 50, max: 200, noNaN: true }),
  strike: fc.constant(100),
  volatility: fc.double({ min: 0.2, max: 2, noNaN: true }),
  periodYears: fc.double({ min: 1 / 365, max: 0.5, noNaN: true }),
  rate: fc.double({ min: -0.2, max: 0.5, noNaN: true }),
  yield: fc.double({ min: -0.2, max: 0.5, noNaN: true }),
});

test("the price solves its equation, and vega is its derivative", () => {
  const property = fc.property(anyInputs, (inputs) => {
    const { isCall, spot, strike, volatility, periodYears, rate } = inputs;
    const { price, delta, gamma, vega, funding } = everlastingQuote(inputs);
    const payoff = Math.max(isCall ? spot - strike : strike - spot, 0);
    assert.equal(funding, price - payoff);
    const drift = (rate - inputs.yield) * spot * delta;
    const left = (volatility ** 2 * spot ** 2 * gamma) / 2 + drift - rate * price;
    const paid = funding / periodYears;
    assert.ok(Math.abs(left - paid) <= 1e-8 * (Math.abs(paid) + spot), `${left} ${paid}`);
    const at = (moved: number) => everlastingQuote({ ...inputs, volatility: moved }).price;
    const h = 1e-5 * volatility;
    const slope = (at(volatility + h) - at(volatility - h)) / (2 * h);
    assert.ok(Math.abs(vega - slope) <= 1e-4 * (Math.abs(slope) + 1e-2), `${vega} ${slope}`);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("price and delta pass the strike without a step", () => {
  const inputs = { ...call, rate: 0.2, yield: -0.1 };
  const below = everlastingQuote({ ...inputs, spot: 50_000 * (1 - 1e-12) });
  const above = everlastingQuote({ ...inputs, spot: 50_000 });
  assert.ok(Math.abs(below.price / above.price - 1) < 1e-9);
  assert.ok(Math.abs(below.delta / above.delta - 1) < 1e-9);
});

test("what cannot be priced is refused by name", () => {
  assert.throws(() => everlastingQuote({ ...call, spot: 0 }), /`spot` must be .* Got `0`/);
  assert.throws(
    () => everlastingQuote({ ...call, spot: 1, volatility: Number.NaN }),
    /`volatility`/,
  );
  assert.throws(() => everlastingQuote({ ...call, spot: 1, yield: -60 }), /`yield` .* Got `-60`/);
});
