/**
 * For which amounts lots may leave a locked account outside the books (SPEC section 7, T3 to T7).
 * Every condition is linear in the amount, so what is allowed is a range.
 *
 * Amounts are counted as what `from` *receives* (1e-6 USDC): negative where it pays a discount,
 * positive where its deficit is paid for. Big integers: 5 unit lots change exceeds 2^53.
 */

import { SCENARIO_ROWS } from "../engine/kept.ts";
import { maintenanceValues, type Risk, scenarioValues } from "../engine/risk.ts";
import {
  AUCTION_DIVISOR,
  AUCTION_SECONDS,
  MARGIN_INITIAL_FACTOR,
  MARGIN_VALUE_FACTOR,
} from "../protocol/constants.ts";
import type { Account } from "../protocol/state.ts";

/** Both ends included. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** A takeover whose size and amount are still open. */
export interface Offer {
  readonly from: Readonly<Account>;
  readonly taker: Readonly<Account>;
  readonly slot: number;
  /** 0..16: `from` is below maintenance margin in it, and the position loses in it. */
  readonly scenario: number;
  /** Seconds since the lock. */
  readonly seconds: number;
  /** The insurance fund takes over: half of its equity stays out of it (T7). */
  readonly isInsurance: boolean;
  readonly risk: Risk;
  readonly unit: number;
}

const VALUE = BigInt(MARGIN_VALUE_FACTOR);
const INITIAL = BigInt(MARGIN_INITIAL_FACTOR);

/** What `lots` of the offer may come with; undefined where nothing is allowed. */
export function amountRange(offer: Offer, lots: number): Range | undefined {
  const unit = BigInt(offer.unit);
  const moved = buyBackSign(offer) * BigInt(lots) * unit;
  const loss = moved * changeIn(offer, offer.scenario);
  const low = largest([-maxDiscount(offer, loss), ...givingBounds(offer, moved)]);
  const high = smallest([
    sizeBound(offer, loss, lots),
    deficitBound(offer),
    takingBound(offer, moved),
  ]);
  return low <= high ? { low, high } : undefined;
}

/** T2: whether the position loses in the scenario at all. */
export function losesIn({ from, slot, risk }: Pick<Offer, "from" | "slot" | "risk">, row: number) {
  const change = risk.changes[slot]![row] ?? 0;
  return from.positions[slot]! * change < 0;
}

/** A size, and what `from` receives with it. */
export interface Terms {
  readonly lots: number;
  readonly received: bigint;
}

/**
 * The most lots up to `most` for the preferred amount, which depends on them. Where that is allowed
 * for none, the most for any amount: then the amount is the allowed one that is nearest to it.
 */
export function largestTakeover(
  offer: Offer,
  most: number,
  preferred: (lots: number) => bigint,
): Terms | undefined {
  // T3 and what the taker can bear set the upper end: above it, fewer lots may do.
  const atPreferred = (lots: number): Terms | undefined => {
    const range = amountRange(offer, lots);
    const wanted = preferred(lots);
    if (range === undefined || range.high < wanted) return undefined;
    return { lots, received: largest([range.low, wanted]) };
  };
  const atAny = (lots: number): Terms | undefined => {
    const range = amountRange(offer, lots);
    return range === undefined ? undefined : { lots, received: range.high };
  };
  return search(most, atPreferred) ?? search(most, atAny);
}

/** What is allowed for some lots is mostly allowed for fewer; where it is not, less is found. */
function search(most: number, termsFor: (lots: number) => Terms | undefined): Terms | undefined {
  const whole = termsFor(most);
  if (whole !== undefined) return whole;
  let best: Terms | undefined;
  let low = 0;
  let high = most;
  while (high - low > 1) {
    const lots = Math.floor((low + high) / 2);
    const terms = termsFor(lots);
    if (terms === undefined) high = lots;
    else {
      best = terms;
      low = lots;
    }
  }
  return best;
}

