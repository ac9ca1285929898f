/**
 * What the interface knows of the market: read once from the service, then kept up to date by its
 * events. Answers and feeds are made from here, without waiting.
 */
import type { ExchangeEvent, ExchangeService, Trade } from "../../exchangeService.ts";
import type { BookChange, BookTicker, ImpliedPrices } from "../../market/publicBook.ts";
import { volatilityIndex } from "../../market/volatilityIndex.ts";
import type { Clock, Logger } from "../../ports.ts";
import type { TradingInfo } from "../../protocol/trading.ts";
import { DEPTH_MAX, ROWS_MAX } from "../limits.ts";
import { type BookFeed, createBookFeed } from "./bookFeed.ts";
import { type CandleKeeper, createCandleKeeper } from "./candles.ts";
import { type Catalogue, type CatalogueSource, createCatalogueSource } from "./catalogue.ts";
import { type MarketView, markOf, quoteOf } from "./marketShapes.ts";
import { bookNameAt, tradedAt } from "./pastNames.ts";
import { createTradeFeed, type NamedTrade, type TradeFeed } from "./tradeFeed.ts";

export interface Market {
  readonly books: BookFeed;
  readonly trades: TradeFeed;
  readonly volatility: CandleKeeper;
  readonly catalogues: CatalogueSource;
  /** Resolves when the first reading is done. */
  readonly ready: Promise<void>;
  trading(): TradingInfo;
  view(): Promise<MarketView>;
  /** With the last reading; undefined before the first. */
  viewNow(): MarketView | undefined;
  stop(): void;
}

/** Called after the market has taken the event in. */
export interface MarketListener {
  onBook(change: BookChange): void;
  /** Changes were missing: followers need the whole book. */
  onBookReload(book: number): void;
  onTrade(trade: NamedTrade): void;
  onTicker(ticker: BookTicker): void;
  /** A new reading of marks, listings and open interest. */
  onCatalogue(catalogue: Catalogue, isNewSnapshot: boolean): void;
  onOther(event: Exclude<ExchangeEvent, { type: "book" | "trade" | "ticker" }>): void;
}

interface Parts {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: MarketListener;
  readonly books: BookFeed;
  readonly trades: TradeFeed;
  readonly implied: Map<number, ImpliedPrices | null>;
  readonly state: { trading: TradingInfo; snapshotTime: number | null };
}

const OPEN: TradingInfo = { mode: "open", reason: null, detail: null, since: null, opensAt: null };

export function createMarket(options: {
  service: ExchangeService;
  clock: Clock;
  logger: Logger;
  listener: MarketListener;
}): Market {
  const { service, clock, logger, listener } = options;
  const parts: Parts = {
    ...{ service, clock, logger, listener },
    ...{ books: createBookFeed(), trades: createTradeFeed(), implied: new Map() },
    state: { trading: OPEN, snapshotTime: null },
  };
  const volatility = createCandleKeeper();
  const catalogues = createCatalogueSource(service, clock, (catalogue) => {
    const { snapshotTime, series } = catalogue.chain;
    for (const [book, { summary }] of catalogue.byBook) {
      parts.implied.set(book, summary?.implied ?? null);
    }
    const isNew = snapshotTime !== parts.state.snapshotTime;
    parts.state.snapshotTime = snapshotTime;
    if (isNew && snapshotTime !== null) {
      const index = volatilityIndex(series, snapshotTime);
      if (index !== undefined) volatility.add(snapshotTime, index);
    }
    listener.onCatalogue(catalogue, isNew);
  });
  const early: ExchangeEvent[] = [];
  const phase = { isLoaded: false, isStopped: false };
  const take = (event: ExchangeEvent): void => {
    try {
      observe(parts, catalogues, event);
    } catch (error) {
      // The sequencer's path must not fail because a listener does.
      logger.error("an event was not published", { type: event.type, error: String(error) });
    }
  };
  const unsubscribe = service.subscribe((event) => {
    if (phase.isLoaded) take(event);
    else early.push(event);
  });
  // What came before a reading begins is in it.
  const begin = (): void => void early.splice(0);
  const ready = loadAtLast(parts, catalogues, begin, () => phase.isStopped).then(() => {
    phase.isLoaded = true;
    for (const event of early.splice(0)) take(event);
  });
  const stop = (): void => {
    phase.isStopped = true;
    unsubscribe();
  };
  const viewOf = (catalogue: Catalogue): MarketView => {
    const now = clock.now();
    return {
      ...{ catalogue, trading: parts.state.trading, now },
      book: parts.books.book,
      implied: (book) => parts.implied.get(book) ?? null,
      last: parts.trades.last,
      stats: (name) => parts.trades.stats(name, now),
    };
  };
  return {
    ...{ books: parts.books, trades: parts.trades, volatility, catalogues, ready, stop },
    trading: () => parts.state.trading,
    view: async () => {
      await ready;
      return viewOf(await catalogues.current());
    },
    viewNow: () => {
      const catalogue = catalogues.latest();
      return catalogue === undefined ? undefined : viewOf(catalogue);
    },
  };
}

