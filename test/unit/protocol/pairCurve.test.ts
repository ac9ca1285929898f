/** The curve in pairs: formulas at the limits of limbs, and multiples by scalars at the edges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildAssembly, FUSED } from "../../../scripts/assembly.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { publicKeyOf, SUBGROUP_ORDER } from "../../../sequencer/protocol/eddsa.ts";
import { IS_PAIRED } from "../../../sequencer/protocol/pairedWasm.ts";
import { instantiate } from "../../../sequencer/protocol/wasm.ts";
import { runs } from "../../property/runs.ts";
import { NEUTRAL } from "./adversarialClaims.ts";

const skip = IS_PAIRED ? false : "this host does not multiply and add in one rounding";
const LIMBS = 5;
const PAIR = 80;
const POINT = 4 * PAIR;
const BASE_BITS = 7;
const KEY_BITS = 4;
/** As in `pairProducts.test.ts`: what is settled, and a constant. */
const LIMB_MAX = 2 ** 50 + 2 ** 12;
const TOP_MAX = Math.floor(2 ** 49.1);
const FACTOR_TOP_MAX = Math.floor(2 ** 48.7);
const TWICE_D = 2n * -168696n * power(168700n, FIELD_MODULUS - 2n);

interface Curve {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  doublePair(z: number, p: number, withT: number): void;
  preparePair(q: number, p: number): void;
  addPrepared(z: number, p: number, q: number, withT: number): void;
  addEntry(z: number, q: number): void;
  finishDoubling(...pairs: [number, number, number, number, number, number]): void;
  finishSum(...pairs: [number, number, number, number, number, number]): void;
  setNeutralPair(p: number): void;
  setBase(p: number): void;
  pairOf(z: number, x: number, y: number, c: number): void;
  pairTableSize(bits: number): number;
  buildLaneTable(table: number, p: number, bits: number): void;
  addMultiplesByTables(
    ...[z, first, second, bits, scalar, other]: [number, number, number, number, number, number]
  ): void;
  multiplyPair(z: number, p: number, first: number, second: number): void;
}

/** Limbs of one element; four elements of a point or of what is added. */
type Limbs = readonly number[];
type Four = readonly [Limbs, Limbs, Limbs, Limbs];
type Values = readonly [bigint, bigint, bigint, bigint];

const sumOf = (limbs: Limbs): bigint =>
  limbs.reduceRight((sum, limb) => sum * 2n ** 51n + BigInt(limb), 0n);
const valuesOf = (four: Four): Values => four.map(sumOf) as unknown as Values;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [bits, square] = [exponent, base]; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % FIELD_MODULUS;
    square = (square * square) % FIELD_MODULUS;
  }
  return result;
}

function limbsTo(limit: number, topLimit: number): fc.Arbitrary<Limbs> {
  const to = (max: number) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(-max, max) },
      fc.constantFrom(0, 1, -1),
      fc.double({ min: -1, max: 1, noNaN: true }).map((part) => Math.trunc(part * max)),
    );
  return fc
    .tuple(...Array.from({ length: LIMBS - 1 }, () => to(limit)), to(topLimit))
    .map((limbs) => limbs.map((limb) => limb + 0));
}

const settled = limbsTo(LIMB_MAX, TOP_MAX);
const point: fc.Arbitrary<Four> = fc.tuple(settled, settled, settled, settled);
const carried = limbsTo(2 ** 50 + 4, 2 * TOP_MAX + 4);
const prepared: fc.Arbitrary<Four> = fc.tuple(
  ...([carried, carried, settled, limbsTo(2 * LIMB_MAX, 2 * TOP_MAX)] as const),
);
const factor = limbsTo(2 ** 50, FACTOR_TOP_MAX);
/** An entry has no 2Z: half of it is 1. */
const entry: fc.Arbitrary<Four> = fc.tuple(
  ...([factor, factor, factor, fc.constant([1, 0, 0, 0, 0])] as const),
);

let opened: ReturnType<typeof build> | undefined;

/** It takes seconds: once for all tests. */
function open(): ReturnType<typeof build> {
  opened ??= build();
  return opened;
}

