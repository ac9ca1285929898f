import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blackPrice } from "../../../sequencer/pricing/black76.ts";
import { hestonPrice, hestonTimeValues } from "../../../sequencer/pricing/heston.ts";
import { fitHeston, hestonVolatilities } from "../../../sequencer/pricing/hestonFit.ts";

test("Alan Lewis's reference prices to 15 digits", () => {
  // QuantLib, test-suite/hestonmodel.cpp (testAlanLewisReferencePrices): [strike, put, call].
  const reference = [
    [80, 7.958878113256768, 26.774758743998856],
    [90, 12.017966707346305, 20.93334900059671],
    [100, 17.05527096127011, 16.070154917028834],
    [110, 23.0178258984428, 12.132211516709845],
    [120, 29.811026202682473, 9.024913483457835],
  ] as const;
  const model = { v0: 0.04, kappa: 4, theta: 0.25, sigma: 1, rho: -0.5 };
  const discount = Math.exp(-0.01);
  for (const [strike, put, call] of reference) {
    const option = { forward: 100 * discount, strike, yearsToExpiry: 1 };
    for (const [isCall, expected] of [
      [false, put],
      [true, call],
    ] as const) {
      const price = discount * hestonPrice(model, { ...option, isCall });
      assert.ok(Math.abs(price / expected - 1) <= 2e-15, `${strike} ${isCall}: ${price}`);
    }
  }
});

test("QuantLib's cached price and the Wilmott forum's", () => {
  // testAnalyticVsCached: 27 December 2004 to 28 March 2005, Actual/Actual.
  const cached = { v0: 0.1, kappa: 3.16, theta: 0.09, sigma: 0.4, rho: -0.2 };
  const years = 5 / 366 + 86 / 365;
  const forward = Math.exp(0.0025 * years);
  const option = { isCall: true, forward, strike: 1.05, yearsToExpiry: years };
  const price = Math.exp(-0.0225 * years) * hestonPrice(cached, option);
  assert.equal(price.toFixed(10), "0.0404774515");
  // "Heston or VG price check": printed to seven digits, QuantLib's tolerance is 1e-6. The digits
  // below are the same integral by mpmath.
  const forum = { v0: 0.09, kappa: 1.2, theta: 0.08, sigma: 1.8, rho: -0.45 };
  const values = [
    [0.9, 0.1330371, 0.13303697599513437],
    [1, 0.0641016, 0.06410165088428171],
    [1.1, 0.0270645, 0.027065002526691983],
  ] as const;
  for (const [strike, printed, exact] of values) {
    const terms = { isCall: true, forward: 1, strike, yearsToExpiry: 0.7 };
    const value = Math.exp(-0.035) * hestonPrice(forum, terms);
    assert.ok(Math.abs(value - printed) <= 1e-6, `${strike}: ${value}`);
    assert.ok(Math.abs(value - exact) <= 1e-12, `${strike}: ${value - exact}`);
  }
});

test("one day to expiry, and far from the money", () => {
  // The same integral by mpmath, 30 digits: [model, strike, years, call].
  const wild = { v0: 0.5, kappa: 2, theta: 0.5, sigma: 3, rho: -0.9 };
  const skewed = { v0: 0.3, kappa: 1, theta: 0.4, sigma: 2, rho: 0.3 };
  const reference = [
    [wild, 97, 1 / 365, 3.459751443672225],
    [wild, 106, 1 / 365, 0.05986403754956807],
    [skewed, 150, 0.1, 0.3087984279976287],
  ] as const;
  for (const [model, strike, yearsToExpiry, expected] of reference) {
    const price = hestonPrice(model, { isCall: true, forward: 100, strike, yearsToExpiry });
    assert.ok(Math.abs(price - expected) <= 1e-12, `${strike}: ${price}`);
  }
});

test("Kahl and Jaeckel's ten-year example", () => {
  // "Not-so-complex logarithms in the Heston model"; QuantLib's testKahlJaeckelCase has 4.95212.
  const model = { v0: 0.16, kappa: 1, theta: 0.16, sigma: 2, rho: -0.8 };
  const option = { isCall: true, forward: 100, strike: 200, yearsToExpiry: 10 };
  const price = hestonPrice(model, option);
  assert.ok(Math.abs(price - 4.95212) <= 1e-5, `${price}`);
  assert.ok(Math.abs(price - 4.952114720879765) <= 1e-11, `${price - 4.952114720879765}`);
});

test("as the volatility of variance vanishes the price becomes Black's", () => {
  // QuantLib's testAnalyticVsBlack, tolerance 2e-7.
  const option = { isCall: false, forward: 32 * Math.exp(0.03), strike: 30, yearsToExpiry: 0.5 };
  const black = blackPrice({ ...option, volatility: Math.sqrt(0.05) });
  for (const sigma of [1e-4, 1e-6, 0]) {
    const price = hestonPrice({ v0: 0.05, kappa: 5, theta: 0.05, sigma, rho: 0 }, option);
    assert.ok(Math.abs(price - black) <= 1e-9, `${sigma}: ${price - black}`);
  }
});

