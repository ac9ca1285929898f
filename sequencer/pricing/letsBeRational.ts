/**
 * Implied volatility to the last digits: P. Jaeckel, "Let's be rational", Wilmott magazine, 2015
 * (January 2016 revision). The inverse of the normalised price is guessed in four branches, in the
 * outer two through a transformation that makes it nearly linear, by rational cubics; Householder
 * steps of fourth order on an objective that suits the branch finish it. Written from the paper.
 * Deterministic on every machine.
 */
import { exp, log } from "./deterministicMath.ts";
import { cdfOverPdf, normalCdf, normalQuantile } from "./normalDistribution.ts";
import {
  blackOverVega,
  complementOverVega,
  logVega,
  normalisedBlack,
  normalisedVega,
} from "./normalisedBlack.ts";
import { bendLeft, bendRight, rationalCubic, type Segment } from "./rationalCubic.ts";

const SQRT_3 = 1.7320508075688772;
const SQRT_HALF_PI = 1.2533141373155003;
const TWO_PI = 6.283185307179586;
const STEPS_MAX = 8;
/** At this deviation every price is its bound. */
const DEVIATION_MAX = 256;
const HALVINGS = 100;
/** A step of fourth order that was shorter than this leaves an error below a rounding. */
const STEP_SMALL = 2e-5;

/**
 * The total standard deviation `s` with `b(x, s) = beta`, for `x <= 0`, `0 < beta < e^(x/2)`.
 * `complement` is `e^(x/2) - beta`, given apart since the subtraction would lose its digits, as is
 * `ln beta` where beta itself leaves the doubles (it counts as the smallest of them then).
 */
export function impliedDeviation(
  x: number,
  beta: number,
  complement: number,
  logBeta: number = log(beta),
): number {
  const s = rational(x, Math.max(beta, Number.MIN_VALUE), complement, logBeta);
  return s > 0 && s < Number.POSITIVE_INFINITY ? s : bracketed(x, logBeta);
}

function rational(x: number, beta: number, complement: number, logBeta: number): number {
  const s = Math.sqrt(-2 * x);
  const vega = normalisedVega(x, s);
  const width = s > 0 ? blackOverVega(x, s) : 0;
  const centre = { s, black: vega * width, vega };
  return beta < centre.black
    ? belowCentre(x, beta, logBeta, centre, s - width)
    : aboveCentre(x, beta, complement, centre);
}

/**
 * Bisection on `ln b`, for forwards and strikes so far apart (about 1e500) that normalised prices
 * are no doubles any more.
 */
function bracketed(x: number, logBeta: number): number {
  let low = 0;
  let high = DEVIATION_MAX;
  for (let count = 0; count < HALVINGS; count++) {
    const s = (low + high) / 2;
    const logBlack = log(blackOverVega(x, s)) + logVega(x, s);
    if (logBlack < logBeta) low = s;
    else high = s;
  }
  return high;
}

/** A deviation with its price and vega. */
interface Point {
  readonly s: number;
  readonly black: number;
  readonly vega: number;
}

/**
 * Left of the inflection point `s = sqrt(2 |x|)`, where vega is largest. `low` is where its
 * tangent meets 0.
 */
function belowCentre(x: number, beta: number, logBeta: number, centre: Point, low: number): number {
  const vega = normalisedVega(x, low);
  const black = low > 0 ? normalisedBlack(x, low, vega) : 0;
  if (beta < black) return iterate(lowGuess(x, beta, low, black), lowStep, x, logBeta);
  const segment: Segment = {
    x0: black,
    x1: centre.black,
    y0: low,
    y1: centre.s,
    d0: 1 / vega,
    d1: 1 / centre.vega,
  };
  const guess = rationalCubic(segment, bendRight(segment, 0), beta);
  return iterate(guess, middleStep, x, beta);
}

/** Right of it; `high` is where the tangent meets the bound. */
function aboveCentre(x: number, beta: number, complement: number, centre: Point): number {
  const bound = exp(x / 2);
  const high = centre.s > 0 ? centre.s + complementOverVega(x, centre.s) : 1 / centre.vega;
  const vega = normalisedVega(x, high);
  const black = normalisedBlack(x, high, vega);
  let guess: number;
  if (beta <= black) {
    const segment: Segment = {
      x0: centre.black,
      x1: black,
      y0: centre.s,
      y1: high,
      d0: 1 / centre.vega,
      d1: 1 / vega,
    };
    guess = rationalCubic(segment, bendLeft(segment, 0), beta);
  } else guess = highGuess(x, beta, complement, high, black);
  return beta > bound / 2
    ? iterate(guess, highStep, x, log(complement))
    : iterate(guess, middleStep, x, beta);
}

/**
 * The lower transformation `f = 2 pi |x| / sqrt(27) N(-|x| / (sqrt(3) s))^3`, which is beta to
 * leading order (the paper's equation 4.1 and its derivatives by beta).
 */
