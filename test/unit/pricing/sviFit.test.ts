import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { minimise, solvePositive } from "../../../sequencer/pricing/levenbergMarquardt.ts";
import { fitSsvi, ssviSmile } from "../../../sequencer/pricing/ssvi.ts";
import {
  calendarFault,
  durrleman,
  type SviSmile,
  smileFault,
  sviVariance,
} from "../../../sequencer/pricing/svi.ts";
import { fitSmile } from "../../../sequencer/pricing/sviFit.ts";
import {
  fitSurface,
  surfaceFault,
  surfaceVariance,
  surfaceVolatility,
} from "../../../sequencer/pricing/sviSurface.ts";

const moneynesses = [-0.8, -0.5, -0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3, 0.5, 0.8];
const quotesOf = (smile: SviSmile, ks: readonly number[] = moneynesses) =>
  ks.map((k) => ({ k, variance: sviVariance(smile, k) }));

test("a smile without arbitrage is found again from its quotes", () => {
  const property = fc.property(
    fc.double({ min: 0.005, max: 0.1, noNaN: true }),
    fc.double({ min: 0.03, max: 0.3, noNaN: true }),
    fc.double({ min: -0.8, max: 0.8, noNaN: true }),
    fc.double({ min: -0.15, max: 0.15, noNaN: true }),
    fc.double({ min: 0.05, max: 0.4, noNaN: true }),
    (lift, b, rho, m, sigma) => {
      const smile = { a: lift - (b * sigma * Math.sqrt(1 - rho * rho)) / 2, b, rho, m, sigma };
      fc.pre(smileFault(smile) === undefined);
      const fit = fitSmile(quotesOf(smile));
      assert.equal(fit.kind, "free");
      assert.ok(fit.error < 1e-8, `${fit.error}`);
      for (const k of [-2, -0.4, 0.05, 1.5]) {
        const error = sviVariance(fit.smile, k) - sviVariance(smile, k);
        assert.ok(Math.abs(error) < 1e-5, `${k}: ${error}`);
      }
    },
  );
  fc.assert(property, { numRuns: 100 });
});

test("Vogt's quotes are fitted without their butterfly arbitrage", () => {
  const vogt = { a: -0.041, b: 0.1331, m: 0.3586, rho: 0.306, sigma: 0.4153 };
  const fit = fitSmile(quotesOf(vogt, [-1.5, -1, -0.5, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1, 1.2]));
  assert.equal(fit.kind, "penalised");
  assert.equal(smileFault(fit.smile), undefined);
  assert.ok(durrleman(fit.smile, 0.9) >= 0);
  // Within 0.7 volatility points of quotes that no sound smile could meet.
  assert.ok(fit.error < 0.007, `${fit.error}`);
});

test("a later smile is kept above the earlier one", () => {
  const earlier = { a: 0.02, b: 0.2, rho: -0.3, m: 0, sigma: 0.2 };
  const later = { a: 0.025, b: 0.15, rho: -0.3, m: 0, sigma: 0.2 };
  assert.notEqual(calendarFault(earlier, later), undefined);
  const fit = fitSmile(quotesOf(later, [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]), earlier);
  assert.equal(fit.kind, "penalised");
  assert.equal(calendarFault(earlier, fit.smile), undefined);
  assert.equal(smileFault(fit.smile), undefined);
});

test("one or two quotes give a slice of SSVI through them", () => {
  const one = fitSmile([{ k: 0.02, variance: 0.04 }]);
  assert.equal(one.kind, "ssvi");
  assert.ok(Math.abs(sviVariance(one.smile, 0.02) - 0.04) < 1e-6);
  assert.equal(smileFault(one.smile), undefined);
});

