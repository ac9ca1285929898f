/**
 * The volatilities that an oracle proposes: an SVI smile for each expiry with enough quotes, as
 * integers, from which every signer computes the same volatility of every slot. Where quotes are
 * too few, or what was fitted cannot be written down without arbitrage, the slots' own
 * volatilities.
 */
import { blackPrice, MS_PER_YEAR, timeValue } from "../pricing/black76.ts";
import { exp, log, roundHalfAway } from "../pricing/deterministicMath.ts";
import { normalPdf } from "../pricing/normalDistribution.ts";
import type { VarianceQuote } from "../pricing/ssvi.ts";
import { type SviSmile, smileFault, sviVariance } from "../pricing/svi.ts";
import { fitSmile, type SmileFit } from "../pricing/sviFit.ts";
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
/** Standard deviations from the forward up to which options have a price worth speaking of. */
const REACH = 3;
/** Steps between the moneynesses at which two smiles are compared. */
const GRID = 30;
/** Arbitrage up to this part of the forward is noise: sources are not read at one instant. */
const ARBITRAGE_MAX = 1e-4;

/** Raw SVI of total variance, each parameter times {@link SMILE_SCALE}, an integer. */
export interface ScaledSmile {
  readonly a: number;
  readonly b: number;
  readonly rho: number;
  readonly m: number;
  readonly sigma: number;
}

/** `low` and `high`: the log moneynesses between which the smile is known, or used. */
export interface ExpirySmile {
  readonly expiry: number;
  readonly smile: ScaledSmile;
  readonly low: number;
  readonly high: number;
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

/** What makes proposed smiles unfit, `undefined` where they have no arbitrage that matters. */
export function smilesFault(
  smiles: readonly ExpirySmile[],
  timeMs: number,
): OracleReject | undefined {
  let before: ExpirySmile | undefined;
  for (const next of smiles) {
    const of = `expiry \`${next.expiry}\``;
    const own = smileFault(unscaleSmile(next.smile));
    if (own !== undefined) {
      const at = "at" in own ? ` at log moneyness \`${own.at}\`` : "";
      return reject("butterflyArbitrage", `${of} (${own.fault}${at})`);
    }
    if (!(yearsTo(next.expiry, timeMs) > 0)) return reject("expiredStrike", of);
    const gap = before === undefined ? 0 : calendarGap(before, next);
    if (gap > ARBITRAGE_MAX) {
      return reject("calendarArbitrage", `${of}, by \`${gap}\` of the forward`);
    }
    before = next;
  }
  return undefined;
}

/**
 * What buying the later and selling the earlier option gains at most, as a part of the forward,
 * over the moneynesses that both smiles know and at which the earlier option is worth anything.
 * Further out smiles of real markets do cross, where all prices are far below a tick, and nobody
 * gains by it; what a smile says beyond its quotes nobody has offered.
 */
function calendarGap(before: ExpirySmile, next: ExpirySmile): number {
  const [earlier, later] = [unscaleSmile(before.smile), unscaleSmile(next.smile)];
  const width = REACH * Math.sqrt(Math.max(sviVariance(earlier, 0), 0));
  const low = Math.max(before.low, next.low, -width);
  const high = Math.min(before.high, next.high, width);
  let gap = 0;
  for (let step = 0; step <= GRID && low <= high; step++) {
    const k = low + ((high - low) * step) / GRID;
    const price = (smile: SviSmile) => timeValue(1, exp(k), Math.sqrt(sviVariance(smile, k)));
    gap = Math.max(gap, price(earlier) - price(later));
  }
  return gap;
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
 * Fits the expiries (ascending, all ahead of `timeMs`) that have enough points. Those that have
 * not, or whose quotes are no SVI smile though they are free of arbitrage, are left out. Quotes
 * with a little arbitrage are repaired by the constraints of the fit, and said to be; with more
 * than a little they are refused.
 */
export function fitSmiles(
  expiries: readonly ExpiryPoints[],
  timeMs: number,
): Outcome<FittedSmiles> {
  const repairs: OracleReject[] = [];
  const smiles: ExpirySmile[] = [];
  let earlier: SviSmile | undefined;
  for (const points of expiries) {
    const quotes = varianceQuotes(points, timeMs);
    const fitted = quotes.length < SMILE_POINTS_MIN ? undefined : fitOne(points, quotes, earlier);
    if (fitted === undefined) {
      const refused = pointsFault(points, timeMs);
      if (refused !== undefined) return { refused };
      continue;
    }
    if (fitted.repair !== undefined) repairs.push(fitted.repair);
    const ks = quotes.map(({ k }) => k);
    const range = { low: Math.min(...ks), high: Math.max(...ks) };
    const next = { expiry: points.expiry, smile: scaleSmile(fitted.smile), ...range };
    const refused = smilesFault([...smiles.slice(-1), next], timeMs);
    if (refused !== undefined) return { refused };
    smiles.push(next);
    earlier = fitted.smile;
  }
  return { value: { smiles, repairs } };
}

/**
 * A smile near its quotes: above the earlier one everywhere if that is to be had, or else by
 * itself. `undefined` where even that is far from them.
 */
function fitOne(
  { expiry }: ExpiryPoints,
  quotes: readonly VarianceQuote[],
  earlier: SviSmile | undefined,
): { smile: SviSmile; repair: OracleReject | undefined } | undefined {
  const level = Math.sqrt(median(quotes.map(({ variance }) => variance)));
  const errorBps = ({ error }: SmileFit) => Math.round((error / level) * BPS);
  const above = fitSmile(quotes, earlier);
  const isNear = errorBps(above) <= FIT_ERROR_MAX_BPS;
  if (above.kind === "free" && isNear) return { smile: above.smile, repair: undefined };
  const alone = earlier === undefined ? above : fitSmile(quotes);
  const fit = isNear && above.kind === "penalised" ? above : alone;
  if (errorBps(fit) > FIT_ERROR_MAX_BPS) return undefined;
  // What a smile by itself is free of is the calendar's fault.
  const name = alone.kind === "free" ? "calendarArbitrage" : "butterflyArbitrage";
  const isRepaired = fit.kind !== "free";
  const detail = `expiry \`${expiry}\`, repaired by a smile \`${errorBps(fit)}\` bps away`;
  return { smile: fit.smile, repair: isRepaired ? reject(name, detail) : undefined };
}

/**
 * The points that tell something: within {@link REACH} standard deviations, weighted by vega.
 * Further out a price is a fraction of a tick, whatever volatility a venue shows for it.
 */
function varianceQuotes(
  { expiry, forward, points }: ExpiryPoints,
  timeMs: number,
): VarianceQuote[] {
  const years = yearsTo(expiry, timeMs);
  return points.flatMap(({ strike, ivBps }): VarianceQuote[] => {
    const iv = ivBps / BPS;
    const k = log(strike / forward);
    const variance = iv * iv * years;
    const d1 = Math.sqrt(variance) / 2 - k / Math.sqrt(variance);
    const weight = normalPdf(d1) / normalPdf(0);
    return Math.abs(d1) <= REACH ? [{ k, variance, weight }] : [];
  });
}

/**
 * Static arbitrage in the quotes themselves: a call that is worth more than one with a lower
 * strike, or than what calls around it cost, by more than noise; `undefined` if there is none.
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
    if (price <= most + Math.max(forward * ARBITRAGE_MAX, 1)) continue;
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
