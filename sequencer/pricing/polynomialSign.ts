/**
 * Whether a polynomial is ever negative on the positive half line, decided for the whole line and
 * not on a grid: in Bernstein's basis a polynomial lies between its smallest and largest
 * coefficient, so halving the interval either proves the sign or finds a point of the other sign
 * (Farouki, "The Bernstein polynomial basis: a centennial retrospective", CAGD 29, 2012).
 * Only + - * /: the same answer on every machine.
 */

/** Values within this fraction of the largest coefficient count as 0. */
const TOLERANCE = 1e-13;
const DEPTH_MAX = 48;

/**
 * A point `t > 0` at which the polynomial is negative, or `undefined` if there is none.
 * `coefficients` from the constant up. A result of `Infinity` or 0 says the ends. `scale` is the
 * size of what the coefficients were computed from, where terms cancelled in that.
 */
export function negativePoint(
  coefficients: readonly number[],
  scale: number = largest(coefficients),
): number | undefined {
  if (Number.isNaN(scale) || scale === Number.POSITIVE_INFINITY) return Number.NaN;
  if (scale === 0) return undefined;
  const normal = coefficients.map((coefficient) => coefficient / scale);
  const inner = negativeInUnit(toBernstein(normal), 0, 1, 0);
  if (inner !== undefined) return inner;
  // t in [1, infinity) is 1 / t in (0, 1] of the reversed polynomial.
  const outer = negativeInUnit(toBernstein(normal.reverse()), 0, 1, 0);
  return outer === undefined ? undefined : 1 / outer;
}

/** The largest coefficient, without its sign. */
export function largest(coefficients: readonly number[]): number {
  return Math.max(...coefficients.map(Math.abs));
}

function negativeInUnit(
  control: readonly number[],
  low: number,
  high: number,
  depth: number,
): number | undefined {
  if (control[0]! < -TOLERANCE) return low;
  if (control[control.length - 1]! < -TOLERANCE) return high;
  if (depth === DEPTH_MAX || control.every((value) => value >= -TOLERANCE)) return undefined;
  const [left, right] = halves(control);
  const middle = (low + high) / 2;
  return (
    negativeInUnit(left, low, middle, depth + 1) ?? negativeInUnit(right, middle, high, depth + 1)
  );
}

/** De Casteljau: the Bernstein coefficients on both halves of the interval. */
function halves(control: readonly number[]): [number[], number[]] {
  const points = [...control];
  const left: number[] = [];
  const right: number[] = [];
  for (let size = points.length; size > 0; size--) {
    left.push(points[0]!);
    right.push(points[size - 1]!);
    for (let i = 0; i + 1 < size; i++) points[i] = (points[i]! + points[i + 1]!) / 2;
  }
  return [left, right.reverse()];
}

/** `b_i = sum_{j <= i} C(i, j) / C(n, j) a_j`. */
function toBernstein(coefficients: readonly number[]): number[] {
  const degree = coefficients.length - 1;
  return coefficients.map((_, i) => {
    let sum = 0;
    let ratio = 1;
    for (let j = 0; j <= i; j++) {
      sum += ratio * coefficients[j]!;
      if (j < degree) ratio *= (i - j) / (degree - j);
    }
    return sum;
  });
}

/** Product of two polynomials, coefficients from the constant up. */
export function multiply(a: readonly number[], b: readonly number[]): number[] {
  const product = new Array<number>(a.length + b.length - 1).fill(0);
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) product[i + j] = product[i + j]! + x * y;
  }
  return product;
}

/** `sum factor_i * polynomial_i`. */
export function combine(...terms: readonly (readonly [number, readonly number[]])[]): number[] {
  const length = Math.max(...terms.map(([, polynomial]) => polynomial.length));
  const sum = new Array<number>(length).fill(0);
  for (const [factor, polynomial] of terms) {
    for (const [i, value] of polynomial.entries()) sum[i] = sum[i]! + factor * value;
  }
  return sum;
}
