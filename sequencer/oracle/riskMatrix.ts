/**
 * Marks and scenario changes of all slots from integer market data. Oracles sign the result, so two
 * of them must compute the same integers from the same inputs: inputs are integers, and the
 * arithmetic is that of `pricing/deterministicMath.ts`, which is the same on every machine.
 */

import { blackPrice, intrinsic, MS_PER_YEAR } from "../pricing/black76.ts";
import { power, roundHalfAway } from "../pricing/deterministicMath.ts";
import {
  CHANGE_BITS,
  MARK_BITS,
  SCENARIOS,
  SECONDS_BITS,
  STRIKE_BITS,
} from "../protocol/constants.ts";
import type { SlotRisk } from "../protocol/snapshot.ts";

export const BPS = 10_000;
const MS_PER_DAY = 86_400_000;
const MARK_MAX = 2 ** MARK_BITS - 1;
/** Encoded with an offset of half the width, and the lowest code stays unused. */
const CHANGE_MAX = 2 ** (CHANGE_BITS - 1) - 1;
/** 10,000 %, above what any venue shows. */
export const IV_BPS_MAX = 1_000_000;

/**
 * What the risk of one slot depends on. `forwardTicks` is the forward of the slot's expiry,
 * `ivBps` the implied volatility for a 365-day year in 1/10,000 (6500 is 65 %). An expired slot
 * has `settlementTicks`, the price at which it settles, once that is known.
 */
export interface SlotMarket {
  readonly isCall: boolean;
  readonly strikeTicks: number;
  readonly forwardTicks: number;
  readonly ivBps: number;
  readonly timeToExpiryMs: number;
  readonly settlementTicks?: number | undefined;
}

/** All in basis points of one, except the multiple. The same for every oracle of a market. */
export interface RiskParameters {
  /** The price scan range as a part of the forward. */
  readonly priceRangeBps: number;
  /** The extreme moves, in price ranges, and the part of their result that counts. */
  readonly extremeMultiple: number;
  readonly extremeCoveredBps: number;
  /** Relative volatility moves at 30 days to expiry, scaled by `(30 / days) ^ power`. */
  readonly volatilityUpBps: number;
  readonly volatilityDownBps: number;
  readonly powerShortBps: number;
  readonly powerLongBps: number;
  /** The upward move is a part of at least this volatility. */
  readonly volatilityFloorBps: number;
}

/**
 * Price range 16 %, volatility +50 % / -25 % times `(30 / DTE) ^ 0.30` up to 30 days and `^ 0.13`
 * beyond, volatility floor 50 %: Deribit's portfolio margin (help centre article 25944756247837).
 * We read its floor as: the upward move is 50 % of at least that volatility. Days to expiry count
 * as at least 1, as in Derive's PM2. The extreme move, three ranges of which 33 % count, is our
 * choice: in SPAN each exchange sets both (McMillan's example fits two ranges and 35 %).
 */
export const DEFAULT_RISK_PARAMETERS: RiskParameters = {
  priceRangeBps: 1600,
  extremeMultiple: 3,
  extremeCoveredBps: 3300,
  volatilityUpBps: 5000,
  volatilityDownBps: 2500,
  powerShortBps: 3000,
  powerLongBps: 1300,
  volatilityFloorBps: 5000,
};

const DAYS_REFERENCE = 30;
const DAYS_MIN = 1;

type VolatilityMove = "up" | "down" | "none";
interface Scenario {
  /** Price move in thirds of the range, or for an extreme move in extreme multiples. */
  readonly thirds: number;
  readonly volatility: VolatilityMove;
  readonly isExtreme: boolean;
}

/**
 * The 16 scenarios of CME's SPAN risk array in its order, as told by L. G. McMillan ("Options as a
 * Strategic Investment", SPAN chapter) and by NSE Clearing. SPAN files state losses as positive;
 * here a change is what one long contract gains. SPAN looks one day ahead; here options keep their
 * time to expiry.
 */
