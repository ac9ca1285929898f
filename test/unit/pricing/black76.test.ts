import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  blackGreeks,
  blackPrice,
  intrinsic,
  type OptionInputs,
} from "../../../sequencer/pricing/black76.ts";

interface Published {
  readonly source: string;
  readonly isCall: boolean;
  readonly spot: number;
  readonly strike: number;
  readonly rate: number;
  /** Cost of carry: 0 for options on futures. */
  readonly carry: number;
  readonly years: number;
  readonly volatility: number;
  /** As printed. */
  readonly price: string;
}

const row = (
  source: string,
  kind: "C" | "P",
  terms: readonly [number, number, number, number, number, number],
  price: string,
): Published => {
  const [spot, strike, years, rate, carry, volatility] = terms;
  return { source, isCall: kind === "C", spot, strike, years, rate, carry, volatility, price };
};

// Hull, "Options, Futures, and Other Derivatives"; Haug, "The Complete Guide to Option Pricing
// Formulas", 2nd edition; py_vollib's documented test.
// Terms: spot, strike, years, rate, carry, volatility.
const published: readonly Published[] = [
  row("Hull, Black's model: put on oil futures", "P", [20, 20, 4 / 12, 0.09, 0, 0.25], "1.12"),
  row("Hull, Black-Scholes-Merton: call", "C", [42, 40, 0.5, 0.1, 0.1, 0.2], "4.76"),
  row("Hull, Black-Scholes-Merton: put", "P", [42, 40, 0.5, 0.1, 0.1, 0.2], "0.81"),
  row("Hull, index option", "C", [930, 900, 2 / 12, 0.08, 0.05, 0.2], "51.83"),
  row("Haug, Black-76: call on Brent", "C", [19, 19, 0.75, 0.1, 0, 0.28], "1.7011"),
  row("Haug, Black-76: put on Brent", "P", [19, 19, 0.75, 0.1, 0, 0.28], "1.7011"),
  row("Haug, Black-Scholes", "C", [60, 65, 0.25, 0.08, 0.08, 0.3], "2.1334"),
  row("Haug, Merton", "P", [100, 95, 0.5, 0.1, 0.05, 0.2], "2.4648"),
  row("Haug, generalised", "P", [40, 42, 0.75, 0.08, 0.04, 0.35], "5.0975"),
  row("py_vollib, black", "C", [100, 100, 0.5, 0.02, 0, 0.2], "5.5811067246048118"),
  row("py_vollib, undiscounted_black", "C", [100, 100, 0.5, 0, 0, 0.2], "5.637197779701664"),
];

test("prices agree with published values in every printed digit", () => {
  for (const { source, isCall, spot, strike, rate, carry, years, volatility, price } of published) {
    const forward = spot * Math.exp(carry * years);
    const inputs = { isCall, forward, strike, yearsToExpiry: years, volatility };
    const value = Math.exp(-rate * years) * blackPrice(inputs);
    const digits = price.split(".")[1]?.length ?? 0;
    const unit = 10 ** -Math.min(digits, 13);
    const error = Math.abs(value - Number(price));
    assert.ok(error <= 0.5000001 * unit, `${source}: got ${value}, printed ${price}`);
  }
});

test("greeks agree with Haug's printed examples", () => {
  // Delta of options on a future: F 105, K 100, T 0.5, r 0.1, vol 0.36.
  const future = { forward: 105, strike: 100, yearsToExpiry: 0.5, volatility: 0.36 };
  const discount = Math.exp(-0.05);
  const delta = (isCall: boolean) => discount * blackGreeks({ isCall, ...future }).delta;
  assert.equal(delta(true).toFixed(4), "0.5946");
  assert.equal(delta(false).toFixed(4), "-0.3566");
  // Vega and gamma of a stock option: S 55, K 60, T 0.75, r 0.1, vol 0.3. The
  // forward is S e^(rT): vega is discounted, gamma by the spot is e^(rT) times ours.
  const growth = Math.exp(0.075);
  const stock = { isCall: true, strike: 60, yearsToExpiry: 0.75, volatility: 0.3 };
  const greeks = blackGreeks({ ...stock, forward: 55 * growth });
  assert.equal((greeks.vega / growth).toFixed(4), "18.9358");
  assert.equal((greeks.gamma * growth).toFixed(4), "0.0278");
});

