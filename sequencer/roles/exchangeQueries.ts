/**
 * Answers of the exchange from the sequenced state. A query reads at once and answers when what it
 * has read is durable, so that no answer speaks of what a crash could take back.
 */
import { isBookOpen, isPlain } from "../engine/bookState.ts";
import { effectiveRisk, type Risk, scenarioValues } from "../engine/risk.ts";
import type { AccountInfo, BatchStatus, ChainInfo, ExchangeService, Info, KeyInfo, Status, Withdrawal } from "../exchangeService.ts";
import type { BookInfo, BookSummary, SeriesInfo } from "../market/publicBook.ts";
import type { Clock } from "../ports.ts";
import type { Account, TradingKey } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";
import type { BatchTracker } from "./batchTracker.ts";
import type { DepthTracker } from "./depthTracker.ts";
import type { LedgerTracker } from "./ledgerTracker.ts";
import { slotGreeks, underlyingPrice } from "../market/marketData.ts";
import type { OrderTracker } from "./orderTracker.ts";

export interface QueryParts {
  readonly info: Info;
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly batcher: Batcher;
  readonly orders: OrderTracker;
  readonly depths: DepthTracker;
  readonly ledger: LedgerTracker;
  readonly batches: BatchTracker;
  /** Position and hash of the last durable record's end. */
  logHead(): { readonly position: number; readonly hash: string };
  nextQueueId(): number;
  validatorsConnected(): number;
  isOverloaded(): boolean;
  halted(): string | null;
}

export type ExchangeQueries = Omit<ExchangeService, "submit" | "subscribe">;

export function createExchangeQueries(parts: QueryParts): ExchangeQueries {
  const { state, batcher, orders, batches } = parts;

  async function answer<T>(value: T): Promise<T> {
    await batcher.flushed();
    return value;
  }

  return {
    info: async () => parts.info,
    status: () => answer(readStatus(parts)),
    account: (who) => answer(readAccount(parts, who)),
    session: (account, keyIndex) => answer(readKey(state, account, keyIndex)),
    orders: (account) => answer(orders.orders(account)),
    withdrawals: (owner) => answer(readWithdrawals(parts, owner)),
    chain: () => answer(readChain(parts)),
    books: () => answer(state.bookIds().map((id) => summarise(parts, id))),
    book: (id, depth) => answer(readBook(parts, id, depth)),
    trades: (book, limit) => answer(orders.trades(book, limit)),
    batch: (number) => answer(readBatch(batches, number)),
    batches: (from, limit) => answer(batches.statuses(from, limit)),
    snapshot: () => answer(batcher.snapshotInUse() ?? null),
    stages: (logPosition) => answer(readStages(parts, logPosition)),
  };
}

function readStatus(parts: QueryParts): Status {
  const { batcher, batches, clock } = parts;
  const { position, hash } = parts.logHead();
  return {
    time: clock.now(),
    logPosition: position,
    logHash: hash,
    openBatch: openNumber(parts),
    ...batches.progress(),
    snapshotTime: batcher.snapshotInUse()?.time ?? null,
    nextQueueId: parts.nextQueueId(),
    validatorsConnected: parts.validatorsConnected(),
    isOverloaded: parts.isOverloaded(),
    halted: parts.halted(),
  };
}

function openNumber({ batcher, batches }: QueryParts): number {
  return batcher.current()?.number ?? batches.progress().sealed + 1;
}

function riskInUse({ state, batcher }: QueryParts): Risk | undefined {
  const snapshot = batcher.snapshotInUse();
  return snapshot === undefined ? undefined : effectiveRisk(state.series(), snapshot);
}

function readAccount(
  parts: QueryParts,
  who: { readonly id: number } | { readonly owner: bigint },
): AccountInfo | null {
  const { state } = parts;
  const ids = state.accountIds();
  const id = "id" in who ? who.id : ids.find((other) => state.account(other).owner === who.owner);
  if (id === undefined || !ids.includes(id)) return null;
  const account = state.account(id);
  if (account.owner === 0n) return null;
  const { keys, watermark } = state.session(id);
  const risk = riskInUse(parts);
  return {
    account: id,
    owner: account.owner,
    cash: account.cash,
    positions: [...account.positions],
    equity: risk === undefined ? null : equityOf(account, risk, state.unit),
    headroom: risk === undefined ? null : headroomOf(account, risk, state.unit),
    watermark,
    keys: keys.flatMap((key, index) => keyInfo(id, index, key) ?? []),
  };
}

