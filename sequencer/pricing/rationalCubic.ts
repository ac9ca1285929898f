/**
 * The shape-preserving rational cubic of R. Delbourgo and J. A. Gregory, "Shape preserving
 * piecewise rational interpolation", SIAM J. Sci. Stat. Comput. 6 (1985): values and slopes at both
 * ends, and a parameter `r > -1` that bends it (3 is the ordinary cubic, large r the chord).
 */

/** `x0 < x1` with values y and slopes d. */
export interface Segment {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  readonly d0: number;
  readonly d1: number;
}

const R_MIN = -(1 - 1.5e-8);
const R_MAX = 2 / (Number.EPSILON * Number.EPSILON);

/** Their equations 2.4 and 2.5. */
export function rationalCubic(segment: Segment, r: number, x: number): number {
  const { x0, x1, y0, y1, d0, d1 } = segment;
  const h = x1 - x0;
  const t = (x - x0) / h;
  const u = 1 - t;
  if (r >= R_MAX) return y1 * t + y0 * u;
  const right = t * t * (y1 * t + (r * y1 - h * d1) * u);
  const left = u * u * (y0 * u + (r * y0 + h * d0) * t);
  return (right + left) / (1 + (r - 3) * t * u);
}

/** The r whose second derivative at the left end is `second`, or the least that keeps the shape. */
export function bendLeft(segment: Segment, second: number): number {
  const { x0, x1, y0, y1, d0, d1 } = segment;
  const h = x1 - x0;
  return bend(segment, (h * second) / 2 + (d1 - d0), (y1 - y0) / h - d0);
}

/** The same at the right end. */
export function bendRight(segment: Segment, second: number): number {
  const { x0, x1, y0, y1, d0, d1 } = segment;
  const h = x1 - x0;
  return bend(segment, (h * second) / 2 + (d1 - d0), d1 - (y1 - y0) / h);
}

function bend(segment: Segment, numerator: number, denominator: number): number {
  let r = 0;
  if (numerator !== 0) {
    r = denominator === 0 ? (numerator > 0 ? R_MAX : R_MIN) : numerator / denominator;
  }
  return Math.min(Math.max(r, shapeMinimum(segment)), R_MAX);
}

/** Their conditions 3.8 (monotone) and 3.18 (convex or concave). */
function shapeMinimum({ x0, x1, y0, y1, d0, d1 }: Segment): number {
  const slope = (y1 - y0) / (x1 - x0);
  let r = R_MIN;
  if (d0 * slope >= 0 && d1 * slope >= 0 && slope !== 0) r = Math.max(r, (d0 + d1) / slope);
  const isConvex = d0 <= slope && slope <= d1;
  const isConcave = d0 >= slope && slope >= d1;
  if ((isConvex || isConcave) && slope !== d0 && slope !== d1) {
    r = Math.max(r, Math.abs((d1 - d0) / (d1 - slope)), Math.abs((d1 - d0) / (slope - d0)));
  }
  return r;
}
