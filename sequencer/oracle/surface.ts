/**
 * The volatilities that an oracle proposes: an SVI smile for each expiry with enough quotes, as
 * integers, from which every signer computes the same volatility of every slot. Where quotes are
 * too few, or what was fitted cannot be written down without arbitrage, the slots' own volatilities.
 */
import { blackPrice, MS_PER_YEAR } from "../pricing/black76.ts";
import { log, roundHalfAway } from "../pricing/deterministicMath.ts";
import type { VarianceQuote } from "../pricing/ssvi.ts";
import { type SviSmile, sviVariance } from "../pricing/svi.ts";
import { fitSmile } from "../pricing/sviFit.ts";
import { fitSurface, type SurfaceFit, surfaceFault } from "../pricing/sviSurface.ts";
import { median } from "./consensus.ts";
import type { VolatilityPoint } from "./marketView.ts";
import { type OracleReject, type Outcome, refuse, reject } from "./rejects.ts";
import { BPS, IV_BPS_MAX } from "./riskMatrix.ts";

/** Five parameters want at least as many strikes. */
export const SMILE_POINTS_MIN = 5;
/** Smile parameters are told in units of 1e-10. */
export const SMILE_SCALE = 10_000_000_000;
/** A smile that misses its quotes by more than this part of their volatility is none of them. */
const FIT_ERROR_MAX_BPS = 500;

/** Raw SVI of total variance, each parameter times {@link SMILE_SCALE}, an integer. */
export interface ScaledSmile {
  readonly a: number;
  readonly b: number;
  readonly rho: number;
  readonly m: number;
  readonly sigma: number;
}

export interface ExpirySmile {
  readonly expiry: number;
  readonly smile: ScaledSmile;
}

export function scaleSmile(smile: SviSmile): ScaledSmile {
  const scaled = (value: number) => roundHalfAway(value * SMILE_SCALE);
  const { a, b, rho, m, sigma } = smile;
  return { a: scaled(a), b: scaled(b), rho: scaled(rho), m: scaled(m), sigma: scaled(sigma) };
}

export function unscaleSmile({ a, b, rho, m, sigma }: ScaledSmile): SviSmile {
  return {
    a: a / SMILE_SCALE,
    b: b / SMILE_SCALE,
    rho: rho / SMILE_SCALE,
    m: m / SMILE_SCALE,
    sigma: sigma / SMILE_SCALE,
  };
}

export function yearsTo(expiry: number, timeMs: number): number {
  return (expiry * 1000 - timeMs) / MS_PER_YEAR;
}

/**
 * The volatility of a strike in 1/10,000, the same integer on every machine. `strike` and `forward`
 * in ticks, above 0; times in unix seconds and ms, the expiry ahead.
 */
export function smileIvBps(options: {
  smile: ScaledSmile;
  strike: number;
  forward: number;
  expiry: number;
  timeMs: number;
}): number {
  const { smile, strike, forward, expiry, timeMs } = options;
  const variance = sviVariance(unscaleSmile(smile), log(strike / forward));
  const iv = Math.sqrt(Math.max(variance, 0) / yearsTo(expiry, timeMs));
  return Math.min(roundHalfAway(iv * BPS), IV_BPS_MAX);
}

/** What makes proposed smiles unfit, `undefined` where they have no static arbitrage. */
export function smilesFault(
  smiles: readonly ExpirySmile[],
  timeMs: number,
): OracleReject | undefined {
  const slices = smiles.map(({ expiry, smile }) => {
    return { years: yearsTo(expiry, timeMs), smile: unscaleSmile(smile) };
  });
  const fault = surfaceFault(slices);
  if (fault === undefined) return undefined;
  const at = "at" in fault ? ` at log moneyness \`${fault.at}\`` : "";
  const detail = `expiry \`${smiles[fault.slice]?.expiry}\`${at}`;
  if (fault.fault === "calendar") return reject("calendarArbitrage", detail);
  return reject("butterflyArbitrage", `${detail} (${fault.fault})`);
}

export interface ExpiryPoints {
  readonly expiry: number;
  readonly forward: number;
  readonly points: readonly VolatilityPoint[];
}

/** Smiles by expiry, and what had to be repaired to have them. */
export interface FittedSmiles {
  readonly smiles: readonly ExpirySmile[];
  readonly repairs: readonly OracleReject[];
}

/**
 * Fits the expiries (ascending, all ahead of `timeMs`) that have enough points. Those that have not,
 * or whose quotes are no SVI smile though they are free of arbitrage, are left out. Quotes with a
 * little arbitrage are repaired by the constraints of the fit, and said to be; with more than a
 * little they are refused.
 */
