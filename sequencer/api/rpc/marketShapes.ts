/** The market in the wire's words: instruments, tickers, books, trades. Pure. */
import type { z } from "zod";
import { expiryText } from "../../market/instrument.ts";
import { type OptionGreeks, type OptionQuote, quoteOption } from "../../market/optionQuotes.ts";
import type { BookLevel, ImpliedPrices, Listing } from "../../market/publicBook.ts";
import type { TradingInfo } from "../../protocol/trading.ts";
import { USDC } from "../../protocol/usdc.ts";
import { amountOf, percentOf, priceOf, rounded } from "./amounts.ts";
import type { FedBook } from "./bookFeed.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import type * as schemas from "./marketSchemas.ts";
import type { DayStats, NamedTrade } from "./tradeFeed.ts";

/** Everything that a ticker is made of. */
export interface MarketView {
  readonly catalogue: Catalogue;
  readonly trading: Pick<TradingInfo, "mode">;
  /** Unix ms. */
  readonly now: number;
  book(id: number): FedBook | undefined;
  implied(book: number): ImpliedPrices | null;
  last(instrument: string): NamedTrade | undefined;
  stats(instrument: string): DayStats;
}

export type InstrumentShape = z.output<typeof schemas.INSTRUMENT>;
export type TickerShape = z.output<typeof schemas.TICKER>;
export type TradeShape = z.output<typeof schemas.TRADE>;

/** An instrument's id: 20 bits of listing above 6 of the slot; books of combinations follow. */
const SLOTS = 64;
const COMBINATIONS_FROM = 2 ** 27;

/** `eth_usdc`. */
export function indexName({ info }: Pick<Catalogue, "info">): string {
  return `${info.underlying.toLowerCase()}_usdc`;
}

export function stateOf(
  instrument: Instrument,
  { trading, now }: Pick<MarketView, "trading" | "now">,
): InstrumentShape["state"] {
  if (settlementOf(instrument) !== undefined) return "delivered";
  const isOpen = instrument.summary?.isOpen === true && instrument.expiry * 1000 > now;
  if (!isOpen) return "closed";
  return trading.mode === "open" ? "open" : "locked";
}

/** The final mark in ticks; undefined where there is none yet. */
export function settlementOf({ series, listing }: Instrument): number | undefined {
  if (series?.status === "settled") return series.mark;
  return listing?.settlementPrice ?? undefined;
}

function instrumentId({ kind, series, listing, book, summary }: Instrument): number {
  const { slot, generation } = series ?? listing ?? { slot: 0, generation: 0 };
  if (kind === "option") return generation * SLOTS + slot;
  return COMBINATIONS_FROM + (summary?.generation ?? 0) * 4096 + (book ?? 0);
}

/** Fees of one contract: a lot pays `unit` for each tick of the rate. */
function feeOf(rate: number | undefined, { info }: Catalogue): number | null {
  return rate === undefined ? null : (rate * info.shape.unit * info.lotsPerContract) / USDC;
}

export function instrumentShape(instrument: Instrument, view: MarketView): InstrumentShape {
  const { catalogue } = view;
  const { info } = catalogue;
  const { name, kind, book, summary, series, listing, expiry } = instrument;
  const terms = series ?? listing;
  const state = stateOf(instrument, view);
  const usdc = "USDC";
  return {
    instrument_name: name,
    instrument_id: instrumentId(instrument),
    kind,
    instrument_type: "linear",
    base_currency: info.underlying,
    ...{ quote_currency: usdc, counter_currency: usdc, settlement_currency: usdc },
    price_index: indexName(catalogue),
    ...(terms !== null && {
      option_type: terms.isCall ? ("call" as const) : ("put" as const),
      strike: priceOf(terms.strike, info),
    }),
    expiration_timestamp: expiry * 1000,
    creation_timestamp: listing?.listedAt ?? null,
    is_active: state === "open" || state === "locked",
    state,
    contract_size: 1,
    min_trade_amount: amountOf(1, info),
    tick_size: priceOf(1, info),
    taker_fee: feeOf(summary?.fees.taker, catalogue),
    maker_fee: feeOf(summary?.fees.maker, catalogue),
    book,
    slot: series?.slot ?? null,
    legs: kind === "option" ? [] : legShapes(instrument, catalogue),
  };
}

function legShapes({ legs }: Instrument, { byName }: Catalogue) {
  const nameOf = new Map<number, string>();
  for (const { name, kind, series } of byName.values()) {
    if (kind === "option" && series !== null) nameOf.set(series.slot, name);
  }
  return legs.map(([slot, ratio]) => ({ instrument_name: nameOf.get(slot) ?? "", ratio }));
}

