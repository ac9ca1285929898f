/** Who hears what: the market's events to the topics that they are of. */
import type { ExchangeEvent, ExchangeService, OrderUpdate } from "../../exchangeService.ts";
import type { BookChange, BookTicker } from "../../market/publicBook.ts";
import type { Clock, Logger } from "../../ports.ts";
import type { ProtectionInfo } from "../../protocol/heldWord.ts";
import { orderShape, summaryShape, userTradeShape } from "./accountShapes.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Channel, isPrivate, parseChannel, type Target } from "./channelNames.ts";
import type { ChannelRoom } from "./channelRoom.ts";
import { RpcError } from "./errorTable.ts";
import { heldOrderShape, heldShape } from "./heldShapes.ts";
import type { Market, MarketListener } from "./market.ts";
import { assertCurrency, assertIndex } from "./marketMethods.ts";
import { indexName, tradeShape } from "./marketShapes.ts";
import type { KnownOrder, OrderFeed } from "./orderFeed.ts";
import { batchShape } from "./ownMethods.ts";
import { tradedAt } from "./pastNames.ts";
import { publishRfq } from "./rfqFeed.ts";
import type { Session } from "./session.ts";
import type { SubmissionDesk } from "./submissions.ts";
import { createTopic, type Routed } from "./topicOf.ts";
import type { Reader, Topic } from "./topics.ts";
import type { NamedTrade } from "./tradeFeed.ts";
import { wire } from "./wireValue.ts";

