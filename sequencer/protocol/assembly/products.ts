/**
 * The BN254 scalar field in WebAssembly: nine limbs of 29 bits in Montgomery form, R = 2^261.
 * An element is nine u32 in memory, least significant first, and stands for its value times R.
 *
 * Reduction is lazy. A product's bound is p (1 + A B / 169) for factors below A p and B p, so
 * what is added a few times before it is multiplied needs no subtraction of p: only `canonical`
 * reduces fully. `mul` and `square` take limbs below 2^30 (one addition without carries), or one
 * factor of `mul` below 1.5 2^30; `dot` takes limbs below 2^29. Results have limbs below 2^29, but
 * for those of `addLazy` and `subLazy`.
 *
 * p = 2^28 + 1 modulo 2^29, which is its own inverse: the Montgomery quotient of a limb t is
 * 2^28 t - t, without a multiplication. Limbs, columns and delayed carries are those of
 * Mitscha-Baude's entry for ZPrize 2022.
 */

export const ELEMENT: usize = 36;
export const LIMB: usize = 4;
export const MASK: u64 = 0x1fffffff;
const P0: u64 = 0x10000001;
const P1: u64 = 0x1f0fac9f;
const P2: u64 = 0xe5c2450;
const P3: u64 = 0x7d090f3;
const P4: u64 = 0x1585d283;
const P5: u64 = 0x2db40c0;
const P6: u64 = 0xa6e141;
const P7: u64 = 0xe5c2634;
const P8: u64 = 0x30644e;

/** In memory, as constants are made anew at every use: the mask of two limbs, and p's limbs. */
const VECTORS = memory.data<u32>([
  0x1fffffff, 0, 0x1fffffff, 0, 0x10000001, 0x1f0fac9f, 0xe5c2450, 0x7d090f3, 0x1585d283, 0x2db40c0,
  0xa6e141, 0xe5c2634,
]);

