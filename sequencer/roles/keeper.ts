/**
 * The operator's part of the ledger: lists, opens and settles what is due, moves fees, by plan and
 * state.
 */
import { isBookOpen, secondsOf } from "../engine/bookState.ts";
import type { LedgerOperation } from "../engine/records.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { ComboDemand } from "./comboDemand.ts";
import { type FeeSchedule, feesFor } from "./feeSchedule.ts";
import { ladderMarket } from "./ladderMarket.ts";
import { type LadderConfig, type LadderMarket, planLadder } from "./listingLadder.ts";
import type { MarketPlan, PlannedBook } from "./marketPlan.ts";

export interface KeeperOptions {
  /** What is listed in any case. */
  readonly plan: MarketPlan;
  /** What is listed as the market moves, in the slots and books that the plan leaves. */
  readonly ladder?: LadderConfig | undefined;
  readonly fees: FeeSchedule;
  readonly collection: FeeCollection;
  /** Books that somebody has asked for, in ids that are kept for them. */
  readonly combos?: Pick<ComboDemand, "due" | "booksKept"> | undefined;
}

/** Fees are moved to their account when they reach `threshold` (1e-6 USDC), or after a while. */
export interface FeeCollection {
  readonly threshold: number;
  readonly everyBatches: number;
}

/** 100 USDC, or an hour of batches that fill up in a minute. */
export const DEFAULT_COLLECTION: FeeCollection = { threshold: 100_000_000, everyBatches: 60 };

/** A series that would expire sooner than this is not worth its listing (seconds). */
const LISTING_SECONDS_MIN = 30;

export interface KeeperContext {
  /** Of the batch that would take the operation. */
  readonly time: number;
  readonly snapshot: Snapshot;
  /** Batches since fees were last collected. */
  readonly batchesSinceCollection: number;
  /** What the accounts in liquidation need; asked only where nothing more urgent is due. */
  liquidation(): LedgerOperation | undefined;
}

/**
 * The next operation that is due, or undefined. Call it again once that has been executed. Books
 * come as soon as their series are there, so that trading begins with the first of them.
 */
export function dueOperation(
  state: MemoryState,
  options: KeeperOptions,
  context: KeeperContext,
): LedgerOperation | undefined {
  return (
    dueSettlement(state, context) ??
    duePosition(state) ??
    context.liquidation() ??
    dueCollection(state, options.collection, context) ??
    dueAddition(state, options, context)
  );
}

/** Whether the operation only adds to the market: money that is owed never waits for it. */
export function isListing({ kind }: LedgerOperation): boolean {
  return kind === "listSeries" || kind === "openBook";
}

function dueAddition(
  state: MemoryState,
  options: KeeperOptions,
  context: KeeperContext,
): LedgerOperation | undefined {
  const { plan, ladder, combos } = options;
  const planned = dueBook(state, options, context) ?? dueListing(state, plan, context.time);
  if (planned !== undefined) return planned;
  const wanted = combos?.due(context.time);
  if (wanted !== undefined) return opening(state, wanted, options, context);
  if (ladder === undefined) return undefined;
  const kept = { booksKept: combos?.booksKept ?? 0 };
  const market: LadderMarket = ladderMarket(state, ladder, { ...context, ...kept, plan });
  const added = planLadder(ladder, market);
  if (added === undefined) return undefined;
  return added.kind === "series"
    ? { kind: "listSeries", ...added.series }
    : opening(state, added.book, options, context);
}

function dueCollection(
  state: MemoryState,
  { threshold, everyBatches }: FeeCollection,
  { batchesSinceCollection }: KeeperContext,
): LedgerOperation | undefined {
  const fees = state.fees();
  const isDue = fees >= threshold || batchesSinceCollection >= everyBatches;
  return fees > 0 && isDue ? { kind: "collectFees" } : undefined;
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

function dueBook(
  state: MemoryState,
  options: KeeperOptions,
  context: KeeperContext,
): LedgerOperation | undefined {
  const { time } = context;
  const seconds = secondsOf(time);
  const found = options.plan.books.find(({ book, legs }) => {
    const isLive = legs.every(([slot]) => {
      const series = state.series()[slot];
      return series?.status === "listed" && series.expiry > seconds;
    });
    if (!isLive) return false;
    const before = state.book(book);
    return before === undefined || !isBookOpen(state, before, time);
  });
  return found === undefined ? undefined : opening(state, found, options, context);
}

function opening(
  state: MemoryState,
  { book, legs, fees }: PlannedBook,
  options: KeeperOptions,
  { snapshot }: KeeperContext,
): LedgerOperation {
  const weights = new Array<number>(state.slots).fill(0);
  for (const [slot, weight] of legs) weights[slot] = weight;
  const rates = fees ?? feesFor(options.fees, { state, snapshot, weights });
  return { kind: "openBook", book, weights, fees: rates };
}
