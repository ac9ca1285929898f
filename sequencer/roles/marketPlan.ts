/** What an operator wants to be listed, whatever the market does. */
import type { BookFees } from "../protocol/state.ts";

/** `strike` in ticks, `expiry` in unix seconds. */
export interface PlannedSeries {
  readonly slot: number;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

/** `legs`: slot and weight, one for each leg; `fees`: those of the schedule where absent. */
export interface PlannedBook {
  readonly book: number;
  readonly legs: readonly (readonly [slot: number, weight: number])[];
  readonly fees?: BookFees | undefined;
}

/** Several series may be planned for a slot: each is listed once the one before is settled. */
export interface MarketPlan {
  readonly series: readonly PlannedSeries[];
  readonly books: readonly PlannedBook[];
}