test("a surface from noisy and contradictory quotes never admits arbitrage", () => {
  const property = fc.property(
    fc.double({ min: 0, max: 0.3, noNaN: true }),
    fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 44, maxLength: 44 }),
    (noise, errors) => {
      const expiries = [0.01, 0.05, 0.2, 0.6].map((years, row) => {
        const quotes = moneynesses.map((share, column) => {
          const k = share * Math.sqrt(years);
          const level = 0.6 - 0.15 * share + 0.3 * share * share;
          const volatility = level * (1 + noise * errors[row * 11 + column]!);
          return { k, variance: volatility * volatility * years };
        });
        return { years, quotes };
      });
      const { surface, kinds } = fitSurface(expiries);
      assert.equal(surfaceFault(surface), undefined, kinds.join());
    },
  );
  fc.assert(property, { numRuns: 25 });
});

test("quotes of an SSVI surface give its parameters back", () => {
  const shape = { rho: -0.4, eta: 0.9, gamma: 0.35 };
  const thetas = [0.004, 0.02, 0.09];
  const fit = fitSsvi(thetas.map((theta) => quotesOf(ssviSmile(shape, theta))));
  assert.ok(fit.error < 1e-7, `${fit.error}`);
  for (const name of ["rho", "eta", "gamma"] as const) {
    assert.ok(Math.abs(fit[name] - shape[name]) < 1e-4, `${name}: ${fit[name]}`);
  }
});

const shape = { rho: -0.3, eta: 1, gamma: 0.4 };
const surface = [
  { years: 0.1, smile: ssviSmile(shape, 0.03) },
  { years: 0.3, smile: ssviSmile(shape, 0.1) },
];

test("total variance is linear in time, and never falls outside the expiries either", () => {
  for (const k of [-1, 0, 0.4]) {
    const [near, far] = surface.map(({ smile }) => sviVariance(smile, k));
    assert.equal(surfaceVariance(surface, k, 0.1), near);
    assert.equal(surfaceVariance(surface, k, 0.3), far);
    assert.ok(Math.abs(surfaceVariance(surface, k, 0.2) - (near! + far!) / 2) < 1e-15);
    let last = 0;
    for (let years = 0.01; years < 1; years += 0.01) {
      const variance = surfaceVariance(surface, k, years);
      assert.ok(variance > last, `${years}`);
      last = variance;
    }
  }
  const first = surfaceVolatility(surface, 0.2, 0.1);
  assert.ok(Math.abs(surfaceVolatility(surface, 0.2, 0.001) - first) < 1e-15);
  assert.throws(() => surfaceVariance([], 0, 1), /at least one/);
});

test("faults of a surface are named with their slice", () => {
  const [near, far] = [surface[0]!, surface[1]!];
  assert.equal(surfaceFault(surface), undefined);
  assert.deepEqual(surfaceFault([far, near]), { slice: 1, fault: "years" });
  const crossed = surfaceFault([{ ...far, years: 0.05 }, near]);
  assert.ok(crossed?.fault === "calendar" && crossed.slice === 1);
  const broken = { years: 0.4, smile: { ...far.smile, b: 3 } };
  assert.equal(surfaceFault([near, broken])?.fault, "butterfly");
});

test("Levenberg-Marquardt: Rosenbrock's valley, a bound that holds, and Cholesky", () => {
  const valley = minimise({
    residuals: ([x = 0, y = 0]) => [10 * (y - x * x), 1 - x],
    start: [-1.2, 1],
    lower: [-5, -5],
    upper: [5, 5],
  });
  assert.ok(valley.converged && valley.cost < 1e-20, `${valley.cost}`);
  const bounded = minimise({
    residuals: ([x = 0, y = 0]) => [x - 3, y - 1, (x - y) / 10],
    start: [0, 0],
    lower: [-1, -1],
    upper: [2, 2],
  });
  // With x held at 2 the least of (y - 1)^2 + (2 - y)^2 / 100 is at y = 102 / 101.
  assert.ok(Math.abs(bounded.point[0]! - 2) < 1e-12);
  assert.ok(Math.abs(bounded.point[1]! - 102 / 101) < 1e-7, `${bounded.point[1]}`);
  assert.deepEqual(
    solvePositive(
      [
        [4, 2],
        [2, 5],
      ],
      [10, 13],
    ),
    [1.5, 2],
  );
  assert.equal(
    solvePositive(
      [
        [1, 2],
        [2, 1],
      ],
      [1, 1],
    ),
    undefined,
  );
});
