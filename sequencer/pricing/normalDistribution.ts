/**
 * The standard normal distribution in full double accuracy (relative, also in the tails).
 * Rational minimax approximations by W. J. Cody, "Rational Chebyshev approximations for the error
 * function", Math. Comp. 23 (1969) 631-637, in the normal form of his ANORM (ACM TOMS algorithm
 * 715, 1993).
 */
import { exp, log } from "./deterministicMath.ts";

const INVERSE_SQRT_2PI = 0.3989422804014327;
const SQRT_2PI = 2.5066282746310002;
const CENTRE_MAX = 0.66291;
const MIDDLE_MAX = 5.656854249492381;
/** The density is 0 as a double beyond this. */
const TAIL_MAX = 38.6;

/** Coefficients from the highest power down; `[numerator, denominator]`. */
type Rational = readonly [readonly number[], readonly number[]];

/** In x^2, |x| <= 0.66291. */
const CENTRE: Rational = [
  [
    0.06568233791820745, 2.2352520354606837, 161.02823106855587, 1067.6894854603709,
    18154.98125334356,
  ],
  [1, 47.202581904688245, 976.0985517377767, 10260.932208618979, 45507.78933502673],
];

/** In |x|, up to sqrt(32). */
const MIDDLE: Rational = [
  [
    1.0765576773720192e-8, 0.39894151208813466, 8.883149794388377, 93.50665613217785,
    597.2702763948002, 2494.5375852903726, 6848.190450536283, 11602.65143764735, 9842.714838383978,
  ],
  [
    1, 22.266688044328117, 235.387901782625, 1519.3775994075547, 6485.558298266761,
    18615.571640885097, 34900.95272114598, 38912.00328609327, 19685.429676859992,
  ],
];

/** In 1 / x^2, beyond. */
const TAIL: Rational = [
  [
    0.023073441764940174, 0.215898534057957, 0.12740116116024736, 0.022235277870649807,
    0.0014216191932278934, 2.9112874951168793e-5,
  ],
  [
    1, 1.284260096144911, 0.4682382124808651, 0.06598813786892856, 0.0037823963320275824,
    7.297515550839662e-5,
  ],
];

const QUANTILE_CENTRE: Rational = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1,
  ],
];

const QUANTILE_MIDDLE: Rational = [
  [
    7.745450142783414e-4, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 5.475938084995345e-4, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1,
  ],
];

const QUANTILE_TAIL: Rational = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 7.868691311456133e-4,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
  ],
];

/** The probability that a standard normal variable is at most x. */
export function normalCdf(x: number): number {
  const y = Math.abs(x);
  if (y <= CENTRE_MAX) return 0.5 + x * ratio(CENTRE, x * x);
  const tail = upperTail(y);
  return x > 0 ? 1 - tail : tail;
}

/** `exp(-x^2 / 2) / sqrt(2 pi)`. */
export function normalPdf(x: number): number {
  return INVERSE_SQRT_2PI * gaussian(Math.abs(x));
}

/**
 * `N(x) / n(x)`, the cumulative distribution over the density: finite in relative accuracy far
 * into the left tail, where both are 0 as doubles (Mills' ratio of -x). Overflows beyond 37.
 */
export function cdfOverPdf(x: number): number {
  const y = Math.abs(x);
  if (y <= CENTRE_MAX) return (0.5 + x * ratio(CENTRE, x * x)) * SQRT_2PI * exp((x * x) / 2);
  let tail: number;
  if (y <= MIDDLE_MAX) tail = SQRT_2PI * ratio(MIDDLE, y);
  else {
    const z = 1 / (y * y);
    tail = (1 - SQRT_2PI * z * ratio(TAIL, z)) / y;
  }
  return x < 0 ? tail : SQRT_2PI * exp((x * x) / 2) - tail;
}

/**
 * The x with `N(x) = p`, to about 1e-16 of x: M. J. Wichura, "Algorithm AS 241: the percentage
 * points of the normal distribution", Applied Statistics 37 (1988), PPND16. NaN outside (0, 1).
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(QUANTILE_CENTRE, 0.180625 - q * q);
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p));
  const x = r <= 5 ? ratio(QUANTILE_MIDDLE, r - 1.6) : ratio(QUANTILE_TAIL, r - 5);
  return q < 0 ? -x : x;
}

function upperTail(y: number): number {
  if (y > TAIL_MAX) return 0;
  if (y <= MIDDLE_MAX) return gaussian(y) * ratio(MIDDLE, y);
  const z = 1 / (y * y);
  return (gaussian(y) * (INVERSE_SQRT_2PI - z * ratio(TAIL, z))) / y;
}

/** `exp(-y^2 / 2)` without the error that squaring a large y brings: Cody's split at 1/16. */
function gaussian(y: number): number {
  if (y > TAIL_MAX) return 0;
  const coarse = Math.floor(y * 16) / 16;
  const rest = (y - coarse) * (y + coarse);
  return exp(-0.5 * coarse * coarse) * exp(-0.5 * rest);
}

/** Indexed throughout: iterators would allocate in what every price runs through. */
function ratio(rational: Rational, x: number): number {
  return polynomial(rational[0], x) / polynomial(rational[1], x);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = 0; i < coefficients.length; i++) sum = sum * x + coefficients[i]!;
  return sum;
}
