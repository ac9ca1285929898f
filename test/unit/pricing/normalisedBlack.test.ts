import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { impliedDeviation } from "../../../sequencer/pricing/letsBeRational.ts";
import {
  normalisedBlack,
  normalisedComplement,
  normalisedVega,
} from "../../../sequencer/pricing/normalisedBlack.ts";

// [x, s, b(x, s), e^(x/2) - b(x, s)], the latter two by mpmath with 80 digits and more.
const references: readonly (readonly [number, number, string, string])[] = [
  [0, 1e-8, "3.9894228040143268462e-9", "0.99999999601057719599"],
  [0, 0.001, "0.00039894226377883829287", "0.99960105773622116171"],
  [0, 0.5, "0.19741265136584744848", "0.80258734863415255152"],
  [0, 3, "0.86638559746228386799", "0.13361440253771613201"],
  [0, 12, "0.99999999802682470992", "1.9731752900753962814e-9"],
  [-1e-9, 1e-6, "3.9844247987253961541e-7", "0.99999960105752012759"],
  [-1e-6, 0.0001, "0.000039396222718302725707", "0.99996010377740669725"],
  [-0.0001, 0.003, "0.0011474912353641173714", "0.99880251001461504955"],
  [-0.01, 0.005, "0.000042453408770968685738", "0.99497002578391134456"],
  [-0.01, 0.02, "0.0039558302775978659223", "0.99105664891508444733"],
  [-0.1, 0.01, "7.4744685724967291396e-27", "0.95122942450071400645"],
  [-0.1, 0.1, "0.0083249393767021414705", "0.94290448512401186498"],
  [-0.1, 2, "0.63412712270593895706", "0.31710230179477504939"],
  [-0.5, 0.02, "2.4374726016356547944e-141", "0.77880078307140486825"],
  [-0.5, 0.25, "0.0021096780352728466562", "0.77669110503613202159"],
  [-0.5, 1, "0.1856830129966638584", "0.59311777007474100985"],
  [-0.5, 6, "0.7761089366031674401", "0.0026918464682374281406"],
  [-1, 0.035, "9.2983261883074572132e-183", "0.6065306597126334236"],
  [-1, 0.11, "5.7975942691092249055e-22", "0.6065306597126334236"],
  [-1, 0.3, "0.000033290949429445666614", "0.60649736876320397794"],
  [-1, 1.4, "0.1701549062882256337", "0.4363757534244077899"],
  [-1, 9, "0.60652390282385077373", "6.7568887826498691544e-6"],
  [-3, 0.3, "2.217749939872931655e-25", "0.22313016014842982893"],
  [-3, 2.4, "0.075104274330571095669", "0.14802588581785873326"],
  [-3, 10, "0.22312961040324988708", "5.4974517994185120085e-7"],
  [-8, 0.3, "6.3618381924244130235e-159", "0.018315638888734180294"],
  [-8, 1.2, "1.9006024458152774202e-12", "0.018315638886833577848"],
  [-8, 4, "0.007428628231026414507", "0.010887010657707765787"],
  [-8, 14, "0.018315638886546849679", "2.1873306144403808468e-12"],
  [-20, 1, "1.2097749726121600911e-90", "0.000045399929762484851536"],
  [-20, 6.3, "0.00001945831281787486439", "0.000025941616944609987145"],
  [-20, 20, "0.000045399929762484851526", "9.332291212427414173e-24"],
  [-100, 3, "1.8564629015872674964e-245", "1.928749847963917783e-22"],
  [-100, 14, "8.0123622336367761578e-23", "1.1275136246002401672e-22"],
  [-100, 30, "1.928749847963917783e-22", "2.9823154578885562398e-53"],
  [-400, 12, "3.5922263016383502964e-252", "1.3838965267367375306e-87"],
  [-400, 28.3, "6.8113647685307592951e-88", "7.0276004988366160114e-88"],
  [-400, 40, "1.3838965267367375306e-87", "1.4090666746907185628e-110"],
  [-0.3, 0.249, "0.01375987350811108875", "0.84694810291694672326"],
  [-0.3, 0.251, "0.014145220911909399095", "0.84656275551314841291"],
  [-2.4, 0.49, "4.3807806181944042387e-8", "0.30119416810439592808"],
  [-2.6, 0.51, "1.556345538286163971e-8", "0.27253177747055720816"],
  [-1.3, 0.13, "9.696806521650975602e-26", "0.5220457767610160363"],
];
/** How many roundings an error is, with what rounding x / s alone does to the price taken off. */
function roundings(actual: number, expected: string, x: number, s: number): number {
  const relative = Math.abs(actual / Number(expected) - 1);
  return relative / (Number.EPSILON * (1 + (x / s) ** 2 + Math.abs(x)));
}