export const SPAN_SCENARIOS: readonly Scenario[] = [
  { thirds: 0, volatility: "up", isExtreme: false },
  { thirds: 0, volatility: "down", isExtreme: false },
  { thirds: 1, volatility: "up", isExtreme: false },
  { thirds: 1, volatility: "down", isExtreme: false },
  { thirds: -1, volatility: "up", isExtreme: false },
  { thirds: -1, volatility: "down", isExtreme: false },
  { thirds: 2, volatility: "up", isExtreme: false },
  { thirds: 2, volatility: "down", isExtreme: false },
  { thirds: -2, volatility: "up", isExtreme: false },
  { thirds: -2, volatility: "down", isExtreme: false },
  { thirds: 3, volatility: "up", isExtreme: false },
  { thirds: 3, volatility: "down", isExtreme: false },
  { thirds: -3, volatility: "up", isExtreme: false },
  { thirds: -3, volatility: "down", isExtreme: false },
  { thirds: 3, volatility: "none", isExtreme: true },
  { thirds: -3, volatility: "none", isExtreme: true },
];

/** One entry for each slot; an empty slot has mark 0 and no changes. Throws RangeError. */
export function buildRiskMatrix(options: {
  slots: readonly (SlotMarket | null | undefined)[];
  parameters: RiskParameters;
}): SlotRisk[] {
  const { slots, parameters } = options;
  return slots.map((slot) => (slot ? slotRisk(slot, parameters) : still(0, false)));
}

function slotRisk(slot: SlotMarket, parameters: RiskParameters): SlotRisk {
  checkSlot(slot);
  const { isCall, strikeTicks, settlementTicks } = slot;
  if (settlementTicks !== undefined) {
    return still(Math.min(intrinsic(isCall, strikeTicks, settlementTicks), MARK_MAX), true);
  }
  const base = blackPrice(optionOf(slot, slot.forwardTicks, slot.ivBps / BPS));
  const volatilities = shockedVolatilities(slot, parameters);
  const changes = SPAN_SCENARIOS.map((scenario) => {
    const shocked = shockedForward(slot.forwardTicks, scenario, parameters);
    const price = blackPrice(optionOf(slot, shocked, volatilities[scenario.volatility]));
    const covered = scenario.isExtreme ? parameters.extremeCoveredBps : BPS;
    const change = roundHalfAway(((price - base) * covered) / BPS);
    return Math.min(Math.max(change, -CHANGE_MAX), CHANGE_MAX);
  });
  return { mark: Math.min(roundHalfAway(base), MARK_MAX), isFinal: false, changes };
}

function still(mark: number, isFinal: boolean): SlotRisk {
  return { mark, isFinal, changes: new Array<number>(SCENARIOS).fill(0) };
}

function optionOf(slot: SlotMarket, forward: number, volatility: number) {
  const { isCall, strikeTicks: strike } = slot;
  const yearsToExpiry = Math.max(slot.timeToExpiryMs, 0) / MS_PER_YEAR;
  return { isCall, forward, strike, yearsToExpiry, volatility };
}

function shockedForward(forward: number, scenario: Scenario, parameters: RiskParameters): number {
  const multiple = scenario.isExtreme ? parameters.extremeMultiple : 1;
  const move = (forward * parameters.priceRangeBps * multiple * scenario.thirds) / (3 * BPS);
  return Math.max(forward + move, 0);
}

/** Volatilities as fractions. */
function shockedVolatilities(
  slot: SlotMarket,
  parameters: RiskParameters,
): Record<VolatilityMove, number> {
  const days = Math.max(slot.timeToExpiryMs / MS_PER_DAY, DAYS_MIN);
  const exponent = days < DAYS_REFERENCE ? parameters.powerShortBps : parameters.powerLongBps;
  const factor = power(DAYS_REFERENCE / days, exponent / BPS);
  const none = slot.ivBps / BPS;
  const floored = Math.max(none, parameters.volatilityFloorBps / BPS);
  const up = none + (floored * parameters.volatilityUpBps * factor) / BPS;
  const down = Math.max(none - (none * parameters.volatilityDownBps * factor) / BPS, 0);
  return { up, down, none };
}

function checkSlot(slot: SlotMarket): void {
  checkInteger("strikeTicks", slot.strikeTicks, 2 ** STRIKE_BITS - 1);
  checkInteger("forwardTicks", slot.forwardTicks, 2 ** STRIKE_BITS - 1);
  checkInteger("ivBps", slot.ivBps, IV_BPS_MAX);
  checkInteger("settlementTicks", slot.settlementTicks ?? 0, 2 ** STRIKE_BITS - 1);
  checkInteger("|timeToExpiryMs|", Math.abs(slot.timeToExpiryMs), 2 ** SECONDS_BITS * 1000);
}

function checkInteger(name: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new RangeError(`\`${name}\` must be an integer from 0 to ${max}. Got \`${value}\`.`);
  }
}