// A. Sepp's DAX surface of 5 July 2002, as in QuantLib's getDAXCalibrationMarketData.
const daxStrikes = [
  3400, 3600, 3800, 4000, 4200, 4400, 4500, 4600, 4800, 5000, 5200, 5400, 5600,
] as const;
const daxDays = [13, 41, 75, 165, 256, 345, 524, 703];
const daxRates = [0.0357, 0.0349, 0.0341, 0.0355, 0.0359, 0.0368, 0.0386, 0.0401];
const daxVolatilities = [
  [0.6625, 0.4875, 0.4204, 0.3667, 0.3431, 0.3267, 0.3121, 0.3121],
  [0.6007, 0.4543, 0.3967, 0.3511, 0.3279, 0.3154, 0.2984, 0.2921],
  [0.5084, 0.4221, 0.3718, 0.3327, 0.3155, 0.3027, 0.2919, 0.2889],
  [0.4541, 0.3869, 0.3492, 0.3149, 0.2963, 0.2926, 0.2819, 0.28],
  [0.406, 0.3607, 0.333, 0.2999, 0.2887, 0.2811, 0.2751, 0.2775],
  [0.3726, 0.3396, 0.3108, 0.2781, 0.2788, 0.2722, 0.2661, 0.2686],
  [0.355, 0.3277, 0.3012, 0.2781, 0.2781, 0.2661, 0.2661, 0.2681],
  [0.3428, 0.3209, 0.2958, 0.274, 0.2688, 0.2627, 0.258, 0.262],
  [0.3302, 0.3062, 0.2799, 0.2631, 0.2573, 0.2533, 0.2504, 0.2544],
  [0.3343, 0.2959, 0.2705, 0.254, 0.2504, 0.2464, 0.2448, 0.2462],
  [0.346, 0.2845, 0.2624, 0.2463, 0.2425, 0.2385, 0.2373, 0.2422],
  [0.3857, 0.286, 0.2578, 0.2399, 0.2357, 0.2327, 0.2312, 0.2351],
  [0.3976, 0.286, 0.2607, 0.2356, 0.2297, 0.2268, 0.2241, 0.232],
];

/** Zero rates are linear between the table's days; maturities are whole weeks. */
function daxSurface() {
  return daxDays.map((listed, column) => {
    const days = 7 * Math.floor((listed + 3) / 7);
    const next = Math.max(
      daxDays.findIndex((day) => day >= days),
      1,
    );
    const share = (days - daxDays[next - 1]!) / (daxDays[next]! - daxDays[next - 1]!);
    const low = daxRates[next - 1]!;
    const rate = days <= daxDays[0]! ? daxRates[0]! : low + share * (daxRates[next]! - low);
    const years = days / 365;
    return {
      years,
      forward: 4468.17 * Math.exp(rate * years),
      quotes: daxStrikes.map((strike, row) => {
        return { strike, volatility: daxVolatilities[row]![column]! };
      }),
    };
  });
}

test("calibration to the DAX surface leaves Sepp's error of 177.2", () => {
  // testDAXCalibration: the sum of squared errors in volatility points, 177.2 within 1.
  const fit = fitHeston(daxSurface());
  const sum = fit.error ** 2 * 13 * 8 * 1e4;
  assert.ok(fit.converged);
  assert.ok(Math.abs(sum - 177.2) <= 0.1, `${sum}`);
  assert.ok(fit.rho < -0.4 && fit.rho > -0.6 && !fit.feller);
});

test("calibration recovers the model that made the quotes", () => {
  const model = { v0: 0.5, kappa: 3, theta: 0.4, sigma: 1.2, rho: -0.35 };
  const expiries = [7 / 365, 30 / 365, 90 / 365, 0.5].map((years) => {
    const strikes = [0.7, 0.85, 0.95, 1, 1.05, 1.15, 1.4].map((share) => 2500 * share);
    const seen = hestonVolatilities(model, 2500, strikes, years);
    const quotes = strikes.map((strike, i) => ({ strike, volatility: seen[i]! }));
    return { years, forward: 2500, quotes };
  });
  const fit = fitHeston(expiries);
  for (const name of ["v0", "kappa", "theta", "sigma", "rho"] as const) {
    assert.ok(Math.abs(fit[name] / model[name] - 1) <= 1e-3, `${name}: ${fit[name]}`);
  }
});

test("prices stay inside their bounds and are convex in the strike", () => {
  const property = fc.property(
    fc.record({
      v0: fc.double({ min: 0.01, max: 1, noNaN: true }),
      kappa: fc.double({ min: 0.1, max: 10, noNaN: true }),
      theta: fc.double({ min: 0.01, max: 1, noNaN: true }),
      sigma: fc.double({ min: 0.05, max: 4, noNaN: true }),
      rho: fc.double({ min: -0.95, max: 0.95, noNaN: true }),
    }),
    fc.double({ min: 0.01, max: 2, noNaN: true }),
    (model, years) => {
      const strikes = [60, 75, 90, 100, 110, 125, 140];
      const values = hestonTimeValues(model, 100, strikes, years);
      const calls = values.map((value, i) => value + Math.max(100 - strikes[i]!, 0));
      for (const [i, call] of calls.entries()) {
        assert.ok(call >= Math.max(100 - strikes[i]!, 0) && call < 100, `${call}`);
        if (i < 1 || i + 1 >= calls.length) continue;
        const left = (call - calls[i - 1]!) / (strikes[i]! - strikes[i - 1]!);
        const right = (calls[i + 1]! - call) / (strikes[i + 1]! - strikes[i]!);
        assert.ok(right - left >= -1e-11, `${left} ${right}`);
      }
    },
  );
  fc.assert(property, { numRuns: 150 });
});

test("too few quotes are refused", () => {
  const quotes = [{ strike: 1, volatility: 0.5 }];
  assert.throws(() => fitHeston([{ years: 1, forward: 1, quotes }]), /`1` quotes .* 5 or more/);
});
