/**
 * The field once more, two elements at a time and only where the host multiplies and adds in one
 * rounding (WebAssembly's relaxed SIMD): five limbs of 51 bits, each a floating-point number.
 *
 * A pair is ten f64, limb after limb, the first element's beside the second's. Limbs are integers
 * of either sign, and an element stands for its value itself, not for a multiple of it. `settle`
 * leaves limbs below 2^50 + 2^12 in magnitude, the highest below 2^49.1, and values below 0.69 p.
 *
 * A product of two limbs is split without error, as in Emmart's entry for ZPrize 2023:
 *
 *     high = x y + 3 2^102                             a multiple of 2^51, by its size
 *     low  = x y + (3 2^102 + 3 2^51 - high)           exact, between 2^52 and 2^53
 *
 * Both hold their integer in the low bits of their 64, so that columns are sums of 64-bit
 * integers; what exponents add to these is known beforehand and subtracted at the start. It takes
 * limbs of which no product reaches 2^102.
 */

/** Bytes of a pair, and of an element that is the same for both. */
export const PAIR: usize = 80;
export const SINGLE: usize = 40;
/**
 * Products in a sum: 18 of top limbs below 2^48.7 (a constant's) and 2^49.1 leave the highest
 * column below 2^51, and `settle` asks for that.
 */
export const TERMS = 18;

export const LIMB_BITS = 51;
export const LIMB_MASK: i64 = (1 << 51) - 1;
/** What the exponent adds to the 64 bits of a `low`, of a `high`, of an integer below 2^52. */
const LOW: i64 = 0x4338000000000000;
const HIGH: i64 = 0x4668000000000000;
export const INTEGER: i64 = 0x4330000000000000;
/** Keeps a column positive, since shifts without sign carry: by 2^10 too much. */
const BIAS: i64 = 1 << 61;
/** The limb that stays is rounded to the nearest. */
export const NEAREST: i64 = 1 << 50;
const MIDDLE: i64 = 1 << 51;

/** All that is needed again and again is in memory: constants are made anew at every use. */
const FLOATS = memory.data<f64>([
  // What makes an integer a limb: 2^52 and half of what the limb may be, without and with carry
  5629499534213120.0, 5629499534214144.0, 6755399441055744.0, 6755399441056768.0,
  // 2^52 + 2^49, 2^255 / p, 2^216 / p
  5066549580791808.0, 2.645075027614269, 4.811363446814119e-12,
]);
/** 2^255, 2^306, 2^357, 2^408 and 2^459 modulo p, between -p / 2 and p / 2; then p. */
const FOLDS = memory.data<f64>([
  597327676964861.0, -894613941811573.0, -580698333408995.0, -68807396200898.0, -302153995008334.0,
  -131705316347521.0, -551619823897904.0, -337958191339002.0, 72821022781168.0, 139393402179063.0,
  760273391275824.0, -726544339776676.0, -889370492774682.0, -565002675454171.0, 47805571998144.0,
  -413296768600146.0, 1041826053259486.0, 106858194148779.0, 701464574452060.0, 2059335909365.0,
  74543446675196.0, 846333118597012.0, 200135437657525.0, 442748988428302.0, -419587776873276.0,
  551490712240129.0, 298204647270524.0, -557033826758751.0, 22935798733633.0, 851317936231194.0,
]);
const INTEGERS = memory.data(56);
/** The columns that `settle` is not given. */
export const COLUMNS = memory.data(80, 16);
/** What columns begin with, by terms. */
const SUM_STARTS = memory.data(19 * 88);
export const SQUARE_STARTS = memory.data(80);

fillIntegers();
fillStarts();

function fillIntegers(): void {
  store<i64>(INTEGERS, LIMB_MASK);
  store<i64>(INTEGERS, INTEGER, 8);
  store<i64>(INTEGERS, INTEGER + MIDDLE - 5 * HIGH, 16);
  store<i64>(INTEGERS, LOW + HIGH, 24);
  const above = (INTEGER + MIDDLE + HIGH) << LIMB_BITS;
  store<i64>(INTEGERS, INTEGER + MIDDLE - BIAS - (BIAS >> LIMB_BITS) - above, 32);
  // As numbers: 3 2^102, and what is 3 units of its last place above it.
  store<i64>(INTEGERS, HIGH, 40);
  store<i64>(INTEGERS, HIGH + 3, 48);
}