export function fitSmiles(
  expiries: readonly ExpiryPoints[],
  timeMs: number,
): Outcome<FittedSmiles> {
  for (const expiry of expiries) {
    const fault = pointsFault(expiry, timeMs);
    if (fault !== undefined && expiry.points.length < SMILE_POINTS_MIN) return { refused: fault };
  }
  const rich = expiries.filter(({ points }) => points.length >= SMILE_POINTS_MIN);
  if (rich.length === 0) return { value: { smiles: [], repairs: [] } };
  const quoted = rich.map((points): Quoted => {
    const years = yearsTo(points.expiry, timeMs);
    return {
      points,
      years,
      quotes: points.points.map((point) => toVariance(point, points, years)),
    };
  });
  const fit = fitSurface(quoted);
  const repairs: OracleReject[] = [];
  const smiles: ExpirySmile[] = [];
  for (const [slice, { points, quotes }] of quoted.entries()) {
    const errorBps = errorOf(fit, slice, quotes);
    const isFar = errorBps > FIT_ERROR_MAX_BPS;
    const fault = fit.kinds[slice] === "free" ? undefined : arbitrage(quoted, slice, errorBps);
    // A free fit that is far off says that quotes are no such smile, which is no fault of theirs.
    const refused = isFar ? (fault ?? pointsFault(points, timeMs)) : undefined;
    if (refused !== undefined) return { refused };
    if (fault !== undefined) repairs.push(fault);
    const smile = scaleSmile((fit.surface[slice] as { smile: SviSmile }).smile);
    if (!isFar) smiles.push({ expiry: points.expiry, smile });
  }
  // Rounding may leave an arbitrage of 1e-10 in smiles that touch: then slots speak for themselves.
  const isSound = smilesFault(smiles, timeMs) === undefined;
  return { value: { smiles: isSound ? smiles : [], repairs } };
}

interface Quoted {
  readonly points: ExpiryPoints;
  readonly years: number;
  readonly quotes: readonly VarianceQuote[];
}

function toVariance(
  { strike, ivBps }: VolatilityPoint,
  { forward }: ExpiryPoints,
  years: number,
): VarianceQuote {
  const iv = ivBps / BPS;
  return { k: log(strike / forward), variance: iv * iv * years };
}

/** Root mean square of the errors of volatility, as a part of the quotes' median. */
function errorOf(fit: SurfaceFit, slice: number, quotes: readonly VarianceQuote[]): number {
  const level = Math.sqrt(median(quotes.map(({ variance }) => variance)));
  return Math.round(((fit.errors[slice] as number) / level) * BPS);
}

/** Which arbitrage the fit had to avoid: what goes away without the other expiries is calendar's. */
function arbitrage(quoted: readonly Quoted[], slice: number, errorBps: number): OracleReject {
  const { points, quotes } = quoted[slice] as Quoted;
  const isSoundAlone = quoted.length > 1 && fitSmile(quotes).kind === "free";
  const name = isSoundAlone ? "calendarArbitrage" : "butterflyArbitrage";
  const detail = `expiry \`${points.expiry}\`, the nearest smile without is \`${errorBps}\` bps away`;
  return reject(name, detail);
}

/**
 * Static arbitrage in the quotes themselves: a call that is worth more than one with a lower strike,
 * or than what calls around it cost, by more than a tick; `undefined` if there is none.
 */
export function pointsFault(
  { expiry, forward, points }: ExpiryPoints,
  timeMs: number,
): OracleReject | undefined {
  const yearsToExpiry = yearsTo(expiry, timeMs);
  const calls = points.map(({ strike, ivBps }) => {
    const volatility = ivBps / BPS;
    const price = blackPrice({ isCall: true, forward, strike, yearsToExpiry, volatility });
    return { strike, price };
  });
  const curve = [{ strike: 0, price: forward }, ...calls];
  for (const [index, { strike, price }] of curve.entries()) {
    const [before, after] = [curve[index - 1], curve[index + 1]];
    if (before === undefined) continue;
    const width = (after?.strike ?? strike) - before.strike;
    const share = after === undefined ? 0 : (strike - before.strike) / width;
    const most = before.price + share * ((after?.price ?? 0) - before.price);
    if (price <= most + 1) continue;
    const detail = `expiry \`${expiry}\`, strike \`${strike}\`: ${price} above ${most}`;
    return reject("butterflyArbitrage", detail);
  }
  return undefined;
}

/** For an expiry without a smile: the volatility quoted at a strike. */
export function pointIvBps(expiry: ExpiryPoints, strike: number): Outcome<number> {
  const point = expiry.points.find((other) => other.strike === strike);
  if (point !== undefined) return { value: Math.max(roundHalfAway(point.ivBps), 1) };
  return refuse("missingVolatility", `strike \`${strike}\`, expiry \`${expiry.expiry}\``);
}
