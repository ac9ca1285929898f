/** Whether what held words wait for has come true. */
import { underlyingPrice } from "../market/marketData.ts";
import type { Comparison, HeldCondition } from "../protocol/heldWord.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { Series } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";

/** The prices of one snapshot, in ticks; null where it does not tell one. */
export interface Prices {
  index(): number | null;
  mark(book: number): number | null;
}

/** Slots of other series than are listed now tell nothing: their marks are of something else. */
export function pricesOf(state: MemoryState, snapshot: Snapshot): Prices {
  const series = state.series().map((known, slot) => {
    return isOf(known, snapshot, slot) ? known : ({ ...known, status: "empty" } as const);
  });
  const marks = snapshot.slots.map(({ mark }) => mark);
  let index: number | null | undefined;
  return {
    index: () => {
      if (index === undefined) index = underlyingPrice(series, marks, snapshot.time);
      return index;
    },
    mark: (id) => {
      const weights = state.book(id)?.weights;
      if (weights === undefined) return null;
      let sum = 0;
      for (const [slot, weight] of weights.entries()) {
        if (weight === 0) continue;
        if (series[slot]?.status !== "listed") return null;
        sum += weight * (marks[slot] ?? 0);
      }
      return sum;
    },
  };
}

function isOf({ isCall, strike, expiry }: Series, snapshot: Snapshot, slot: number): boolean {
  const terms = snapshot.slots[slot]?.terms;
  return terms?.isCall === isCall && terms.strike === strike && terms.expiry === expiry;
}

/** Of conditions that hang on prices. */
export function isPriceMet(condition: HeldCondition, prices: Prices): boolean {
  if (condition.type === "index") return compares(prices.index(), condition);
  if (condition.type === "mark") return compares(prices.mark(condition.book), condition);
  return false;
}

function compares(
  price: number | null,
  { is, price: bound }: { readonly is: Comparison; readonly price: number },
): boolean {
  if (price === null) return false;
  return is === "atOrAbove" ? price >= bound : price <= bound;
}