function equityOf(account: Readonly<Account>, risk: Risk, unit: number): number {
  const ticks = account.positions.reduce((sum, lots, slot) => sum + lots * risk.marks[slot]!, 0);
  return account.cash + ticks * unit;
}

/** Smallest `(4 cash + unit X_s) / 4`, rounded down; in big integers, for it is not a double's. */
function headroomOf(account: Readonly<Account>, risk: Risk, unit: number): number {
  const smallest = Math.min(...scenarioValues(account, risk));
  const fourfold = 4n * BigInt(account.cash) + BigInt(unit) * BigInt(smallest);
  return Number(fourfold >> 2n);
}

function readKey(state: MemoryState, account: number, keyIndex: number): KeyInfo | null {
  if (!state.accountIds().includes(account)) return null;
  const key = state.session(account).keys[keyIndex];
  return key === undefined ? null : keyInfo(account, keyIndex, key);
}

function keyInfo(account: number, keyIndex: number, key: Readonly<TradingKey>): KeyInfo | null {
  const { x, y, head, expiry, version } = key;
  if (x === 0n && y === 0n) return null;
  return { account, keyIndex, key: { x, y }, head, expiry, version };
}

function readWithdrawals(parts: QueryParts, owner: bigint): Withdrawal[] {
  return parts.ledger.withdrawals(owner).map((withdrawal) => {
    const stages = readStages(parts, withdrawal.logPosition);
    const { stage = "anchored", transaction = null } = stages ?? {};
    return { ...withdrawal, stage, transaction };
  });
}

function readChain(parts: QueryParts): ChainInfo {
  const { state, batcher, info } = parts;
  const snapshot = batcher.snapshotInUse();
  const series = state.series();
  const marks = snapshot === undefined ? undefined : effectiveRisk(series, snapshot).marks;
  const plain = plainBooks(parts);
  const time = snapshot?.time ?? parts.clock.now();
  return {
    underlying: info.underlying,
    underlyingPrice: marks === undefined ? null : underlyingPrice(series, marks, time),
    snapshotTime: snapshot?.time ?? null,
    series: series.map((terms, slot): SeriesInfo => {
      const known = marks ?? series.map(({ mark }) => mark);
      const book = plain.get(slot);
      return {
        slot,
        ...terms,
        mark: known[slot] ?? terms.mark,
        ...slotGreeks(series, known, slot, time),
        book: book?.book ?? null,
        bestBid: book?.bestBid ?? null,
        bestAsk: book?.bestAsk ?? null,
      };
    }),
  };
}

/** Of each slot, the open plain book with the lowest id. */
function plainBooks(parts: QueryParts): Map<number, BookSummary> {
  const plain = new Map<number, BookSummary>();
  for (const id of parts.state.bookIds()) {
    const book = summarise(parts, id);
    if (book.plainSlot === null || !book.isOpen || plain.has(book.plainSlot)) continue;
    plain.set(book.plainSlot, book);
  }
  return plain;
}

function summarise({ state, depths, clock }: QueryParts, id: number): BookSummary {
  const book = state.book(id)!;
  const depth = depths.depth(id, 1);
  return {
    book: id,
    weights: [...book.weights],
    generation: book.generation,
    isOpen: isBookOpen(state, book, clock.now()),
    plainSlot: isPlain(book.weights) ? book.weights.indexOf(1) : null,
    bestBid: depth?.bids[0] ?? null,
    bestAsk: depth?.asks[0] ?? null,
  };
}

function readBook({ state, depths, clock }: QueryParts, id: number, levels: number) {
  if (!state.bookIds().includes(id)) return null;
  const book = state.book(id);
  const depth = depths.depth(id, levels);
  if (book === undefined || depth === undefined) return null;
  const time = clock.now();
  const info: BookInfo = { book: id, time, isOpen: isBookOpen(state, book, time), ...depth };
  return info;
}

function readBatch(batches: BatchTracker, number: number | "latest"): BatchStatus | null {
  const wanted = number === "latest" ? batches.progress().sealed : number;
  return batches.status(wanted) ?? null;
}

function readStages(parts: QueryParts, logPosition: number) {
  if (logPosition < 0 || logPosition >= parts.batcher.position()) return null;
  return parts.batches.stageAt(logPosition, openNumber(parts)) ?? null;
}
