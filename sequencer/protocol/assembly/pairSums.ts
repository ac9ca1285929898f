/**
 * Sums and differences of pairs without reduction. Products take limbs of which no product reaches
 * 2^102 (`pairs.ts`): a sum of two settled pairs, below 2^51 + 2^13, times a settled one is below
 * 2^101.1, but two sums are too much for each other. Of those one is carried.
 *
 * The highest limbs only add up: to 2^50.1 of two settled pairs, and to 2^51.1 of four, which is
 * too much for a sum that is not carried. Products of these two have their highest column below
 * 2^50.3, where `settle` takes 2^51.
 */
import { splitHigh } from "./pairs";

/** 2^-51 */
const SHIFT = memory.data<f64>([4.440892098500626e-16]);

/** z = x + y, limb by limb. Any of them may be the same pair, here and below. */
export function addPair(z: usize, x: usize, y: usize): void {
  v128.store(z, f64x2.add(v128.load(x), v128.load(y)));
  v128.store(z, f64x2.add(v128.load(x, 16), v128.load(y, 16)), 16);
  v128.store(z, f64x2.add(v128.load(x, 32), v128.load(y, 32)), 32);
  v128.store(z, f64x2.add(v128.load(x, 48), v128.load(y, 48)), 48);
  v128.store(z, f64x2.add(v128.load(x, 64), v128.load(y, 64)), 64);
}

/** z = x - y, limb by limb. */
export function subPair(z: usize, x: usize, y: usize): void {
  v128.store(z, f64x2.sub(v128.load(x), v128.load(y)));
  v128.store(z, f64x2.sub(v128.load(x, 16), v128.load(y, 16)), 16);
  v128.store(z, f64x2.sub(v128.load(x, 32), v128.load(y, 32)), 32);
  v128.store(z, f64x2.sub(v128.load(x, 48), v128.load(y, 48)), 48);
  v128.store(z, f64x2.sub(v128.load(x, 64), v128.load(y, 64)), 64);
}

/** z = x + y, carried. */
export function addCarried(z: usize, x: usize, y: usize): void {
  carry(
    z,
    f64x2.add(v128.load(x), v128.load(y)),
    f64x2.add(v128.load(x, 16), v128.load(y, 16)),
    f64x2.add(v128.load(x, 32), v128.load(y, 32)),
    f64x2.add(v128.load(x, 48), v128.load(y, 48)),
    f64x2.add(v128.load(x, 64), v128.load(y, 64)),
  );
}

/** z = x - y, carried. */
export function subCarried(z: usize, x: usize, y: usize): void {
  carry(
    z,
    f64x2.sub(v128.load(x), v128.load(y)),
    f64x2.sub(v128.load(x, 16), v128.load(y, 16)),
    f64x2.sub(v128.load(x, 32), v128.load(y, 32)),
    f64x2.sub(v128.load(x, 48), v128.load(y, 48)),
    f64x2.sub(v128.load(x, 64), v128.load(y, 64)),
  );
}

/**
 * Limbs below 2^53 become at most 2^50 + 4, but for the highest: each is rounded to a multiple of
 * 2^51, which goes to the next. All at once, as nothing is carried further.
 */
function carry(z: usize, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128): void {
  // Beside 3 2^102 the last place is 2^51.
  const round = splitHigh();
  const shift = v128.load64_splat(SHIFT);
  const h0 = f64x2.sub(f64x2.add(x0, round), round);
  const h1 = f64x2.sub(f64x2.add(x1, round), round);
  const h2 = f64x2.sub(f64x2.add(x2, round), round);
  const h3 = f64x2.sub(f64x2.add(x3, round), round);
  v128.store(z, f64x2.sub(x0, h0));
  v128.store(z, f64x2.relaxed_madd(h0, shift, f64x2.sub(x1, h1)), 16);
  v128.store(z, f64x2.relaxed_madd(h1, shift, f64x2.sub(x2, h2)), 32);
  v128.store(z, f64x2.relaxed_madd(h2, shift, f64x2.sub(x3, h3)), 48);
  v128.store(z, f64x2.relaxed_madd(h3, shift, x4), 64);
}
