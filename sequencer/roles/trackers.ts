/** Everything that watches executed entries for the public's sake, as one. */
import { isTradingEntry } from "../batch/tradingMode.ts";
import type { AccountEvent, ExchangeEvent } from "../exchangeService.ts";
import type { BookOpening, Listing } from "../market/publicBook.ts";
import type { Checkpoint } from "../ports.ts";
import type { TradingInfo } from "../protocol/trading.ts";
import type { Row } from "../state/exportedState.ts";
import { type AccountHistory, createAccountHistory } from "./accountHistory.ts";
import { type BookArchive, createBookArchive } from "./bookArchive.ts";
import { createDepthTracker, type DepthTracker } from "./depthTracker.ts";
import type { Effect } from "./effect.ts";
import {
  createLedgerTracker,
  type LedgerTracker,
  type SequencedWithdrawal,
} from "./ledgerTracker.ts";
import { createLiquidationTracker } from "./liquidationTracker.ts";
import type { NodeState } from "./nodeState.ts";
import { createOpenInterest, type OpenInterest } from "./openInterest.ts";
import { createOrderTracker, type OrderMemory, type OrderTracker } from "./orderTracker.ts";
import {
  type CostRow,
  createPositionCosts,
  type OldCosts,
  type PositionCosts,
} from "./positionCosts.ts";
import { createSeriesArchive, type SeriesArchive } from "./seriesArchive.ts";
import { createServedCloses, type ExecutedClose, type ServedCloses } from "./servedCloses.ts";
import { createTickerTracker } from "./tickers.ts";

export interface Trackers {
  readonly orders: OrderTracker;
  readonly depths: DepthTracker;
  readonly ledger: LedgerTracker;
  readonly openInterest: OpenInterest;
  readonly accounts: AccountHistory;
  readonly costs: PositionCosts;
  readonly closes: ServedCloses;
  readonly archive: SeriesArchive;
  readonly bookArchive: BookArchive;
  /** The next layer-one operation that has not been executed. */
  nextQueueId(): number;
  observe(effect: Effect): ExchangeEvent[];
  memory(): TrackerMemory;
}

/** What a restart cannot read from the state; kept in checkpoints. */
export interface TrackerMemory {
  readonly orders: OrderMemory;
  readonly withdrawals: readonly SequencedWithdrawal[];
  readonly history: readonly AccountEvent[];
  readonly nextQueueId: number;
  readonly closes: readonly ExecutedClose[];
  /** Absent in checkpoints of before there was one. */
  readonly listings?: readonly Listing[];
  /** Likewise. */
  readonly openings?: readonly BookOpening[];
}

/** What everyone may see of it. */
export function tradingInfo({ mode, reason, detail, since, opensAt }: TradingInfo): TradingInfo {
  return { mode, reason, detail, since, opensAt };
}

/** Begins with the state as it is; what else is given is of the same moment. */
export function createTrackers(
  node: NodeState,
  memory: (TrackerMemory & { readonly costs?: OldCosts }) | undefined,
  ownRows: Checkpoint["ownRows"],
): Trackers {
  const { state } = node;
  const orders = createOrderTracker({ state, memory: memory?.orders });
  const depths = createDepthTracker({ state, position: node.position() });
  const tickers = createTickerTracker({ state, depths });
  const ledger = createLedgerTracker(state, memory?.withdrawals);
  const liquidations = createLiquidationTracker(state);
  const openInterest = createOpenInterest(state);
  const accounts = createAccountHistory(memory?.history);
  const { risk } = node.executor;
  const costs = createPositionCosts({
    ...{ state, risk, old: memory?.costs },
    rows: ownRows as readonly Row<CostRow>[] | undefined,
  });
  const closes = createServedCloses(memory?.closes);
  const archive = createSeriesArchive(state, memory?.listings);
  const bookArchive = createBookArchive(state, node.lastTime(), memory?.openings);
  let nextQueueId = memory?.nextQueueId ?? 0;
  return {
    orders,
    depths,
    ledger,
    openInterest,
    accounts,
    costs,
    closes,
    archive,
    bookArchive,
    nextQueueId: () => nextQueueId,
    observe: (effect) => {
      const { entry, steps, batch } = effect;
      if (entry.type === "operation" && entry.queueId !== undefined) {
        nextQueueId = entry.queueId + 1;
      }
      closes.observe(effect, node.executor.snapshot()?.time ?? 0);
      openInterest.observe(effect);
      costs.observe(effect);
      archive.observe(effect);
      bookArchive.observe(effect);
      const events = orders.observe(steps, batch);
      if (isTradingEntry(entry)) {
        events.push({ type: "trading", trading: tradingInfo(node.executor.trading()) });
      }
      if (effect.operation?.operation.kind === "openBook") {
        events.push(...orders.reopened(effect.operation.operation.book, batch));
      }
      if (effect.operation?.operation.kind === "forcedCancelAll") {
        events.push(...orders.allCancelled(effect.operation.operation.account, batch));
      }
      const changes = depths.observe(effect);
      for (const change of changes) events.push({ type: "book", change });
      for (const ticker of tickers.observe(changes, batch.time)) {
        events.push({ type: "ticker", ticker });
      }
      for (const update of liquidations.observe(effect)) {
        events.push({ type: "liquidation", update });
      }
      for (const update of ledger.observe(effect)) events.push({ type: "ledger", update });
      accounts.observe(events);
      return events;
    },
    memory: () => ({
      orders: orders.memory(),
      withdrawals: ledger.memory(),
      history: accounts.memory(),
      nextQueueId,
      closes: closes.memory(),
      listings: archive.listings(),
      openings: bookArchive.openings(),
    }),
  };
}