const anyOption = fc.record({
  isCall: fc.boolean(),
  forward: fc.double({ min: 1, max: 1e5, noNaN: true }),
  strike: fc.double({ min: 0, max: 1e5, noNaN: true }),
  yearsToExpiry: fc.double({ min: 0, max: 3, noNaN: true }),
  volatility: fc.double({ min: 0, max: 5, noNaN: true }),
});

test("put-call parity, and prices stay between the intrinsic value and their bound", () => {
  const property = fc.property(anyOption, (inputs) => {
    const { forward, strike } = inputs;
    const call = blackPrice({ ...inputs, isCall: true });
    const put = blackPrice({ ...inputs, isCall: false });
    assert.ok(Math.abs(call - put - (forward - strike)) <= 1e-10);
    assert.ok(call >= intrinsic(true, strike, forward) && call <= forward + 1e-9);
    assert.ok(put >= intrinsic(false, strike, forward) && put <= strike + 1e-9);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("greeks are the derivatives of the price", () => {
  const property = fc.property(
    fc.boolean(),
    fc.double({ min: 0.5, max: 2, noNaN: true }),
    fc.double({ min: 0.02, max: 2, noNaN: true }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    (isCall, moneyness, yearsToExpiry, volatility) => {
      const forward = 100;
      const inputs = { isCall, forward, strike: forward * moneyness, yearsToExpiry, volatility };
      const greeks = blackGreeks(inputs);
      const price = (change: Partial<OptionInputs>) => blackPrice({ ...inputs, ...change });
      const h = 1e-3;
      const up = price({ forward: forward + h });
      const down = price({ forward: forward - h });
      close(greeks.delta, (up - down) / (2 * h), 1e-5);
      const slope = (at: number) => blackGreeks({ ...inputs, forward: at }).delta;
      close(greeks.gamma, (slope(forward + h) - slope(forward - h)) / (2 * h), 1e-5);
      const k = 1e-5;
      const byVolatility =
        price({ volatility: volatility + k }) - price({ volatility: volatility - k });
      close(greeks.vega, byVolatility / (2 * k), 1e-3);
      const t = 1e-6;
      const later = price({ yearsToExpiry: yearsToExpiry - t });
      const sooner = price({ yearsToExpiry: yearsToExpiry + t });
      close(greeks.theta, (later - sooner) / (2 * t), 1e-2);
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

function close(actual: number, expected: number, tolerance: number): void {
  const error = Math.abs(actual - expected);
  const allowed = tolerance * Math.max(1, Math.abs(expected));
  assert.ok(error <= allowed, `${actual} is not near ${expected}`);
}

test("without time, volatility or strike the option is worth its intrinsic value", () => {
  const base = { forward: 2500, strike: 2400, yearsToExpiry: 0.1, volatility: 0.6 };
  const price = (isCall: boolean, change: Partial<OptionInputs>) =>
    blackPrice({ isCall, ...base, ...change });
  assert.deepEqual(
    [true, false].map((isCall) => price(isCall, { yearsToExpiry: 0 })),
    [100, 0],
  );
  assert.deepEqual(
    [true, false].map((isCall) => price(isCall, { volatility: 0 })),
    [100, 0],
  );
  assert.deepEqual(
    [true, false].map((isCall) => price(isCall, { strike: 0 })),
    [2500, 0],
  );
  assert.deepEqual(
    [true, false].map((isCall) => price(isCall, { forward: 0 })),
    [0, 2400],
  );
  const forward = blackGreeks({ isCall: true, ...base, strike: 0 });
  assert.deepEqual(forward, { delta: 1, gamma: 0, vega: 0, theta: 0 });
  const atExpiry = { ...base, strike: 2500, yearsToExpiry: 0 };
  assert.equal(blackGreeks({ isCall: true, ...atExpiry }).delta, 0.5);
  assert.equal(blackGreeks({ isCall: false, ...atExpiry }).delta, -0.5);
});

test("what is not a number of its kind is refused by name", () => {
  const inputs = { isCall: true, forward: 1, strike: 1, yearsToExpiry: 1, volatility: -0.1 };
  assert.throws(() => blackPrice(inputs), /`volatility` must be .* Got `-0.1`/);
  const infinite = { ...inputs, volatility: 1, forward: Number.NaN };
  assert.throws(() => blackGreeks(infinite), /`forward`/);
});