/** In ticks; null while there is no snapshot, or nothing is known any more. */
export function markOf(instrument: Instrument, { chain }: Catalogue): number | null {
  const settled = settlementOf(instrument);
  if (settled !== undefined) return settled;
  if (chain.snapshotTime === null || instrument.legs.length === 0) return null;
  return instrument.legs.reduce(
    (sum, [slot, weight]) => sum + weight * (chain.series[slot]?.mark ?? 0),
    0,
  );
}

type Best = readonly [bid: BookLevel | undefined, ask: BookLevel | undefined];

export function quoteOf(
  instrument: Instrument,
  { chain, forwards, info }: Catalogue,
  [bid, ask]: Best = [undefined, undefined],
): OptionQuote {
  const time = chain.snapshotTime ?? 0;
  const { tickSize } = info;
  const quotes = instrument.legs.map(([slot, weight]): [OptionQuote, number] => {
    const terms = chain.series[slot]!;
    const forward = chain.snapshotTime === null ? undefined : forwards.get(terms.expiry);
    const isAlone = instrument.kind === "option";
    const prices = {
      mark: terms.mark,
      bid: (isAlone && bid?.price) || null,
      ask: (isAlone && ask?.price) || null,
    };
    return [quoteOption({ terms, forward, ...prices, time, tickSize }), weight];
  });
  const [only] = quotes;
  if (only === undefined) return NO_QUOTE;
  if (instrument.kind === "option") return only[0];
  return { ...NO_QUOTE, forward: only[0].forward, greeks: sumGreeks(quotes) };
}

const NO_QUOTE: OptionQuote = {
  ...{ forward: null, markIv: null, bidIv: null, askIv: null, greeks: null },
};

/** Null where one leg's are not known. */
function sumGreeks(quotes: readonly (readonly [OptionQuote, number])[]): OptionGreeks | null {
  const sum = { delta: 0, gamma: 0, vega: 0, theta: 0, rho: 0 };
  for (const [{ greeks }, weight] of quotes) {
    if (greeks === null) return null;
    for (const key of ["delta", "gamma", "vega", "theta", "rho"] as const) {
      sum[key] += weight * greeks[key];
    }
  }
  return sum;
}

function greekShape(greeks: OptionGreeks | null): TickerShape["greeks"] {
  if (greeks === null) return null;
  const { delta, gamma, vega, theta, rho } = greeks;
  return {
    delta: rounded(delta),
    gamma: rounded(gamma, 10),
    vega: rounded(vega),
    theta: rounded(theta),
    rho,
  };
}

export function tickerShape(instrument: Instrument, view: MarketView): TickerShape {
  const { catalogue, now } = view;
  const { info, chain } = catalogue;
  const state = stateOf(instrument, view);
  const isLive = state === "open" || state === "locked";
  const fed = isLive && instrument.book !== null ? view.book(instrument.book) : undefined;
  const best: Best = [fed?.bids[0], fed?.asks[0]];
  const quote = quoteOf(instrument, catalogue, best);
  const price = (ticks: number | null | undefined) =>
    ticks === null || ticks === undefined ? null : priceOf(ticks, info);
  const openInterest = instrument.series?.openInterest ?? null;
  const settled = settlementOf(instrument);
  const index = price(chain.underlyingPrice);
  const implied = isLive && instrument.book !== null ? view.implied(instrument.book) : null;
  return {
    instrument_name: instrument.name,
    timestamp: now,
    state,
    stats: statsShape(view.stats(instrument.name), catalogue),
    open_interest: openInterest === null ? null : amountOf(openInterest, info),
    ...bestShape(best, catalogue),
    last_price: price(view.last(instrument.name)?.price),
    mark_price: price(markOf(instrument, catalogue)),
    mark_iv: percentOf(quote.markIv),
    bid_iv: percentOf(quote.bidIv),
    ask_iv: percentOf(quote.askIv),
    greeks: greekShape(quote.greeks),
    index_price: index,
    underlying_price: price(quote.forward === null ? null : Math.round(quote.forward)),
    underlying_index: `${info.underlying}-${expiryText(instrument.expiry)}`,
    estimated_delivery_price: index,
    interest_rate: 0,
    ...(settled !== undefined && { delivery_price: priceOf(settled, info) }),
    ...(implied !== null && { implied: impliedShape(implied, catalogue) }),
  };
}

