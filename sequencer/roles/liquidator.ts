/**
 * Drives accounts below maintenance margin through their liquidation: locked and reduced through
 * the books, then offered to backstops, insured, deleveraged (SPEC sections 6 and 7). What is due
 * is planned against the very batch that will take it, and every step of it stands in the log.
 */
import type { LedgerOperation } from "../engine/records.ts";
import { effectiveRisk, firstBelowMaintenance } from "../engine/risk.ts";
import type { Logger } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";
import { type BookStep, type PlanContext, planBookStep, planLock } from "./bookLiquidation.ts";
import type { Freshness } from "./freshness.ts";
import { createMarginWatch, type MarginCalls } from "./marginWatch.ts";
import { SNAPSHOT_AGE_MS_MAX, TRADING_AGE_MS_MAX } from "./opening.ts";
import { planRescue } from "./takeoverPlan.ts";

export interface LiquidationLimits {
  /** The most steps of a batch that liquidations take: the others are the traders'. */
  readonly stepsPerBatch: number;
  /** An account that nothing could be done for is looked at again after this (ms). */
  readonly retryMs: number;
  /** A longer silence of the oracles suspends liquidations until two snapshots are back (ms). */
  readonly oracleGapMs: number;
}

export const DEFAULT_LIQUIDATION: LiquidationLimits = {
  stepsPerBatch: 4,
  retryMs: 1000,
  oracleGapMs: SNAPSHOT_AGE_MS_MAX,
};

export interface Liquidator {
  /** If there is a newer snapshot, weighs whom it could fail. Called before what follows. */
  watch(): void;
  /** Whether accounts wait that the open batch's older snapshot holds to be healthy. */
  needsNewerBatch(): boolean;
  /** Steps in the books, as many as the batch has for them. */
  runBooks(now: number): void;
  /** The ledger operation that is due at `time` of the batch that will take it. */
  dueOperation(time: number, snapshot: Snapshot): LedgerOperation | undefined;
  /** Whether takeovers are open by this snapshot: the rule of the two snapshots. */
  isOpen(snapshot: Snapshot | undefined, now: number): boolean;
}

export interface LiquidatorOptions {
  readonly state: MemoryState;
  readonly batcher: Batcher;
  readonly freshness: Freshness;
  readonly limits: LiquidationLimits;
  readonly logger: Logger;
  snapshot(): Snapshot | undefined;
}

interface Work {
  /** The snapshot that `calls` are of. */
  snapshotTime: number;
  calls: MarginCalls;
  /** When accounts are looked at again, by account, in the books and in the ledger. */
  readonly booksRest: Map<number, number>;
  readonly ledgerRest: Map<number, number>;
  /** Steps taken in the batch of this number. */
  batch: number;
  steps: number;
}

export function createLiquidator(options: LiquidatorOptions): Liquidator {
  const { state, batcher, freshness } = options;
  const marginWatch = createMarginWatch(state);
  const work: Work = {
    snapshotTime: 0,
    calls: { failing: [], recovered: [] },
    booksRest: new Map(),
    ledgerRest: new Map(),
    batch: 0,
    steps: 0,
  };

  function watch(): void {
    const newest = options.snapshot();
    if (newest === undefined || newest.time <= work.snapshotTime) return;
    freshness.note(newest.time);
    work.snapshotTime = newest.time;
    work.calls = marginWatch.scan(effectiveRisk(state.series(), newest));
    work.booksRest.clear();
    work.ledgerRest.clear();
  }

  function needsNewerBatch(): boolean {
    const { failing } = work.calls;
    const used = batcher.batchSnapshot();
    if (failing.length === 0 || used === undefined || used.time >= work.snapshotTime) return false;
    // Who fails by both may wait for minutes: a batch for each snapshot would fill the backlog.
    const risk = effectiveRisk(state.series(), used);
    return failing.some((id) => {
      return firstBelowMaintenance(state.account(id), risk, state.unit) === undefined;
    });
  }

  function isOpen(snapshot: Snapshot | undefined, now: number): boolean {
    return snapshot !== undefined && freshness.allows(snapshot.time, now);
  }

  function dueOperation(time: number, snapshot: Snapshot): LedgerOperation | undefined {
    if (!isOpen(snapshot, time)) return undefined;
    const { failing, recovered } = work.calls;
    const waiting = [...failing, ...recovered].filter((id) => !rests(work.ledgerRest, id, time));
    if (waiting.length === 0) return undefined;
    const context = { risk: effectiveRisk(state.series(), snapshot), time };
    for (const id of waiting) {
      const operation = planRescue(state, id, context);
      if (operation !== undefined) return operation;
      work.ledgerRest.set(id, time + options.limits.retryMs);
    }
    return undefined;
  }

  return {
    watch,
    needsNewerBatch,
    runBooks: (now) => runBooks(options, work, now),
    dueOperation,
    isOpen,
  };
}

