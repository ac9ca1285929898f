/**
 * Deribit's public market data (docs.deribit.com): `public/get_index_price` and
 * `public/get_book_summary_by_currency`, which states for every option the forward of its expiry
 * (`underlying_price`), the mark's volatility in percent and the best prices in coin.
 */
import { z } from "zod";
import { median } from "./consensus.ts";
import type { Feed, Market, Quote } from "./feed.ts";
import { createHttpFeed } from "./httpFeed.ts";

export interface DeribitConfig {
  /** Up to and with `/api/v2`. */
  readonly url: string;
  readonly currency: "BTC" | "ETH";
  /** Ticks for 1 USD: 10 for a tick of 0.1. */
  readonly ticksPerUnit: number;
  readonly refreshMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

const BPS_PER_PERCENT = 100;
const EXPIRY_HOUR = 8;
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");

const envelope = { usOut: z.number().positive() };
const indexSchema = z.object({ ...envelope, result: z.object({ index_price: z.number() }) });
const price = z.number().nullish();
const summarySchema = z.object({
  ...envelope,
  result: z.array(
    z.object({
      instrument_name: z.string(),
      underlying_price: price,
      mark_iv: price,
      bid_price: price,
      ask_price: price,
    }),
  ),
});

export function createDeribitFeed(config: DeribitConfig): Feed {
  const { url, currency, ticksPerUnit, refreshMs, timeoutMs } = config;
  return createHttpFeed({
    name: `deribit ${currency}`,
    urls: [
      `${url}/public/get_index_price?index_name=${currency.toLowerCase()}_usd`,
      `${url}/public/get_book_summary_by_currency?currency=${currency}&kind=option`,
    ],
    parse: ([index, summary]) => parseDeribit(index, summary, ticksPerUnit),
    refreshMs,
    timeoutMs,
  });
}

/** `strike` in USD, `expiry` in unix seconds, at 08:00 UTC. */
export interface DeribitOption {
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

/** `ETH-27JUN25-3000-C`; a `d` in a strike is a decimal point. Undefined for anything else. */
export function parseOptionName(name: string): DeribitOption | undefined {
  const match = /^[A-Z_]+-(\d{1,2})([A-Z]{3})(\d{2})-(\d+(?:d\d+)?)-([CP])$/.exec(name);
  if (match === null) return undefined;
  const [, day, month, year, strike, kind] = match as unknown as string[];
  const monthIndex = MONTHS.indexOf(month as string);
  if (monthIndex < 0) return undefined;
  const expiryMs = Date.UTC(2000 + Number(year), monthIndex, Number(day), EXPIRY_HOUR);
  if (new Date(expiryMs).getUTCDate() !== Number(day)) return undefined;
  return {
    isCall: kind === "C",
    strike: Number((strike as string).replace("d", ".")),
    expiry: expiryMs / 1000,
  };
}

/**
 * The market of both answers, as old as the older one. What is no option of an expiry (or has a
 * strike between ticks) is left out. Throws zod's error where the shape is another one.
 */
export function parseDeribit(index: unknown, summary: unknown, ticksPerUnit: number): Market {
  const { result: spot, usOut: indexTime } = indexSchema.parse(index);
  const { result: rows, usOut: summaryTime } = summarySchema.parse(summary);
  const underlyings = new Map<number, number[]>();
  const quotes: Quote[] = [];
  for (const row of rows) {
    const option = parseOptionName(row.instrument_name);
    const underlying = row.underlying_price ?? undefined;
    if (option === undefined || underlying === undefined) continue;
    const list = underlyings.get(option.expiry) ?? [];
    underlyings.set(option.expiry, list);
    list.push(underlying * ticksPerUnit);
    const strike = option.strike * ticksPerUnit;
    if (!Number.isSafeInteger(strike)) continue;
    const inTicks = (coins: number | null | undefined): number | undefined =>
      coins === null || coins === undefined ? undefined : coins * underlying * ticksPerUnit;
    quotes.push({
      ...option,
      strike,
      ivBps: row.mark_iv === null ? undefined : scaled(row.mark_iv),
      bid: inTicks(row.bid_price),
      ask: inTicks(row.ask_price),
    });
  }
  return {
    time: Math.floor(Math.min(indexTime, summaryTime) / 1000),
    indexTicks: spot.index_price * ticksPerUnit,
    forwardTicks: new Map([...underlyings].map(([expiry, list]) => [expiry, median(list)])),
    quotes,
  };
}

function scaled(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent * BPS_PER_PERCENT;
}
