/** Every series that was ever listed, so that names of expired options go on meaning something. */
import type { Listing } from "../market/publicBook.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Effect } from "./effect.ts";

/** Listings that a node remembers: years of a ladder of 64 slots. */
export const LISTINGS_KEPT = 10_000;

export interface SeriesArchive {
  observe(effect: Effect): void;
  /** Oldest first; JSON-safe. */
  listings(): readonly Listing[];
}

/** Begins with what the slots hold now; `memory` is of the same moment. */
export function createSeriesArchive(
  state: Pick<MemoryState, "series">,
  memory: readonly Listing[] = [],
): SeriesArchive {
  const known = new Map(memory.map((listing) => [keyOf(listing), listing]));
  const note = (slot: number, change: Partial<Listing>): void => {
    const series = state.series()[slot];
    if (series === undefined || series.status === "empty") return;
    const { generation, isCall, strike, expiry } = series;
    const key = keyOf({ slot, generation });
    const before = known.get(key) ?? { listedAt: null, settledAt: null, settlementPrice: null };
    known.set(key, { slot, generation, isCall, strike, expiry, ...before, ...change });
    for (const oldest of known.keys()) {
      if (known.size <= LISTINGS_KEPT) break;
      known.delete(oldest);
    }
  };
  for (const [slot, { status, mark }] of state.series().entries()) {
    note(slot, status === "settled" ? { settlementPrice: mark } : {});
  }
  return {
    observe: ({ operation, batch }) => {
      if (operation?.outcome !== "executed") return;
      const { operation: done } = operation;
      if (done.kind === "listSeries") note(done.slot, { listedAt: batch.time });
      if (done.kind !== "settleSeries") return;
      const settlementPrice = state.series()[done.slot]?.mark ?? null;
      note(done.slot, { settledAt: batch.time, settlementPrice });
    },
    listings: () => [...known.values()],
  };
}

function keyOf({ slot, generation }: Pick<Listing, "slot" | "generation">): string {
  return `${slot}:${generation}`;
}
