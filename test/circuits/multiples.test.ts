// Multiples of points: the parts of a signature's circuit. Small instances exhaust all scalars and
// all of the prover's choices; whole ones meet the edges.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailed } from "../../circuits/adversary/calculator.ts";
import { inverse, reduce } from "../../circuits/adversary/field.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { SUBGROUP_ORDER as L } from "../../sequencer/protocol/eddsa.ts";
import { addPoints, BASE, multiply, NEUTRAL, type Point, TORSION } from "../support/babyJubjub.ts";
import { accepts, assertPinned, assertRejects, readAll, vectors } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const KEY = multiply(BASE, 987654321987654321n);
const HALF = (L + 1n) / 2n;
const over = (value: bigint, by: bigint): bigint => reduce(value * inverse(by, R), R);
/** In Montgomery form; not for the points without any. */
const montgomery = ([x, y]: Point): Point => {
  const u = over(1n + y, reduce(1n - y, R));
  return [u, over(u, x)];
};
const outOf = (gadget: Gadget, witness: readonly bigint[]): Point => {
  const [x, y] = readAll(gadget, witness, "out", 2);
  return [x!, y!];
};
/** What comes out, or undefined where the template refuses. */
function outcome(gadget: Gadget, inputs: Parameters<Gadget["witness"]>[0]): Point | undefined {
  try {
    return outOf(gadget, gadget.witness(inputs));
  } catch (error) {
    if (error instanceof AssertionFailed) return undefined;
    throw error;
  }
}