function fillStarts(): void {
  for (let column = 0; column < 10; column++) {
    const lows = productsIn(column);
    const highs = productsIn(column - 1);
    for (let terms = 0; terms <= TERMS; terms++) {
      store<i64>(
        sumStarts(terms) + (column << 3),
        columnStart(column, terms * lows, terms * highs),
      );
    }
    store<i64>(
      SQUARE_STARTS + (column << 3),
      columnStart(column, (lows + 1) >> 1, (highs + 1) >> 1),
    );
  }
}

/** How many products of limbs a column has. */
function productsIn(column: i32): i32 {
  if (column < 0 || column > 8) return 0;
  return (column < 5 ? column : 8 - column) + 1;
}

function columnStart(column: i32, lows: i64, highs: i64): i64 {
  const start = -lows * LOW - highs * HIGH;
  if (column === 9) return start + INTEGER + MIDDLE;
  if (column > 4) return start + BIAS + NEAREST;
  // Five products of folds and one of the quotient are added by `settle`.
  const folded = start - 6 * LOW - (column === 0 ? 0 : 6 * HIGH) + BIAS;
  return column === 4 ? folded : folded + NEAREST;
}

/** Where the starts of ten columns are; an eleventh is read and not used. */
export function sumStarts(terms: i32): usize {
  return SUM_STARTS + (terms as usize) * 88;
}

/** 3 2^102 */
export function splitHigh(): v128 {
  return v128.load64_splat(INTEGERS, 40);
}

/** 3 2^102 + 3 2^51 */
export function splitLow(): v128 {
  return v128.load64_splat(INTEGERS, 48);
}

export function high(x: v128, y: v128, split: v128): v128 {
  return f64x2.relaxed_madd(x, y, split);
}

/** column + low. */
export function addLow(column: v128, x: v128, y: v128, rest: v128, highPart: v128): v128 {
  return i64x2.add(column, f64x2.relaxed_madd(x, y, f64x2.sub(rest, highPart)));
}

/** Integers below 2^52 as numbers 2^52 larger. */
function asFloat(integer: v128): v128 {
  return v128.or(integer, v128.load64_splat(INTEGERS, 8));
}

/** The limb that stays of a column to which no other one carries. */
function lowestLimb(column: v128): v128 {
  const kept = v128.and(column, v128.load64_splat(INTEGERS));
  return f64x2.sub(asFloat(kept), v128.load64_splat(FLOATS));
}

function limb(column: v128, below: v128): v128 {
  const kept = v128.and(column, v128.load64_splat(INTEGERS));
  const carried = i64x2.add(asFloat(kept), i64x2.shr_u(below, LIMB_BITS));
  return f64x2.sub(carried, v128.load64_splat(FLOATS, 8));
}

/**
 * z = the value of ten columns, the lower five in `COLUMNS`, modulo p. Columns from the sixth on
 * are replaced by what their powers of two are modulo p; what is left, below 2^51 p, is divided
 * with remainder by a quotient that is right to 0.69.
 */
