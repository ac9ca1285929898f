/**
 * Answers of the exchange from the sequenced state. A query reads at once and answers when what it
 * has read is durable, so that no answer speaks of what a crash could take back.
 */

import { isBookOpen, isPlain } from "../engine/bookState.ts";
import { effectiveRisk } from "../engine/risk.ts";
import type {
  AccountInfo,
  BatchStatus,
  ExchangeService,
  Info,
  KeyInfo,
  Withdrawal,
} from "../exchangeService.ts";
import { slotGreeks, underlyingPrice } from "../market/marketData.ts";
import type {
  AnnouncedSeries,
  BookInfo,
  BookSummary,
  ChainInfo,
  SeriesInfo,
} from "../market/publicBook.ts";
import { equityOf, scenarioRisks } from "../market/riskReport.ts";
import type { BatchStore, Clock } from "../ports.ts";
import type { BatchProof } from "../protocol/batchProof.ts";
import type { CertificationStatus } from "../protocol/certification.ts";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../protocol/constants.ts";
import { HaltedError } from "../protocol/halted.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import type { TradingKey } from "../protocol/state.ts";
import type { LayerOneStatus, LogPolicy, Status } from "../protocol/status.ts";
import type { TradingStatus } from "../protocol/trading.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AccountHistory } from "./accountHistory.ts";
import type { Batcher } from "./batcher.ts";
import type { BatchTracker } from "./batchTracker.ts";
import type { BookArchive } from "./bookArchive.ts";
import type { Stop } from "./circuitBreakers.ts";
import type { DepthTracker } from "./depthTracker.ts";
import type { LedgerTracker } from "./ledgerTracker.ts";
import type { OrderTracker } from "./orderTracker.ts";
import type { PositionCosts } from "./positionCosts.ts";
import {
  type Admission,
  isAccount,
  readLiquidations,
  readPreview,
  readRisk,
  riskInUse,
} from "./riskQueries.ts";
import type { SeriesArchive } from "./seriesArchive.ts";
import { impliedOf, plainBooks } from "./tickers.ts";

export interface QueryParts {
  readonly info: Info;
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly batcher: Batcher;
  readonly orders: OrderTracker;
  readonly depths: DepthTracker;
  readonly ledger: LedgerTracker;
  readonly accounts: AccountHistory;
  readonly costs: Pick<PositionCosts, "of">;
  readonly batches: BatchTracker;
  readonly archive: Pick<SeriesArchive, "listings">;
  readonly bookArchive: Pick<BookArchive, "openings">;
  readonly store: Pick<BatchStore, "sealed" | "proof">;
  /** The same that the intake gives to the door. */
  readonly admission?: Admission | undefined;
  /** What the account had when a batch ended last. */
  provenAccount(account: number): Promise<LedgerProof | null>;
  /** Of the durable records. */
  logHead(): { readonly position: number; readonly hash: string; readonly epoch: number };
  logPolicy(): LogPolicy;
  /** Whether its records take too long now to become durable. */
  isLogLate(): boolean;
  nextQueueId(): number;
  /** What is about to be listed. */
  announced(): readonly AnnouncedSeries[];
  validatorsConnected(): number;
  certification(): CertificationStatus | null;
  isOverloaded(): boolean;
  stop(): Stop | undefined;
  trading(): TradingStatus;
  halted(): string | null;
  layerOne(): LayerOneStatus;
}

export type ExchangeQueries = Omit<
  ExchangeService,
  "submit" | "subscribe" | "log" | "policy" | "packages"
>;

