// What the fake service knows of its market: series, books, a snapshot that two oracles signed.

import { effectiveRisk } from "../../../sequencer/engine/risk.ts";
import type { AccountEvent } from "../../../sequencer/exchangeService.ts";
import { describeLiquidation } from "../../../sequencer/market/auction.ts";
import type { LiquidationInfo } from "../../../sequencer/market/liquidation.ts";
import {
  type OrderPreview,
  type PreviewRequest,
  weighOrder,
} from "../../../sequencer/market/orderPreview.ts";
import type {
  BookOpening,
  BookSummary,
  ChainInfo,
  Listing,
  SeriesInfo,
} from "../../../sequencer/market/publicBook.ts";
import { type RiskAnswer, reportRisk } from "../../../sequencer/market/riskReport.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";
import { emptySeries, type Series } from "../../../sequencer/protocol/state.ts";

/** 25 December 2026, 08:00 UTC, and a month before. */
export const EXPIRY = Date.UTC(2026, 11, 25, 8) / 1000;
export const SNAPSHOT_TIME = Date.UTC(2026, 10, 25, 8);
export const PAST_EXPIRY = Date.UTC(2026, 9, 30, 8) / 1000;
export const UNIT = 1000;
export const CASH = 5_000_000;
export const POSITIONS: readonly number[] = [150, 0, 0, 0];
/** 150 lots at 100.1 ticks, and what was sold before. */
export const COSTS = [{ slot: 0, cost: 15_015_000, realized: -2_500_000 }];
/** A second account, which is being liquidated. */
export const LOCKED = { account: 9, lockedSince: SNAPSHOT_TIME / 1000 - 64 };

const SIZES = { unit: UNIT, tickSize: 100_000, lotsPerContract: 100 };
const oracleSecrets = [31n, 32n];
export const ORACLES = oracleSecrets.map(publicKeyOf);

function seriesOf(isCall: boolean, strike: number): Series {
  const terms = { isCall, strike, expiry: EXPIRY, generation: 1, holders: 2 };
  return { ...emptySeries(), status: "listed", ...terms };
}

export const SERIES: readonly Series[] = [
  seriesOf(true, 30_000),
  seriesOf(false, 30_000),
  seriesOf(true, 32_000),
  emptySeries(),
];

const MARKS = [1200, 1200, 500, 0];

/** Rows 10 and 12 are the whole range up and down, 16 the short-option minimum. */
const ROWS: readonly Readonly<Record<number, number>>[] = [
  { 0: 300, 10: 4000, 12: -1100, 16: 150 },
  { 0: 300, 10: -800, 12: 3700, 16: 150 },
  { 0: 250, 10: 2600, 12: -480, 16: 150 },
  {},
];

export function signedSnapshot(domain: bigint, secrets = oracleSecrets): Snapshot {
  const slots = MARKS.map((mark, slot) => {
    const changes = Array.from({ length: 17 }, (_, row) => ROWS[slot]![row] ?? 0);
    const { isCall, strike, expiry } = SERIES[slot]!;
    return { terms: { isCall, strike, expiry }, mark, isFinal: false, changes };
  });
  const body = { time: SNAPSHOT_TIME, slots };
  const hash = snapshotHash(domain, body);
  const signatures = secrets.map((secret, signer) => ({ signer, ...sign(secret, hash) }));
  return { ...body, signatures };
}

const BEST_BID = { price: 1190, lots: 10, orders: 1 };
const FEES = { taker: 3, maker: -1 };

const book = (id: number, weights: readonly number[]): BookSummary => ({
  book: id,
  weights,
  // Every slot has its first listing.
  generation: weights.reduce((sum, weight) => sum + weight ** 2, 0),
  isOpen: true,
  plainSlot: null,
  fees: FEES,
  bestBid: null,
  bestAsk: { price: 715, lots: 5, orders: 1 },
  implied: { bid: { price: 680, lots: 2 }, ask: null },
});

export const BOOKS: readonly BookSummary[] = [
  { ...book(1, [1, 0, 0, 0]), plainSlot: 0, bestBid: BEST_BID, bestAsk: null, implied: null },
  book(2, [1, 0, -1, 0]),
  book(3, [1, 1, 0, 0]),
  { ...book(4, [2, 0, -2, 0]), isOpen: false },
];

