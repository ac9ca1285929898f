/** Products of pairs, and sums of them: see `pairs.ts`. */
import {
  addLow,
  COLUMNS,
  high,
  PAIR,
  SINGLE,
  SQUARE_STARTS,
  settle,
  splitHigh,
  splitLow,
  sumStarts,
  TERMS,
} from "./pairs";

/** The bits of 2^52 + 2^51: what a limb of either sign is in the low bits of, when it is added. */
const ROUND = memory.data<f64>([6755399441055744.0]);

/** z = x y. Any of them may be the same pair. */
export function mulPair(z: usize, x: usize, y: usize): void {
  const split = splitHigh();
  const rest = splitLow();
  const starts = sumStarts(1);
  const x0 = v128.load(x, 0);
  const x1 = v128.load(x, 16);
  const x2 = v128.load(x, 32);
  const x3 = v128.load(x, 48);
  const x4 = v128.load(x, 64);
  const y0 = v128.load(y, 0);
  const y1 = v128.load(y, 16);
  const y2 = v128.load(y, 32);
  const y3 = v128.load(y, 48);
  const y4 = v128.load(y, 64);
  let t0 = v128.load64_splat(starts, 0);
  const h00 = high(x0, y0, split);
  t0 = addLow(t0, x0, y0, rest, h00);
  v128.store(COLUMNS, t0, 0);
  let t1 = v128.load64_splat(starts, 8);
  t1 = i64x2.add(t1, h00);
  const h01 = high(x0, y1, split);
  t1 = addLow(t1, x0, y1, rest, h01);
  const h10 = high(x1, y0, split);
  t1 = addLow(t1, x1, y0, rest, h10);
  v128.store(COLUMNS, t1, 16);
  let t2 = v128.load64_splat(starts, 16);
  t2 = i64x2.add(t2, h01);
  t2 = i64x2.add(t2, h10);
  const h02 = high(x0, y2, split);
  t2 = addLow(t2, x0, y2, rest, h02);
  const h11 = high(x1, y1, split);
  t2 = addLow(t2, x1, y1, rest, h11);
  const h20 = high(x2, y0, split);
  t2 = addLow(t2, x2, y0, rest, h20);
  v128.store(COLUMNS, t2, 32);
  let t3 = v128.load64_splat(starts, 24);
  t3 = i64x2.add(t3, h02);
  t3 = i64x2.add(t3, h11);
  t3 = i64x2.add(t3, h20);
  const h03 = high(x0, y3, split);
  t3 = addLow(t3, x0, y3, rest, h03);
  const h12 = high(x1, y2, split);
  t3 = addLow(t3, x1, y2, rest, h12);
  const h21 = high(x2, y1, split);
  t3 = addLow(t3, x2, y1, rest, h21);
  const h30 = high(x3, y0, split);
  t3 = addLow(t3, x3, y0, rest, h30);
  v128.store(COLUMNS, t3, 48);
  let t4 = v128.load64_splat(starts, 32);
  t4 = i64x2.add(t4, h03);
  t4 = i64x2.add(t4, h12);
  t4 = i64x2.add(t4, h21);
  t4 = i64x2.add(t4, h30);
  const h04 = high(x0, y4, split);
  t4 = addLow(t4, x0, y4, rest, h04);
  const h13 = high(x1, y3, split);
  t4 = addLow(t4, x1, y3, rest, h13);
  const h22 = high(x2, y2, split);
  t4 = addLow(t4, x2, y2, rest, h22);
  const h31 = high(x3, y1, split);
  t4 = addLow(t4, x3, y1, rest, h31);
  const h40 = high(x4, y0, split);
  t4 = addLow(t4, x4, y0, rest, h40);
  v128.store(COLUMNS, t4, 64);
  let t5 = v128.load64_splat(starts, 40);
  t5 = i64x2.add(t5, h04);
  t5 = i64x2.add(t5, h13);
  t5 = i64x2.add(t5, h22);
  t5 = i64x2.add(t5, h31);
  t5 = i64x2.add(t5, h40);
  const h14 = high(x1, y4, split);
  t5 = addLow(t5, x1, y4, rest, h14);
  const h23 = high(x2, y3, split);
  t5 = addLow(t5, x2, y3, rest, h23);
  const h32 = high(x3, y2, split);
  t5 = addLow(t5, x3, y2, rest, h32);
  const h41 = high(x4, y1, split);
  t5 = addLow(t5, x4, y1, rest, h41);
  let t6 = v128.load64_splat(starts, 48);
  t6 = i64x2.add(t6, h14);
  t6 = i64x2.add(t6, h23);
  t6 = i64x2.add(t6, h32);
  t6 = i64x2.add(t6, h41);
  const h24 = high(x2, y4, split);
  t6 = addLow(t6, x2, y4, rest, h24);
  const h33 = high(x3, y3, split);
  t6 = addLow(t6, x3, y3, rest, h33);
  const h42 = high(x4, y2, split);
  t6 = addLow(t6, x4, y2, rest, h42);
  let t7 = v128.load64_splat(starts, 56);
  t7 = i64x2.add(t7, h24);
  t7 = i64x2.add(t7, h33);
  t7 = i64x2.add(t7, h42);
  const h34 = high(x3, y4, split);
  t7 = addLow(t7, x3, y4, rest, h34);
  const h43 = high(x4, y3, split);
  t7 = addLow(t7, x4, y3, rest, h43);
  let t8 = v128.load64_splat(starts, 64);
  t8 = i64x2.add(t8, h34);
  t8 = i64x2.add(t8, h43);
  const h44 = high(x4, y4, split);
  t8 = addLow(t8, x4, y4, rest, h44);
  let t9 = v128.load64_splat(starts, 72);
  t9 = i64x2.add(t9, h44);
  settle(z, t5, t6, t7, t8, t9);
}