export function createExchangeQueries(parts: QueryParts): ExchangeQueries {
  const { state, batcher, orders, batches } = parts;

  async function answer<T>(value: T): Promise<T> {
    await batcher.flushed();
    // What waited for a write that failed was read from a state that nobody will have.
    const halted = parts.halted();
    if (halted !== null) throw new HaltedError(`the node has stopped: ${halted}`);
    return value;
  }

  return {
    info: async () => parts.info,
    // While the log is late nothing is flushed, and that is what people want to know.
    status: async () => {
      const status = readStatus(parts);
      if (!parts.isLogLate()) await batcher.flushed();
      return { ...status, halted: parts.halted() };
    },
    account: (who) => answer(readAccount(parts, who)),
    session: (account, keyIndex) => answer(readKey(state, account, keyIndex)),
    orders: (account) => answer(orders.orders(account)),
    history: (account, limit) => answer(parts.accounts.history(account, limit)),
    withdrawals: (owner) => answer(readWithdrawals(parts, owner)),
    chain: () => answer(readChain(parts)),
    listings: () => answer(parts.archive.listings()),
    books: () => answer(readBooks(parts)),
    bookOpenings: () => answer(parts.bookArchive.openings()),
    book: (id, depth) => answer(readBook(parts, id, depth)),
    trades: (book, limit) => answer(orders.trades(book, limit)),
    batch: (number) => answer(readBatch(batches, number)),
    batches: (from, limit) => answer(batches.statuses(from, limit)),
    batchProof: (number) => readBatchProof(parts, number),
    async ledgerProof(account) {
      if (account >= 4 ** state.shape.accountLevels) return null;
      const proof = await answer(await parts.provenAccount(account));
      // Read once it is durable: before that no batch of the number is known.
      const batch = proof === null ? undefined : batches.status(proof.number);
      if (proof === null || batch === undefined) return null;
      return { ...proof, stage: batch.stage, transaction: batch.transaction };
    },
    snapshot: () => answer(batcher.snapshotInUse() ?? null),
    stages: (logPosition) => answer(readStages(parts, logPosition)),
    risk: (account) => answer(readRisk(parts, account)),
    preview: (request) => answer(readPreview(parts, request)),
    liquidations: () => answer(readLiquidations(parts)),
  };
}

function readStatus(parts: QueryParts): Status {
  const { batcher, batches, clock, state } = parts;
  const { position, hash, epoch } = parts.logHead();
  return {
    time: clock.now(),
    logPosition: position,
    logHash: hash,
    logEpoch: epoch,
    log: parts.logPolicy(),
    openBatch: openNumber(parts),
    ...batches.progress(),
    snapshotTime: batcher.snapshotInUse()?.time ?? null,
    nextQueueId: parts.nextQueueId(),
    validatorsConnected: parts.validatorsConnected(),
    certification: parts.certification(),
    insuranceFund: cashOf(state, INSURANCE_ACCOUNT),
    feeAccount: cashOf(state, FEE_ACCOUNT),
    feesUncollected: state.fees(),
    lockedAccounts: state.accountIds().filter((id) => state.session(id).lockedSince !== 0).length,
    isOverloaded: parts.isOverloaded(),
    trading: parts.trading(),
    layerOne: parts.layerOne(),
    halted: parts.halted(),
  };
}

function openNumber({ batcher, batches }: QueryParts): number {
  return batcher.current()?.number ?? batches.progress().sealed + 1;
}

function cashOf(state: MemoryState, id: number): number {
  return state.hasAccount(id) ? state.account(id).cash : 0;
}

function readAccount(
  parts: QueryParts,
  who: { readonly id: number } | { readonly owner: bigint },
): AccountInfo | null {
  const { state } = parts;
  const id =
    "id" in who
      ? who.id
      : state.accountIds().find((other) => state.account(other).owner === who.owner);
  if (id === undefined || !isAccount(state, id)) return null;
  const account = state.account(id);
  const { keys, watermark, lockedSince } = state.session(id);
  const risk = riskInUse(parts);
  const rows = risk === undefined ? [] : scenarioRisks(account, risk, state.unit);
  const least = (values: readonly number[]) => (values.length === 0 ? null : Math.min(...values));
  return {
    account: id,
    owner: account.owner,
    cash: account.cash,
    positions: [...account.positions],
    costs: parts.costs.of(id),
    equity: risk === undefined ? null : equityOf(account, risk, state.unit),
    headroom: least(rows.map((row) => row.initialHeadroom)),
    maintenance: least(rows.map((row) => row.maintenanceHeadroom)),
    lockedSince: lockedSince === 0 ? null : lockedSince,
    watermark,
    keys: keys.flatMap((key, index) => keyInfo(id, index, key) ?? []),
  };
}