test("normalised prices and complements are right to a few roundings, in every region", () => {
  for (const [x, s, price, complement] of references) {
    const ofPrice = roundings(normalisedBlack(x, s), price, x, s);
    const ofComplement = roundings(normalisedComplement(x, s), complement, x, s);
    assert.ok(ofPrice <= 8, `b(${x}, ${s}): ${ofPrice} roundings`);
    assert.ok(ofComplement <= 8, `complement(${x}, ${s}): ${ofComplement} roundings`);
  }
});

test("py_lets_be_rational's regression values", () => {
  // tests/test_regression_values.py and tests/TestValues.json of vollib/py_lets_be_rational.
  const call = (x: number, s: number) =>
    x <= 0 ? normalisedBlack(x, s) : Math.exp(x / 2) - Math.exp(-x / 2) + normalisedBlack(-x, s);
  const close = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) <= 1e-13 * Math.abs(expected), `${actual} ${expected}`);
  close(call(10, 0.25), 148.4064211555775);
  close(call(-1, 0.25), 1.7736606889378084e-6);
  close(call(0.6514086760796204, 0.3058110481178098), 0.6647898570901781);
  close(call(0.4074253571684644, 0.6195643735493702), 0.5028170094892066);
  close(normalisedVega(0.6514086760796204, 0.3058110481178098), 0.04079093083313499);
});

test("deviations come back from reference prices to their last digits", () => {
  let worst = 0;
  for (const [x, s, price, complement] of references) {
    const implied = impliedDeviation(x, Number(price), Number(complement));
    // A rounding of the price moves s by b / (s db/ds) roundings: that much no method can recover.
    const vega = normalisedVega(x, s);
    const condition = Math.min(Number(price), Number(complement)) / (vega * s);
    if (!(condition < 1e6)) continue;
    const error = Math.abs(implied / s - 1) / (Number.EPSILON * (1 + condition));
    worst = Math.max(worst, error);
  }
  assert.ok(worst <= 4, `${worst} roundings`);
});

test("round trips over the whole plane lose nothing that the price had", () => {
  const property = fc.property(
    fc.double({ min: -12, max: 2.7, noNaN: true }),
    fc.double({ min: -1.55, max: 1.2, noNaN: true }),
    (logX, logRatio) => {
      const x = -(10 ** logX);
      const s = Math.sqrt(-x) * 10 ** logRatio;
      const price = normalisedBlack(x, s);
      const complement = normalisedComplement(x, s);
      fc.pre(price > 1e-300 && complement > 1e-300);
      const implied = impliedDeviation(x, price, complement);
      const condition = Math.min(price, complement) / (normalisedVega(x, s) * s);
      fc.pre(condition < 1e6);
      const error = Math.abs(implied / s - 1) / (Number.EPSILON * (1 + condition));
      assert.ok(error <= 12, `x ${x} s ${s}: ${implied}, ${error} roundings`);
    },
  );
  fc.assert(property, { numRuns: 20_000 });
});

test("never NaN, however extreme", () => {
  for (const x of [0, -5e-324, -1e-300, -1e-16, -1, -300, -700, -1000, -1400]) {
    const bound = Math.exp(x / 2);
    for (const share of [1e-300, 1e-200, 1e-100, 1e-20, 1e-8, 0.1, 0.5, 0.9, 1 - 1e-12]) {
      const beta = bound * share;
      if (!(beta > 0)) continue;
      const implied = impliedDeviation(x, beta, bound - beta);
      assert.ok(implied > 0 && Number.isFinite(implied), `x ${x}, ${beta}: ${implied}`);
    }
  }
});
