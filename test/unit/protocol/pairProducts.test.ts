/** The arithmetic under the pairs, at the limits that `assembly/pairs.ts` states. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildAssembly, FUSED } from "../../../scripts/assembly.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { IS_PAIRED } from "../../../sequencer/protocol/pairedWasm.ts";
import { instantiate } from "../../../sequencer/protocol/wasm.ts";
import { runs } from "../../property/runs.ts";

const skip = IS_PAIRED ? false : "this host does not multiply and add in one rounding";
const LIMBS = 5;
const PAIR = 80;
const SINGLE = 40;
/** What `settle` may leave: limbs, the highest one, and how far from 0 (parts of p). */
const LIMB_MAX = 2 ** 50 + 2 ** 12;
const TOP_MAX = Math.floor(2 ** 49.1);
const [LEFT, OF] = [69n, 100n];
/** A constant's highest limb. */
const FACTOR_TOP_MAX = Math.floor(2 ** 48.7);
const TERMS_MAX = 41;

interface Products {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  mulPair(z: number, x: number, y: number): void;
  squarePair(z: number, x: number): void;
  dotPair(z: number, k: number, x: number, terms: number, c: number): void;
}

type Limbs = readonly number[];
type Pair = readonly [Limbs, Limbs];

const sumOf = (limbs: Limbs): bigint =>
  limbs.reduceRight((sum, limb) => sum * 2n ** 51n + BigInt(limb), 0n);

function limbsBelow(limit: number, topLimit: number): fc.Arbitrary<Limbs> {
  const of = (max: number) =>
    fc.oneof(fc.constantFrom(-max, max, 0, 1, -1), fc.integer({ min: -(2 ** 31), max: 2 ** 31 }));
  const scaled = (max: number) =>
    fc.oneof(
      of(max),
      fc.double({ min: -1, max: 1, noNaN: true }).map((d) => Math.trunc(d * max)),
    );
  return fc
    .tuple(...Array.from({ length: LIMBS - 1 }, () => scaled(limit)), scaled(topLimit))
    .map((limbs) => limbs.map((limb) => limb + 0));
}

const settled = limbsBelow(LIMB_MAX, TOP_MAX);
const pair = fc.tuple(settled, settled);
const factor = limbsBelow(2 ** 50, FACTOR_TOP_MAX);
const addend = fc.array(fc.bigInt({ min: 0n, max: 2n ** 51n - 1n }), {
  ...{ minLength: LIMBS, maxLength: LIMBS },
});

function openProducts() {
  const entries = ["pairProducts", "heap"];
  const products = instantiate(buildAssembly({ entries, features: FUSED })) as Products;
  const [z, x, k, c] = [PAIR, TERMS_MAX * PAIR, TERMS_MAX * SINGLE, SINGLE].map(products.reserve);
  const floats = () => new Float64Array(products.memory.buffer);
  const putPair = (at: number, [first, second]: Pair): void => {
    const memory = floats();
    for (let limb = 0; limb < LIMBS; limb++) {
      memory[at / 8 + 2 * limb] = first[limb]!;
      memory[at / 8 + 2 * limb + 1] = second[limb]!;
    }
  };
  /** Asserts the limits too. */
  const result = (lane: 0 | 1): bigint => {
    const limbs = Array.from({ length: LIMBS }, (_, limb) => floats()[z! / 8 + 2 * limb + lane]!);
    for (const [limb, held] of limbs.entries()) {
      const max = limb === LIMBS - 1 ? TOP_MAX : LIMB_MAX;
      assert.ok(Number.isInteger(held) && Math.abs(held) <= max, `limb ${limb}: ${held}`);
    }
    const sum = sumOf(limbs);
    const size = sum < 0n ? -sum : sum;
    assert.ok(size * OF <= LEFT * FIELD_MODULUS, `${sum} is too far from 0`);
    return sum;
  };
  return { products, places: { z: z!, x: x!, k: k!, c: c! }, floats, putPair, result };
}

function assertSame(left: bigint, right: bigint): void {
  assert.equal((left - right) % FIELD_MODULUS, 0n);
}

test("products and squares are right and inside their limits, at the limits too", { skip }, () => {
  const { products, places, putPair, result } = openProducts();
  const { z, x } = places;
  fc.assert(
    fc.property(pair, pair, (left, right) => {
      putPair(x, left);
      putPair(x + PAIR, right);
      products.mulPair(z, x, x + PAIR);
      for (const lane of [0, 1] as const) {
        assertSame(result(lane), sumOf(left[lane]) * sumOf(right[lane]));
      }
      products.squarePair(z, x);
      for (const lane of [0, 1] as const) assertSame(result(lane), sumOf(left[lane]) ** 2n);
    }),
    runs(2000),
  );
});

test("sums of products are, of any number of terms", { skip }, () => {
  const { products, places, putPair, floats, result } = openProducts();
  const { z, x, k, c } = places;
  const term = fc.tuple(factor, pair);
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: TERMS_MAX }), addend, (terms, plus) => {
      for (const [at, [limbs, held]] of terms.entries()) {
        floats().set(limbs, (k + at * SINGLE) / 8);
        putPair(x + at * PAIR, held);
      }
      new BigInt64Array(products.memory.buffer).set(plus, c / 8);
      products.dotPair(z, k, x, terms.length, c);
      const start = plus.reduceRight((sum, limb) => sum * 2n ** 51n + limb, 0n);
      for (const lane of [0, 1] as const) {
        const wanted = terms.reduce((sum, [f, held]) => sum + sumOf(f) * sumOf(held[lane]), start);
        assertSame(result(lane), wanted);
      }
    }),
    runs(1000),
  );
});

test("as many terms as one reduction takes, all as large as they may be", { skip }, () => {
  const { products, places, putPair, floats, result } = openProducts();
  const { z, x, k, c } = places;
  for (const terms of [1, 5, 17, 18, 19, 33, TERMS_MAX]) {
    for (const [signK, signX] of [
      [1, 1],
      [1, -1],
      [-1, -1],
    ] as const) {
      const limbs = [1, 1, 1, 1].map(() => signX * LIMB_MAX).concat(signX * TOP_MAX);
      const factors = [1, 1, 1, 1].map(() => signK * 2 ** 50).concat(signK * FACTOR_TOP_MAX);
      for (let at = 0; at < terms; at++) {
        floats().set(factors, (k + at * SINGLE) / 8);
        putPair(x + at * PAIR, [limbs, limbs]);
      }
      new BigInt64Array(products.memory.buffer).fill(2n ** 51n - 1n, c / 8, c / 8 + LIMBS);
      products.dotPair(z, k, x, terms, c);
      const start = 2n ** 255n - 1n;
      assertSame(result(0), start + BigInt(terms) * sumOf(factors) * sumOf(limbs));
      assert.equal(result(1), result(0));
    }
  }
});