/** T4: the most that `from` may pay for the lots now. */
export function maxDiscountOf(offer: Offer, lots: number): bigint {
  const moved = buyBackSign(offer) * BigInt(lots) * BigInt(offer.unit);
  return maxDiscount(offer, moved * changeIn(offer, offer.scenario));
}

/** +1 where `from` buys back, -1 where it sells. */
function buyBackSign({ from, slot }: Offer): bigint {
  return from.positions[slot]! < 0 ? 1n : -1n;
}

function changeIn({ risk, slot }: Offer, row: number): bigint {
  return BigInt(risk.changes[slot]![row] ?? 0);
}

/** T4. */
function maxDiscount({ seconds }: Offer, loss: bigint): bigint {
  return (BigInt(Math.min(seconds, AUCTION_SECONDS)) * loss) / BigInt(AUCTION_DIVISOR);
}

/** T6 for `from`: no scenario falls, or none below where the exhibited one stood. */
function givingBounds(offer: Offer, moved: bigint): bigint[] {
  const { from, scenario, risk, unit } = offer;
  const values = maintenanceValues(from, risk);
  return values.map((value, row) => {
    const above = BigInt(unit) * BigInt(value - values[scenario]!);
    return -(moved * changeIn(offer, row) + positive(above));
  });
}

/** T3: no lot more than brings the scenario back to initial margin. */
function sizeBound(offer: Offer, loss: bigint, lots: number): bigint {
  const headroom = headrooms(offer.from, offer)[offer.scenario]!;
  return floorDivide(INITIAL * (loss / BigInt(lots) - loss) - headroom - 1n, VALUE);
}

/** T5: only a deficit is paid for. */
function deficitBound({ from, risk, unit }: Offer): bigint {
  return positive(-equityOf(from, risk, unit));
}

/** T6 and T7 for the account that takes over: what it can pay. */
function takingBound(offer: Offer, moved: bigint): bigint {
  const { taker, isInsurance, risk, slot } = offer;
  const received = moved * BigInt(risk.marks[slot]!);
  const rooms = headrooms(taker, offer);
  const equity4 = rooms[SCENARIO_ROWS - 1]!;
  const bounds = rooms.map((headroom, row) => {
    const lost = INITIAL * moved * changeIn(offer, row);
    const unharmed = floorDivide(-lost, VALUE);
    // `headroom - lost - 4 a >= 0`, and for the fund twice that `>= equity4 - 4 a`.
    const left = isInsurance ? 2n * (headroom - lost) - equity4 : headroom - lost;
    return largest([unharmed, floorDivide(left, VALUE)]);
  });
  if (!isInsurance) return smallest(bounds);
  // `8 (cash - a) >= equity4 - 4 a`, or no less cash than before.
  const cash = BigInt(taker.cash) + received;
  const liquid = largest([received, floorDivide(2n * VALUE * cash - equity4, VALUE)]);
  return smallest([floorDivide(equity4, VALUE), liquid, ...bounds]);
}

/** Cash and positions at the marks, in 1e-6 USDC. */
export function equityOf(account: Readonly<Account>, risk: Risk, unit: number): bigint {
  const value = maintenanceValues(account, risk)[SCENARIO_ROWS - 1]!;
  return BigInt(account.cash) + BigInt(unit) * BigInt(value);
}

/** `4 cash + unit X_s` for s = 0..17 (SPEC section 4). */
export function headrooms(
  account: Readonly<Account>,
  { risk, unit }: { readonly risk: Risk; readonly unit: number },
): bigint[] {
  return scenarioValues(account, risk).map((value) => {
    return VALUE * BigInt(account.cash) + BigInt(unit) * BigInt(value);
  });
}

function positive(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

export function smallest(values: readonly bigint[]): bigint {
  return values.reduce((least, value) => (value < least ? value : least));
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most));
}

export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}
