/** The operator's part of the ledger: lists, opens and settles what is due, by plan and state. */
import { isBookOpen, secondsOf } from "../engine/bookState.ts";
import type { LedgerOperation } from "../engine/records.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";

/** `strike` in ticks, `expiry` in unix seconds. */
export interface PlannedSeries {
  readonly slot: number;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

/** `legs`: slot and weight, one for each leg. */
export interface PlannedBook {
  readonly book: number;
  readonly legs: readonly (readonly [slot: number, weight: number])[];
}

/** Several series may be planned for a slot: each is listed once the one before is settled. */
export interface MarketPlan {
  readonly series: readonly PlannedSeries[];
  readonly books: readonly PlannedBook[];
}

/** A series that would expire sooner than this is not worth its listing (seconds). */
const LISTING_SECONDS_MIN = 30;

export interface KeeperContext {
  /** Of the batch that would take the operation. */
  readonly time: number;
  readonly snapshot: Pick<Snapshot, "slots">;
}

/**
 * The next operation that is due, or undefined. Call it again once that has been executed. Books
 * come as soon as their series are there, so that trading begins with the first of them.
 */
export function dueOperation(
  state: MemoryState,
  plan: MarketPlan,
  context: KeeperContext,
): LedgerOperation | undefined {
  return (
    dueSettlement(state, context) ??
    duePosition(state) ??
    dueBook(state, plan, context.time) ??
    dueListing(state, plan, context.time)
  );
}

/** Whether the operation only adds to the market: money that is owed never waits for it. */
export function isListing({ kind }: LedgerOperation): boolean {
  return kind === "listSeries" || kind === "openBook";
}

function dueSettlement(
  state: MemoryState,
  { time, snapshot }: KeeperContext,
): LedgerOperation | undefined {
  const slot = state.series().findIndex(({ status, expiry }, index) => {
    const isExpired = status === "listed" && expiry <= secondsOf(time);
    return isExpired && snapshot.slots[index]?.isFinal === true;
  });
  return slot < 0 ? undefined : { kind: "settleSeries", slot };
}

function duePosition(state: MemoryState): LedgerOperation | undefined {
  for (const [slot, { status, holders }] of state.series().entries()) {
    if (status !== "settled" || holders === 0) continue;
    const account = state.accountIds().find((id) => state.account(id).positions[slot] !== 0);
    if (account !== undefined) return { kind: "settlePosition", account, slot };
  }
  return undefined;
}

function dueListing(
  state: MemoryState,
  plan: MarketPlan,
  time: number,
): LedgerOperation | undefined {
  const found = plan.series.find(({ slot, expiry }) => {
    const series = state.series()[slot];
    if (series === undefined || series.status === "listed" || series.holders > 0) return false;
    return expiry >= secondsOf(time) + LISTING_SECONDS_MIN;
  });
  return found === undefined ? undefined : { kind: "listSeries", ...found };
}

function dueBook(state: MemoryState, plan: MarketPlan, time: number): LedgerOperation | undefined {
  const seconds = secondsOf(time);
  const found = plan.books.find(({ book, legs }) => {
    const isLive = legs.every(([slot]) => {
      const series = state.series()[slot];
      return series?.status === "listed" && series.expiry > seconds;
    });
    if (!isLive) return false;
    const before = state.book(book);
    return before === undefined || !isBookOpen(state, before, time);
  });
  if (found === undefined) return undefined;
  const weights = new Array<number>(state.slots).fill(0);
  for (const [slot, weight] of found.legs) weights[slot] = weight;
  return { kind: "openBook", book: found.book, weights };
}