/** z = x^2. z may be x. */
export function squarePair(z: usize, x: usize): void {
  const split = splitHigh();
  const rest = splitLow();
  const starts = SQUARE_STARTS;
  const x0 = v128.load(x, 0);
  const x1 = v128.load(x, 16);
  const x2 = v128.load(x, 32);
  const x3 = v128.load(x, 48);
  const x4 = v128.load(x, 64);
  const d1 = f64x2.add(x1, x1);
  const d2 = f64x2.add(x2, x2);
  const d3 = f64x2.add(x3, x3);
  const d4 = f64x2.add(x4, x4);
  let t0 = v128.load64_splat(starts, 0);
  const h00 = high(x0, x0, split);
  t0 = addLow(t0, x0, x0, rest, h00);
  v128.store(COLUMNS, t0, 0);
  let t1 = v128.load64_splat(starts, 8);
  t1 = i64x2.add(t1, h00);
  const h01 = high(x0, d1, split);
  t1 = addLow(t1, x0, d1, rest, h01);
  v128.store(COLUMNS, t1, 16);
  let t2 = v128.load64_splat(starts, 16);
  t2 = i64x2.add(t2, h01);
  const h02 = high(x0, d2, split);
  t2 = addLow(t2, x0, d2, rest, h02);
  const h11 = high(x1, x1, split);
  t2 = addLow(t2, x1, x1, rest, h11);
  v128.store(COLUMNS, t2, 32);
  let t3 = v128.load64_splat(starts, 24);
  t3 = i64x2.add(t3, h02);
  t3 = i64x2.add(t3, h11);
  const h03 = high(x0, d3, split);
  t3 = addLow(t3, x0, d3, rest, h03);
  const h12 = high(x1, d2, split);
  t3 = addLow(t3, x1, d2, rest, h12);
  v128.store(COLUMNS, t3, 48);
  let t4 = v128.load64_splat(starts, 32);
  t4 = i64x2.add(t4, h03);
  t4 = i64x2.add(t4, h12);
  const h04 = high(x0, d4, split);
  t4 = addLow(t4, x0, d4, rest, h04);
  const h13 = high(x1, d3, split);
  t4 = addLow(t4, x1, d3, rest, h13);
  const h22 = high(x2, x2, split);
  t4 = addLow(t4, x2, x2, rest, h22);
  v128.store(COLUMNS, t4, 64);
  let t5 = v128.load64_splat(starts, 40);
  t5 = i64x2.add(t5, h04);
  t5 = i64x2.add(t5, h13);
  t5 = i64x2.add(t5, h22);
  const h14 = high(x1, d4, split);
  t5 = addLow(t5, x1, d4, rest, h14);
  const h23 = high(x2, d3, split);
  t5 = addLow(t5, x2, d3, rest, h23);
  let t6 = v128.load64_splat(starts, 48);
  t6 = i64x2.add(t6, h14);
  t6 = i64x2.add(t6, h23);
  const h24 = high(x2, d4, split);
  t6 = addLow(t6, x2, d4, rest, h24);
  const h33 = high(x3, x3, split);
  t6 = addLow(t6, x3, x3, rest, h33);
  let t7 = v128.load64_splat(starts, 56);
  t7 = i64x2.add(t7, h24);
  t7 = i64x2.add(t7, h33);
  const h34 = high(x3, d4, split);
  t7 = addLow(t7, x3, d4, rest, h34);
  let t8 = v128.load64_splat(starts, 64);
  t8 = i64x2.add(t8, h34);
  const h44 = high(x4, x4, split);
  t8 = addLow(t8, x4, x4, rest, h44);
  let t9 = v128.load64_splat(starts, 72);
  t9 = i64x2.add(t9, h44);
  settle(z, t5, t6, t7, t8, t9);
}

