/** One source's option quotes, without those that cannot be true. */

import { MS_PER_YEAR } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/impliedVolatility.ts";
import { STRIKE_BITS } from "../protocol/constants.ts";
import { isExpired, type Market, type Quote } from "./feed.ts";
import { type OracleReject, reject } from "./rejects.ts";
import { BPS, IV_BPS_MAX } from "./riskMatrix.ts";

/** More quotes than any venue lists for one underlying; what follows them is not read. */
export const QUOTES_MAX = 4096;

export interface CleanQuote extends Quote {
  readonly ivBps: number;
}

export interface CleanQuotes {
  readonly quotes: readonly CleanQuote[];
  readonly rejects: readonly OracleReject[];
}

/**
 * The quotes on `forwards` (ticks by expiry; other expiries are left out silently), with the
 * volatility that the source states or, where it states none, that of the middle of bid and ask.
 */
export function cleanQuotes(
  market: Market,
  forwards: ReadonlyMap<number, number>,
  nowMs: number,
): CleanQuotes {
  const rejects: OracleReject[] = [];
  const quotes: CleanQuote[] = [];
  const counts = new Map<string, number>();
  const read = market.quotes.slice(0, QUOTES_MAX);
  for (const quote of read) counts.set(keyOf(quote), (counts.get(keyOf(quote)) ?? 0) + 1);
  for (const quote of read) {
    const forward = forwards.get(quote.expiry);
    const isDuplicate = (counts.get(keyOf(quote)) ?? 0) > 1;
    const cleaned = cleanQuote({ quote, forward, isDuplicate, nowMs });
    if (cleaned === undefined) continue;
    if ("code" in cleaned) rejects.push(cleaned);
    else quotes.push(cleaned);
  }
  return { quotes, rejects };
}

function keyOf({ expiry, strike, isCall }: Quote): string {
  return `${expiry} ${strike} ${isCall ? "call" : "put"}`;
}

function cleanQuote(options: {
  quote: Quote;
  forward: number | undefined;
  isDuplicate: boolean;
  nowMs: number;
}): CleanQuote | OracleReject | undefined {
  const { quote, forward, nowMs } = options;
  const name = keyOf(quote);
  const { strike, ivBps, bid, ask } = quote;
  if (isExpired(quote, nowMs)) return reject("expiredStrike", name);
  if (options.isDuplicate) return reject("duplicateStrike", name);
  for (const value of [strike, quote.expiry, ivBps, bid, ask]) {
    if (value !== undefined && !Number.isFinite(value)) {
      return reject("notFinite", `${name}: \`${value}\``);
    }
  }
  if (!(strike > 0 && strike < 2 ** STRIKE_BITS)) return reject("outOfRange", name);
  if (bid !== undefined && bid < 0) return reject("notPositive", `${name}: bid \`${bid}\``);
  if (ask !== undefined && ask <= 0) return reject("notPositive", `${name}: ask \`${ask}\``);
  if (bid !== undefined && ask !== undefined && bid > ask) {
    return reject("crossed", `${name}: \`${bid}\` / \`${ask}\``);
  }
  if (forward === undefined) return undefined;
  if (ivBps === undefined) return implied(quote, forward, nowMs);
  if (ivBps <= 0) return reject("notPositive", `${name}: volatility \`${ivBps}\``);
  if (ivBps > IV_BPS_MAX) return reject("outOfRange", `${name}: volatility \`${ivBps}\``);
  return { ...quote, ivBps };
}

/** Undefined for a quote that has one side only: it says nothing of a middle. */
function implied(
  quote: Quote,
  forward: number,
  nowMs: number,
): CleanQuote | OracleReject | undefined {
  const { isCall, strike, expiry, bid, ask } = quote;
  if (bid === undefined || ask === undefined || bid === 0) return undefined;
  const price = (bid + ask) / 2;
  const yearsToExpiry = (expiry * 1000 - nowMs) / MS_PER_YEAR;
  const volatility = impliedVolatility({ isCall, forward, strike, yearsToExpiry, price });
  const ivBps = (volatility ?? 0) * BPS;
  if (!(ivBps > 0 && ivBps <= IV_BPS_MAX)) {
    return reject("outsideBounds", `${keyOf(quote)}: \`${price}\` at forward ${forward}`);
  }
  return { ...quote, ivBps };
}
