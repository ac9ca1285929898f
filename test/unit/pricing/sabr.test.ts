import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitSabr, type SabrForm, sabrVolatility } from "../../../sequencer/pricing/sabr.ts";

// QuantLib, test-suite/interpolations.cpp (testSabrInterpolation): forward 0.039, one year.
const parameters = { alpha: 0.3, beta: 0.6, nu: 0.02, rho: 0.01 };
const market = { forward: 0.039, years: 1 };
const volatilities = [
  1.16725837321531, 1.15226075991385, 1.13829711098834, 1.12524190877505, 1.11299079244474,
  1.10145609357162, 1.09056348513411, 1.08024942745106, 1.07045919457758, 1.06114533019077,
  1.05226642581503, 1.04378614411707, 1.03567243073732, 1.0278968727451, 1.02043417226345,
  1.01326171139321, 1.00635919013311, 0.999708323124949, 0.993292584155381, 0.987096989695393,
  0.98110791455717, 0.975312934134512, 0.969700688771689, 0.964260766651027, 0.958983602256592,
  0.953860388001395, 0.948882997029509, 0.944043915545469, 0.939336183299237, 0.934753341079515,
  0.930289384251337,
];
const quotes = volatilities.map((volatility, i) => ({ strike: 0.03 + 0.002 * i, volatility }));

test("QuantLib's SABR volatilities", () => {
  for (const { strike, volatility } of quotes) {
    const value = sabrVolatility(parameters, market.forward, strike, market.years);
    assert.ok(Math.abs(value - volatility) <= 2e-13, `${strike}: ${value}`);
  }
});

test("calibration finds QuantLib's parameters again within its tolerance", () => {
  const fit = fitSabr(quotes, market, 0.6);
  assert.ok(fit.converged);
  for (const name of ["alpha", "nu", "rho"] as const) {
    assert.ok(Math.abs(fit[name] - parameters[name]) <= 5e-8, `${name}: ${fit[name]}`);
  }
});

// Le Floc'h and Kennedy, "Explicit SABR calibration through simple expansions", table 3, as in
// QuantLib's testSabrGuess: S&P 500 smiles, [years, alpha, nu, rho] with beta 1, forward 2016.
const smiles = [
  [0.058, 0.271, 1.01, -0.345],
  [0.153, 0.256, 0.933, -0.321],
  [0.23, 0.256, 0.82, -0.346],
  [0.479, 0.255, 0.629, -0.37],
  [0.729, 0.257, 0.528, -0.403],
  [1.227, 0.26, 0.448, -0.429],
  [1.726, 0.261, 0.392, -0.44],
  [2.244, 0.262, 0.355, -0.445],
  [2.742, 0.262, 0.329, -0.445],
  [3.241, 0.262, 0.31, -0.447],
  [4.239, 0.263, 0.284, -0.452],
] as const;

test("calibration recovers the smiles of Le Floc'h and Kennedy", () => {
  for (const form of ["hagan", "obloj"] as const) {
    for (const [years, alpha, nu, rho] of smiles) {
      const smile = { alpha, beta: 1, nu, rho };
      const seen = [0.6, 0.8, 0.95, 1, 1.05, 1.2, 1.4].map((share) => {
        const strike = 2016 * share;
        return { strike, volatility: sabrVolatility(smile, 2016, strike, years, form) };
      });
      const fit = fitSabr(seen, { forward: 2016, years }, 1, form);
      for (const name of ["alpha", "nu", "rho"] as const) {
        assert.ok(Math.abs(fit[name] - smile[name]) <= 1e-6, `${years} ${name}: ${fit[name]}`);
      }
    }
  }
});

const anySmile = fc.record({
  alpha: fc.double({ min: 0.1, max: 1, noNaN: true }),
  beta: fc.constant(1),
  nu: fc.double({ min: 0, max: 2, noNaN: true }),
  rho: fc.double({ min: -0.9, max: 0.9, noNaN: true }),
});

test("both forms agree at beta 1, and have no step at the money", () => {
  const property = fc.property(
    anySmile,
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    (smile, logMoneyness, years) => {
      const at = (strike: number, form: SabrForm) => sabrVolatility(smile, 1, strike, years, form);
      const strike = Math.exp(logMoneyness);
      assert.ok(Math.abs(at(strike, "hagan") / at(strike, "obloj") - 1) <= 1e-9);
      for (const form of ["hagan", "obloj"] as const) {
        for (const beta of [0, 0.5, 1]) {
          const near = { ...smile, beta };
          const step = (side: number) => sabrVolatility(near, 1, 1 + side * 1e-7, years, form);
          assert.ok(Math.abs(step(1) / step(-1) - 1) <= 1e-5);
          assert.ok(Math.abs(step(0) / step(1) - 1) <= 1e-5);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test("without volatility of volatility and with beta 1 the smile is flat", () => {
  const flat = { alpha: 0.6, beta: 1, nu: 0, rho: -0.3 };
  for (const strike of [0.1, 0.9, 1, 1.5, 10]) {
    assert.ok(Math.abs(sabrVolatility(flat, 1, strike, 0.5) - 0.6) < 1e-15);
    assert.ok(Math.abs(sabrVolatility(flat, 1, strike, 0.5, "obloj") - 0.6) < 1e-15);
  }
});

test("too few quotes are refused", () => {
  assert.throws(() => fitSabr(quotes.slice(0, 2), market, 0.6), /`2` quotes .* at least 3/);
});
