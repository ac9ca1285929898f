/** Who hears what: channels, their subscribers, and snapshots that join their changes exactly. */
import type { ExchangeEvent, ExchangeService } from "../exchangeService.ts";
import type { BookChange } from "../market/publicBook.ts";
import type { Clock, Logger } from "../ports.ts";
import { ApiError } from "./errors.ts";
import { type ApiLimits, DEPTH_MAX } from "./limits.ts";
import { encodeWire } from "./wire.ts";

/** One connection's subscriptions. Both answer the channels that it has afterwards. */
export interface Subscriber {
  add(channels: readonly string[]): Promise<readonly string[]>;
  remove(channels: readonly string[]): readonly string[];
  close(): void;
}

export interface Hub {
  connect(send: (text: string) => void): Subscriber;
  stop(): void;
}

interface Member {
  readonly send: (text: string) => void;
  readonly channels: Set<string>;
  /** Book changes that wait for their book's snapshot to be sent, by channel. */
  readonly waiting: Map<string, BookChange[]>;
}

interface HubOptions {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ApiLimits;
}

export function createHub(options: HubOptions): Hub {
  const { service, clock, logger, limits } = options;
  const members = new Map<string, Set<Member>>();
  const publish = (channel: string, data: unknown) => {
    const audience = members.get(channel);
    if (audience === undefined) return;
    const text = notification(channel, data);
    for (const member of audience) member.send(text);
  };
  const publishBook = (change: BookChange) => {
    const channel = `book.${change.book}`;
    const audience = members.get(channel);
    if (audience === undefined) return;
    const text = notification(channel, { type: "change", ...change });
    for (const member of audience) {
      const waiting = member.waiting.get(channel);
      if (waiting === undefined) member.send(text);
      else waiting.push(change);
    }
  };
  const stopEvents = service.subscribe((event) => {
    try {
      if (event.type === "book") publishBook(event.change);
      else for (const channel of channelsOf(event)) publish(channel, dataOf(event));
    } catch (error) {
      // The sequencer's path must not fail because a listener does.
      logger.error("publishing an event failed", { type: event.type, error: String(error) });
    }
  });
  const beat = setInterval(() => publish("heartbeat", { time: clock.now() }), limits.heartbeatMs);
  beat.unref();
  return {
    connect: (send) => createSubscriber({ send, members, service, limits }),
    stop() {
      clearInterval(beat);
      stopEvents();
      members.clear();
    },
  };
}

function channelsOf(event: Exclude<ExchangeEvent, { type: "book" }>): readonly string[] {
  if (event.type === "trade") return [`trades.${event.trade.book}`];
  if (event.type === "batch") return ["batches"];
  if (event.type === "trading") return ["trading"];
  if (event.type === "ticker") return [`ticker.${event.ticker.book}`];
  const own = `account.${event.update.account}`;
  return event.type === "liquidation" ? ["liquidations", own] : [own];
}

function dataOf(event: Exclude<ExchangeEvent, { type: "book" }>): unknown {
  if (event.type === "trade") return event.trade;
  if (event.type === "batch") return event.batch;
  if (event.type === "trading") return event.trading;
  if (event.type === "ticker") return event.ticker;
  return { type: event.type, ...event.update };
}

function notification(channel: string, data: unknown): string {
  return encodeWire({ jsonrpc: "2.0", method: "subscription", params: { channel, data } });
}

function createSubscriber(options: {
  send: (text: string) => void;
  members: Map<string, Set<Member>>;
  service: ExchangeService;
  limits: ApiLimits;
}): Subscriber {
  const { send, members, service, limits } = options;
  const member: Member = { send, channels: new Set(), waiting: new Map() };
  let isClosed = false;
  const leave = (channel: string) => {
    member.channels.delete(channel);
    member.waiting.delete(channel);
    const audience = members.get(channel);
    audience?.delete(member);
    if (audience?.size === 0) members.delete(channel);
  };
  const join = (channel: string) => {
    member.channels.add(channel);
    const audience = members.get(channel) ?? new Set();
    members.set(channel, audience.add(member));
  };
  return {
    async add(channels) {
      const fresh = [...new Set(channels)].filter((channel) => !member.channels.has(channel));
      const wanted = member.channels.size + fresh.length;
      if (wanted > limits.subscriptionsPerConnection) {
        const allowed = limits.subscriptionsPerConnection;
        const text = `\`${wanted}\` subscriptions on this connection; at most ${allowed}.`;
        throw new ApiError("tooManySubscriptions", text);
      }
      if (isClosed) return [];
      for (const channel of fresh) {
        join(channel);
        if (channel.startsWith("book.")) member.waiting.set(channel, []);
      }
      for (const channel of fresh.filter((name) => name.startsWith("book."))) {
        if (await sendSnapshot(channel, member, service)) continue;
        for (const name of fresh) leave(name);
        throw new ApiError("notFound", `no such book: \`${channel.slice(5)}\`.`);
      }
      return [...member.channels];
    },
    remove(channels) {
      for (const channel of channels) leave(channel);
      return [...member.channels];
    },
    close() {
      isClosed = true;
      for (const channel of [...member.channels]) leave(channel);
    },
  };
}

/** Sends the book, then the changes that came meanwhile and are not in it. False: no such book. */
async function sendSnapshot(
  channel: string,
  member: Member,
  service: ExchangeService,
): Promise<boolean> {
  const waiting = member.waiting.get(channel);
  const book = await service.book(Number(channel.slice(5)), DEPTH_MAX);
  if (book === null) return false;
  // Unsubscribed, and perhaps subscribed again, while the book was fetched.
  if (waiting === undefined || member.waiting.get(channel) !== waiting) return true;
  member.waiting.delete(channel);
  member.send(notification(channel, { type: "snapshot", ...book }));
  for (const change of waiting) {
    if (change.changeId <= book.changeId) continue;
    member.send(notification(channel, { type: "change", ...change }));
  }
  return true;
}