export function bestShape([bid, ask]: Best, { info }: Catalogue) {
  return {
    best_bid_price: bid === undefined ? null : priceOf(bid.price, info),
    best_bid_amount: amountOf(bid?.lots ?? 0, info),
    best_ask_price: ask === undefined ? null : priceOf(ask.price, info),
    best_ask_amount: amountOf(ask?.lots ?? 0, info),
  };
}

function impliedShape({ bid, ask }: ImpliedPrices, { info }: Catalogue) {
  return {
    bid_price: bid === null ? null : priceOf(bid.price, info),
    bid_amount: amountOf(bid?.lots ?? 0, info),
    ask_price: ask === null ? null : priceOf(ask.price, info),
    ask_amount: amountOf(ask?.lots ?? 0, info),
  };
}

function statsShape(stats: DayStats, { info }: Catalogue): TickerShape["stats"] {
  const price = (ticks: number | null) => (ticks === null ? null : priceOf(ticks, info));
  return {
    volume: amountOf(stats.lots, info),
    volume_usd: rounded((stats.turnover * info.shape.unit) / USDC, 6),
    high: price(stats.high),
    low: price(stats.low),
    price_change: stats.change === null ? null : rounded(stats.change, 4),
  };
}

export function orderBookShape(
  instrument: Instrument,
  view: MarketView,
  options: { readonly depth: number; readonly checksum: number },
): z.output<typeof schemas.ORDER_BOOK> {
  const { catalogue } = view;
  const fed = instrument.book === null ? undefined : view.book(instrument.book);
  return {
    ...tickerShape(instrument, view),
    change_id: fed?.changeId ?? 0,
    checksum: options.checksum,
    bids: levelShapes(fed?.bids ?? [], options.depth, catalogue),
    asks: levelShapes(fed?.asks ?? [], options.depth, catalogue),
  };
}

export function levelShapes(
  levels: readonly BookLevel[],
  depth: number,
  { info }: Catalogue,
): [number, number][] {
  return levels
    .slice(0, depth)
    .map(({ price, lots }) => [priceOf(price, info), amountOf(lots, info)]);
}

export function summaryShape(
  instrument: Instrument,
  view: MarketView,
): z.output<typeof schemas.BOOK_SUMMARY> {
  const { info } = view.catalogue;
  const ticker = tickerShape(instrument, view);
  const { best_bid_price: bid, best_ask_price: ask, stats } = ticker;
  return {
    instrument_name: instrument.name,
    base_currency: info.underlying,
    quote_currency: "USDC",
    creation_timestamp: view.now,
    bid_price: bid,
    ask_price: ask,
    mid_price: bid === null || ask === null ? null : rounded((bid + ask) / 2),
    mark_price: ticker.mark_price,
    mark_iv: ticker.mark_iv,
    last: ticker.last_price,
    ...{ high: stats.high, low: stats.low, price_change: stats.price_change },
    ...{ volume: stats.volume, volume_usd: stats.volume_usd },
    open_interest: ticker.open_interest,
    underlying_price: ticker.underlying_price,
    underlying_index: ticker.underlying_index,
    estimated_delivery_price: ticker.estimated_delivery_price,
    interest_rate: 0,
  };
}

export function tradeShape(trade: NamedTrade, { info }: Pick<Catalogue, "info">): TradeShape {
  const amount = amountOf(trade.lots, info);
  return {
    trade_id: String(trade.tradeId),
    trade_seq: trade.tradeId,
    instrument_name: trade.instrument,
    timestamp: trade.time,
    price: priceOf(trade.price, info),
    amount,
    contracts: amount,
    direction: trade.takerIsSell ? "sell" : "buy",
    tick_direction: trade.tickDirection,
    mark_price: trade.mark === null ? null : priceOf(trade.mark, info),
    index_price: trade.index === null ? null : priceOf(trade.index, info),
    iv: percentOf(trade.iv),
    ...(trade.takerSeq === 0 && { liquidation: "T" as const }),
    batch_number: trade.batchNumber,
  };
}

/** What a settled series paid; the index where the payoff tells it. */
export function settlementShape(listing: Listing, name: string, { info }: Pick<Catalogue, "info">) {
  const { settlementPrice, settledAt, expiry, isCall, strike } = listing;
  if (settlementPrice === null) return undefined;
  const paid = isCall ? strike + settlementPrice : strike - settlementPrice;
  const isKnown = settlementPrice > 0;
  return {
    type: "delivery" as const,
    instrument_name: name,
    timestamp: settledAt ?? expiry * 1000,
    mark_price: priceOf(settlementPrice, info),
    index_price: isKnown ? priceOf(paid, info) : null,
  };
}