/** Between two tries to read the market. */
const RETRY_MS = 1000;

/** A node that cannot answer yet is asked again. */
async function loadAtLast(
  parts: Parts,
  catalogues: CatalogueSource,
  begin: () => void,
  isStopped: () => boolean,
): Promise<void> {
  while (!isStopped()) {
    try {
      begin();
      return await load(parts, catalogues);
    } catch (error) {
      parts.logger.warn("the market was not read", { error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }
}

/** Events that come meanwhile are kept, and repeat nothing: books and trades have numbers. */
async function load(parts: Parts, catalogues: CatalogueSource): Promise<void> {
  const { service, books, trades, state } = parts;
  const { trading } = await service.status();
  const { mode, reason, detail, since, opensAt } = trading;
  state.trading = { mode, reason, detail, since, opensAt };
  const catalogue = await catalogues.current();
  for (const { book } of await service.books()) {
    const whole = await service.book(book, DEPTH_MAX);
    if (whole !== null) books.load(whole);
  }
  const past = await service.trades(null, ROWS_MAX);
  for (const trade of past.toReversed()) {
    const instrument = bookNameAt(trade.book, trade.time, catalogue);
    if (instrument !== undefined) {
      trades.add({ ...trade, instrument, mark: null, index: null, iv: null });
    }
  }
}

function observe(parts: Parts, catalogues: CatalogueSource, event: ExchangeEvent): void {
  const { listener, state, logger } = parts;
  if (event.type === "book") observeBook(parts, event.change);
  else if (event.type === "trade") observeTrade(parts, catalogues, event.trade);
  else if (event.type === "ticker") {
    parts.implied.set(event.ticker.book, event.ticker.implied);
    listener.onTicker(event.ticker);
  } else {
    if (event.type === "trading") state.trading = event.trading;
    // Listings, openings and settlements are ledger batches: their names are wanted at once.
    if (event.type === "batch" && event.batch.kind === "ledger") {
      const warn = (error: unknown) => logger.warn("a reading failed", { error: String(error) });
      catalogues.refresh().catch(warn);
    }
    listener.onOther(event);
  }
}

function observeBook({ books, service, listener, logger }: Parts, change: BookChange): void {
  if (books.apply(change)) {
    listener.onBook(change);
    return;
  }
  const { book, changeId } = change;
  logger.warn("a book's changes have a gap", { book, changeId });
  service
    .book(book, DEPTH_MAX)
    .then((whole) => {
      if (whole === null) return;
      books.load(whole);
      listener.onBookReload(book);
    })
    .catch((error: unknown) => logger.warn("reading a book failed", { error: String(error) }));
}

function observeTrade(parts: Parts, catalogues: CatalogueSource, trade: Trade): void {
  const catalogue = catalogues.latest();
  const instrument = catalogue && tradedAt(trade.book, trade.time, catalogue);
  if (catalogue === undefined || instrument === undefined) {
    // A book that was opened a moment ago.
    void catalogues
      .refresh()
      .then((read) => {
        if (tradedAt(trade.book, trade.time, read)) observeTrade(parts, catalogues, trade);
      })
      .catch(() => undefined);
    return;
  }
  const level = { price: trade.price, lots: trade.lots, orders: 1 };
  const named = parts.trades.add({
    ...trade,
    instrument: instrument.name,
    mark: markOf(instrument, catalogue),
    index: catalogue.chain.underlyingPrice,
    iv: quoteOf(instrument, catalogue, [level, undefined]).bidIv,
  });
  if (named !== undefined) parts.listener.onTrade(named);
}
