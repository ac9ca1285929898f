/** How far the underlying has moved from one snapshot to the next. */
import { underlyingPrice } from "../market/marketData.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { Series } from "../protocol/state.ts";

/**
 * The move in basis points, by the forward of the nearest expiry that both snapshots price; 0 where
 * there is none. What either does not price tells nothing: 0 would be half of a wrong pair.
 */
export function indexMoveBps(table: readonly Series[], before: Snapshot, after: Snapshot): number {
  const known = table.map((series, slot) => {
    const isKnown = isPriced(series, before, slot) && isPriced(series, after, slot);
    return isKnown ? series : { ...series, status: "empty" as const };
  });
  const [from, to] = [before, after].map(({ slots }) => {
    const marks = slots.map(({ mark }) => mark);
    return underlyingPrice(known, marks, after.time);
  });
  if (from === null || from === undefined || to === null || to === undefined) return 0;
  if (from <= 0 || to <= 0) return 0;
  return Math.round((Math.abs(to - from) / from) * 10_000);
}

function isPriced({ isCall, strike, expiry }: Series, snapshot: Snapshot, slot: number): boolean {
  const found = snapshot.slots[slot];
  if (found === undefined || found.mark === 0) return false;
  const { terms } = found;
  return terms.isCall === isCall && terms.strike === strike && terms.expiry === expiry;
}