export function settle(z: usize, t5: v128, t6: v128, t7: v128, t8: v128, t9: v128): void {
  const split = splitHigh();
  const rest = splitLow();
  const f0 = lowestLimb(t5);
  const f1 = limb(t6, t5);
  const f2 = limb(t7, t6);
  const f3 = limb(t8, t7);
  const f4 = f64x2.sub(i64x2.add(t9, i64x2.shr_u(t8, LIMB_BITS)), v128.load64_splat(FLOATS, 24));
  let t0 = v128.load(COLUMNS, 0);
  const m00 = v128.load64_splat(FOLDS, 0);
  const h00 = high(f0, m00, split);
  t0 = addLow(t0, f0, m00, rest, h00);
  const m10 = v128.load64_splat(FOLDS, 40);
  const h10 = high(f1, m10, split);
  t0 = addLow(t0, f1, m10, rest, h10);
  const m20 = v128.load64_splat(FOLDS, 80);
  const h20 = high(f2, m20, split);
  t0 = addLow(t0, f2, m20, rest, h20);
  const m30 = v128.load64_splat(FOLDS, 120);
  const h30 = high(f3, m30, split);
  t0 = addLow(t0, f3, m30, rest, h30);
  const m40 = v128.load64_splat(FOLDS, 160);
  const h40 = high(f4, m40, split);
  t0 = addLow(t0, f4, m40, rest, h40);
  v128.store(COLUMNS, t0, 0);
  let t1 = v128.load(COLUMNS, 16);
  t1 = i64x2.add(t1, h00);
  t1 = i64x2.add(t1, h10);
  t1 = i64x2.add(t1, h20);
  t1 = i64x2.add(t1, h30);
  t1 = i64x2.add(t1, h40);
  const m01 = v128.load64_splat(FOLDS, 8);
  const h01 = high(f0, m01, split);
  t1 = addLow(t1, f0, m01, rest, h01);
  const m11 = v128.load64_splat(FOLDS, 48);
  const h11 = high(f1, m11, split);
  t1 = addLow(t1, f1, m11, rest, h11);
  const m21 = v128.load64_splat(FOLDS, 88);
  const h21 = high(f2, m21, split);
  t1 = addLow(t1, f2, m21, rest, h21);
  const m31 = v128.load64_splat(FOLDS, 128);
  const h31 = high(f3, m31, split);
  t1 = addLow(t1, f3, m31, rest, h31);
  const m41 = v128.load64_splat(FOLDS, 168);
  const h41 = high(f4, m41, split);
  t1 = addLow(t1, f4, m41, rest, h41);
  v128.store(COLUMNS, t1, 16);
  let t2 = v128.load(COLUMNS, 32);
  t2 = i64x2.add(t2, h01);
  t2 = i64x2.add(t2, h11);
  t2 = i64x2.add(t2, h21);
  t2 = i64x2.add(t2, h31);
  t2 = i64x2.add(t2, h41);
  const m02 = v128.load64_splat(FOLDS, 16);
  const h02 = high(f0, m02, split);
  t2 = addLow(t2, f0, m02, rest, h02);
  const m12 = v128.load64_splat(FOLDS, 56);
  const h12 = high(f1, m12, split);
  t2 = addLow(t2, f1, m12, rest, h12);
  const m22 = v128.load64_splat(FOLDS, 96);
  const h22 = high(f2, m22, split);
  t2 = addLow(t2, f2, m22, rest, h22);
  const m32 = v128.load64_splat(FOLDS, 136);
  const h32 = high(f3, m32, split);
  t2 = addLow(t2, f3, m32, rest, h32);
  const m42 = v128.load64_splat(FOLDS, 176);
  const h42 = high(f4, m42, split);
  t2 = addLow(t2, f4, m42, rest, h42);
  v128.store(COLUMNS, t2, 32);
  let t3 = v128.load(COLUMNS, 48);
  t3 = i64x2.add(t3, h02);
  t3 = i64x2.add(t3, h12);
  t3 = i64x2.add(t3, h22);
  t3 = i64x2.add(t3, h32);
  t3 = i64x2.add(t3, h42);
  const m03 = v128.load64_splat(FOLDS, 24);
  const h03 = high(f0, m03, split);
  t3 = addLow(t3, f0, m03, rest, h03);
  const m13 = v128.load64_splat(FOLDS, 64);
  const h13 = high(f1, m13, split);
  t3 = addLow(t3, f1, m13, rest, h13);
  const m23 = v128.load64_splat(FOLDS, 104);
  const h23 = high(f2, m23, split);
  t3 = addLow(t3, f2, m23, rest, h23);
  const m33 = v128.load64_splat(FOLDS, 144);
  const h33 = high(f3, m33, split);
  t3 = addLow(t3, f3, m33, rest, h33);
  const m43 = v128.load64_splat(FOLDS, 184);
  const h43 = high(f4, m43, split);
  t3 = addLow(t3, f4, m43, rest, h43);
  v128.store(COLUMNS, t3, 48);
  let t4 = v128.load(COLUMNS, 64);
  t4 = i64x2.add(t4, h03);
  t4 = i64x2.add(t4, h13);
  t4 = i64x2.add(t4, h23);
  t4 = i64x2.add(t4, h33);
  t4 = i64x2.add(t4, h43);
  const m04 = v128.load64_splat(FOLDS, 32);
  const h04 = high(f0, m04, split);
  t4 = addLow(t4, f0, m04, rest, h04);
  const m14 = v128.load64_splat(FOLDS, 72);
  const h14 = high(f1, m14, split);
  t4 = addLow(t4, f1, m14, rest, h14);
  const m24 = v128.load64_splat(FOLDS, 112);
  const h24 = high(f2, m24, split);
  t4 = addLow(t4, f2, m24, rest, h24);
  const m34 = v128.load64_splat(FOLDS, 152);
  const h34 = high(f3, m34, split);
  t4 = addLow(t4, f3, m34, rest, h34);
  const m44 = v128.load64_splat(FOLDS, 192);
  const h44 = high(f4, m44, split);
  t4 = addLow(t4, f4, m44, rest, h44);
  let t = i64x2.add(i64x2.add(h04, h14), i64x2.add(h24, h34));
  t = i64x2.add(i64x2.add(t, h44), v128.load64_splat(INTEGERS, 16));
  const fifth = f64x2.sub(t, v128.load64_splat(FLOATS, 16));
  const fourth = i64x2.shr_u(i64x2.add(t4, v128.load64_splat(INTEGERS, 24)), 12);
  const below = f64x2.mul(
    f64x2.sub(asFloat(fourth), v128.load64_splat(FLOATS, 32)),
    v128.load64_splat(FLOATS, 48),
  );
  const quotient = f64x2.relaxed_madd(fifth, v128.load64_splat(FLOATS, 40), below);
  const nearest = v128.load64_splat(FLOATS, 16);
  const q = f64x2.sub(nearest, f64x2.add(quotient, nearest));
  const p0 = v128.load64_splat(FOLDS, 200);
  const h0 = high(q, p0, split);
  const r0 = addLow(v128.load(COLUMNS, 0), q, p0, rest, h0);
  v128.store(z, lowestLimb(r0));
  const p1 = v128.load64_splat(FOLDS, 208);
  const h1 = high(q, p1, split);
  const r1 = i64x2.add(addLow(v128.load(COLUMNS, 16), q, p1, rest, h1), h0);
  v128.store(z, limb(r1, r0), 16);
  const p2 = v128.load64_splat(FOLDS, 216);
  const h2 = high(q, p2, split);
  const r2 = i64x2.add(addLow(v128.load(COLUMNS, 32), q, p2, rest, h2), h1);
  v128.store(z, limb(r2, r1), 32);
  const p3 = v128.load64_splat(FOLDS, 224);
  const h3 = high(q, p3, split);
  const r3 = i64x2.add(addLow(v128.load(COLUMNS, 48), q, p3, rest, h3), h2);
  v128.store(z, limb(r3, r2), 48);
  const p4 = v128.load64_splat(FOLDS, 232);
  const h4 = high(q, p4, split);
  const r4 = i64x2.add(addLow(t4, q, p4, rest, h4), h3);
  // The highest limb keeps what is above it: nothing but its own sign.
  const top = i64x2.add(r4, i64x2.shl(i64x2.add(t, h4), LIMB_BITS));
  const carried = i64x2.add(i64x2.shr_u(r3, LIMB_BITS), v128.load64_splat(INTEGERS, 32));
  v128.store(z, f64x2.sub(i64x2.add(top, carried), v128.load64_splat(FLOATS, 16)), 64);
}
