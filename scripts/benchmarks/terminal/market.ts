/** A market of 1,700 options that is told and not traded: the API's service without an engine. */
import type { ExchangeEvent, ExchangeService } from "../../../sequencer/exchangeService.ts";
import { instrumentName } from "../../../sequencer/market/instrument.ts";
import type { BookInfo, BookSummary, ChainInfo } from "../../../sequencer/market/publicBook.ts";
import { blackPrice } from "../../../sequencer/pricing/black76.ts";
import { createFakeService, INFO } from "../../../test/unit/api/fakeService.ts";

const EXPIRIES = 17;
const STRIKES = 50;
export const INSTRUMENTS = 2 * EXPIRIES * STRIKES;
/** Ticks: the best bid of the n-th change is so much and n. */
export const BID_FROM = 1000;
const ASK = 9000;
const SPOT = 30_000;
const DAY_SECONDS = 86_400;
const VOLATILITY = 0.6;

export interface LargeMarket {
  readonly service: ExchangeService;
  readonly names: readonly string[];
  /** The best bid moves up by a tick, to that of the change. */
  move(at: number, round: number): void;
}

export function createLargeMarket(): LargeMarket {
  const now = Math.floor(Date.now() / 1000 / DAY_SECONDS) * DAY_SECONDS + 8 * 3600;
  const series = Array.from({ length: INSTRUMENTS }, (_, slot) => {
    const expiry = now + (3 + 7 * Math.floor(slot / (2 * STRIKES))) * DAY_SECONDS;
    const strike = SPOT / 2 + 600 * (Math.floor(slot / 2) % STRIKES);
    const isCall = slot % 2 === 0;
    const yearsToExpiry = (expiry - now) / (365 * DAY_SECONDS);
    const option = { isCall, strike, forward: SPOT, volatility: VOLATILITY, yearsToExpiry };
    const mark = Math.max(1, Math.round(blackPrice(option)));
    const terms = { slot, isCall, strike, expiry, generation: 1, holders: 1 };
    const known = { markIv: VOLATILITY, delta: 0.5, openInterest: 100, mark };
    return {
      ...terms,
      ...known,
      status: "listed",
      book: slot,
      bestBid: null,
      bestAsk: null,
    } as const;
  });
  const books = series.map(({ slot }): BookSummary => {
    const weights = new Array<number>(slot + 1).fill(0).with(slot, 1);
    const fees = { taker: 3, maker: 0 };
    const none = { bestBid: null, bestAsk: null, implied: null };
    return { book: slot, weights, generation: 1, isOpen: true, plainSlot: slot, fees, ...none };
  });
  const prices = { underlyingPrice: SPOT, snapshotTime: Date.now() };
  const chain: ChainInfo = { underlying: "ETH", ...prices, series, announced: [] };
  const listings = series.map(({ slot, generation, isCall, strike, expiry }) => {
    const past = { settledAt: null, settlementPrice: null };
    return { slot, generation, isCall, strike, expiry, listedAt: Date.now(), ...past };
  });
  const listeners = new Set<(event: ExchangeEvent) => void>();
  const rounds = new Array<number>(INSTRUMENTS).fill(0);
  const level = (price: number) => ({ price, lots: 100, orders: 1 });
  const bookOf = (book: number): BookInfo => ({
    ...{ book, changeId: rounds[book]!, time: Date.now(), isOpen: true, implied: null },
    ...{ bids: [level(BID_FROM + rounds[book]!)], asks: [level(ASK)] },
  });
  const service: ExchangeService = {
    ...createFakeService(),
    info: async () => INFO,
    chain: async () => chain,
    books: async () => books,
    listings: async () => listings,
    book: async (id) => bookOf(id),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const publish = (event: ExchangeEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return {
    service,
    names: series.map((terms) => instrumentName(terms, INFO)),
    move(book, round) {
      const gone = { price: BID_FROM + round - 1, lots: 0, orders: 0, action: "delete" } as const;
      const come = { ...level(BID_FROM + round), action: "new" } as const;
      rounds[book] = round;
      const place = { book, changeId: round, prevChangeId: round - 1, time: Date.now() };
      publish({ type: "book", change: { ...place, bids: [gone, come], asks: [] } });
      const best = { bestBid: level(BID_FROM + round), bestAsk: level(ASK), implied: null };
      publish({ type: "ticker", ticker: { book, time: Date.now(), ...best } });
    },
  };
}
