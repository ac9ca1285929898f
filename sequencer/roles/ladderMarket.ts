/** The market as the listing ladder sees it: state and marks, and what the plan leaves to it. */
import { isBookOpen, secondsOf } from "../engine/bookState.ts";
import { effectiveRisk } from "../engine/risk.ts";
import { forwardOf, slotGreeks, underlyingPrice } from "../market/marketData.ts";
import { GENERATION_BITS } from "../protocol/constants.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { LadderConfig, LadderMarket } from "./listingLadder.ts";
import type { MarketPlan } from "./marketPlan.ts";

const GENERATION_MAX = 2 ** GENERATION_BITS - 1;

/**
 * `time` of the batch that would take an addition (unix ms). `booksKept`: so many ids at the end of
 * the tree are not the ladder's.
 */
export function ladderMarket(
  state: MemoryState,
  config: LadderConfig,
  given: { plan: MarketPlan; snapshot: Snapshot; time: number; booksKept?: number },
): LadderMarket {
  const { plan, snapshot, time, booksKept = 0 } = given;
  const table = state.series();
  const { marks } = effectiveRisk(table, snapshot);
  // Series that the oracles have not seen have no marks worth reading: 0 would also be a volatility
  // of 0, and half of a pair a wrong forward.
  const known = table.map((series, slot) => (marks[slot]! > 0 ? series : UNKNOWN));
  const underlying = underlyingPrice(known, marks, time) ?? config.startTicks;
  const planned = new Set(plan.series.map(({ slot }) => slot));
  const plannedBooks = new Set(plan.books.map(({ book }) => book));
  const length = 4 ** state.shape.bookLevels - booksKept;
  const ids = Array.from({ length }, (_, id) => id);
  return {
    seconds: secondsOf(time),
    listed: [...table.entries()].flatMap(([slot, { status, isCall, strike, expiry }]) => {
      return status === "listed" ? [{ slot, isCall, strike, expiry }] : [];
    }),
    slots: [...table.entries()].flatMap(([slot, series]) => {
      if (planned.has(slot)) return [];
      const { status, holders, generation, isCall, strike, expiry } = series;
      const isListed = status === "listed";
      const isFree = !isListed && holders === 0 && generation < GENERATION_MAX;
      return [{ slot, isFree, terms: isListed ? { slot, isCall, strike, expiry } : undefined }];
    }),
    books: state.bookIds().flatMap((book) => {
      const found = state.book(book);
      if (found === undefined) return [];
      const isOpen = isBookOpen(state, found, time);
      return [{ book, weights: found.weights, isOpen, isAsked: book >= length }];
    }),
    bookIds: ids.filter((id) => !plannedBooks.has(id)),
    forward: (expiry) => positive(forwardOf(known, marks, expiry)) ?? underlying,
    volatility: (expiry) => {
      const near = known.flatMap(({ status, expiry: other }, slot) => {
        if (status !== "listed" || other !== expiry) return [];
        const { markIv } = slotGreeks(known, marks, slot, time);
        return markIv === null ? [] : [markIv];
      });
      return median(near) ?? config.startVolatility;
    },
  };
}

const UNKNOWN = { status: "empty", isCall: false, strike: 0, expiry: 0 } as const;

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