function lowGuess(x: number, beta: number, low: number, lowBlack: number): number {
  const scale = (TWO_PI * -x) / (3 * SQRT_3);
  const u = -x / (SQRT_3 * low);
  const z = normalCdf(-u);
  const square = u * u;
  const quarter = low * low;
  const slope = TWO_PI * square * z * z * exp(square + quarter / 8);
  const inner = 8 * SQRT_3 * low * -x + (3 * quarter * (quarter - 8) - 8 * x * x) * cdfOverPdf(-u);
  const second =
    (Math.PI / 6) * (square / (quarter * low)) * z * inner * exp(2 * square + quarter / 4);
  const segment = { x0: 0, x1: lowBlack, y0: 0, y1: scale * z * z * z, d0: 1, d1: slope };
  let f = rationalCubic(segment, bendRight(segment, second), beta);
  if (!(f > 0)) {
    const share = beta / lowBlack;
    f = share * (segment.y1 * share + lowBlack * (1 - share));
  }
  return -x / (SQRT_3 * Math.abs(normalQuantile(exp(log(f / scale) / 3))));
}

/** The upper transformation `f = N(-s / 2)` (equation 4.7). */
function highGuess(
  x: number,
  beta: number,
  complement: number,
  high: number,
  highBlack: number,
): number {
  const h = x / high;
  const width = complement + (beta - highBlack);
  const f1 = normalCdf(-high / 2);
  const segment: Segment = {
    x0: -width,
    x1: 0,
    y0: f1,
    y1: 0,
    d0: -0.5 * exp(0.5 * h * h),
    d1: -0.5,
  };
  const second = SQRT_HALF_PI * exp(h * h + (high * high) / 8) * ((h * h) / high);
  let f = rationalCubic(segment, bendLeft(segment, second), -complement);
  if (!(f > 0)) {
    const share = complement / width;
    f = (f1 * share + 0.5 * width * (1 - share)) * share;
  }
  return -2 * normalQuantile(f);
}

type Step = (x: number, s: number, target: number) => number;

function iterate(guess: number, step: Step, x: number, target: number): number {
  let s = guess;
  for (let count = 0; count < STEPS_MAX; count++) {
    const move = step(x, s, target);
    // Never further than half of the way to 0, which a guess from tiny prices could ask for.
    s += Math.max(move, -s / 2);
    if (Math.abs(move) <= STEP_SMALL * s) break;
  }
  return s;
}

/** Householder's step of third order from Newton's, `f'' / f'` and `f''' / f'`. */
function householder(newton: number, second: number, third: number): number {
  const numerator = 1 + 0.5 * second * newton;
  const denominator = 1 + newton * (second + (third * newton) / 6);
  const factor = numerator / denominator;
  return factor > 0 && Number.isFinite(factor) ? newton * factor : newton;
}

/** `b'' / b' = x^2 / s^3 - s / 4`. */
function vegaSlope(x: number, s: number): number {
  const h = x / s;
  return (h * h) / s - s / 4;
}

/** `b''' / b'`. */
function vegaCurvature(x: number, s: number, slope: number): number {
  const hOverS = x / (s * s);
  return slope * slope - 3 * hOverS * hOverS - 0.25;
}

/** On `1 / ln b - 1 / ln beta`, with everything in logarithms. `target` is `ln beta`. */
function lowStep(x: number, s: number, target: number): number {
  const ratio = blackOverVega(x, s);
  const logBlack = log(ratio) + logVega(x, s);
  const newton = ((target - logBlack) * logBlack * ratio) / target;
  const slope = vegaSlope(x, s);
  const factor = 1 + 2 / logBlack;
  const second = slope - factor / ratio;
  const third =
    vegaCurvature(x, s, slope) +
    (2 * (1 + (3 / logBlack) * (1 + 1 / logBlack))) / (ratio * ratio) -
    (3 * slope * factor) / ratio;
  return householder(newton, second, third);
}

/** On `b - beta`. */
function middleStep(x: number, s: number, target: number): number {
  const vega = normalisedVega(x, s);
  const newton = (target - normalisedBlack(x, s, vega)) / vega;
  const slope = vegaSlope(x, s);
  return householder(newton, slope, vegaCurvature(x, s, slope));
}

/** On `ln((bound - beta) / (bound - b))`. `target` is `ln(bound - beta)`. */
function highStep(x: number, s: number, target: number): number {
  const rest = complementOverVega(x, s);
  const first = 1 / rest;
  const newton = (log(rest) + logVega(x, s) - target) * rest;
  const slope = vegaSlope(x, s);
  const second = slope + first;
  const third = vegaCurvature(x, s, slope) + first * (2 * first + 3 * slope);
  return householder(newton, second, third);
}