function rests(until: ReadonlyMap<number, number>, id: number, now: number): boolean {
  return (until.get(id) ?? 0) > now;
}

function runBooks(options: LiquidatorOptions, work: Work, now: number): void {
  const { batcher } = options;
  for (const id of work.calls.failing) {
    while (!rests(work.booksRest, id, now)) {
      const snapshot = batcher.snapshotInUse();
      if (snapshot === undefined || !isTradable(options, snapshot, now)) return;
      const hasBatch = batcher.current()?.kind === "trade" || batcher.canOpen("trade", now);
      if (!hasBatch || batcher.isOrderCarried()) return;
      if (!hasSteps(options, work)) return;
      takeStep(options, work, { id, now, context: contextOf(options, snapshot, now) });
    }
  }
}

/** A batch of cancels may have been opened by a snapshot that is too old for trading. */
function isTradable({ freshness }: LiquidatorOptions, { time }: Snapshot, now: number): boolean {
  return now - time < TRADING_AGE_MS_MAX && freshness.allows(time, now);
}

/** Risk and time of the trade batch that is open, or would be opened. */
function contextOf(
  { state, batcher }: LiquidatorOptions,
  snapshot: Snapshot,
  now: number,
): PlanContext {
  const open = batcher.current();
  const time = open?.kind === "trade" ? open.time : batcher.timeAt(now);
  return { risk: effectiveRisk(state.series(), snapshot), time };
}

function hasSteps({ batcher, limits }: LiquidatorOptions, work: Work): boolean {
  const open = batcher.current();
  if (open === undefined || open.kind !== "trade") return true;
  const taken = open.number === work.batch ? work.steps : 0;
  return taken < Math.max(limits.stepsPerBatch, 1) && open.used < open.capacity;
}

interface Target {
  readonly id: number;
  readonly now: number;
  readonly context: PlanContext;
}

/** One step, or the account rests: the books have nothing for it. */
function takeStep(options: LiquidatorOptions, work: Work, { id, now, context }: Target): void {
  const { state, limits } = options;
  const isLocked = state.session(id).lockedSince !== 0;
  const step = planBookStep(state, id, context);
  if (step !== undefined) {
    const isProgress = execute(options, work, step, now);
    if (!isProgress && isLocked) work.booksRest.set(id, now + limits.retryMs);
    return;
  }
  const liquidation = isLocked ? undefined : planLock(state, id, context);
  if (liquidation === undefined) work.booksRest.set(id, now + limits.retryMs);
  else execute(options, work, { type: "liquidate", liquidation }, now);
}

/** Whether books or positions have changed, or the batch was full and another one comes. */
function execute(
  { batcher, logger }: LiquidatorOptions,
  work: Work,
  step: BookStep,
  now: number,
): boolean {
  if (step.type === "purge") {
    batcher.purge(step.entry, now);
    count(work, batcher);
    return true;
  }
  const turn = batcher.liquidate({ type: "liquidate", ...step.liquidation }, now);
  // The batch was full: the account is weighed anew by the next one.
  if (turn.value?.kind !== "liquidate") return true;
  count(work, batcher);
  const { order } = turn.value;
  const { account, book, isSell, price } = step.liquidation;
  const lots = order.fill?.lots ?? 0;
  logger.info("liquidation", { account, book, isSell, price, lots, outcome: order.outcome });
  return order.fill !== undefined || order.removed.length > 0;
}

function count(work: Work, batcher: Batcher): void {
  const number = batcher.current()?.number ?? 0;
  work.steps = number === work.batch ? work.steps + 1 : 1;
  work.batch = number;
}