test("MontgomerySum proves: out = one + other; another slope is refused", async () => {
  const source = { file: "gadgets/Curve.circom", main: "MontgomerySum()" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  for (const factor of [2n, 3n, -5n, L - 9n]) {
    const inputs = { one: montgomery(KEY), other: montgomery(multiply(KEY, factor)) };
    const witness = assertPinned(gadget, inputs);
    assert.deepEqual(outOf(gadget, witness), montgomery(multiply(KEY, factor + 1n)));
    const slope = gadget.read(witness, "slope");
    assert.deepEqual(outcome(free, { ...inputs, hint_slope: slope }), outOf(gadget, witness));
    for (const hint_slope of [0n, 1n, slope + 1n, R - slope]) {
      assertRejects(free, { ...inputs, hint_slope });
    }
  }
});

test("DoubleAndAdd proves: out = 2 point + other; other slopes are refused", async () => {
  const source = { file: "gadgets/Curve.circom", main: "DoubleAndAdd()" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  for (const factor of [2n, 3n, -5n, L - 9n]) {
    for (const torsion of TORSION) {
      const other = addPoints(multiply(KEY, factor), torsion);
      const inputs = { point: montgomery(KEY), other: montgomery(other) };
      const witness = assertPinned(gadget, inputs);
      const sum = montgomery(addPoints(multiply(KEY, 2n), other));
      assert.deepEqual(outOf(gadget, witness), sum);
      const hints = {
        hint_slope: gadget.read(witness, "slope"),
        hint_second: gadget.read(witness, "second"),
      };
      assert.deepEqual(outcome(free, { ...inputs, ...hints }), sum);
      for (const name of ["hint_slope", "hint_second"] as const) {
        for (const value of [0n, hints[name] + 1n, R - hints[name]]) {
          assertRejects(free, { ...inputs, ...hints, [name]: value }, name);
        }
      }
    }
  }
});

test("EdwardsDouble proves: out = 2 in, for each point of the curve", async () => {
  const source = { file: "gadgets/Curve.circom", main: "EdwardsDouble()" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  for (const point of TORSION.flatMap((torsion) => [torsion, addPoints(KEY, torsion)])) {
    const double = multiply(point, 2n);
    assert.deepEqual(outOf(gadget, assertPinned(gadget, { in: point })), double);
    assert.deepEqual(outcome(free, { in: point, hint_out: double }), double);
    for (const out of [point, [R - double[0], double[1] + 1n], [double[0] + 1n, double[1]]]) {
      if (out[0] === double[0] && out[1] === double[1]) continue;
      assertRejects(free, { in: point, hint_out: out });
    }
  }
});

test("TimesCofactor proves: a point of the curve of large order, times 8", async () => {
  const source = { file: "gadgets/TimesCofactor.circom", main: "TimesCofactor()" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  for (const torsion of TORSION) {
    const point = addPoints(KEY, torsion);
    const eight = multiply(KEY, 8n);
    assert.deepEqual(outOf(gadget, assertPinned(gadget, { in: point })), eight, "no part of it");
    assert.ok(accepts(free, { in: point, hint_inverse: inverse(eight[0], R) }));
    assertRejects(free, { in: point, hint_inverse: inverse(eight[0], R) + 1n });
    for (const hint_inverse of [0n, 1n, R - 1n]) {
      assertRejects(free, { in: torsion, hint_inverse }, "small order");
    }
    assertRejects(gadget, { in: torsion }, "small order");
    for (const off of [
      [point[0] + 1n, point[1]],
      [point[0], point[1] + 1n],
      [point[1], point[0]],
      [0n, 0n],
      [1n, 1n],
    ]) {
      assertRejects(gadget, { in: off }, "off the curve");
    }
  }
});

/** FixedWindow over the generator; with its hints as inputs, or not. */
const windowSource = (isFree: boolean) => {
  const points = [1n, 3n, 5n, 7n].map((factor) => montgomery(multiply(BASE, factor)));
  const names = isFree ? ["isOdd", "isHigh", "root"] : [];
  return {
    ...{ file: "gadgets/FixedWindow.circom", main: "Window()", freeHints: isFree },
    around: `template Window() {
      signal input digit;
      signal output out[2];
      ${names.map((name) => `signal input hint_${name};`).join(" ")}
      var points[4][2] = [${points.map(([u, v]) => `[${u}, ${v}]`).join(", ")}];
      component window = FixedWindow(points);
      window.digit <== digit;
      ${names.map((name) => `window.hint_${name} <== hint_${name};`).join(" ")}
      out <== window.out;
    }`,
  };
};

test("FixedWindow proves: an odd digit, -7 to 7, times the point; no other choice", async () => {
  const gadget = await loadGadget(windowSource(false));
  const free = await loadGadget(windowSource(true));
  const roots = new Map<bigint, bigint>();
  for (let digit = -9n; digit <= 9n; digit++) {
    const isDigit = digit % 2n !== 0n && digit >= -7n && digit <= 7n;
    if (!isDigit) {
      assertRejects(gadget, { digit }, `${digit}`);
      continue;
    }
    const point = montgomery(multiply(BASE, digit));
    assert.deepEqual(outOf(gadget, assertPinned(gadget, { digit })), point);
    roots.set(digit, point[1]);
  }
  let taken = 0;
  for (const [hint_isOdd = 0n, hint_isHigh = 0n] of vectors([0n, 1n, 2n, R - 1n], 2)) {
    for (const root of [...roots.values(), 0n, 1n]) {
      for (let digit = -9n; digit <= 9n; digit++) {
        const out = outcome(free, { digit, hint_isOdd, hint_isHigh, hint_root: root });
        if (out === undefined) continue;
        assert.equal(root, roots.get(digit), "the root of this digit");
        assert.deepEqual(out, montgomery(multiply(BASE, digit)));
        taken++;
      }
    }
  }
  assert.equal(taken, roots.size, "one choice for each digit");
});

test("FixedBase proves: 0 <= scalar < order, out = scalar B: each choice of a prover", async () => {
  const source = { file: "gadgets/FixedBase.circom", main: "FixedBase(4, 23)" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  // As though 23 were the order: what has the top digit is less by 23.
  for (let scalar = 0n; scalar < 23n; scalar++) {
    const expected = multiply(BASE, scalar < 16n ? scalar : scalar - 23n);
    assert.deepEqual(outOf(gadget, assertPinned(gadget, { scalar })), expected);
  }
  for (const scalar of [-1n, 23n, 24n, 31n, 32n, 46n]) assertRejects(gadget, { scalar });
  for (const [hint_top = 0n, hint_below = 0n] of vectors([0n, 1n, 2n, R - 1n], 2)) {
    for (let digit = -9n; digit <= 9n; digit++) {
      for (let scalar = -8n; scalar < 32n; scalar++) {
        const hints = { hint_top, hint_below, hint_digit: [digit] };
        const out = outcome(free, { scalar, ...hints });
        if (out === undefined) continue;
        assert.ok(scalar >= 0n && scalar < 23n && hint_top <= 1n && hint_below <= 1n);
        assert.deepEqual(out, multiply(BASE, scalar - hint_top * 23n));
      }
    }
  }
});

const powers = Array.from({ length: 252 }, (_, bits) => 1n << BigInt(bits));
/** Edges of scalars and of windows: all digits low, all high, in turn. */
const EDGES = [
  ...[0n, 1n, 2n, 7n, 8n, HALF, HALF - 1n, L - 2n, L - 1n],
  ...[...powers.keys()]
    .filter((bits) => bits % 31 < 2)
    .flatMap((b) => [powers[b]!, powers[b]! - 1n]),
  ...[2n ** 250n, 2n ** 250n - 1n, L - 2n ** 250n, L - 2n ** 250n - 1n, L - 2n ** 250n + 1n],
  ...[3n, 5n, 9n, 17n, 85n].map((part) => 2n ** 250n / part),
];

test("FixedBase with the order of the group: edges, and nothing from the order on", async () => {
  const main = "FixedBase(250, SUBGROUP_ORDER())";
  const gadget = await loadGadget({ file: "gadgets/FixedBase.circom", main });
  for (const scalar of EDGES.filter((each) => each < L)) {
    assert.deepEqual(outcome(gadget, { scalar }), multiply(BASE, scalar), `${scalar}`);
  }
  assert.deepEqual(outOf(gadget, assertPinned(gadget, { scalar: L - 1n })), multiply(BASE, -1n));
  for (const scalar of [L, L + 1n, 2n * L, 2n ** 251n, 2n ** 253n, R - 1n, R - L]) {
    assertRejects(gadget, { scalar }, `${scalar}`);
  }
});

test("FixedBase: a scalar that two top digits can stand for has one multiple", async () => {
  const main = "FixedBase(250, SUBGROUP_ORDER())";
  const free = await loadGadget({ file: "gadgets/FixedBase.circom", main, freeHints: true });
  const limit = 2n ** 250n;
  const rest = L - limit;
  for (const scalar of [0n, 1n, rest - 1n, rest, limit / 2n, limit - 1n, limit, L - 1n, L]) {
    for (const top of [0n, 1n]) {
      const bits = scalar - top * rest;
      const hint_digit = Array.from({ length: 83 }, (_, w) => {
        return 2n * ((bits >> BigInt(3 * w)) & 7n) - 7n;
      });
      const hints = { hint_top: top, hint_below: (bits >> 249n) & 1n, hint_digit };
      const isSum = bits >= 0n && bits < limit;
      const expected = isSum ? multiply(BASE, scalar) : undefined;
      assert.deepEqual(outcome(free, { scalar, ...hints }), expected, `${scalar} with ${top}`);
    }
  }
});

test("SignedMultiple proves: factor = sum of signs, out = factor times the point", async () => {
  const source = { file: "gadgets/SignedMultiple.circom", main: "SignedMultiple(4)" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  for (let factor = -17n; factor <= 17n; factor++) {
    for (const isNegative of [0n, 1n]) {
      const inputs = { point: KEY, isNegative, factor };
      const isSum = factor % 2n !== 0n && factor > -16n && factor < 16n;
      if (!isSum || factor < 0n !== (isNegative === 1n)) {
        assertRejects(gadget, inputs);
        continue;
      }
      // All choices of signs pass by 1 and -1 over and over: no slope is left free.
      assert.deepEqual(outOf(gadget, assertPinned(gadget, inputs)), multiply(KEY, factor));
    }
  }
  const v = montgomery(KEY)[1];
  const vOfOdd = montgomery(addPoints(KEY, TORSION[4]!))[1];
  const values = (root: bigint) => [root, -root, 0n, 2n * root, root + 1n, vOfOdd + v - root];
  let taken = 0;
  for (const [one, two, four] of vectors([0, 1, 2, 3, 4, 5], 3)) {
    for (const [even, odd] of vectors([-5n, -3n, -1n, 1n, 2n, 3n, 5n], 2)) {
      const signed = [values(v)[one!]!, values(vOfOdd)[two!]!, values(v)[four!]!, 0n];
      const hints = { hint_signed: signed, hint_sums: [even!, odd!] };
      const inputs = { point: KEY, isNegative: 0n, factor: even! + odd! + 8n };
      const out = outcome(free, { ...inputs, ...hints });
      if (out === undefined) continue;
      assert.ok(one! < 2 && two! < 2 && four! < 2, "roots of one square only");
      assert.deepEqual(out, multiply(KEY, even! + odd! + 8n));
      taken++;
    }
  }
  // The sum of the odd places is that of one sign, -2 or 2: only 2 is among those tried.
  assert.equal(taken, 4);
});

test("SignedMultiple with all digits of the subgroup: no runs of signs meet", async () => {
  const source = { file: "gadgets/SignedMultiple.circom", main: "SignedMultiple(250)" };
  const gadget = await loadGadget(source);
  const limit = 2n ** 250n;
  for (const factor of [1n, 3n, limit - 1n, limit / 2n + 1n, limit / 2n - 1n, limit / 3n]) {
    for (const each of [factor, -factor]) {
      const inputs = { point: KEY, isNegative: each < 0n ? 1n : 0n, factor: each };
      assert.deepEqual(outcome(gadget, inputs), multiply(KEY, each), `${each}`);
    }
  }
  assertPinned(gadget, { point: KEY, isNegative: 0n, factor: 1n });
  for (const factor of [limit + 1n, -limit - 1n, L, 0n, 2n]) {
    for (const isNegative of [0n, 1n]) {
      assertRejects(gadget, { point: KEY, isNegative, factor }, `${factor}`);
    }
  }
});

test("Multiple proves: scalar = eighth order + rest, out = rest times the point", async () => {
  const source = { file: "gadgets/Multiple.circom", main: "Multiple(3, 11)" };
  const gadget = await loadGadget(source);
  const free = await loadGadget({ ...source, freeHints: true });
  // As though 11 were the order: rests from 8 on are taken as less by 11.
  for (let scalar = 0n; scalar < 88n; scalar++) {
    const rest = scalar % 11n;
    const expected = multiply(KEY, rest < 8n ? rest : rest - 11n);
    const inputs = { scalar, point: KEY };
    assert.deepEqual(outOf(gadget, assertPinned(gadget, inputs)), expected, `${scalar}`);
  }
  for (const scalar of [-1n, 88n, 89n, 99n, R / 2n]) assertRejects(gadget, { scalar, point: KEY });
  for (const hint_eighth of vectors([0n, 1n], 3)) {
    const eighth = hint_eighth[0]! + 2n * hint_eighth[1]! + 4n * hint_eighth[2]!;
    for (const [hint_isNegative = 0n, hint_isEven = 0n] of vectors([0n, 1n], 2)) {
      for (let factor = -9n; factor <= 9n; factor++) {
        const w = factor - hint_isEven;
        const scalar = (eighth + hint_isNegative) * 11n + w;
        const hints = { hint_eighth, hint_isNegative, hint_isEven, hint_factor: factor };
        const inputs = { point: KEY, ...hints };
        const out = outcome(free, { ...inputs, scalar });
        assertRejects(free, { ...inputs, scalar: scalar + 1n }, "another scalar");
        const isSum = factor % 2n !== 0n && factor > -8n && factor < 8n;
        const isTaken = isSum && factor < 0n === (hint_isNegative === 1n);
        assert.deepEqual(out, isTaken ? multiply(KEY, w) : undefined);
        assert.ok(!isTaken || (scalar >= 0n && scalar < 88n));
      }
    }
  }
  const honest = { scalar: 3n, point: KEY, hint_isNegative: 0n, hint_isEven: 0n, hint_factor: 3n };
  assert.ok(accepts(free, { ...honest, hint_eighth: [0n, 0n, 0n] }));
  assertRejects(free, { ...honest, hint_eighth: [2n, R - 1n, 0n] }, "no bits");
  assertRejects(free, {
    ...honest,
    hint_isEven: R - 1n,
    hint_factor: 1n,
    hint_eighth: [0n, 0n, 0n],
  });
});

const WHOLE = { file: "gadgets/Multiple.circom", main: "Multiple(250, SUBGROUP_ORDER())" };

test("Multiple with the order of the group: edges of any field element", async () => {
  const gadget = await loadGadget(WHOLE);
  const point = multiply(KEY, 8n);
  const scalars = [...EDGES, R - 1n, R - 2n, R / 2n, 2n ** 252n, 2n ** 253n, 2n ** 253n - 1n];
  for (const k of [1n, 2n, 5n, 7n]) {
    scalars.push(k * L - 1n, k * L, k * L + 1n, k * L + 2n ** 250n, k * L + L / 2n);
  }
  for (const scalar of scalars) {
    assert.deepEqual(outcome(gadget, { scalar, point }), multiply(point, scalar), `${scalar}`);
  }
  assertPinned(gadget, { scalar: L, point });
});

test("Multiple: no second scalar of one field element, but below 8 l - p", async () => {
  const free = await loadGadget({ ...WHOLE, freeHints: true });
  const edge = 8n * L - R;
  assert.ok(edge > 0n && edge < 2n ** 126n);
  /** What comes out if the prover takes `scalar + moved` apart in some way. */
  const outcomes = (scalar: bigint, moved: bigint): Point[] => {
    const found: Point[] = [];
    for (let eighth = -1n; eighth <= 9n; eighth++) {
      for (const isNegative of [0n, 1n]) {
        const w = scalar + moved - (eighth + isNegative) * L;
        const isEven = w & 1n ? 0n : 1n;
        // More than three bits do not fit: the third takes the rest, and is refused.
        const hint_eighth = [eighth & 1n, (eighth >> 1n) & 1n, eighth >> 2n];
        const hints = { hint_isNegative: isNegative, hint_isEven: isEven, hint_factor: w + isEven };
        const out = outcome(free, { scalar, point: KEY, hint_eighth, ...hints });
        if (out !== undefined) found.push(out);
      }
    }
    return found;
  };
  for (const scalar of [0n, 5n, edge - 1n, edge, edge + 1n, L / 2n, L, R / 3n, R - 1n]) {
    const own = outcomes(scalar, 0n);
    assert.ok(own.length === 1 || own.length === 2, `${own.length} ways`);
    for (const out of own) assert.deepEqual(out, multiply(KEY, scalar));
    const others = [...outcomes(scalar, R), ...outcomes(scalar, -R)];
    assert.equal(others.length > 0, scalar < edge, `${scalar} as another`);
  }
});

test("the multiple of nothing is the neutral element", async () => {
  const gadget = await loadGadget(WHOLE);
  for (const scalar of [0n, L, 7n * L]) {
    assert.deepEqual(outcome(gadget, { scalar, point: KEY }), NEUTRAL);
  }
});