function build() {
  const entries = ["pairMultiples", "pairCurve", "pairElements", "curve", "heap"];
  const curve = instantiate(buildAssembly({ entries, features: FUSED })) as Curve;
  const [z, p, q] = [curve.reserve(POINT), curve.reserve(POINT), curve.reserve(POINT)];
  const floats = () => new Float64Array(curve.memory.buffer);
  const put = (at: number, lanes: readonly [Four, Four]): void => {
    for (const [lane, four] of lanes.entries()) {
      for (const [index, limb] of four.flat().entries()) {
        floats()[at / 8 + 2 * index + lane] = limb;
      }
    }
  };
  const limbs = (at: number, lane: number): Limbs =>
    Array.from({ length: LIMBS }, (_, limb) => floats()[at / 8 + 2 * limb + lane]!);
  const values = (at: number, lane: number): Values =>
    [0, 1, 2, 3].map((element) => sumOf(limbs(at + element * PAIR, lane))) as unknown as Values;
  const assertSettled = (at: number): void => {
    for (let lane = 0; lane < 2; lane++) {
      for (let element = 0; element < 4; element++) {
        for (const [limb, held] of limbs(at + element * PAIR, lane).entries()) {
          const max = limb === LIMBS - 1 ? TOP_MAX : LIMB_MAX;
          assert.ok(Number.isInteger(held) && Math.abs(held) <= max, `limb ${limb}: ${held}`);
        }
      }
    }
  };
  return { curve, z, p, q, put, values, assertSettled };
}

function assertSame(left: Values, right: Values): void {
  for (const [at, value] of left.entries()) {
    assert.equal((value - right[at]!) % FIELD_MODULUS, 0n, `element ${at}`);
  }
}

const doubled = ([x, y, z]: Values): Values => doubledBy([x * x, y * y, z * z, x * y]);

function doubledBy([xx, yy, zz, xy]: Values): Values {
  const [e, g, h] = [2n * xy, yy - xx, xx + yy];
  const f = 2n * zz - g;
  return [e * f, g * h, f * g, e * h];
}

const added = ([x, y, z, t]: Values, [sum, difference, t2, z2]: Values): Values =>
  addedBy([(y - x) * difference, (y + x) * sum, t * t2, z * z2]);

function addedBy([a, b, c, d]: Values): Values {
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [e * f, g * h, f * g, e * h];
}

test("doublings and sums are right whatever settled products they are made of", { skip }, () => {
  const { curve, z, p, put, values, assertSettled } = open();
  fc.assert(
    fc.property(point, point, (first, second) => {
      put(p, [first, second]);
      const products = [p, p + PAIR, p + 2 * PAIR, p + 3 * PAIR] as const;
      curve.finishDoubling(z, ...products, 1);
      assertSettled(z);
      assertSame(values(z, 0), doubledBy(valuesOf(first)));
      assertSame(values(z, 1), doubledBy(valuesOf(second)));
      curve.finishSum(z, ...products, 1);
      assertSettled(z);
      assertSame(values(z, 0), addedBy(valuesOf(first)));
      assertSame(values(z, 1), addedBy(valuesOf(second)));
    }),
    runs(2000),
  );
});

test("doubling is right at the limits of limbs, in both lanes", { skip }, () => {
  const { curve, z, p, put, values, assertSettled } = open();
  fc.assert(
    fc.property(point, point, (first, second) => {
      put(p, [first, second]);
      curve.doublePair(z, p, 1);
      assertSettled(z);
      assertSame(values(z, 0), doubled(valuesOf(first)));
      assertSame(values(z, 1), doubled(valuesOf(second)));
      curve.doublePair(p, p, 1);
      for (const lane of [0, 1]) assert.deepEqual(values(p, lane), values(z, lane));
    }),
    runs(2000),
  );
});

test("adding what is prepared is, and an entry", { skip }, () => {
  const { curve, z, p, q, put, values, assertSettled } = open();
  fc.assert(
    fc.property(point, point, prepared, prepared, entry, (first, second, one, two, three) => {
      put(p, [first, second]);
      put(q, [one, two]);
      curve.addPrepared(z, p, q, 1);
      assertSettled(z);
      assertSame(values(z, 0), added(valuesOf(first), valuesOf(one)));
      assertSame(values(z, 1), added(valuesOf(second), valuesOf(two)));
      put(q, [three, three]);
      curve.addEntry(p, q);
      assertSettled(p);
      assertSame(values(p, 0), added(valuesOf(first), valuesOf(three)));
      assertSame(values(p, 1), added(valuesOf(second), valuesOf(three)));
    }),
    runs(2000),
  );
});

