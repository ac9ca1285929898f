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
import {
  type LadderConfig,
  type LadderMarket,
  missingBook,
  missingSeries,
} from "./listingLadder.ts";
import type { MarketPlan, PlannedBook, PlannedSeries } from "./marketPlan.ts";

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
/** Series that are announced at once. */
const ANNOUNCED_MAX = 32;

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
  const planned = dueBook(state, options, context);
  if (planned !== undefined) return planned;
  const missing = plannedSeries(state, plan, context.time);
  const due = dueListing(missing, context);
  if (due !== undefined) return due;
  const wanted = combos?.due(context.time);
  if (wanted !== undefined) return opening(state, wanted, options, context);
  if (ladder === undefined) return undefined;
  const market = marketOf(state, options, ladder, context);
  const book = missingBook(ladder, market);
  if (book !== undefined) return opening(state, book, options, context);
  return dueListing(laddered(ladder, market, missing), context);
}

/**
 * Series that the oracles are asked to price: each is listed once a snapshot has it. A table that
 * had something that no snapshot prices would leave everybody without a batch until one does.
 */
export function announcedSeries(
  state: MemoryState,
  options: KeeperOptions,
  { time, snapshot }: Pick<KeeperContext, "time"> & { snapshot: Snapshot | undefined },
): PlannedSeries[] {
  const planned = plannedSeries(state, options.plan, time);
  const { ladder } = options;
  if (ladder === undefined || snapshot === undefined) return planned;
  const market = marketOf(state, options, ladder, { time, snapshot });
  return [...planned, ...laddered(ladder, market, planned)];
}

/** The ladder lists nothing again that the plan is about to list. */
function laddered(
  ladder: LadderConfig,
  market: LadderMarket,
  planned: readonly PlannedSeries[],
): PlannedSeries[] {
  const withPlanned = { ...market, listed: [...market.listed, ...planned] };
  return missingSeries(ladder, withPlanned, ANNOUNCED_MAX - planned.length);
}

function marketOf(
  state: MemoryState,
  { plan, combos }: KeeperOptions,
  ladder: LadderConfig,
  { time, snapshot }: Pick<KeeperContext, "time" | "snapshot">,
): LadderMarket {
  return ladderMarket(state, ladder, { time, snapshot, plan, booksKept: combos?.booksKept ?? 0 });
}

function dueListing(
  missing: readonly PlannedSeries[],
  { snapshot }: KeeperContext,
): LedgerOperation | undefined {
  const priced = missing.find((series) => isPricedBy(snapshot, series));
  return priced === undefined ? undefined : { kind: "listSeries", ...priced };
}

/** Whether the snapshot would serve a batch once the series is listed. */
export function isPricedBy(
  { slots }: Pick<Snapshot, "slots">,
  { slot, isCall, strike, expiry }: PlannedSeries,
): boolean {
  const terms = slots[slot]?.terms;
  return terms?.isCall === isCall && terms.strike === strike && terms.expiry === expiry;
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

/** Several may be planned for a slot: the first of them comes before the others. */
function plannedSeries(state: MemoryState, plan: MarketPlan, time: number): PlannedSeries[] {
  const bySlot = new Map<number, PlannedSeries>();
  for (const planned of plan.series) {
    const { slot, expiry } = planned;
    const series = state.series()[slot];
    if (series === undefined || series.status === "listed" || series.holders > 0) continue;
    if (bySlot.has(slot) || expiry < secondsOf(time) + LISTING_SECONDS_MIN) continue;
    bySlot.set(slot, planned);
  }
  return [...bySlot.values()].slice(0, ANNOUNCED_MAX);
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
