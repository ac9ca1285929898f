import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromJumpWings, repairedWings, toJumpWings } from "../../../sequencer/pricing/jumpWings.ts";
import { negativePoint } from "../../../sequencer/pricing/polynomialSign.ts";
import { ssviSmile } from "../../../sequencer/pricing/ssvi.ts";
import {
  calendarFault,
  durrleman,
  type SviSmile,
  smileFault,
  sviDerivatives,
  sviVariance,
} from "../../../sequencer/pricing/svi.ts";

/** A. Vogt's smile, with butterfly arbitrage (Gatheral and Jacquier 2014, example 3.1; t = 1). */
const vogt: SviSmile = { a: -0.041, b: 0.1331, m: 0.3586, rho: 0.306, sigma: 0.4153 };

test("Vogt's smile: the published jump wings, in every printed digit", () => {
  const wings = toJumpWings(vogt, 1);
  // Equation 3.5 and example 5.1, printed to seven significant digits.
  const printed = { variance: 0.01742625, skew: -0.1752111, putWing: 0.6997381 } as const;
  for (const [name, value] of Object.entries(printed)) {
    assert.equal(wings[name as keyof typeof printed].toPrecision(7), value.toPrecision(7), name);
  }
  assert.equal(wings.callWing.toPrecision(7), "1.316798");
  assert.equal(wings.minimum.toFixed(7), "0.0116249");
  const again = fromJumpWings(wings);
  for (const name of ["a", "b", "rho", "m", "sigma"] as const) {
    assert.ok(Math.abs(again[name] - vogt[name]) < 1e-14, name);
  }
});

test("Vogt's smile has butterfly arbitrage where the paper's figure 1 shows it", () => {
  const found = smileFault(vogt);
  assert.ok(found?.fault === "butterfly");
  assert.ok(found.at > 0.6 && found.at < 1.2 && durrleman(vogt, found.at) < 0);
});

test("its repair and the paper's optimum are free of arbitrage", () => {
  const wings = toJumpWings(vogt, 1);
  const repaired = repairedWings(wings);
  assert.ok(repaired !== undefined);
  assert.equal(repaired.callWing.toFixed(7), "0.3493158");
  assert.equal(repaired.minimum.toFixed(8), "0.01548182");
  assert.equal(smileFault(fromJumpWings(repaired)), undefined);
  const optimum = fromJumpWings({ ...wings, callWing: 0.8564763, minimum: 0.0116249 });
  assert.equal(smileFault(optimum), undefined);
});

const anySmile = fc
  .record({
    lift: fc.double({ min: 0, max: 0.2, noNaN: true }),
    b: fc.double({ min: 0, max: 1.4, noNaN: true }),
    rho: fc.double({ min: -0.95, max: 0.95, noNaN: true }),
    m: fc.double({ min: -0.6, max: 0.6, noNaN: true }),
    sigma: fc.double({ min: 0.02, max: 1, noNaN: true }),
  })
  .map(({ lift, ...rest }): SviSmile => {
    return { a: lift - rest.b * rest.sigma * Math.sqrt(1 - rest.rho ** 2) + 1e-6, ...rest };
  });

/** The least of a function over the line, on 3000 points that reach very far out. */
function least(smile: SviSmile, value: (k: number) => number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let u = -15; u <= 15; u += 0.01) {
    lowest = Math.min(lowest, value(smile.m + smile.sigma * Math.sinh(u)));
  }
  return lowest;
}

test("the butterfly check agrees with a dense search of the line", () => {
  let faulty = 0;
  let sound = 0;
  const property = fc.property(anySmile, (smile) => {
    const found = smileFault(smile);
    const lowest = least(smile, (k) => durrleman(smile, k));
    // Between the two nothing is claimed: there the search may have missed a narrow dip.
    if (lowest < -1e-7) assert.equal(found?.fault, "butterfly", JSON.stringify(smile));
    if (found === undefined) {
      sound++;
      assert.ok(lowest >= -1e-7, `${lowest}`);
      return;
    }
    faulty++;
    assert.ok(found.fault === "butterfly");
    if (Number.isFinite(found.at)) assert.ok(durrleman(smile, found.at) < 1e-9);
    else assert.ok(smile.b * (1 + Math.abs(smile.rho)) > 1.99);
  });
  fc.assert(property, { numRuns: 800 });
  assert.ok(faulty > 50 && sound > 50, `${faulty} ${sound}`);
});

