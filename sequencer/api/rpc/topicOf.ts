/** The topic of a channel: what it tells, and by which routes it hears of it. */
import type { Clock, Logger } from "../../ports.ts";
import { HaltedError } from "../../protocol/halted.ts";
import { amountOf, percentOf, priceOf } from "./amounts.ts";
import type { FedBook } from "./bookFeed.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import type { Channel } from "./channelNames.ts";
import { RpcError } from "./errorTable.ts";
import type { Market } from "./market.ts";
import { markPrices } from "./marketMethods.ts";
import { bestShape, levelShapes, tickerShape } from "./marketShapes.ts";
import { platformShape } from "./platform.ts";
import { RFQ_ROUTES } from "./rfqRoutes.ts";
import {
  type BookTopic,
  createBookTopic,
  createStateTopic,
  createStreamTopic,
  type Delta,
  type StateTopic,
  type StreamTopic,
  type Topic,
} from "./topics.ts";

/** Of `book`, `stream` and `state` one is the topic. */
export interface Routed {
  readonly key: string;
  readonly channel: Channel;
  readonly routes: readonly string[];
  readonly topic: Topic;
  readonly book?: BookTopic;
  readonly stream?: StreamTopic;
  readonly state?: StateTopic;
}

export interface TopicOptions {
  readonly key: string;
  readonly name: string;
  readonly channel: Channel;
  /** Of a private channel. */
  readonly account: number | undefined;
  readonly market: Market;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly portfolio: () => Promise<unknown>;
}

/** Of a portfolio, at most one reading each. */
const PORTFOLIO_MS = 1000;

export function createTopic(options: TopicOptions): Routed {
  const { key, channel, account } = options;
  const stateAt = (routes: readonly string[], render: () => unknown, ms = 0): Routed => {
    const state = createStateTopic(options.name, ms, render);
    return { key, channel, routes, topic: state, state };
  };
  const streamAt = (routes: readonly string[], ms: number, isArray = true): Routed => {
    const stream = createStreamTopic(options.name, ms, { isArray });
    return { key, channel, routes, topic: stream, stream };
  };
  switch (channel.type) {
    case "book":
      return bookTopic(options, channel);
    case "bookTop":
    case "quote":
    case "ticker":
      return instrumentTopic(options, channel, stateAt);
    case "trades": {
      const { target } = channel;
      const name = "instrument" in target ? target.instrument.toUpperCase() : target.kind;
      return streamAt([`trade:${name}`], channel.intervalMs);
    }
    case "userOrders":
      return streamAt([`user:${account}`], channel.intervalMs, channel.intervalMs > 0);
    case "userTrades":
      return streamAt([`user:${account}`], channel.intervalMs);
    case "userHeld":
      return streamAt([`held:${account}`], 0, false);
    case "userRfqMaker":
      return streamAt([`${RFQ_ROUTES.maker}${account}`], 0, false);
    case "userRfqQuotes":
      return streamAt([`${RFQ_ROUTES.quotes}${account}`], 0, false);
    case "userRfqTaker":
      return streamAt([`${RFQ_ROUTES.taker}${account}`], 0, false);
    case "rfqTrades":
      return streamAt([RFQ_ROUTES.trades], 0, false);
    case "userMmpTrigger":
      return streamAt([`mmp:${account}`], 0, false);
    case "userPortfolio":
      return portfolioTopic(options);
    case "priceIndex":
    case "volatilityIndex":
    case "markPrices":
      return stateAt(["marks"], () => indexMessage(channel.type, channel.index, options.market));
    case "platformState":
      return stateAt(["platform"], () => platformShape(options.market.trading()));
    case "batches":
    case "liquidations":
      return streamAt([channel.type], 0, false);
  }
}

type StateAt = (routes: readonly string[], render: () => unknown, ms?: number) => Routed;

function instrumentTopic(
  { market, clock }: TopicOptions,
  channel: Extract<Channel, { type: "bookTop" | "quote" | "ticker" }>,
  stateAt: StateAt,
): Routed {
  const { intervalMs } = channel;
  const name = channel.instrument.toUpperCase();
  const found = market.catalogues.latest()?.byName.get(name);
  const book = found?.book ?? undefined;
  if (channel.type === "ticker") {
    const routes = book === undefined ? ["marks"] : [`ticker:${book}`, "marks"];
    return stateAt(
      routes,
      () => {
        const view = market.viewNow();
        const instrument = view?.catalogue.byName.get(name);
        return view === undefined || instrument === undefined
          ? undefined
          : tickerShape(instrument, view);
      },
      intervalMs,
    );
  }
  const id = bookOf(found);
  const depth = "depth" in channel ? channel.depth : 1;
  const render = () => {
    const [fed, catalogue] = [market.books.book(id), market.catalogues.latest()];
    if (catalogue === undefined) return undefined;
    const at = { timestamp: fed?.time ?? clock.now(), instrument_name: name };
    if (channel.type === "quote") {
      return { ...at, ...bestShape([fed?.bids[0], fed?.asks[0]], catalogue) };
    }
    return { ...at, change_id: fed?.changeId ?? 0, ...topOf(fed, depth, catalogue) };
  };
  const route = channel.type === "quote" ? `ticker:${id}` : `book:${id}`;
  return stateAt([route], render, intervalMs);
}