export function chainInfo(): ChainInfo {
  const series = SERIES.map((terms, slot): SeriesInfo => {
    const isFirst = slot === 0;
    const known = { markIv: 0.655, delta: 0.5 };
    const place = { book: isFirst ? 1 : null, bestBid: isFirst ? BEST_BID : null, bestAsk: null };
    return { ...terms, slot, mark: MARKS[slot]!, ...known, ...place, openInterest: 150 };
  });
  const snapshotTime = SNAPSHOT_TIME;
  return { underlying: "ETH", underlyingPrice: 30_000, snapshotTime, series, announced: [] };
}

/** The slots' series, and one that has expired at 3,100 and is in no slot any more. */
export function listings(): Listing[] {
  const past = { slot: 2, generation: 0, isCall: true, strike: 29_000, expiry: PAST_EXPIRY };
  const settled = { listedAt: null, settledAt: PAST_EXPIRY * 1000 + 60_000, settlementPrice: 2000 };
  const present = SERIES.flatMap(({ status, isCall, strike, expiry, generation }, slot) => {
    if (status === "empty") return [];
    const open = { listedAt: SNAPSHOT_TIME, settledAt: null, settlementPrice: null };
    return [{ slot, generation, isCall, strike, expiry, ...open }];
  });
  return [{ ...past, ...settled }, ...present];
}

/** Each book once, at the time of the series' listing. */
export function bookOpenings(): BookOpening[] {
  return BOOKS.map(({ book, weights }) => {
    const legs = [...weights.entries()].flatMap(([slot, weight]) => {
      return weight === 0 ? [] : [{ slot, weight, generation: SERIES[slot]!.generation }];
    });
    return { book, legs, since: SNAPSHOT_TIME, until: null };
  });
}

const inputsOf = (domain: bigint) => ({
  holdings: { cash: CASH, positions: POSITIONS },
  snapshot: signedSnapshot(domain),
  series: SERIES,
  sizes: SIZES,
});

export function riskAnswer(account: number, domain: bigint): RiskAnswer {
  const inputs = inputsOf(domain);
  const series = SERIES.map(({ status, isCall, strike, expiry, mark }) => {
    return { status, isCall, strike, expiry, mark };
  });
  const report = reportRisk(inputs);
  return { account, report, liquidation: null, snapshot: inputs.snapshot, series };
}

export function previewOf(request: PreviewRequest, domain: bigint): OrderPreview | null {
  const found = BOOKS.find((item) => item.book === request.book);
  if (found === undefined) return null;
  const verdict = request.lots > 1000 ? "insufficientMargin" : null;
  return { verdict, ...weighOrder(inputsOf(domain), found, request) };
}

export function liquidations(domain: bigint): LiquidationInfo[] {
  const risk = effectiveRisk(SERIES, signedSnapshot(domain));
  const holdings = { cash: 15_000_000, positions: [-10, 0, 0, 0] };
  return [describeLiquidation({ ...LOCKED, holdings, risk, time: SNAPSHOT_TIME, unit: UNIT })];
}

/** A fill with a rebate, a deposit, and a takeover that the account paid 2.5 USDC for. */
export function historyOf(account: number): AccountEvent[] {
  const at = { account, time: SNAPSHOT_TIME, batchNumber: 3 };
  const order = { orderId: "3-S-2500-9", book: 3, isSell: true, price: 2500, seq: 9, lots: 0 };
  const end = { state: "closed", reason: "filled" } as const;
  const fill = { tradeId: 4, price: 2500, lots: 10, isTaker: false, fee: -10_000 };
  const moved = { operation: "deposit", outcome: "executed", amount: 5_000_000 } as const;
  const takeover = {
    action: "backstop",
    slot: 0,
    lots: 5,
    price: 1200,
    amount: 2_500_000,
  } as const;
  const rest = { book: null, isSell: false, counterparty: 12 };
  return [
    { type: "liquidation", update: { ...at, ...rest, ...takeover } },
    { type: "order", update: { ...at, ...order, ...end, fill } },
    { type: "ledger", update: { ...at, ...moved, cash: CASH } },
  ];
}