test("the calendar check agrees with a dense search of the line", () => {
  let crossed = 0;
  let above = 0;
  const property = fc.property(anySmile, anySmile, (earlier, later) => {
    const at = calendarFault(earlier, later);
    // Per unit of distance: a million units out, slopes that differ by rounding are 1e-6 apart.
    const lowest = least(
      later,
      (k) => (sviVariance(later, k) - sviVariance(earlier, k)) / (1 + Math.abs(k)),
    );
    if (at === undefined) {
      above++;
      assert.ok(lowest >= -1e-6, `${lowest}`);
      return;
    }
    crossed++;
    if (!Number.isFinite(at)) return;
    assert.ok(sviVariance(later, at) < sviVariance(earlier, at) + 1e-9, `${at}`);
  });
  fc.assert(property, { numRuns: 1500 });
  assert.ok(crossed > 50 && above > 20, `${crossed} ${above}`);
});

test("wings of the same slope that meet only at infinity, and a slope that is too steep", () => {
  const smile: SviSmile = { a: 0.02, b: 0.3, rho: -0.2, m: 0, sigma: 0.3 };
  assert.equal(calendarFault(smile, smile), undefined);
  assert.equal(calendarFault(smile, { ...smile, a: 0.03 }), undefined);
  assert.notEqual(calendarFault(smile, { ...smile, a: 0.0199 }), undefined);
  assert.notEqual(calendarFault(smile, { ...smile, a: 1, b: 0.299 }), undefined);
  assert.equal(smileFault({ ...smile, b: 1.7 })?.fault, "butterfly");
});

test("slopes and curvatures are derivatives", () => {
  const property = fc.property(
    anySmile,
    fc.double({ min: -2, max: 2, noNaN: true }),
    (smile, k) => {
      const h = 1e-5;
      const [, slope, curvature] = sviDerivatives(smile, k);
      const [high, highSlope] = sviDerivatives(smile, k + h);
      const [low, lowSlope] = sviDerivatives(smile, k - h);
      assert.ok(Math.abs(slope - (high - low) / (2 * h)) <= 1e-5 * (1 + Math.abs(curvature)));
      assert.ok(Math.abs(curvature - (highSlope - lowSlope) / (2 * h)) <= 1e-3 * (1 + curvature));
    },
  );
  fc.assert(property);
});

test("parameters that are no smile are named so", () => {
  const smile: SviSmile = { a: 0.02, b: 0.3, rho: -0.2, m: 0, sigma: 0.3 };
  const broken = [
    { a: Number.NaN },
    { b: -0.1 },
    { rho: 1.1 },
    { sigma: 0 },
    { m: Number.POSITIVE_INFINITY },
    { a: -0.2 },
  ];
  for (const change of broken) {
    assert.deepEqual(smileFault({ ...smile, ...change }), { fault: "parameters" });
  }
});

test("SSVI under its theorem's conditions is free of both arbitrages", () => {
  const property = fc.property(
    fc.double({ min: -0.99, max: 0.99, noNaN: true }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    fc.double({ min: 1e-4, max: 1, noNaN: true }),
    fc.double({ min: 1, max: 4, noNaN: true }),
    (rho, share, gamma, theta, growth) => {
      const shape = { rho, gamma, eta: (2 * share) / (1 + Math.abs(rho)) };
      const [near, far] = [ssviSmile(shape, theta), ssviSmile(shape, theta * growth)];
      assert.ok(Math.abs(sviVariance(near, 0) / theta - 1) < 1e-9);
      assert.equal(smileFault(near), undefined);
      assert.equal(smileFault(far), undefined);
      assert.equal(calendarFault(near, far), undefined);
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("the sign of a polynomial on the half line", () => {
  // (t - 2)^2 touches 0; lowered a little it does not stay above.
  assert.equal(negativePoint([4, -4, 1]), undefined);
  const found = negativePoint([4 - 1e-9, -4, 1]);
  assert.ok(found !== undefined && Math.abs(found - 2) < 1e-4);
  assert.equal(negativePoint([1, 2, 3]), undefined);
  assert.equal(negativePoint([0, 0]), undefined);
  assert.equal(negativePoint([1, 0, -1e-6]), Number.POSITIVE_INFINITY);
  assert.equal(negativePoint([-1, 0, 5]), 0);
  assert.ok(Number.isNaN(negativePoint([1, Number.NaN])));
});