test("preparing keeps what is added inside its limits", { skip }, () => {
  const { curve, p, q, put, values } = open();
  fc.assert(
    fc.property(point, point, (first, second) => {
      put(p, [first, second]);
      curve.preparePair(q, p);
      for (const [lane, four] of [first, second].entries()) {
        const [x, y, z, t] = valuesOf(four);
        assertSame(values(q, lane), [y + x, y - x, TWICE_D * t, 2n * z]);
      }
      const held = new Float64Array(curve.memory.buffer, q, POINT / 8);
      for (const [index, limb] of held.entries()) {
        const [element, place] = [Math.floor(index / (2 * LIMBS)), (index >> 1) % LIMBS];
        const max = element === 3 ? 2 * LIMB_MAX : LIMB_MAX;
        assert.ok(Math.abs(limb) <= (place === LIMBS - 1 ? 2 * TOP_MAX + 4 : max), `${limb}`);
      }
    }),
    runs(500),
  );
});

/** Digits of 0, of the largest and of the smallest size, in every window or in one. */
const windowsOf = (bits: number, digit: bigint): bigint => {
  let value = 0n;
  for (let bit = 0; bit + bits < 251; bit += bits) value |= digit << BigInt(bit);
  return value % SUBGROUP_ORDER;
};
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 7n, 8n, 9n, 15n, 16n, 17n, 31n, 32n, 33n, 63n, 64n, 65n, 127n, 128n],
  ...[SUBGROUP_ORDER - 1n, SUBGROUP_ORDER >> 1n, 2n ** 250n, 2n ** 250n - 1n],
  ...[4, 5, 7].flatMap((bits) => {
    const half = 2n ** BigInt(bits - 1);
    return [half - 1n, half, half + 1n, 2n * half - 1n].map((digit) => windowsOf(bits, digit));
  }),
];

test("multiples by any two scalars are those of one point at a time", { skip }, () => {
  const { curve, z, p, values } = open();
  const [base, none] = [curve.reserve(200), curve.reserve(40)];
  const scalars = curve.reserve(64);
  curve.setBase(base);
  for (let at = 0; at < 4; at++) curve.pairOf(p + at * PAIR, base + 36 * at, base + 36 * at, none);
  const tables = [BASE_BITS, KEY_BITS].map((bits) => {
    const table = curve.reserve(curve.pairTableSize(bits));
    curve.buildLaneTable(table, base, bits);
    return { bits, table };
  });
  const scale = values(p, 0)[0] * power(publicKeyOf(1n).x, FIELD_MODULUS - 2n);
  const assertMultiples = (pair: readonly [bigint, bigint]): void => {
    for (const [lane, scalar] of pair.entries()) {
      const { x, y } = scalar === 0n ? NEUTRAL : publicKeyOf(scalar);
      const [X, Y, Z, T] = values(z, lane);
      assert.notEqual(Z % FIELD_MODULUS, 0n);
      assertSame([X, Y, Z * T, 0n], [scale * x * Z, y * Z, X * Y, 0n]);
    }
  };
  const scalar = fc.oneof(
    fc.constantFrom(...EDGES),
    fc.bigInt({ min: 0n, max: SUBGROUP_ORDER - 1n }),
  );
  fc.assert(
    fc.property(scalar, scalar, (first, second) => {
      const words = new BigUint64Array(curve.memory.buffer, scalars, 8);
      for (let at = 0n; at < 4n; at++) {
        words[Number(at)] = first >> (64n * at);
        words[Number(at) + 4] = second >> (64n * at);
      }
      curve.multiplyPair(z, p, scalars, scalars + 32);
      assertMultiples([first, second]);
      for (const { bits, table } of tables) {
        curve.setNeutralPair(z);
        curve.addMultiplesByTables(z, table, table, bits, scalars, scalars + 32);
        assertMultiples([first, second]);
      }
    }),
    { ...runs(300), examples: EDGES.map((edge, at) => [edge, EDGES.at(-1 - at)!]) },
  );
});
