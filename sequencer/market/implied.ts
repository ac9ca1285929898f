/** What a combination costs and fetches leg by leg, from the plain books of its legs. */
import type { BookLevel, ImpliedPrices, ImpliedQuote } from "./publicBook.ts";

/** A plain book's levels, best first. */
export interface LegBook {
  readonly bids: readonly Pick<BookLevel, "price" | "lots">[];
  readonly asks: readonly Pick<BookLevel, "price" | "lots">[];
}

/**
 * Buying one lot of the combination buys `w` lots of every leg with a weight `w > 0` at its asks
 * and sells `-w` lots of the others at their bids; selling is the reverse. The price is that of the
 * first lot, and `lots` is how many cost the same; the next one is worse, or cannot be had.
 * `legBook` answers undefined where a slot has no open plain book.
 */
export function impliedPrices(
  weights: readonly number[],
  legBook: (slot: number) => LegBook | undefined,
): ImpliedPrices {
  return { bid: impliedQuote(weights, legBook, true), ask: impliedQuote(weights, legBook, false) };
}

function impliedQuote(
  weights: readonly number[],
  legBook: (slot: number) => LegBook | undefined,
  isSell: boolean,
): ImpliedQuote | null {
  let price = 0;
  let lots = Number.POSITIVE_INFINITY;
  for (const [slot, weight] of weights.entries()) {
    if (weight === 0) continue;
    const sells = weight < 0 !== isSell;
    const book = legBook(slot);
    const cost = legCost((sells ? book?.bids : book?.asks) ?? [], Math.abs(weight));
    if (cost === undefined) return null;
    price += sells === isSell ? cost.price : -cost.price;
    lots = Math.min(lots, cost.times);
  }
  return Number.isFinite(lots) ? { price, lots } : null;
}

/**
 * What `ratio` lots cost from the best level on, and how many times in a row. Only what fits into
 * the first level is to be had again at the same price.
 */
function legCost(
  levels: LegBook["bids"],
  ratio: number,
): { readonly price: number; readonly times: number } | undefined {
  let left = ratio;
  let price = 0;
  for (const level of levels) {
    const taken = Math.min(left, level.lots);
    price += taken * level.price;
    left -= taken;
    if (left === 0) break;
  }
  if (left > 0) return undefined;
  return { price, times: Math.max(1, Math.floor(levels[0]!.lots / ratio)) };
}
