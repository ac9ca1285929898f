/** Methods about the market: Deribit's names where the meaning is the same. */
import { z } from "zod";
import { DEPTH_MAX } from "../limits.ts";
import { percentOf, priceOf } from "./amounts.ts";
import { MINUTE_MS } from "./candles.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import { count, currency, instrumentName, kind, natural, timestamp } from "./fieldSchemas.ts";
import * as schemas from "./marketSchemas.ts";
import {
  indexName,
  instrumentShape,
  type MarketView,
  markOf,
  orderBookShape,
  quoteOf,
  settlementShape,
  stateOf,
  summaryShape,
  tickerShape,
  tradeShape,
} from "./marketShapes.ts";
import { type CallContext, type Method, method } from "./method.ts";

const nothing = z.strictObject({});
const byInstrument = z.strictObject({ instrument_name: instrumentName });
const byCurrency = { currency, kind };
const indexNameParam = z.string().max(32).describe("such as `eth_usdc`");

const tradeRange = {
  start_seq: natural.optional(),
  end_seq: natural.optional(),
  start_timestamp: timestamp.optional(),
  end_timestamp: timestamp.optional(),
  count: count.default(10),
  sorting: z.enum(["asc", "desc", "default"]).default("default"),
};

/** Seconds of a candle, as Deribit has them. */
const RESOLUTIONS = ["1", "60", "3600", "43200", "1D"] as const;
const CANDLES_MAX = 1000;