/** What the hub needs of the rest. */
export interface FeedParts {
  readonly market: Market;
  readonly orders: OrderFeed;
  readonly submissions: SubmissionDesk;
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One connection's channels. Both answer those that it has afterwards. */
export interface Subscriptions {
  /** All or none. Throws {@link RpcError}. */
  add(channels: readonly string[], session: Session | undefined): Promise<readonly string[]>;
  remove(channels: readonly string[]): readonly string[];
  /** Leaves what only a session may hear. */
  removePrivate(): void;
  removeAll(): void;
  /** The same, and nothing is joined any more. */
  close(): void;
}

export interface Feeds {
  readonly listener: MarketListener;
  /** Once the market is made, which needs the listener. */
  begin(parts: FeedParts): void;
  connect(reader: Reader, room: ChannelRoom): Subscriptions;
  stop(): void;
}

/** How often intervals and slow readers are looked after. */
const TURN_MS = 50;
/** How often marks are looked at, while somebody listens. */
const MARKS_MS = 500;

interface Hub {
  parts: FeedParts | undefined;
  readonly topics: Map<string, Routed>;
  readonly routes: Map<string, Set<Routed>>;
  /** The last of an account's order news that waits for its labels. */
  readonly news: Map<number, Promise<unknown>>;
  readonly dueAt: Map<Topic, number>;
}

export function createFeeds(): Feeds {
  const hub: Hub = {
    parts: undefined,
    ...{ topics: new Map(), routes: new Map(), news: new Map(), dueAt: new Map() },
  };
  const turn = setInterval(() => turnOver(hub), TURN_MS);
  const marks = setInterval(() => readMarks(hub), MARKS_MS);
  turn.unref();
  marks.unref();
  return {
    listener: listenerOf(hub),
    begin: (parts) => {
      hub.parts = parts;
    },
    connect: (reader, room) => createSubscriptions(hub, reader, room),
    stop() {
      clearInterval(turn);
      clearInterval(marks);
      hub.topics.clear();
      hub.routes.clear();
    },
  };
}

function turnOver({ topics, dueAt }: Hub): void {
  const now = performance.now();
  for (const { topic } of topics.values()) {
    if (topic.intervalMs > 0 && (dueAt.get(topic) ?? 0) <= now) {
      dueAt.set(topic, now + topic.intervalMs);
      topic.flush();
    }
    topic.recover();
  }
}

/** A new snapshot is told by nobody. */
function readMarks({ parts, topics }: Hub): void {
  if (parts === undefined || topics.size === 0) return;
  parts.market.catalogues
    .current()
    .catch((error: unknown) => parts.logger.warn("reading marks failed", { error: String(error) }));
}

function routed({ routes }: Hub, route: string): Iterable<Routed> {
  return routes.get(route) ?? [];
}

function listenerOf(hub: Hub): MarketListener {
  return {
    onBook: (change: BookChange) => {
      for (const { book, state } of routed(hub, `book:${change.book}`)) {
        book?.push(change);
        state?.mark();
      }
    },
    onBookReload: (book: number) => {
      for (const entry of routed(hub, `book:${book}`)) entry.book?.reload();
    },
    onTicker: ({ book }: BookTicker) => {
      for (const { state } of routed(hub, `ticker:${book}`)) state?.mark();
    },
    onTrade: (trade) => publishTrade(hub, trade),
    onCatalogue: (_: Catalogue, isNewSnapshot) => {
      if (!isNewSnapshot) return;
      for (const { state } of routed(hub, "marks")) state?.mark();
    },
    onOther: (event) => publishOther(hub, event),
  };
}

function publishTrade(hub: Hub, trade: NamedTrade): void {
  const catalogue = hub.parts?.market.catalogues.latest();
  if (catalogue === undefined) return;
  const shape = tradeShape(trade, catalogue);
  for (const { stream } of routed(hub, `trade:${trade.instrument}`)) stream?.push(shape);
  const kind = catalogue.byName.get(trade.instrument)?.kind ?? "option";
  for (const { stream } of routed(hub, `trade:${kind}`)) stream?.push(shape);
  for (const { stream } of routed(hub, "trade:any")) stream?.push(shape);
  for (const { state } of routed(hub, `ticker:${trade.book}`)) state?.mark();
}

type OtherEvent = Exclude<ExchangeEvent, { type: "book" | "trade" | "ticker" }>;

function publishOther(hub: Hub, event: OtherEvent): void {
  if (event.type === "batch") {
    for (const { stream } of routed(hub, "batches")) stream?.push(batchShape(event.batch));
  } else if (event.type === "trading") {
    for (const { state } of routed(hub, "platform")) state?.mark();
    for (const { state } of routed(hub, "marks")) state?.mark();
  } else if (event.type === "held") {
    publishHeld(hub, event);
  } else if (event.type === "protection") {
    publishProtection(hub, event.update);
  } else if (event.type === "order") {
    publishOrder(hub, event.update);
  } else if (event.type === "rfq" || event.type === "rfqTrade") {
    publishRfq(hub.routes, hub.parts?.market.catalogues.latest(), event);
  } else {
    const { account } = event.update;
    for (const { state } of routed(hub, `portfolio:${account}`)) state?.mark();
    if (event.type !== "liquidation") return;
    const shape = wire(event.update);
    for (const { stream } of routed(hub, "liquidations")) stream?.push(shape);
  }
}

/** A held order is told as an order too: it waits, and is triggered. */
function publishHeld(hub: Hub, { update, receipt }: Extract<OtherEvent, { type: "held" }>): void {
  const { parts } = hub;
  const catalogue = parts?.market.catalogues.latest();
  if (parts === undefined || catalogue === undefined) return;
  const { account, message, label } = update;
  if (receipt !== null) {
    parts.submissions.remember(receipt);
    if (message.kind !== "place") return;
    const instrument = catalogue.byBook.get(message.book)?.name ?? "";
    parts.orders.place(message, receipt, { instrument, label });
    return;
  }
  for (const { stream } of routed(hub, `held:${account}`)) {
    stream?.push(heldShape(update, catalogue));
  }
  const order = heldOrderShape(update, catalogue);
  if (order === undefined) return;
  const kind = catalogue.byName.get(order.instrument_name)?.kind ?? "option";
  for (const { stream, channel } of routed(hub, `user:${account}`)) {
    if (channel.type !== "userOrders") continue;
    if (isOf(channel.target, order.instrument_name, kind)) stream?.push(order);
  }
}

function publishProtection(hub: Hub, { account, frozenUntil }: ProtectionInfo): void {
  const catalogue = hub.parts?.market.catalogues.latest();
  if (catalogue === undefined) return;
  const told = { index_name: indexName(catalogue), frozen_until: frozenUntil ?? 0 };
  for (const { stream } of routed(hub, `mmp:${account}`)) stream?.push(told);
}

/**
 * The order is noted at once; its owner is told when the labels of whatever is under way are
 * known, in the order of what happened.
 */
function publishOrder(hub: Hub, update: OrderUpdate): void {
  const { parts, news } = hub;
  const catalogue = parts?.market.catalogues.latest();
  if (parts === undefined || catalogue === undefined) return;
  const { account } = update;
  const instrument = tradedAt(update.book, update.time, catalogue)?.name ?? "";
  const order = parts.orders.observe(update, instrument);
  const tell = () => tellOwner(hub, update, order, catalogue);
  const before = news.get(account);
  const underWay = parts.submissions.underWay(account);
  if (before === undefined && underWay.length === 0) {
    tell();
    return;
  }
  const told = Promise.allSettled([before, ...underWay]).then(tell);
  news.set(account, told);
  void told
    .catch((error: unknown) => parts.logger.error("news was not told", { error: String(error) }))
    .then(() => {
      if (news.get(account) === told) news.delete(account);
    });
}

function tellOwner(hub: Hub, update: OrderUpdate, order: KnownOrder, catalogue: Catalogue): void {
  const { account, fill, orderId } = update;
  const said = hub.parts?.orders.byId(account, orderId);
  const { label = "", postOnly = false, reduceOnly = false, timeInForce = null } = said ?? {};
  const { lots = order.lots } = said ?? {};
  const known = { ...order, label, postOnly, reduceOnly, timeInForce, lots };
  const { info, byBook } = catalogue;
  const { instrument } = order;
  const kind = byBook.get(update.book)?.kind ?? "option";
  for (const { stream, channel } of routed(hub, `user:${account}`)) {
    if (channel.type !== "userOrders" && channel.type !== "userTrades") continue;
    if (!isOf(channel.target, instrument, kind)) continue;
    if (channel.type === "userOrders") stream?.push(orderShape(known, { info }));
    else if (fill !== null) {
      stream?.push(userTradeShape(update, fill, { instrument, order: known, info }));
    }
  }
  if (fill === null) return;
  for (const { state } of routed(hub, `portfolio:${account}`)) state?.mark();
}

function isOf(target: Target, instrument: string, kind: string): boolean {
  if ("instrument" in target) return target.instrument.toUpperCase() === instrument;
  return target.kind === "any" || target.kind === kind;
}

function createSubscriptions(hub: Hub, reader: Reader, room: ChannelRoom): Subscriptions {
  const joined = new Map<string, Routed>();
  let isClosed = false;
  const leave = (name: string): void => {
    const entry = joined.get(name);
    if (entry === undefined) return;
    joined.delete(name);
    room.hold(joined.size);
    entry.topic.leave(reader);
    if (entry.topic.readers.size === 0) forget(hub, entry);
  };
  const names = (): readonly string[] => [...joined.keys()];
  return {
    async add(channels, session) {
      const fresh = [...new Set(channels)].filter((name) => !joined.has(name));
      room.assertFor(joined.size + fresh.length);
      const found: [string, Routed][] = [];
      for (const name of fresh) found.push([name, await topicFor(hub, name, session)]);
      if (isClosed) return [];
      // Another request of this connection may have joined some meanwhile, or others.
      const entries = found.filter(([name]) => !joined.has(name));
      room.assertFor(joined.size + entries.length);
      for (const [name, entry] of entries) {
        const kept = keep(hub, entry);
        joined.set(name, kept);
        kept.topic.join(reader);
      }
      room.hold(joined.size);
      return names();
    },
    remove(channels) {
      for (const name of channels) leave(name);
      return names();
    },
    removePrivate() {
      for (const [name, { channel }] of joined) if (isPrivate(channel)) leave(name);
    },
    removeAll: () => {
      for (const name of names()) leave(name);
    },
    close() {
      isClosed = true;
      for (const name of names()) leave(name);
    },
  };
}

function keep({ topics, routes }: Hub, entry: Routed): Routed {
  const known = topics.get(entry.key);
  if (known !== undefined) return known;
  topics.set(entry.key, entry);
  for (const route of entry.routes) {
    const own = routes.get(route) ?? new Set();
    routes.set(route, own.add(entry));
  }
  return entry;
}

function forget({ topics, routes, dueAt }: Hub, entry: Routed): void {
  if (topics.get(entry.key) === entry) topics.delete(entry.key);
  dueAt.delete(entry.topic);
  for (const route of entry.routes) {
    const own = routes.get(route);
    own?.delete(entry);
    if (own?.size === 0) routes.delete(route);
  }
}

async function topicFor(hub: Hub, name: string, session: Session | undefined): Promise<Routed> {
  const channel = parseChannel(name);
  const { parts } = hub;
  if (parts === undefined) throw new RpcError("temporarily_unavailable");
  if (isPrivate(channel) && session === undefined) {
    throw new RpcError("authorization_required", `\`${name}\` needs a session.`);
  }
  const account = isPrivate(channel) ? session?.account : undefined;
  const key = account === undefined ? name : `${account}|${name}`;
  const known = hub.topics.get(key);
  if (known !== undefined) return known;
  const { catalogue } = await parts.market.view();
  await check(channel, catalogue, parts.market);
  const portfolio = async () => {
    const info = await parts.service.account({ id: account ?? 0 });
    const latest = parts.market.catalogues.latest() ?? catalogue;
    return info === null ? undefined : summaryShape(info, latest);
  };
  const { market, clock, logger } = parts;
  return createTopic({ key, name, channel, account, market, clock, logger, portfolio });
}

/** Throws for an instrument, currency or index that there is not. */
async function check(channel: Channel, catalogue: Catalogue, market: Market): Promise<void> {
  const { underlying } = catalogue.info;
  if ("instrument" in channel) await assertWritten(channel.instrument, market);
  if ("currency" in channel) assertCurrency(underlying, channel.currency);
  if ("index" in channel) assertIndex(indexName(catalogue), channel.index);
  if (!("target" in channel)) return;
  if ("instrument" in channel.target) await assertWritten(channel.target.instrument, market);
  else assertCurrency(underlying, channel.target.currency);
}

/** Other spellings of an instrument would be topics of their own, as many as somebody likes. */
async function assertWritten(written: string, { catalogues }: Market): Promise<void> {
  const { name } = await catalogues.find(written);
  if (name === written) return;
  const text = `a channel's instrument is written \`${name}\`. Got \`${written.slice(0, 80)}\`.`;
  throw new RpcError("invalid_params", text, { param: "channels" });
}
