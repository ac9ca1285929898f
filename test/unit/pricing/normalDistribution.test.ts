import assert from "node:assert/strict";
import { test } from "node:test";
import { exp, log, logRatio, roundHalfAway } from "../../../sequencer/pricing/deterministicMath.ts";
import {
  cdfOverPdf,
  normalCdf,
  normalPdf,
  normalQuantile,
} from "../../../sequencer/pricing/normalDistribution.ts";

// [x, N(x)] by mpmath's ncdf at 50 digits, printed to 20.
const cdfValues: readonly (readonly [number, string])[] = [
  [-37, "5.7255712225245768227e-300"],
  [-20, "2.7536241186062336951e-89"],
  [-10, "7.619853024160526066e-24"],
  [-8, "6.2209605742717841235e-16"],
  [-6, "9.865876450376981407e-10"],
  [-5.656854249492381, "7.7086289501399920655e-9"],
  [-5, "2.8665157187919391167e-7"],
  [-3, "0.0013498980316300945267"],
  [-2, "0.0227501319481792072"],
  [-1.5, "0.066807201268858066004"],
  [-1, "0.15865525393145705141"],
  [-0.66291, "0.25369409838973993983"],
  [-0.5, "0.30853753872598689636"],
  [-0.1, "0.46017216272297101633"],
  [-1e-8, "0.49999999601057719599"],
  [0, "0.5"],
  [0.25, "0.59870632568292372424"],
  [0.7, "0.75803634777692697138"],
  [1, "0.84134474606854294859"],
  [1.96, "0.97500210485177956379"],
  [3, "0.99865010196836990547"],
  [5, "0.99999971334842812081"],
  [8, "0.9999999999999993779"],
];

test("the normal distribution is right to 1e-15 of its value, tails included", () => {
  for (const [x, expected] of cdfValues) {
    const relative = Math.abs(normalCdf(x) / Number(expected) - 1);
    assert.ok(relative <= 1e-15, `N(${x}): relative error ${relative}`);
  }
  assert.equal(normalCdf(Number.NEGATIVE_INFINITY), 0);
  assert.equal(normalCdf(Number.POSITIVE_INFINITY), 1);
});

test("exp and log agree with the platform's to the last place or two", () => {
  for (let step = 0; step < 20_000; step++) {
    const x = -700 + step * 0.07003;
    assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) <= 4.5e-16, `exp(${x})`);
    const y = Math.exp(x);
    assert.ok(Math.abs(log(y) - Math.log(y)) <= 4.5e-16 * Math.abs(Math.log(y)), `log(${y})`);
  }
  assert.deepEqual([exp(0), exp(-1000), exp(1000)], [1, 0, Number.POSITIVE_INFINITY]);
  assert.deepEqual([log(1), log(0), log(-1)], [0, Number.NEGATIVE_INFINITY, Number.NaN]);
});

test("rounding is symmetric and knows no negative zero", () => {
  const rounded = [0.5, -0.5, 0.49, -0.49, 2.5, -2.5].map(roundHalfAway);
  assert.deepEqual(rounded, [1, -1, 0, 0, 3, -3]);
});

test("quantiles undo the distribution", () => {
  for (const [x, expected] of cdfValues) {
    // Near 1 a probability has few digits left to say how far it is from 1.
    if (x > 3) continue;
    const quantile = normalQuantile(Number(expected));
    const allowed = 4e-15 * Math.abs(x) + 2.3e-16 / normalPdf(x) / (x > 0 ? 1 : Number.MAX_VALUE);
    assert.ok(Math.abs(quantile - x) <= allowed + 1e-15, `${x}: ${quantile}`);
  }
  // Wichura, AS 241, section 4.
  assert.equal(normalQuantile(0.25).toFixed(15), "-0.674489750196082");
  assert.equal(normalQuantile(0.001).toFixed(14), "-3.09023230616781");
  assert.equal(normalQuantile(1e-20).toFixed(14), "-9.26234008979841");
  assert.ok(Number.isNaN(normalQuantile(-0.1)) && Number.isNaN(normalQuantile(1.1)));
});

test("the distribution over the density keeps its digits where both vanish", () => {
  for (const [x, expected] of cdfValues) {
    if (Math.abs(x) > 10) continue;
    const relative = (cdfOverPdf(x) * normalPdf(x)) / Number(expected) - 1;
    assert.ok(Math.abs(relative) <= 2e-15, `${x}: ${relative}`);
  }
  // Mills' ratio at 100 and 1e6: 1/x - 1/x^3 + 3/x^5 - 15/x^7.
  assert.ok(Math.abs(cdfOverPdf(-100) / 0.00999900029985009 - 1) < 1e-14);
  assert.ok(Math.abs(cdfOverPdf(-1e6) / 9.99999999999e-7 - 1) < 1e-15);
});

test("the logarithm of a ratio is right near 0 and beyond the range of the ratio", () => {
  assert.equal(logRatio(1 + 2 ** -40, 1), 2 ** -40 - 2 ** -81);
  assert.equal(logRatio(3, 3), 0);
  assert.ok(Math.abs(logRatio(1e300, 1e-300) / (600 * Math.LN10) - 1) < 1e-15);
  assert.ok(Math.abs(logRatio(2500, 3000) - Math.log(2500 / 3000)) < 1e-16);
});
