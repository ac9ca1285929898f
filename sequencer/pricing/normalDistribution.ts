/**
 * The standard normal distribution in full double accuracy (relative, also in the tails).
 * Rational minimax approximations by W. J. Cody, "Rational Chebyshev approximations for the error
 * function", Math. Comp. 23 (1969) 631-637, in the normal form of his ANORM (ACM TOMS algorithm
 * 715, 1993).
 */
import { exp } from "./deterministicMath.ts";

const INVERSE_SQRT_2PI = 0.3989422804014327;
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

function ratio([numerator, denominator]: Rational, x: number): number {
  return polynomial(numerator, x) / polynomial(denominator, x);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}