export const MARKET_METHODS: readonly Method[] = [
  method("public/get_currencies", {
    summary: "The underlying and the currency of settlement.",
    params: nothing,
    result: z.array(schemas.CURRENCY),
    call: async (_, { service }) => {
      const { underlying } = await service.info();
      const collateral = { coin_type: "ETHEREUM", decimals: 6, is_collateral: true };
      const index = { coin_type: "INDEX", decimals: 6, is_collateral: false };
      return [
        { currency: underlying, currency_long: underlying, ...index },
        { currency: "USDC", currency_long: "USD Coin", ...collateral },
      ];
    },
  }),
  method("public/get_instruments", {
    summary: "Instruments that trade, or with `expired` those that did.",
    calls: 4,
    params: z.strictObject({ ...byCurrency, expired: z.boolean().default(false) }),
    result: z.array(schemas.INSTRUMENT),
    call: async ({ expired, ...filter }, { market }) => {
      const view = await market.view();
      return selected(view, filter, expired).map((item) => instrumentShape(item, view));
    },
  }),
  method("public/get_instrument", {
    summary: "One instrument; expired ones stay.",
    params: byInstrument,
    result: schemas.INSTRUMENT,
    call: async ({ instrument_name }, { market }) => {
      const instrument = await market.catalogues.find(instrument_name);
      return instrumentShape(instrument, await market.view());
    },
  }),
  method("public/ticker", {
    summary: "Best prices, mark, volatilities, greeks, open interest and the day's figures.",
    params: byInstrument,
    result: schemas.TICKER,
    call: async ({ instrument_name }, { market }) => {
      const instrument = await market.catalogues.find(instrument_name);
      return tickerShape(instrument, await market.view());
    },
  }),
  method("straddle/get_tickers", {
    summary: "Tickers of all instruments, with greeks, in one call.",
    calls: 8,
    params: z.strictObject(byCurrency),
    result: z.array(schemas.TICKER),
    call: async (filter, { market }) => {
      const view = await market.view();
      return selected(view, filter, false).map((item) => tickerShape(item, view));
    },
  }),
  method("public/get_order_book", {
    summary: "Levels of one book, with its ticker, change id and checksum.",
    calls: 2,
    params: byInstrument.extend({ depth: z.int().min(1).max(DEPTH_MAX).default(20) }),
    result: schemas.ORDER_BOOK,
    call: async ({ instrument_name, depth }, { market }) => {
      const instrument = await market.catalogues.find(instrument_name);
      const view = await market.view();
      const checksum = instrument.book === null ? 0 : market.books.checksum(instrument.book);
      return orderBookShape(instrument, view, { depth, checksum });
    },
  }),
  method("public/get_book_summary_by_currency", {
    summary: "Best prices, marks and the day's figures of all instruments.",
    calls: 8,
    params: z.strictObject(byCurrency),
    result: z.array(schemas.BOOK_SUMMARY),
    call: async (filter, { market }) => {
      const view = await market.view();
      return selected(view, filter, false).map((item) => summaryShape(item, view));
    },
  }),
  method("public/get_book_summary_by_instrument", {
    summary: "Best price, mark and the day's figures of one instrument.",
    params: byInstrument,
    result: z.array(schemas.BOOK_SUMMARY),
    call: async ({ instrument_name }, { market }) => {
      const instrument = await market.catalogues.find(instrument_name);
      return [summaryShape(instrument, await market.view())];
    },
  }),
  method("public/get_last_trades_by_instrument", {
    summary: "Trades of one instrument that the node remembers.",
    calls: 2,
    params: byInstrument.extend(tradeRange),
    result: schemas.TRADES,
    call: async ({ instrument_name, ...range }, { market }) => {
      const { name } = await market.catalogues.find(instrument_name);
      return lastTrades((other) => other === name, range, market);
    },
  }),
  method("public/get_last_trades_by_currency", {
    summary: "Trades of all instruments that the node remembers.",
    calls: 2,
    params: z.strictObject({ ...byCurrency, ...tradeRange }),
    result: schemas.TRADES,
    call: async ({ currency: wanted, kind: wantedKind, ...range }, { market }) => {
      const { catalogue } = await market.view();
      assertCurrency(catalogue.info.underlying, wanted);
      const isOfKind = (name: string) =>
        wantedKind === "any" || catalogue.byName.get(name)?.kind === wantedKind;
      return lastTrades(isOfKind, range, market);
    },
  }),
  method("public/get_index_price_names", {
    summary: "Names of the indices.",
    params: nothing,
    result: z.array(z.string()),
    call: async (_, { market }) => [indexName((await market.view()).catalogue)],
  }),
  method("public/get_index_price", {
    summary: "Price of the underlying, as the marks of the snapshot in use tell it.",
    params: z.strictObject({ index_name: indexNameParam }),
    result: schemas.INDEX_PRICE,
    call: async ({ index_name }, { market }) => {
      const { catalogue } = await market.view();
      assertIndex(indexName(catalogue), index_name);
      const { underlyingPrice } = catalogue.chain;
      const price = underlyingPrice === null ? null : priceOf(underlyingPrice, catalogue.info);
      return { index_price: price, estimated_delivery_price: price };
    },
  }),
  method("public/get_last_settlements_by_instrument", {
    summary: "What an expired instrument paid.",
    params: byInstrument.extend({
      type: z.enum(["settlement", "delivery", "bankruptcy"]).optional(),
      count: count.default(20),
    }),
    result: schemas.SETTLEMENTS,
    call: async ({ instrument_name, type }, { market }) => {
      const instrument = await market.catalogues.find(instrument_name);
      return settlementsOf([instrument], type, await market.view());
    },
  }),
  method("public/get_last_settlements_by_currency", {
    summary: "What expired instruments paid, the latest first.",
    calls: 4,
    params: z.strictObject({
      currency,
      type: z.enum(["settlement", "delivery", "bankruptcy"]).optional(),
      count: count.default(20),
    }),
    result: schemas.SETTLEMENTS,
    call: async ({ currency: wanted, type, count: limit }, { market }) => {
      const view = await market.view();
      assertCurrency(view.catalogue.info.underlying, wanted);
      const { settlements } = settlementsOf([...view.catalogue.byName.values()], type, view);
      const latest = settlements.sort((a, b) => b.timestamp - a.timestamp).slice(0, limit);
      return { settlements: latest, continuation: null };
    },
  }),
  method("public/get_volatility_index_data", {
    summary: "Candles of the 30-day volatility of the marks, since the node began.",
    calls: 2,
    params: z.strictObject({
      currency,
      start_timestamp: timestamp,
      end_timestamp: timestamp,
      resolution: z.enum(RESOLUTIONS),
    }),
    result: schemas.VOLATILITY_DATA,
    call: async ({ currency: wanted, start_timestamp, end_timestamp, resolution }, { market }) => {
      assertCurrency((await market.view()).catalogue.info.underlying, wanted);
      const ms = resolution === "1D" ? 86_400_000 : Number(resolution) * 1000;
      const range = { fromMs: start_timestamp, toMs: end_timestamp, limit: CANDLES_MAX };
      const resolutionMs = Math.max(ms, MINUTE_MS);
      const candles = market.volatility.candles({ ...range, resolutionMs });
      const percent = (value: number) => percentOf(value) ?? 0;
      return {
        data: candles.map(({ time, open, high, low, close }) => {
          return [time, percent(open), percent(high), percent(low), percent(close)] as const;
        }) as [number, number, number, number, number][],
        continuation: null,
      };
    },
  }),
  method("straddle/get_mark_prices", {
    summary: "Marks and volatilities of all options: what the channel `markprice.options` sends.",
    calls: 4,
    params: nothing,
    result: schemas.MARK_PRICES_NOTIFICATION,
    call: async (_, { market }) => markPrices(await market.view()),
  }),
];

