/**
 * What each leg of a fill in a combination's book costs. Such a fill has a net price only, so the
 * legs' prices are a convention, by which nobody pays: every leg at its mark, and what the net
 * price differs from the marks' sum shared out by the legs' parts of it.
 */
import { mulDiv } from "./mulDiv.ts";

/** Signed ticks that one lot of the book costs its buyer in `slot`, all `weight` of it. */
export interface LegCost {
  readonly slot: number;
  readonly weight: number;
  readonly ticks: number;
}

/**
 * `price` and `marks` in ticks. The costs add up to `price` exactly: shares are rounded towards 0,
 * and what is left of that, less than a tick a leg, goes to the leg with the largest part (the
 * first of equals).
 */
export function legCosts(
  weights: readonly number[],
  price: number,
  marks: readonly number[],
): LegCost[] {
  const legs = [...weights.entries()].filter(([, weight]) => weight !== 0);
  const worth = legs.map(([slot, weight]) => Math.abs(weight) * (marks[slot] ?? 0));
  // Where nothing is worth anything, lots are what is left to share by.
  const parts = worth.some((part) => part !== 0)
    ? worth
    : legs.map(([, weight]) => Math.abs(weight));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const atMarks = legs.reduce((sum, [slot, weight]) => sum + weight * (marks[slot] ?? 0), 0);
  const rest = price - atMarks;
  const shares = parts.map((part) => mulDiv(rest, part, whole));
  const largest = parts.indexOf(Math.max(...parts));
  shares[largest]! += rest - shares.reduce((sum, share) => sum + share, 0);
  return legs.map(([slot, weight], index) => {
    return { slot, weight, ticks: weight * (marks[slot] ?? 0) + shares[index]! };
  });
}
