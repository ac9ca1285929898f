/**
 * The recorded tape of BTC option trades (1 January 2022), moved onto another chain's series. Such
 * trades never happened: call the result synthetic wherever it is shown.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { median } from "./chains.ts";
import { readCsv } from "./csv.ts";

const FILE = path.join("trades", "deribit_btc_option_trades_20220101_dedup.csv");
const MS_PER_DAY = 86_400_000;
const EXPIRY_HOUR_MS = 8 * 3_600_000;
/** One trade near an expiry has iv = 0 and one has iv = 500: neither is a volatility. */
const IV_PERCENT_MAX = 400;
/** 0.01 contract. */
const LOTS_PER_CONTRACT = 100;
/** How far a trade's volatility may stand from the usual one of its instrument. */
const IV_RATIO_MIN = 0.5;
const IV_RATIO_MAX = 2;
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");

/** `atMs` after the replay's beginning; a trade of `lots` at the price of `ivBps`. */
export interface TapeTrade {
  readonly atMs: number;
  readonly slot: number;
  readonly takerIsSell: boolean;
  readonly ivBps: number;
  readonly lots: number;
}

/** A series of the target chain; `daysToExpiry` at the replay's beginning. */
export interface TapeTarget {
  readonly isCall: boolean;
  readonly strikeTicks: number;
  readonly daysToExpiry: number;
}

/** The target chain's market at a time after the beginning, by slot. */
export type MarketAt = (slot: number, atMs: number) => { forwardTicks: number; ivBps: number };

interface RecordedTrade {
  readonly timeMs: number;
  readonly instrument: string;
  readonly isCall: boolean;
  readonly moneyness: number;
  readonly days: number;
  readonly ivPercent: number;
  readonly takerIsSell: boolean;
  readonly lots: number;
}

/**
 * Each trade goes to the slot of the same kind with the nearest expiry (by the ratio of days) and
 * then the nearest strike (by the ratio to the forward). Volatility keeps its ratio to the median
 * of the trade's instrument and takes its level from the target chain.
 */
export function mapTape(
  directory: string,
  targets: readonly TapeTarget[],
  marketAt: MarketAt,
): { trades: TapeTrade[]; skipped: number } {
  const { trades: recorded, skipped } = readTape(directory);
  const beginning = recorded[0]?.timeMs ?? 0;
  const usual = usualVolatilities(recorded);
  const trades = recorded.flatMap((trade) => {
    const atMs = trade.timeMs - beginning;
    const slot = nearestSlot(trade, targets, (index) => marketAt(index, atMs).forwardTicks);
    if (slot === undefined) return [];
    const ratio = trade.ivPercent / (usual.get(trade.instrument) ?? trade.ivPercent);
    const bounded = Math.min(Math.max(ratio, IV_RATIO_MIN), IV_RATIO_MAX);
    const ivBps = Math.round(marketAt(slot, atMs).ivBps * bounded);
    return [{ atMs, slot, takerIsSell: trade.takerIsSell, ivBps, lots: trade.lots }];
  });
  return { trades, skipped };
}

/** The median volatility of each instrument, in percent. */
function usualVolatilities(trades: readonly RecordedTrade[]): Map<string, number> {
  const seen = new Map<string, number[]>();
  for (const { instrument, ivPercent } of trades) {
    const same = seen.get(instrument) ?? [];
    same.push(ivPercent);
    seen.set(instrument, same);
  }
  return new Map([...seen].map(([instrument, values]) => [instrument, median(values)]));
}

function nearestSlot(
  trade: RecordedTrade,
  targets: readonly TapeTarget[],
  forwardTicks: (slot: number) => number,
): number | undefined {
  let best: { slot: number; days: number; strike: number } | undefined;
  for (const [slot, target] of targets.entries()) {
    if (target.isCall !== trade.isCall) continue;
    const days = Math.abs(Math.log(target.daysToExpiry / trade.days));
    const strike = Math.abs(Math.log(target.strikeTicks / forwardTicks(slot)) - trade.moneyness);
    const isBetter =
      best === undefined || days < best.days || (days === best.days && strike < best.strike);
    if (isBetter) best = { slot, days, strike };
  }
  return best?.slot;
}

const COLUMNS = [
  "timestamp_ms",
  "instrument_name",
  "direction",
  "amount",
  "iv",
  "index_price",
] as const;

function readTape(directory: string): { trades: RecordedTrade[]; skipped: number } {
  const file = path.join(directory, FILE);
  if (!existsSync(file)) {
    throw new Error(`The recorded trades are missing: \`${file}\` does not exist.`);
  }
  const rows = readCsv(file, COLUMNS);
  const trades: RecordedTrade[] = [];
  for (const row of rows) {
    const instrument = parseInstrument(row.instrument_name);
    const timeMs = Number(row.timestamp_ms);
    const ivPercent = Number(row.iv);
    const days = (instrument.expiryMs - timeMs) / MS_PER_DAY;
    if (!(ivPercent > 0) || ivPercent > IV_PERCENT_MAX || days <= 0) continue;
    trades.push({
      timeMs,
      instrument: row.instrument_name,
      isCall: instrument.isCall,
      moneyness: Math.log(instrument.strike / Number(row.index_price)),
      days,
      ivPercent,
      takerIsSell: row.direction === "sell",
      lots: Math.max(Math.round(Number(row.amount) * LOTS_PER_CONTRACT), 1),
    });
  }
  return {
    trades: trades.sort((a, b) => a.timeMs - b.timeMs),
    skipped: rows.length - trades.length,
  };
}

/** `BTC-28JAN22-48000-P`; Deribit's options expire at 08:00 UTC. */
export function parseInstrument(name: string): {
  expiryMs: number;
  strike: number;
  isCall: boolean;
} {
  const match = /^[A-Z]+-(\d{1,2})([A-Z]{3})(\d{2})-(\d+)-([CP])$/.exec(name);
  const month = MONTHS.indexOf(match?.[2] ?? "");
  if (match === null || month < 0) throw new Error(`\`${name}\` is no option's name.`);
  const [, day, , year, strike, kind] = match;
  const midnight = Date.UTC(2000 + Number(year), month, Number(day));
  return { expiryMs: midnight + EXPIRY_HOUR_MS, strike: Number(strike), isCall: kind === "C" };
}
