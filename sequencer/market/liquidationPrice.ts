/**
 * At which price of the underlying an account would fall below maintenance: an estimate. Forwards,
 * volatilities and the size of each scenario's moves are read back from the snapshot, the positions
 * are priced again by Black's formula with all forwards moved alike and volatilities unchanged, and
 * the maintenance test of SPEC section 4 is made on the result. The real snapshot of that moment
 * will have other volatilities; margins are never computed from this.
 */
import { type Risk, worstMaintenance } from "../engine/risk.ts";
import { blackPrice, MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import { SCENARIOS } from "../protocol/constants.ts";
import {
  type ForwardSource,
  forwardSourceOf,
  type SeriesTerms,
  underlyingPrice,
} from "./marketData.ts";
import { SHORT_MINIMUM_ROW, SPAN_ROWS, UNCHANGED_ROW } from "./scenarios.ts";

/** Ticks of the underlying; null: none within a factor of {@link FACTOR_MAX}, or not known. */
export interface LiquidationPrices {
  readonly down: number | null;
  readonly up: number | null;
}

export interface EstimateInputs {
  readonly holdings: { readonly cash: number; readonly positions: readonly number[] };
  readonly risk: Risk;
  readonly series: readonly SeriesTerms[];
  /** Of the snapshot, unix ms. */
  readonly time: number;
  readonly unit: number;
}

/** The part of an extreme move's result that counts; the snapshot holds only their product. */
export const EXTREME_COVERED = 0.33;
export const FACTOR_MAX = 4;
const FACTOR_STEP = 1.1;
const BISECTIONS = 16;

/** Inputs with the forward of every expiry, which is read from the marks once. */
interface Known extends EstimateInputs {
  readonly forwards: ReadonlyMap<number, ForwardSource | undefined>;
}

/** A position with what its price depends on; `volatility` undefined: its price does not move. */
interface Leg {
  readonly lots: number;
  readonly mark: number;
  /** Of the short-option minimum, in ticks. */
  readonly minimum: number;
  readonly priced: PricedLeg | undefined;
}

interface PricedLeg {
  readonly isCall: boolean;
  readonly strike: number;
  readonly forward: number;
  readonly yearsToExpiry: number;
  readonly volatility: number;
  readonly moves: readonly Move[];
}

/** A SPAN row as factors on forward and volatility, and the part of the result that counts. */
interface Move {
  readonly forward: number;
  readonly volatility: number;
  readonly covered: number;
}

/** `{ down: null, up: null }` also for an account that is below maintenance already. */
export function estimateLiquidationPrices(inputs: EstimateInputs): LiquidationPrices {
  const none = { down: null, up: null };
  const { series, risk, time, holdings, unit } = inputs;
  const price = underlyingPrice(series, risk.marks, time);
  const expiries = new Set(series.map(({ expiry }) => expiry));
  const forwards = new Map(
    [...expiries].map((expiry) => [expiry, forwardSourceOf(series, risk.marks, expiry)]),
  );
  const legs = legsOf({ ...inputs, forwards });
  if (price === null || price <= 0 || legs === undefined) return none;
  const account = { owner: 0n, cash: holdings.cash, positions: [...holdings.positions] };
  if (worstMaintenance(account, risk, unit).value < 0) return none;
  const maintenance = (factor: number) => holdings.cash + unit * worstValue(legs, factor);
  const at = (factor: number | undefined) => (factor === undefined ? null : price * factor);
  return {
    down: at(firstBelow(maintenance, 1 / FACTOR_STEP)),
    up: at(firstBelow(maintenance, FACTOR_STEP)),
  };
}

/** The factor nearest to 1 at which the account falls below maintenance, walking by `step`. */
function firstBelow(maintenance: (factor: number) => number, step: number): number | undefined {
  let inside = 1;
  while (inside > 1 / FACTOR_MAX && inside < FACTOR_MAX) {
    // The last step is a shorter one, to the very end of the range.
    const factor = Math.min(Math.max(inside * step, 1 / FACTOR_MAX), FACTOR_MAX);
    if (maintenance(factor) < 0) return bisect(maintenance, inside, factor);
    inside = factor;
  }
  return undefined;
}

function bisect(maintenance: (factor: number) => number, inside: number, outside: number): number {
  let [good, bad] = [inside, outside];
  for (let round = 0; round < BISECTIONS; round++) {
    const middle = (good + bad) / 2;
    if (maintenance(middle) < 0) bad = middle;
    else good = middle;
  }
  return bad;
}

/** Smallest value of the positions over all rows (lot ticks), every forward times `factor`. */
function worstValue(legs: readonly Leg[], factor: number): number {
  const values = new Array<number>(SCENARIOS + 1).fill(0);
  for (const { lots, mark, minimum, priced } of legs) {
    const base = priced === undefined ? mark : priceOf(priced, factor, 1);
    for (let row = 0; row <= SCENARIOS; row++) {
      let change = 0;
      // The minimum is a part of the forward.
      if (row === SHORT_MINIMUM_ROW) change = minimum * (priced === undefined ? 1 : factor);
      else if (row !== UNCHANGED_ROW && priced !== undefined) {
        const move = priced.moves[row]!;
        change = move.covered * (priceOf(priced, factor * move.forward, move.volatility) - base);
      }
      values[row]! += lots * (base + change);
    }
  }
  return Math.min(...values);
}

function priceOf(leg: PricedLeg, forwardFactor: number, volatilityFactor: number): number {
  const { isCall, strike, yearsToExpiry } = leg;
  const forward = Math.max(leg.forward * forwardFactor, 0);
  const volatility = leg.volatility * volatilityFactor;
  return blackPrice({ isCall, strike, yearsToExpiry, forward, volatility });
}

/** Undefined: the price of a position cannot be computed. */
function legsOf(inputs: Known): Leg[] | undefined {
  const { holdings, risk, series, time } = inputs;
  const legs: Leg[] = [];
  const moves = new Map<number, readonly Move[] | undefined>();
  for (const [slot, lots] of holdings.positions.entries()) {
    if (lots === 0) continue;
    const terms = series[slot]!;
    const mark = risk.marks[slot]!;
    const minimum = risk.changes[slot]![SHORT_MINIMUM_ROW] ?? 0;
    const yearsToExpiry = (terms.expiry * 1000 - time) / MS_PER_YEAR;
    if (terms.status !== "listed" || yearsToExpiry <= 0) {
      legs.push({ lots, mark, minimum, priced: undefined });
      continue;
    }
    const { expiry, isCall, strike } = terms;
    if (!moves.has(expiry)) moves.set(expiry, movesOf(inputs, expiry));
    const known = moves.get(expiry);
    const forward = inputs.forwards.get(expiry)?.forward;
    const volatility = volatilityOf(inputs, { expiry, strike });
    if (known === undefined || forward === undefined || volatility === undefined) return undefined;
    const priced = { isCall, strike, forward, yearsToExpiry, volatility, moves: known };
    legs.push({ lots, mark, minimum, priced });
  }
  return legs;
}

/**
 * Parity holds in every scenario, so a call's change less its put's is what the forward moves by.
 * Volatility moves are read from the option whose strike is nearest to the forward.
 */
function movesOf(inputs: Known, expiry: number): readonly Move[] | undefined {
  const { series, risk, time } = inputs;
  const source = inputs.forwards.get(expiry);
  if (source === undefined || source.forward <= 0) return undefined;
  const { forward, callSlot, putSlot } = source;
  const slot = nearestKnown(inputs, { expiry, strike: forward });
  const ratioOf = (row: number) => {
    if (slot === undefined) return 1;
    const { isCall, strike } = series[slot]!;
    const yearsToExpiry = (expiry * 1000 - time) / MS_PER_YEAR;
    const option = { isCall, strike, forward, yearsToExpiry };
    const mark = risk.marks[slot]!;
    const now = impliedVolatility({ ...option, price: mark });
    const moved = impliedVolatility({ ...option, price: mark + risk.changes[slot]![row]! });
    return now === undefined || moved === undefined || now === 0 ? 1 : moved / now;
  };
  const ratios = { up: ratioOf(0), down: ratioOf(1), none: 1 };
  return SPAN_ROWS.map(({ volatility, isExtreme }, row) => {
    const covered = isExtreme ? EXTREME_COVERED : 1;
    const put = putSlot === undefined ? 0 : risk.changes[putSlot]![row]!;
    const change = risk.changes[callSlot]![row]! - put;
    const factor = 1 + change / covered / forward;
    return { forward: factor, volatility: ratios[volatility], covered };
  });
}

interface Place {
  readonly expiry: number;
  readonly strike: number;
}

/** Of the mark, or of the nearest strike where a mark tells none; a forward needs none. */
function volatilityOf(inputs: Known, place: Place): number | undefined {
  if (place.strike === 0) return 0;
  const slot = nearestKnown(inputs, place);
  return slot === undefined ? undefined : impliedOf(inputs, slot);
}

/** The slot of that expiry whose mark tells a volatility, with the strike nearest to `strike`. */
function nearestKnown(inputs: Known, { expiry, strike }: Place): number | undefined {
  const { series } = inputs;
  const candidates = [...series.keys()].filter((slot) => {
    const terms = series[slot]!;
    return terms.status === "listed" && terms.expiry === expiry && terms.strike > 0;
  });
  const distance = (slot: number) => Math.abs(series[slot]!.strike - strike);
  candidates.sort((a, b) => distance(a) - distance(b) || a - b);
  return candidates.find((slot) => (impliedOf(inputs, slot) ?? 0) > 0);
}

function impliedOf({ series, risk, time, forwards }: Known, slot: number): number | undefined {
  const { isCall, strike, expiry } = series[slot]!;
  const forward = forwards.get(expiry)?.forward;
  const yearsToExpiry = (expiry * 1000 - time) / MS_PER_YEAR;
  if (forward === undefined || forward <= 0 || yearsToExpiry <= 0) return undefined;
  const price = risk.marks[slot]!;
  return impliedVolatility({ isCall, strike, forward, yearsToExpiry, price });
}
