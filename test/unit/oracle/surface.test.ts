// Smiles as integers, and what is done about quotes with arbitrage.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type ExpiryPoints,
  fitSmiles,
  pointIvBps,
  pointsFault,
  SMILE_SCALE,
  scaleSmile,
  smileIvBps,
  smilesFault,
  unscaleSmile,
  yearsTo,
} from "../../../sequencer/oracle/surface.ts";
import { calendarFault, type SviSmile, sviVariance } from "../../../sequencer/pricing/svi.ts";

const NOW = 1_800_000_000_000;
const DAY = 86_400;
const near = NOW / 1000 + 7 * DAY;
const far = NOW / 1000 + 30 * DAY;
const forward = 25_000;
const strikes = [15_000, 18_000, 20_000, 22_000, 24_000, 25_000, 26_000, 28_000, 32_000, 40_000];
const smiles: Readonly<Record<string, SviSmile>> = {
  near: { a: 0.004, b: 0.03, rho: -0.2, m: 0.01, sigma: 0.1 },
  far: { a: 0.02, b: 0.07, rho: -0.2, m: 0.02, sigma: 0.2 },
};

function pointsOf(smile: SviSmile, expiry: number): ExpiryPoints {
  const points = strikes.map((strike) => {
    const variance = sviVariance(smile, Math.log(strike / forward));
    return { strike, ivBps: Math.sqrt(variance / yearsTo(expiry, NOW)) * 10_000 };
  });
  return { expiry, forward, points };
}

const everywhere = { low: -10, high: 10 };
const nearPoints = pointsOf(smiles.near!, near);
const farPoints = pointsOf(smiles.far!, far);

test("smiles are fitted, written as integers, and give the volatilities that were quoted", () => {
  const { value } = fitSmiles([nearPoints, farPoints], NOW);
  assert.deepEqual(value?.repairs, []);
  assert.deepEqual(
    value?.smiles.map(({ expiry }) => expiry),
    [near, far],
  );
  for (const { expiry, smile } of value?.smiles ?? []) {
    assert.ok(Object.values(smile).every(Number.isSafeInteger));
    const { points } = expiry === near ? nearPoints : farPoints;
    for (const { strike, ivBps } of points) {
      const iv = smileIvBps({ smile, strike, forward, expiry, timeMs: NOW });
      assert.ok(Math.abs(iv - ivBps) <= 2, `${expiry} ${strike}: ${iv}, quoted ${ivBps}`);
    }
  }
  assert.equal(smilesFault(value?.smiles ?? [], NOW), undefined);
});

test("rounding to 1e-10 loses less than a tenth of a basis point of volatility", () => {
  const property = fc.property(
    fc.record({
      a: fc.double({ min: 1e-5, max: 0.5, noNaN: true }),
      b: fc.double({ min: 0, max: 1, noNaN: true }),
      rho: fc.double({ min: -0.99, max: 0.99, noNaN: true }),
      m: fc.double({ min: -1, max: 1, noNaN: true }),
      sigma: fc.double({ min: 0.001, max: 2, noNaN: true }),
    }),
    fc.double({ min: -1, max: 1, noNaN: true }),
    (smile, k) => {
      const exact = Math.sqrt(sviVariance(smile, k));
      const rounded = Math.sqrt(sviVariance(unscaleSmile(scaleSmile(smile)), k));
      assert.ok(Math.abs(rounded / exact - 1) < 1e-4);
    },
  );
  fc.assert(property, { numRuns: 500 });
  assert.equal(SMILE_SCALE, 1e10);
});

/** The points with one volatility changed by a factor. */
function bent(points: ExpiryPoints, strike: number, factor: number): ExpiryPoints {
  const changed = points.points.map((point) =>
    point.strike === strike ? { strike, ivBps: point.ivBps * factor } : point,
  );
  return { ...points, points: changed };
}

test("a little arbitrage is repaired and said, much of it is refused", () => {
  // Both smiles alike but the later one lower: less total variance later.
  const lower = (factor: number): ExpiryPoints => {
    const later = pointsOf(smiles.near!, far);
    const points = later.points.map(({ strike, ivBps }) => ({ strike, ivBps: ivBps * factor }));
    return { ...later, points };
  };
  const slight = fitSmiles([nearPoints, lower(0.985)], NOW);
  assert.deepEqual(
    slight.value?.repairs.map(({ name }) => name),
    ["calendarArbitrage"],
  );
  assert.equal(smilesFault(slight.value?.smiles ?? [], NOW), undefined, "repaired it is sound");
  const much = fitSmiles([nearPoints, lower(0.7)], NOW);
  assert.equal(much.refused?.name, "calendarArbitrage");
  assert.match(much.refused?.reason ?? "", new RegExp(`expiry \`${far}\``));
  const spiked = fitSmiles([bent(nearPoints, 25_000, 3)], NOW);
  assert.equal(spiked.refused?.name, "butterflyArbitrage");
});

