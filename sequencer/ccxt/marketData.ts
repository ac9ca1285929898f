/** ccxt's unified methods of market data, where Deribit's do not fit as they are. */
import type { AllGreeks, Currency, Market, OHLCV, Option, Strings, Ticker, Tickers } from "ccxt";
import type { Dict } from "./access.ts";
import { StraddleMarkets } from "./markets.ts";

const TRADES_MAX = 1000;
const DAY_MS = 86_400_000;

export class StraddleMarketData extends StraddleMarkets {
  override async fetchTickers(symbols?: Strings, params: Dict = {}): Promise<Tickers> {
    await this.loadMarkets();
    const wanted = this.marketSymbols(symbols);
    const request = this.extend({ currency: "any" }, params);
    const path = "get_book_summary_by_currency";
    const { result } = await this.request(path, "public", "GET", request);
    const tickers: Record<string, Ticker> = {};
    for (const summary of result as Dict[]) {
      const ticker = this.parseTicker(summary);
      tickers[ticker.symbol ?? ""] = ticker;
    }
    return this.filterByArrayTickers(tickers, "symbol", wanted);
  }

  /** All of them in one call. */
  override async fetchAllGreeks(symbols?: Strings, params: Dict = {}): Promise<AllGreeks> {
    await this.loadMarkets();
    const request = this.extend({ currency: "any", kind: "option" }, params);
    const { result } = await this.request("get_tickers", "straddle", "GET", request);
    return this.parseAllGreeks(result as object[], this.marketSymbols(symbols));
  }

  override parseOption(chain: Dict, currency?: Currency, market?: Market): Option {
    const impliedVolatility = this.safeNumber(chain, "mark_iv");
    return { ...super.parseOption(chain, currency, market), impliedVolatility } as Option;
  }

  /** Candles of the trades that the node remembers. */
  override async fetchOHLCV(
    symbol: string,
    timeframe = "1m",
    since?: number,
    limit?: number,
    params: Dict = {},
  ): Promise<OHLCV[]> {
    const trades = await this.fetchTrades(symbol, since, TRADES_MAX, params);
    const candles = this.buildOHLCVC(trades, timeframe, since, limit);
    return candles.map((candle) => candle.slice(0, 6) as OHLCV);
  }

  /** Of the venue's 30-day volatility index, by the hour. */
  override async fetchVolatilityHistory(code: string, params: Dict = {}): Promise<Dict[]> {
    await this.loadMarkets();
    const now = this.milliseconds();
    const range = { start_timestamp: now - DAY_MS, end_timestamp: now, resolution: "3600" };
    const request = { currency: this.currency(code).id, ...range };
    const { result } = await this.request(
      "get_volatility_index_data",
      "public",
      "GET",
      this.extend(request, params),
    );
    const { data } = result as { data: readonly number[][] };
    return data.map((candle) => {
      const [timestamp, , , , volatility] = candle;
      return { info: candle, timestamp, datetime: this.iso8601(timestamp), volatility };
    });
  }

  /** What expired options paid, the latest first. */
  async fetchSettlementHistory(
    symbol?: string,
    since?: number,
    limit?: number,
    params: Dict = {},
  ): Promise<Dict[]> {
    await this.loadMarkets();
    const market = symbol === undefined ? undefined : this.market(symbol);
    const [path, of] =
      market === undefined
        ? ["get_last_settlements_by_currency", { currency: "any" }]
        : ["get_last_settlements_by_instrument", { instrument_name: market.id }];
    const request = limit === undefined ? of : { ...of, count: limit };
    const { result } = await this.request(path, "public", "GET", this.extend(request, params));
    const { settlements } = result as { settlements: Dict[] };
    const parsed = settlements.map((settlement) => {
      const timestamp = this.safeInteger(settlement, "timestamp");
      return {
        info: settlement,
        symbol: this.safeSymbol(this.safeString(settlement, "instrument_name"), market),
        price: this.safeNumber(settlement, "mark_price"),
        ...{ timestamp, datetime: this.iso8601(timestamp) },
      };
    });
    return this.filterBySymbolSinceLimit(parsed, market?.symbol, since, limit) as Dict[];
  }
}
