/** Legs of the combinations that are listed near the money, over series that are listed. */
import type { PlannedBook } from "./marketPlan.ts";

/** `expiry` in unix seconds, `strike` in ticks. */
export interface ListedSeries {
  readonly slot: number;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

export const COMBINATIONS = [
  "straddle",
  "strangle",
  "vertical",
  "butterfly",
  "condor",
  "calendar",
] as const;
export type Combination = (typeof COMBINATIONS)[number];

/** The expiry that the combination is of (a calendar's first), and its forward in ticks. */
export interface CombinationPlace {
  readonly expiry: number;
  readonly forward: number;
}

type Legs = PlannedBook["legs"];

/** Undefined where a leg is not listed. Weights are those of who buys the combination. */
export function combinationLegs(
  kind: Combination,
  series: readonly ListedSeries[],
  place: CombinationPlace,
): Legs | undefined {
  const calls = chainOf(series, place.expiry, true);
  const puts = chainOf(series, place.expiry, false);
  const money = nearest(calls, place.forward);
  if (money < 0) return undefined;
  const call = (away: number) => calls[money + away];
  const centre = calls[money]!;
  const put = puts.find(({ strike }) => strike === centre.strike);
  switch (kind) {
    case "straddle":
      return legsOf([centre, 1], [put, 1]);
    case "strangle": {
      const below = puts.filter(({ strike }) => strike < centre.strike).at(-1);
      return legsOf([below, 1], [call(1), 1]);
    }
    case "vertical":
      return legsOf([centre, 1], [call(1), -1]);
    case "butterfly":
      return legsOf([call(-1), 1], [centre, -2], [call(1), 1]);
    case "condor":
      return legsOf([call(-1), 1], [centre, -1], [call(1), -1], [call(2), 1]);
    case "calendar":
      return legsOf([centre, -1], [laterCall(series, centre), 1]);
  }
}

/** By strike, ascending. */
function chainOf(series: readonly ListedSeries[], expiry: number, isCall: boolean): ListedSeries[] {
  return series
    .filter((each) => each.expiry === expiry && each.isCall === isCall)
    .sort((one, other) => one.strike - other.strike);
}

/** Index of the strike that is nearest to the price, -1 where there is none. */
function nearest(chain: readonly ListedSeries[], price: number): number {
  let best = chain.length - 1;
  for (const [index, { strike }] of chain.entries()) {
    if (Math.abs(strike - price) < Math.abs(chain[best]!.strike - price)) best = index;
  }
  return best;
}

/** The call of the same strike that expires next. */
function laterCall(series: readonly ListedSeries[], near: ListedSeries): ListedSeries | undefined {
  const later = series.filter(({ isCall, strike, expiry }) => {
    return isCall && strike === near.strike && expiry > near.expiry;
  });
  return later.sort((one, other) => one.expiry - other.expiry)[0];
}

function legsOf(...legs: (readonly [ListedSeries | undefined, number])[]): Legs | undefined {
  const found = legs.flatMap(([leg, weight]) => {
    return leg === undefined ? [] : [[leg.slot, weight] as const];
  });
  return found.length === legs.length ? found : undefined;
}