function topOf(fed: FedBook | undefined, depth: number, catalogue: Catalogue) {
  return {
    bids: levelShapes(fed?.bids ?? [], depth, catalogue),
    asks: levelShapes(fed?.asks ?? [], depth, catalogue),
  };
}

function bookOf(instrument: Instrument | undefined): number {
  if (instrument?.book === null || instrument?.book === undefined) {
    throw new RpcError("book_closed", `\`${instrument?.name}\` has no open book.`);
  }
  return instrument.book;
}

function bookTopic(
  { key, name, market, clock }: TopicOptions,
  channel: Extract<Channel, { type: "book" }>,
): Routed {
  const instrument = channel.instrument.toUpperCase();
  const id = bookOf(market.catalogues.latest()?.byName.get(instrument));
  const { books } = market;
  const sizes = () => market.catalogues.latest()!.info;
  const level = (action: string, { price, lots }: { price: number; lots: number }) => [
    ...[action, priceOf(price, sizes()), amountOf(lots, sizes())],
  ];
  const book = createBookTopic(name, channel.intervalMs, {
    changeId: () => books.book(id)?.changeId ?? 0,
    snapshot: () => {
      const { changeId = 0, time = clock.now(), bids = [], asks = [] } = books.book(id) ?? {};
      return {
        ...{ type: "snapshot", timestamp: time, instrument_name: instrument, change_id: changeId },
        bids: bids.map((item) => level("new", item)),
        asks: asks.map((item) => level("new", item)),
        checksum: books.checksum(id),
      };
    },
    change: ({ time, changeId, prevChangeId, bids, asks }: Delta) => ({
      ...{ type: "change", timestamp: time, instrument_name: instrument },
      ...{ change_id: changeId, prev_change_id: prevChangeId },
      bids: bids.map((item) => level(item.action, item)),
      asks: asks.map((item) => level(item.action, item)),
      checksum: books.checksum(id),
    }),
  });
  return { key, channel, routes: [`book:${id}`], topic: book, book };
}

function indexMessage(type: Channel["type"], index: string, market: Market): unknown {
  const view = market.viewNow();
  if (view === undefined) return undefined;
  const { chain, info } = view.catalogue;
  const timestamp = chain.snapshotTime ?? view.now;
  if (type === "markPrices") return markPrices(view);
  if (type === "priceIndex") {
    const { underlyingPrice } = chain;
    const price = underlyingPrice === null ? null : priceOf(underlyingPrice, info);
    return { index_name: index, price, timestamp };
  }
  const latest = market.volatility.latest();
  if (latest === undefined) return undefined;
  return { index_name: index, volatility: percentOf(latest.close) ?? 0, timestamp };
}

/** Reads the account when something has changed, at most once a second. */
function portfolioTopic(options: TopicOptions): Routed {
  const { key, name, channel, account, portfolio, clock, logger } = options;
  let read: unknown;
  let isReading = false;
  let isWanted = false;
  let readAt = Number.NEGATIVE_INFINITY;
  const inner = createStateTopic(name, 0, () => read);
  const begin = (): void => {
    isWanted = true;
    if (isReading || clock.now() - readAt < PORTFOLIO_MS) return;
    isReading = true;
    isWanted = false;
    readAt = clock.now();
    portfolio()
      .then((data) => {
        read = data;
        inner.mark();
      })
      .catch((error: unknown) => {
        // A node that has halted answers nothing more.
        if (error instanceof HaltedError) return;
        logger.warn("reading a portfolio failed", { account, error: String(error) });
        isWanted = true;
      })
      .finally(() => {
        isReading = false;
      });
  };
  const state: StateTopic = {
    ...inner,
    mark: begin,
    join(reader) {
      inner.join(reader);
      if (read === undefined) begin();
    },
    recover() {
      if (isWanted) begin();
      inner.recover();
    },
  };
  const routes = [`portfolio:${account}`, "marks"];
  return { key, channel, routes, topic: state, state };
}
