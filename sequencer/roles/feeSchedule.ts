/** The rates at which books are opened: a part of the price of what they trade on. */
import { isPlain } from "../engine/bookState.ts";
import { effectiveRisk } from "../engine/risk.ts";
import { forwardOf, underlyingPrice } from "../market/marketData.ts";
import { FEE_BITS } from "../protocol/constants.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { BookFees } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";

/** Parts per million of the underlying for each contract; a maker's may be a rebate. */
export interface FeeRate {
  readonly takerPpm: number;
  readonly makerPpm: number;
}

export interface FeeSchedule {
  readonly plain: FeeRate;
  /** Of books with several legs: charged once, so legs traded together cost less. */
  readonly combination: FeeRate;
}

/** 0.03 % of the underlying for takers, nothing for makers; the premium caps it (SPEC 4). */
export const DEFAULT_FEES: FeeSchedule = {
  plain: { takerPpm: 300, makerPpm: 0 },
  combination: { takerPpm: 300, makerPpm: 0 },
};

const MILLION = 1_000_000;
const RATE_MAX = 2 ** FEE_BITS - 1;

/** In ticks for each lot; a rebate is never more than what the taker pays. */
export function feesFor(
  schedule: FeeSchedule,
  {
    state,
    snapshot,
    weights,
  }: { state: MemoryState; snapshot: Snapshot; weights: readonly number[] },
): BookFees {
  const { takerPpm, makerPpm } = isPlain(weights) ? schedule.plain : schedule.combination;
  const underlying = underlyingOf(state, snapshot, weights);
  const rate = (ppm: number) => Math.min(Math.round((ppm * underlying) / MILLION), RATE_MAX);
  const taker = rate(takerPpm);
  return { taker, maker: Math.max(rate(makerPpm), 0 - taker) };
}

/**
 * The forward of the first leg's expiry (ticks). A book is opened right after its series, which the
 * marks do not know yet: then the nearest forward that they tell, or its strike if there is none.
 */
function underlyingOf(state: MemoryState, snapshot: Snapshot, weights: readonly number[]): number {
  const series = state.series();
  const leg = series[weights.findIndex((weight) => weight !== 0)];
  if (leg === undefined) return 0;
  const { marks } = effectiveRisk(series, snapshot);
  const price =
    forwardOf(series, marks, leg.expiry) ?? underlyingPrice(series, marks, snapshot.time) ?? 0;
  return price > 0 ? price : leg.strike;
}