export function markPrices(view: MarketView) {
  const { catalogue } = view;
  const { chain, info } = catalogue;
  return selected(view, { currency: "any", kind: "option" }, false).map((instrument) => ({
    instrument_name: instrument.name,
    mark_price: priceOf(markOf(instrument, catalogue) ?? 0, info),
    iv: percentOf(quoteOf(instrument, catalogue).markIv),
    timestamp: chain.snapshotTime ?? view.now,
  }));
}

interface Filter {
  readonly currency: string;
  readonly kind: "option" | "option_combo" | "any";
}

function selected(view: MarketView, { currency: wanted, kind }: Filter, expired: boolean) {
  assertCurrency(view.catalogue.info.underlying, wanted);
  const isWanted = (instrument: Instrument): boolean => {
    if (kind !== "any" && instrument.kind !== kind) return false;
    const state = stateOf(instrument, view);
    return (state === "open" || state === "locked") !== expired;
  };
  const found = [...view.catalogue.byName.values()].filter(isWanted);
  return found.sort((a, b) => a.expiry - b.expiry || (a.name < b.name ? -1 : 1));
}

export function assertCurrency(underlying: string, wanted: string): void {
  const allowed = [underlying, "USDC", "any"];
  if (allowed.some((item) => item.toUpperCase() === wanted.toUpperCase())) return;
  const text = `\`currency\` must be ${allowed.join(", ")}. Got \`${wanted}\`.`;
  throw new RpcError("invalid_params", text, { param: "currency" });
}

export function assertIndex(name: string, wanted: string): void {
  if (wanted.toLowerCase() === name) return;
  const text = `\`index_name\` must be \`${name}\`. Got \`${wanted}\`.`;
  throw new RpcError("invalid_params", text, { param: "index_name" });
}

interface Range {
  readonly start_seq?: number | undefined;
  readonly end_seq?: number | undefined;
  readonly start_timestamp?: number | undefined;
  readonly end_timestamp?: number | undefined;
  readonly count: number;
  readonly sorting: "asc" | "desc" | "default";
}

/** From the earliest where a beginning is given, else up to the latest. */
async function lastTrades(
  wanted: (name: string) => boolean,
  range: Range,
  market: CallContext["market"],
) {
  const { catalogue } = await market.view();
  const { start_seq: fromSeq, end_seq: toSeq, count: limit, sorting } = range;
  const { start_timestamp: fromTime, end_timestamp: toTime } = range;
  const found = market.trades.trades(wanted, { fromSeq, toSeq, fromTime, toTime });
  const isFromStart = fromSeq !== undefined || fromTime !== undefined;
  const taken = isFromStart ? found.slice(0, limit) : found.slice(-limit);
  const isAscending = sorting === "asc" || (sorting === "default" && isFromStart);
  const ordered = isAscending ? taken : taken.toReversed();
  return {
    trades: ordered.map((trade) => tradeShape(trade, catalogue)),
    has_more: found.length > taken.length,
  };
}

function settlementsOf(
  instruments: readonly Instrument[],
  type: string | undefined,
  { catalogue }: MarketView,
) {
  const settlements = instruments.flatMap(({ listing, name }) => {
    if (listing === null || (type !== undefined && type !== "delivery")) return [];
    return settlementShape(listing, name, catalogue) ?? [];
  });
  return { settlements, continuation: null };
}