test("few quotes have no smile and speak for themselves, unless they are arbitrageable", () => {
  const few = (points: ExpiryPoints, from = 3): ExpiryPoints => {
    return { ...points, points: points.points.slice(from, from + 4) };
  };
  const { value } = fitSmiles([few(nearPoints), farPoints], NOW);
  assert.deepEqual(
    value?.smiles.map(({ expiry }) => expiry),
    [far],
  );
  const iv = pointIvBps(nearPoints, 24_000).value as number;
  assert.ok(Number.isInteger(iv) && Math.abs(iv - (nearPoints.points[4]?.ivBps ?? 0)) < 1);
  assert.equal(pointIvBps(nearPoints, 24_500).refused?.name, "missingVolatility");
  assert.equal(pointsFault(few(nearPoints), NOW), undefined);
  const odd = bent(few(nearPoints), 24_000, 1.5);
  assert.equal(fitSmiles([odd], NOW).refused?.name, "butterflyArbitrage");
  assert.match(pointsFault(odd, NOW)?.reason ?? "", /strike `24000`: .* above/);
  const rising = { ...nearPoints, points: [{ strike: 40_000, ivBps: 500_000 }] };
  assert.equal(pointsFault(rising, NOW), undefined, "below the forward");
  const two = [...rising.points, { strike: 50_000, ivBps: 900_000 }];
  assert.equal(pointsFault({ ...rising, points: two }, NOW)?.name, "butterflyArbitrage");
});

test("proposed smiles with arbitrage are found", () => {
  const [first, second] = [scaleSmile(smiles.near!), scaleSmile(smiles.far!)];
  const of = (a: typeof first, b: typeof first) =>
    smilesFault(
      [
        { expiry: near, smile: a, ...everywhere },
        { expiry: far, smile: b, ...everywhere },
      ],
      NOW,
    );
  assert.equal(of(first, second), undefined);
  assert.equal(of(second, first)?.name, "calendarArbitrage");
  assert.equal(of(first, { ...second, sigma: 0 })?.name, "butterflyArbitrage");
  assert.equal(of(first, { ...second, b: 3 * SMILE_SCALE })?.name, "butterflyArbitrage");
  assert.equal(of({ ...first, a: -SMILE_SCALE }, second)?.name, "butterflyArbitrage");
  assert.equal(of({ ...first, rho: 2 * SMILE_SCALE }, second)?.name, "butterflyArbitrage");
  const wing = smilesFault([{ expiry: NOW / 1000, smile: first, ...everywhere }], NOW);
  assert.equal(wing?.name, "expiredStrike");
});

test("smiles that cross where no option has a price are let be", () => {
  // The earlier wings are steeper, but reach the later smile seven deviations away only.
  const steep = { a: 0.001, b: 0.05, rho: 0, m: 0, sigma: 0.05 };
  const flat = { a: 0.018, b: 0.02, rho: 0, m: 0, sigma: 0.2 };
  const crossing = Math.sqrt(sviVariance(steep, 0)) * 7;
  assert.ok(sviVariance(steep, crossing) < sviVariance(flat, crossing));
  assert.ok(calendarFault(steep, flat) !== undefined, "far out they do cross");
  const smilesOf = (a: SviSmile, b: SviSmile) => [
    { expiry: near, smile: scaleSmile(a), ...everywhere },
    { expiry: far, smile: scaleSmile(b), ...everywhere },
  ];
  assert.equal(smilesFault(smilesOf(steep, flat), NOW), undefined);
  const lower = { ...flat, a: -0.0015, b: 0.02 };
  const crossed = smilesOf(steep, lower);
  assert.equal(smilesFault(crossed, NOW)?.name, "calendarArbitrage");
  // Nor does it matter what one of them says where nobody has quoted or listed anything.
  const apart = [
    { ...crossed[0]!, low: -1, high: -0.5 },
    { ...crossed[1]!, low: -0.4, high: 1 },
  ];
  assert.equal(smilesFault(apart, NOW), undefined);
});

test("quotes far out, where prices are fractions of a tick, do not count", () => {
  const smilesWith = (factor: number) => {
    const points = nearPoints.points.map(({ strike, ivBps }) => {
      return { strike, ivBps: strike < 17_000 || strike > 35_000 ? ivBps * factor : ivBps };
    });
    return fitSmiles([{ ...nearPoints, points }], NOW).value?.smiles;
  };
  assert.deepEqual(smilesWith(0.7), smilesWith(1));
  assert.equal(smilesWith(0.7)?.length, 1);
});