/**
 * z = c + k[0] x[0] + ... + k[terms - 1] x[terms - 1], with one reduction for each `TERMS`. k and
 * c are the same for both elements: k's limbs are f64, c's are i64. z is none of x.
 */
export function dotPair(z: usize, k: usize, x: usize, terms: i32, c: usize): void {
  const first = min(terms, TERMS);
  const starts = sumStarts(first);
  const c0 = v128.load64_splat(c, 0);
  const c1 = v128.load64_splat(c, 8);
  const c2 = v128.load64_splat(c, 16);
  const c3 = v128.load64_splat(c, 24);
  const c4 = v128.load64_splat(c, 32);
  const t0 = i64x2.add(v128.load64_splat(starts, 0), c0);
  const t1 = i64x2.add(v128.load64_splat(starts, 8), c1);
  const t2 = i64x2.add(v128.load64_splat(starts, 16), c2);
  const t3 = i64x2.add(v128.load64_splat(starts, 24), c3);
  const t4 = i64x2.add(v128.load64_splat(starts, 32), c4);
  sumShort(z, k, x, first, t0, t1, t2, t3, t4);
  for (let done = first; done < terms; done += TERMS) {
    k += (TERMS as usize) * SINGLE;
    x += (TERMS as usize) * PAIR;
    addShort(z, k, x, min(terms - done, TERMS));
  }
}

/** z = z + k[0] x[0] + ... */
function addShort(z: usize, k: usize, x: usize, terms: i32): void {
  const starts = sumStarts(terms);
  const t0 = i64x2.add(v128.load64_splat(starts, 0), integers(z + 0));
  const t1 = i64x2.add(v128.load64_splat(starts, 8), integers(z + 16));
  const t2 = i64x2.add(v128.load64_splat(starts, 16), integers(z + 32));
  const t3 = i64x2.add(v128.load64_splat(starts, 24), integers(z + 48));
  const t4 = i64x2.add(v128.load64_splat(starts, 32), integers(z + 64));
  sumShort(z, k, x, terms, t0, t1, t2, t3, t4);
}

function integers(limbs: usize): v128 {
  const round = v128.load64_splat(ROUND);
  return i64x2.sub(f64x2.add(v128.load(limbs), round), round);
}

/** Limb by limb of k: after each one the lowest column is done, and all others move down. */
function sumShort(
  z: usize,
  k: usize,
  x: usize,
  terms: i32,
  t0: v128,
  t1: v128,
  t2: v128,
  t3: v128,
  t4: v128,
): void {
  const split = splitHigh();
  const rest = splitLow();
  const starts = sumStarts(terms);
  const end = x + (terms as usize) * PAIR;
  let t5 = v128.load64_splat(starts, 40);
  for (let limb: usize = 0; limb < 5; limb++) {
    let factor = k + (limb << 3);
    for (let at = x; at < end; at += PAIR) {
      const a = v128.load64_splat(factor);
      factor += SINGLE;
      const x0 = v128.load(at, 0);
      const h0 = high(a, x0, split);
      t0 = addLow(t0, a, x0, rest, h0);
      t1 = i64x2.add(t1, h0);
      const x1 = v128.load(at, 16);
      const h1 = high(a, x1, split);
      t1 = addLow(t1, a, x1, rest, h1);
      t2 = i64x2.add(t2, h1);
      const x2 = v128.load(at, 32);
      const h2 = high(a, x2, split);
      t2 = addLow(t2, a, x2, rest, h2);
      t3 = i64x2.add(t3, h2);
      const x3 = v128.load(at, 48);
      const h3 = high(a, x3, split);
      t3 = addLow(t3, a, x3, rest, h3);
      t4 = i64x2.add(t4, h3);
      const x4 = v128.load(at, 64);
      const h4 = high(a, x4, split);
      t4 = addLow(t4, a, x4, rest, h4);
      t5 = i64x2.add(t5, h4);
    }
    v128.store(COLUMNS + (limb << 4), t0);
    t0 = t1;
    t1 = t2;
    t2 = t3;
    t3 = t4;
    t4 = t5;
    t5 = v128.load64_splat(starts + (limb << 3), 48);
  }
  settle(z, t0, t1, t2, t3, t4);
}
