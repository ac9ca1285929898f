/**
 * Packages of legs as orders of books: the same package has one book, whoever asks for it and from
 * whichever side. Legs are divided by what their amounts have in common, and of a book and its
 * reverse one is canonical: the one with a name of its own, else the one that costs.
 */
import { WEIGHT_BITS, WEIGHT_OFFSET } from "../protocol/constants.ts";
import { type ComboLeg, comboName, sortLegs } from "./combo.ts";
import type { InstrumentTerms, NamingMarket } from "./instrument.ts";

/** Legs of one package. */
export const PACKAGE_LEGS_MAX = 20;

const WEIGHT_MIN = -WEIGHT_OFFSET;
const WEIGHT_MAX = 2 ** WEIGHT_BITS - 1 - WEIGHT_OFFSET;

/** `lots` bought, or sold where it is negative. */
export interface PackageLeg extends InstrumentTerms {
  readonly slot: number;
  readonly lots: number;
}

/** Slot and weight of each leg of a book, ascending by slot. */
export type BookLegs = readonly (readonly [slot: number, weight: number])[];

/** Whoever wants the legs as they were given buys `lots` of the book, or sells them. */
export interface Package {
  readonly legs: BookLegs;
  readonly lots: number;
  readonly isSell: boolean;
}

/** Legs that are no package; the message says why. */
export class PackageError extends Error {
  override name = "PackageError";
}

/** Throws {@link PackageError}. */
export function packageOf(legs: readonly PackageLeg[], market: NamingMarket): Package {
  if (legs.length < 1 || legs.length > PACKAGE_LEGS_MAX) {
    throw new PackageError(`a package has 1 to ${PACKAGE_LEGS_MAX} legs. Got \`${legs.length}\`.`);
  }
  if (new Set(legs.map(({ slot }) => slot)).size < legs.length) {
    throw new PackageError("the same leg stands in it twice.");
  }
  const empty = legs.find(({ lots }) => !Number.isSafeInteger(lots) || lots === 0);
  if (empty !== undefined) {
    throw new PackageError(`a leg's amount must not be 0. Got \`${empty.lots}\` lots.`);
  }
  const lots = legs.map((leg) => Math.abs(leg.lots)).reduce(commonDivisor);
  const bought = legs.map((leg) => ({ ...leg, weight: leg.lots / lots }));
  const isSell = !isCanonical(bought, market);
  const weighed = isSell ? bought.map(reversed) : bought;
  const wide = weighed.find(({ weight }) => weight < WEIGHT_MIN || weight > WEIGHT_MAX);
  if (wide !== undefined) {
    const range = `${WEIGHT_MIN} to ${WEIGHT_MAX}`;
    throw new PackageError(`ratios of a book are from ${range}. Got \`${wide.weight}\`.`);
  }
  const byslot = [...weighed].sort((one, other) => one.slot - other.slot);
  return { legs: byslot.map(({ slot, weight }) => [slot, weight] as const), lots, isSell };
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}

function reversed<L extends ComboLeg>(leg: L): L {
  return { ...leg, weight: -leg.weight };
}

/** Whether the legs are the book's, and not those of its reverse. */
function isCanonical(legs: readonly ComboLeg[], market: NamingMarket): boolean {
  const back = legs.map(reversed);
  const canBe = (side: readonly ComboLeg[]) => side.every(({ weight }) => weight <= WEIGHT_MAX);
  // A weight of -8 has no reverse.
  if (canBe(legs) !== canBe(back)) return canBe(legs);
  const isNamed = hasOwnName(legs, market);
  if (isNamed !== hasOwnName(back, market)) return isNamed;
  return costs(legs);
}

function hasOwnName(legs: readonly ComboLeg[], market: NamingMarket): boolean {
  return !comboName(legs, market).startsWith(`${market.underlying}-CUSTOM-`);
}

/**
 * Of a pair that which is worth more is bought: the later expiry, the call of the lower strike, the
 * put of the higher one. Everything else buys its first leg.
 */
function costs(legs: readonly ComboLeg[]): boolean {
  const [first, second] = sortLegs(legs) as [ComboLeg, ComboLeg | undefined];
  const isPair =
    legs.length === 2 &&
    second !== undefined &&
    first.isCall === second.isCall &&
    first.weight === -second.weight;
  if (!isPair) return first.weight > 0;
  const isFirstDearer = first.expiry === second.expiry && first.isCall;
  return (isFirstDearer ? first : second).weight > 0;
}

/** Whether a book with these weights is of these legs. */
export function isBookOf(weights: readonly number[], legs: BookLegs): boolean {
  const count = weights.filter((weight) => weight !== 0).length;
  return count === legs.length && legs.every(([slot, weight]) => weights[slot] === weight);
}