export const ZERO = memory.data<u32>([0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Products that `dot` sums before it carries: 7 x 8 full ones and the quotients' 3.4 < 64. */
const TERMS = 7;
const TERMS_SPAN: usize = 252;

/** z = x y. Any of them may be the same element. */
export function mul(z: usize, x: usize, y: usize): void {
  const x0: u64 = load<u32>(x);
  const x1: u64 = load<u32>(x, 4);
  const x2: u64 = load<u32>(x, 8);
  const x3: u64 = load<u32>(x, 12);
  const x4: u64 = load<u32>(x, 16);
  const x5: u64 = load<u32>(x, 20);
  const x6: u64 = load<u32>(x, 24);
  const x7: u64 = load<u32>(x, 28);
  const x8: u64 = load<u32>(x, 32);
  const y0: u64 = load<u32>(y);
  const y1: u64 = load<u32>(y, 4);
  const y2: u64 = load<u32>(y, 8);
  const y3: u64 = load<u32>(y, 12);
  const y4: u64 = load<u32>(y, 16);
  const y5: u64 = load<u32>(y, 20);
  const y6: u64 = load<u32>(y, 24);
  const y7: u64 = load<u32>(y, 28);
  const y8: u64 = load<u32>(y, 32);
  let t: u64 = x0 * y0;
  const m0 = ((t << 28) - t) & MASK;
  t += m0 * P0;
  t = (t >> 29) + x0 * y1 + x1 * y0;
  t += m0 * P1;
  const m1 = ((t << 28) - t) & MASK;
  t += m1 * P0;
  t = (t >> 29) + x0 * y2 + x1 * y1 + x2 * y0;
  t += m0 * P2 + m1 * P1;
  const m2 = ((t << 28) - t) & MASK;
  t += m2 * P0;
  t = (t >> 29) + x0 * y3 + x1 * y2 + x2 * y1 + x3 * y0;
  t += m0 * P3 + m1 * P2 + m2 * P1;
  const m3 = ((t << 28) - t) & MASK;
  t += m3 * P0;
  t = (t >> 29) + x0 * y4 + x1 * y3 + x2 * y2 + x3 * y1 + x4 * y0;
  t += m0 * P4 + m1 * P3 + m2 * P2 + m3 * P1;
  const m4 = ((t << 28) - t) & MASK;
  t += m4 * P0;
  t = (t >> 29) + x0 * y5 + x1 * y4 + x2 * y3 + x3 * y2 + x4 * y1 + x5 * y0;
  t += m0 * P5 + m1 * P4 + m2 * P3 + m3 * P2 + m4 * P1;
  const m5 = ((t << 28) - t) & MASK;
  t += m5 * P0;
  t = (t >> 29) + x0 * y6 + x1 * y5 + x2 * y4 + x3 * y3 + x4 * y2 + x5 * y1 + x6 * y0;
  t += m0 * P6 + m1 * P5 + m2 * P4 + m3 * P3 + m4 * P2 + m5 * P1;
  const m6 = ((t << 28) - t) & MASK;
  t += m6 * P0;
  t = (t >> 29) + x0 * y7 + x1 * y6 + x2 * y5 + x3 * y4 + x4 * y3 + x5 * y2 + x6 * y1 + x7 * y0;
  t += m0 * P7 + m1 * P6 + m2 * P5 + m3 * P4 + m4 * P3 + m5 * P2 + m6 * P1;
  const m7 = ((t << 28) - t) & MASK;
  t += m7 * P0;
  t =
    (t >> 29) +
    x0 * y8 +
    x1 * y7 +
    x2 * y6 +
    x3 * y5 +
    x4 * y4 +
    x5 * y3 +
    x6 * y2 +
    x7 * y1 +
    x8 * y0;
  t += m0 * P8 + m1 * P7 + m2 * P6 + m3 * P5 + m4 * P4 + m5 * P3 + m6 * P2 + m7 * P1;
  const m8 = ((t << 28) - t) & MASK;
  t += m8 * P0;
  t = (t >> 29) + x1 * y8 + x2 * y7 + x3 * y6 + x4 * y5 + x5 * y4 + x6 * y3 + x7 * y2 + x8 * y1;
  t += m1 * P8 + m2 * P7 + m3 * P6 + m4 * P5 + m5 * P4 + m6 * P3 + m7 * P2 + m8 * P1;
  store<u32>(z, (t & MASK) as u32);
  t = (t >> 29) + x2 * y8 + x3 * y7 + x4 * y6 + x5 * y5 + x6 * y4 + x7 * y3 + x8 * y2;
  t += m2 * P8 + m3 * P7 + m4 * P6 + m5 * P5 + m6 * P4 + m7 * P3 + m8 * P2;
  store<u32>(z, (t & MASK) as u32, 4);
  t = (t >> 29) + x3 * y8 + x4 * y7 + x5 * y6 + x6 * y5 + x7 * y4 + x8 * y3;
  t += m3 * P8 + m4 * P7 + m5 * P6 + m6 * P5 + m7 * P4 + m8 * P3;
  store<u32>(z, (t & MASK) as u32, 8);
  t = (t >> 29) + x4 * y8 + x5 * y7 + x6 * y6 + x7 * y5 + x8 * y4;
  t += m4 * P8 + m5 * P7 + m6 * P6 + m7 * P5 + m8 * P4;
  store<u32>(z, (t & MASK) as u32, 12);
  t = (t >> 29) + x5 * y8 + x6 * y7 + x7 * y6 + x8 * y5;
  t += m5 * P8 + m6 * P7 + m7 * P6 + m8 * P5;
  store<u32>(z, (t & MASK) as u32, 16);
  t = (t >> 29) + x6 * y8 + x7 * y7 + x8 * y6;
  t += m6 * P8 + m7 * P7 + m8 * P6;
  store<u32>(z, (t & MASK) as u32, 20);
  t = (t >> 29) + x7 * y8 + x8 * y7;
  t += m7 * P8 + m8 * P7;
  store<u32>(z, (t & MASK) as u32, 24);
  t = (t >> 29) + x8 * y8;
  t += m8 * P8;
  store<u32>(z, (t & MASK) as u32, 28);
  store<u32>(z, (t >> 29) as u32, 32);
}

/** Stores eight sums of products plus the element `c` with limbs of 29 bits. */
function carry(
  z: usize,
  c: usize,
  t0: u64,
  t1: u64,
  t2: u64,
  t3: u64,
  t4: u64,
  t5: u64,
  t6: u64,
  t7: u64,
): void {
  t0 += load<u32>(c);
  t1 += (t0 >> 29) + load<u32>(c, 4);
  t2 += (t1 >> 29) + load<u32>(c, 8);
  t3 += (t2 >> 29) + load<u32>(c, 12);
  t4 += (t3 >> 29) + load<u32>(c, 16);
  t5 += (t4 >> 29) + load<u32>(c, 20);
  t6 += (t5 >> 29) + load<u32>(c, 24);
  t7 += (t6 >> 29) + load<u32>(c, 28);
  const t8 = (t7 >> 29) + load<u32>(c, 32);
  store<u32>(z, (t0 & MASK) as u32);
  store<u32>(z, (t1 & MASK) as u32, 4);
  store<u32>(z, (t2 & MASK) as u32, 8);
  store<u32>(z, (t3 & MASK) as u32, 12);
  store<u32>(z, (t4 & MASK) as u32, 16);
  store<u32>(z, (t5 & MASK) as u32, 20);
  store<u32>(z, (t6 & MASK) as u32, 24);
  store<u32>(z, (t7 & MASK) as u32, 28);
  store<u32>(z, t8 as u32, 32);
}

/** z = x x: each product of two limbs once; columns instead of rows. z may be x. */
export function square(z: usize, x: usize): void {
  const x0: u64 = load<u32>(x);
  const x1: u64 = load<u32>(x, 4);
  const x2: u64 = load<u32>(x, 8);
  const x3: u64 = load<u32>(x, 12);
  const x4: u64 = load<u32>(x, 16);
  const x5: u64 = load<u32>(x, 20);
  const x6: u64 = load<u32>(x, 24);
  const x7: u64 = load<u32>(x, 28);
  const x8: u64 = load<u32>(x, 32);
  let t: u64 = x0 * x0;
  const m0 = ((t << 28) - t) & MASK;
  t += m0 * P0;
  t = (t >> 29) + ((x0 * x1) << 1);
  t += m0 * P1;
  const m1 = ((t << 28) - t) & MASK;
  t += m1 * P0;
  t = (t >> 29) + ((x0 * x2) << 1) + x1 * x1;
  t += m0 * P2 + m1 * P1;
  const m2 = ((t << 28) - t) & MASK;
  t += m2 * P0;
  t = (t >> 29) + ((x0 * x3 + x1 * x2) << 1);
  t += m0 * P3 + m1 * P2 + m2 * P1;
  const m3 = ((t << 28) - t) & MASK;
  t += m3 * P0;
  t = (t >> 29) + ((x0 * x4 + x1 * x3) << 1) + x2 * x2;
  t += m0 * P4 + m1 * P3 + m2 * P2 + m3 * P1;
  const m4 = ((t << 28) - t) & MASK;
  t += m4 * P0;
  t = (t >> 29) + ((x0 * x5 + x1 * x4 + x2 * x3) << 1);
  t += m0 * P5 + m1 * P4 + m2 * P3 + m3 * P2 + m4 * P1;
  const m5 = ((t << 28) - t) & MASK;
  t += m5 * P0;
  t = (t >> 29) + ((x0 * x6 + x1 * x5 + x2 * x4) << 1) + x3 * x3;
  t += m0 * P6 + m1 * P5 + m2 * P4 + m3 * P3 + m4 * P2 + m5 * P1;
  const m6 = ((t << 28) - t) & MASK;
  t += m6 * P0;
  t = (t >> 29) + ((x0 * x7 + x1 * x6 + x2 * x5 + x3 * x4) << 1);
  t += m0 * P7 + m1 * P6 + m2 * P5 + m3 * P4 + m4 * P3 + m5 * P2 + m6 * P1;
  const m7 = ((t << 28) - t) & MASK;
  t += m7 * P0;
  t = (t >> 29) + ((x0 * x8 + x1 * x7 + x2 * x6 + x3 * x5) << 1) + x4 * x4;
  t += m0 * P8 + m1 * P7 + m2 * P6 + m3 * P5 + m4 * P4 + m5 * P3 + m6 * P2 + m7 * P1;
  const m8 = ((t << 28) - t) & MASK;
  t += m8 * P0;
  t = (t >> 29) + ((x1 * x8 + x2 * x7 + x3 * x6 + x4 * x5) << 1);
  t += m1 * P8 + m2 * P7 + m3 * P6 + m4 * P5 + m5 * P4 + m6 * P3 + m7 * P2 + m8 * P1;
  store<u32>(z, (t & MASK) as u32);
  t = (t >> 29) + ((x2 * x8 + x3 * x7 + x4 * x6) << 1) + x5 * x5;
  t += m2 * P8 + m3 * P7 + m4 * P6 + m5 * P5 + m6 * P4 + m7 * P3 + m8 * P2;
  store<u32>(z, (t & MASK) as u32, 4);
  t = (t >> 29) + ((x3 * x8 + x4 * x7 + x5 * x6) << 1);
  t += m3 * P8 + m4 * P7 + m5 * P6 + m6 * P5 + m7 * P4 + m8 * P3;
  store<u32>(z, (t & MASK) as u32, 8);
  t = (t >> 29) + ((x4 * x8 + x5 * x7) << 1) + x6 * x6;
  t += m4 * P8 + m5 * P7 + m6 * P6 + m7 * P5 + m8 * P4;
  store<u32>(z, (t & MASK) as u32, 12);
  t = (t >> 29) + ((x5 * x8 + x6 * x7) << 1);
  t += m5 * P8 + m6 * P7 + m7 * P6 + m8 * P5;
  store<u32>(z, (t & MASK) as u32, 16);
  t = (t >> 29) + ((x6 * x8) << 1) + x7 * x7;
  t += m6 * P8 + m7 * P7 + m8 * P6;
  store<u32>(z, (t & MASK) as u32, 20);
  t = (t >> 29) + ((x7 * x8) << 1);
  t += m7 * P8 + m8 * P7;
  store<u32>(z, (t & MASK) as u32, 24);
  t = (t >> 29) + x8 * x8;
  t += m8 * P8;
  store<u32>(z, (t & MASK) as u32, 28);
  store<u32>(z, (t >> 29) as u32, 32);
}

/**
 * z = c + x[0] y[0] + ... + x[terms - 1] y[terms - 1] over consecutive elements, with one
 * reduction for each `TERMS` products. z is none of x and y; c may be z.
 */
export function dot(z: usize, x: usize, y: usize, terms: i32, c: usize): void {
  for (; terms > TERMS; terms -= TERMS) {
    dotShort(z, x, y, TERMS, c);
    c = z;
    x += TERMS_SPAN;
    y += TERMS_SPAN;
  }
  dotShort(z, x, y, terms, c);
}

/** Two limbs to a vector: each factor multiplies nine limbs by four such products and one more. */
function dotShort(z: usize, x: usize, y: usize, terms: i32, c: usize): void {
  const span = (terms as usize) * ELEMENT;
  const mask = v128.load(VECTORS);
  const p0123 = v128.load(VECTORS, 16);
  const p4567 = v128.load(VECTORS, 32);
  const zero = i64x2.splat(0);
  let t01 = zero;
  let t23 = zero;
  let t45 = zero;
  let t67 = zero;
  for (const end = x + ELEMENT; x < end; x += LIMB) {
    let t8: u64 = 0;
    for (let at: usize = 0; at < span; at += ELEMENT) {
      const factor = v128.load32_splat(x + at);
      const row = y + at;
      const low = v128.load(row);
      const high = v128.load(row, 16);
      t01 = i64x2.add(t01, i64x2.extmul_low_i32x4_u(factor, low));
      t23 = i64x2.add(t23, i64x2.extmul_high_i32x4_u(factor, low));
      t45 = i64x2.add(t45, i64x2.extmul_low_i32x4_u(factor, high));
      t67 = i64x2.add(t67, i64x2.extmul_high_i32x4_u(factor, high));
      t8 += (load<u32>(x + at) as u64) * load<u32>(row, 32);
    }
    const quotient = v128.and(i64x2.sub(i64x2.shl(t01, 28), t01), mask);
    const m = v128.shuffle<i32>(quotient, quotient, 0, 0, 0, 0);
    t8 += (i64x2.extract_lane(quotient, 0) as u64) * P8;
    t01 = i64x2.add(t01, i64x2.extmul_low_i32x4_u(m, p0123));
    t23 = i64x2.add(t23, i64x2.extmul_high_i32x4_u(m, p0123));
    t45 = i64x2.add(t45, i64x2.extmul_low_i32x4_u(m, p4567));
    t67 = i64x2.add(t67, i64x2.extmul_high_i32x4_u(m, p4567));
    // The lowest limb is 0 now but for what it carries; all others move down by one.
    const carried = i64x2.shr_u(t01, 29);
    t01 = i64x2.add(v128.shuffle<i64>(t01, t23, 1, 2), v128.shuffle<i64>(carried, zero, 0, 2));
    t23 = v128.shuffle<i64>(t23, t45, 1, 2);
    t45 = v128.shuffle<i64>(t45, t67, 1, 2);
    t67 = i64x2.replace_lane(v128.shuffle<i64>(t67, t67, 1, 1), 1, t8 as i64);
  }
  carry(
    z,
    c,
    i64x2.extract_lane(t01, 0) as u64,
    i64x2.extract_lane(t01, 1) as u64,
    i64x2.extract_lane(t23, 0) as u64,
    i64x2.extract_lane(t23, 1) as u64,
    i64x2.extract_lane(t45, 0) as u64,
    i64x2.extract_lane(t45, 1) as u64,
    i64x2.extract_lane(t67, 0) as u64,
    i64x2.extract_lane(t67, 1) as u64,
  );
}