function readKey(state: MemoryState, account: number, keyIndex: number): KeyInfo | null {
  if (!state.hasAccount(account)) return null;
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
  const plain = plainBooks(state, parts.clock.now());
  const time = snapshot?.time ?? parts.clock.now();
  return {
    underlying: info.underlying,
    underlyingPrice: marks === undefined ? null : underlyingPrice(series, marks, time),
    snapshotTime: snapshot?.time ?? null,
    announced: parts.announced(),
    series: series.map((terms, slot): SeriesInfo => {
      const known = marks ?? series.map(({ mark }) => mark);
      const book = plain.get(slot);
      const best = book === undefined ? undefined : parts.depths.depth(book, 1);
      const { markIv, greeks } = slotGreeks(series, known, slot, time);
      return {
        slot,
        ...terms,
        mark: known[slot] ?? terms.mark,
        markIv,
        delta: greeks?.delta ?? null,
        book: book ?? null,
        bestBid: best?.bids[0] ?? null,
        bestAsk: best?.asks[0] ?? null,
        openInterest: parts.admission?.openInterest?.(slot) ?? null,
      };
    }),
  };
}

function readBooks(parts: QueryParts): BookSummary[] {
  const plain = plainBooks(parts.state, parts.clock.now());
  return parts.state.bookIds().map((id) => summarise(parts, id, plain));
}

function summarise(
  { state, depths, clock }: QueryParts,
  id: number,
  plain: ReadonlyMap<number, number>,
): BookSummary {
  const book = state.book(id)!;
  const depth = depths.depth(id, 1);
  return {
    book: id,
    weights: [...book.weights],
    generation: book.generation,
    isOpen: isBookOpen(state, book, clock.now()),
    plainSlot: isPlain(book.weights) ? book.weights.indexOf(1) : null,
    fees: { ...book.fees },
    bestBid: depth?.bids[0] ?? null,
    bestAsk: depth?.asks[0] ?? null,
    implied: impliedOf({ state, depths }, id, plain),
  };
}

function readBook({ state, depths, clock }: QueryParts, id: number, levels: number) {
  const book = state.book(id);
  const depth = depths.depth(id, levels);
  if (book === undefined || depth === undefined) return null;
  const time = clock.now();
  const implied = impliedOf({ state, depths }, id, plainBooks(state, time));
  const isOpen = isBookOpen(state, book, time);
  const info: BookInfo = { book: id, time, isOpen, ...depth, implied };
  return info;
}

function readBatch(batches: BatchTracker, number: number | "latest"): BatchStatus | null {
  const wanted = number === "latest" ? batches.progress().sealed : number;
  return batches.status(wanted) ?? null;
}

function readStages(parts: QueryParts, logPosition: number) {
  if (logPosition < 0 || logPosition >= parts.batcher.position()) return null;
  return parts.batches.stageAt(logPosition) ?? null;
}

/** Batch and proof from the store, which has what is durable only. */
async function readBatchProof(
  { store, batches }: QueryParts,
  number: number,
): Promise<BatchProof | null> {
  const sealed = await store.sealed(number);
  if (sealed === undefined) return null;
  const { kind, rootBefore, rootAfter, words, commitment } = sealed;
  const proof = (await store.proof(number)) ?? null;
  const attestations = batches.attestations(number).map(({ number: _, ...said }) => said);
  return { number, kind, rootBefore, rootAfter, words, commitment, proof, attestations };
}
