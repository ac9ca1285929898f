/** The latest trades with their instruments' names, and what they add up to in a day. */
import type { Trade } from "../../exchangeService.ts";

/** Trades that are remembered over all instruments. */
export const TRADES_KEPT = 20_000;
const DAY_MS = 86_400_000;

export interface NamedTrade extends Trade {
  readonly instrument: string;
  /** Of the instrument and the market at the trade's moment, where they were known. */
  readonly mark: number | null;
  readonly index: number | null;
  readonly iv: number | null;
  /** As Deribit counts: 0 up, 1 up or level, 2 down, 3 down or level. */
  readonly tickDirection: 0 | 1 | 2 | 3;
}

/** Of one instrument in the last 24 hours, in ticks and lots; null: no trade. */
export interface DayStats {
  readonly lots: number;
  /** Sum of price times lots. */
  readonly turnover: number;
  readonly high: number | null;
  readonly low: number | null;
  /** Percent. */
  readonly change: number | null;
}

export interface TradeFilter {
  readonly fromSeq?: number | undefined;
  readonly toSeq?: number | undefined;
  readonly fromTime?: number | undefined;
  readonly toTime?: number | undefined;
}

export interface TradeFeed {
  /** In ascending order of their ids; one that is known already is left out. */
  add(trade: Omit<NamedTrade, "tickDirection">): NamedTrade | undefined;
  /** Oldest first; of every instrument that `wanted` takes. */
  trades(wanted: (instrument: string) => boolean, filter: TradeFilter): readonly NamedTrade[];
  /** Ids of the latest `count` trades of the taker with that seq, oldest first. */
  idsOfTaker(seq: number, count: number): readonly number[];
  last(instrument: string): NamedTrade | undefined;
  stats(instrument: string, now: number): DayStats;
}

export function createTradeFeed(): TradeFeed {
  const kept: NamedTrade[] = [];
  const byInstrument = new Map<string, NamedTrade[]>();
  const forgetOldest = (): void => {
    // Now and then, so that a full memory does not move for every trade.
    if (kept.length < TRADES_KEPT * 1.1) return;
    for (const trade of kept.splice(0, kept.length - TRADES_KEPT)) {
      const own = byInstrument.get(trade.instrument);
      own?.shift();
      if (own?.length === 0) byInstrument.delete(trade.instrument);
    }
  };
  return {
    add(trade) {
      if ((kept.at(-1)?.tradeId ?? 0) >= trade.tradeId) return undefined;
      const own = byInstrument.get(trade.instrument) ?? [];
      byInstrument.set(trade.instrument, own);
      const named = { ...trade, tickDirection: directionOf(own.at(-1), trade.price) };
      own.push(named);
      kept.push(named);
      forgetOldest();
      return named;
    },
    trades: (wanted, filter) =>
      kept.filter((trade) => wanted(trade.instrument) && isWithin(trade, filter)),
    idsOfTaker(seq, count) {
      const ids: number[] = [];
      for (let at = kept.length - 1; at >= 0 && ids.length < count; at--) {
        const { takerSeq, tradeId } = kept[at]!;
        if (takerSeq === seq) ids.unshift(tradeId);
        // Of other takers that came meanwhile there are few.
        else if (kept.length - at > 10 * (count + 100)) break;
      }
      return ids;
    },
    last: (instrument) => byInstrument.get(instrument)?.at(-1),
    stats: (instrument, now) => statsOf(byInstrument.get(instrument) ?? [], now),
  };
}

function isWithin({ tradeId, time }: NamedTrade, filter: TradeFilter): boolean {
  const { fromSeq = 0, toSeq = Number.MAX_SAFE_INTEGER } = filter;
  const { fromTime = 0, toTime = Number.MAX_SAFE_INTEGER } = filter;
  return tradeId >= fromSeq && tradeId <= toSeq && time >= fromTime && time <= toTime;
}

function directionOf(last: NamedTrade | undefined, price: number): 0 | 1 | 2 | 3 {
  if (last === undefined) return 1;
  if (price !== last.price) return price > last.price ? 0 : 2;
  return last.tickDirection < 2 ? 1 : 3;
}

function statsOf(trades: readonly NamedTrade[], now: number): DayStats {
  const first = trades.findLastIndex(({ time }) => time < now - DAY_MS) + 1;
  let [lots, turnover] = [0, 0];
  let [high, low] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const trade of trades.slice(first)) {
    lots += trade.lots;
    turnover += trade.lots * trade.price;
    high = Math.max(high, trade.price);
    low = Math.min(low, trade.price);
  }
  const [open, last] = [trades[first], trades.at(-1)];
  if (open === undefined || last === undefined) {
    return { lots: 0, turnover: 0, high: null, low: null, change: null };
  }
  const change = open.price === 0 ? null : (100 * (last.price - open.price)) / Math.abs(open.price);
  return { lots, turnover, high, low, change };
}
