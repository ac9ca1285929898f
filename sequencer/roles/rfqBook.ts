/**
 * Requests for quotes and their quotes, in memory: what is open, and the newest of what has ended.
 * A restart forgets them, since nobody can have been promised anything: what was accepted is in the
 * log.
 */
import type { Submission } from "../exchangeService.ts";
import {
  QUOTES_MAX,
  QUOTES_PER_ACCOUNT_MAX,
  QUOTES_PER_RFQ_MAX,
  type QuoteEnd,
  type QuoteInfo,
  RFQ_TRADES_KEPT,
  RFQS_ENDED_KEPT,
  RFQS_MAX,
  RFQS_PER_ACCOUNT_MAX,
  type RfqInfo,
  type RfqState,
  type RfqTrade,
} from "../protocol/blockRfq.ts";
import type { PackageMaker } from "./packageTurn.ts";

/** A quote with the word that would be sequenced for it. */
export interface KeptQuote {
  info: QuoteInfo;
  maker: PackageMaker;
  /** Goes out where a part of the quote is left resting. */
  cancel: Submission | undefined;
}

export interface KeptRfq {
  info: RfqInfo;
  /** By id; also those that have ended. */
  readonly quotes: Map<number, KeptQuote>;
  /** Its taker's word is on its way. */
  isTaken: boolean;
  /** Its taker sees the quotes. */
  areQuotesSeen: boolean;
}

export interface RfqBook {
  /** Numbers that no request, quote or block had before, also in a process before this one. */
  nextId(now: number): number;
  /** Why another one would be too many, or undefined. */
  fullness(account: number): string | undefined;
  quoteFullness(rfq: KeptRfq, account: number): string | undefined;
  add(info: RfqInfo): KeptRfq;
  open(): Iterable<KeptRfq>;
  find(id: number): KeptRfq | undefined;
  /** Among the open ones. */
  findQuote(id: number): { readonly rfq: KeptRfq; readonly quote: KeptQuote } | undefined;
  /** Ends it, with all quotes that are still open; those are answered. */
  end(rfq: KeptRfq, state: RfqState, now: number): readonly KeptQuote[];
  endQuote(quote: KeptQuote, state: RfqState, now: number, reason?: QuoteEnd): void;
  /** Newest first. */
  all(): readonly KeptRfq[];
  keepTrade(trade: RfqTrade): void;
  /** Newest first. */
  trades(): readonly RfqTrade[];
}

export function createRfqBook(): RfqBook {
  const open = new Map<number, KeptRfq>();
  const ended: KeptRfq[] = [];
  const trades: RfqTrade[] = [];
  let lastId = 0;
  const endQuote: RfqBook["endQuote"] = (quote, state, now, reason) => {
    quote.info = { ...quote.info, state, updatedAt: now, reason: reason ?? null };
  };
  return {
    endQuote,
    nextId: (now) => {
      lastId = Math.max(lastId + 1, now);
      return lastId;
    },
    fullness: (account) => {
      if (open.size >= RFQS_MAX) return `at most ${RFQS_MAX} requests are open`;
      const own = [...open.values()].filter(({ info }) => info.account === account).length;
      if (own < RFQS_PER_ACCOUNT_MAX) return undefined;
      return `at most ${RFQS_PER_ACCOUNT_MAX} requests of an account are open`;
    },
    quoteFullness: (rfq, account) => {
      if (openQuotes(rfq).length >= QUOTES_PER_RFQ_MAX) {
        return `at most ${QUOTES_PER_RFQ_MAX} quotes of a request are open`;
      }
      const all = [...open.values()].flatMap(openQuotes);
      if (all.length >= QUOTES_MAX) return `at most ${QUOTES_MAX} quotes are open`;
      const own = all.filter(({ info }) => info.account === account).length;
      if (own < QUOTES_PER_ACCOUNT_MAX) return undefined;
      return `at most ${QUOTES_PER_ACCOUNT_MAX} quotes of an account are open`;
    },
    add: (info) => {
      const rfq: KeptRfq = { info, quotes: new Map(), isTaken: false, areQuotesSeen: false };
      open.set(info.id, rfq);
      return rfq;
    },
    open: () => open.values(),
    find: (id) => open.get(id),
    findQuote: (id) => {
      for (const rfq of open.values()) {
        const quote = rfq.quotes.get(id);
        if (quote?.info.state === "open") return { rfq, quote };
      }
      return undefined;
    },
    end: (rfq, state, now) => {
      open.delete(rfq.info.id);
      rfq.info = { ...rfq.info, state };
      const left = openQuotes(rfq);
      for (const quote of left) {
        const reason = state === "filled" ? "notNeeded" : "rfqEnded";
        endQuote(quote, state === "expired" ? "expired" : "cancelled", now, reason);
      }
      ended.push(rfq);
      if (ended.length > RFQS_ENDED_KEPT) ended.shift();
      return left;
    },
    all: () => [...ended, ...open.values()].reverse(),
    keepTrade: (trade) => {
      trades.push(trade);
      if (trades.length > RFQ_TRADES_KEPT) trades.shift();
    },
    trades: () => trades.toReversed(),
  };
}

/** Those that may still be accepted. */
export function openQuotes({ quotes }: KeptRfq): readonly KeptQuote[] {
  return [...quotes.values()].filter(({ info }) => info.state === "open");
}
