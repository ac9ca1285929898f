/**
 * Channels that are wanted, and those that the present link has joined. One exchange with the node
 * runs at a time and makes the second equal to the first, so no order of calls, losses and
 * reconnections can leave them apart.
 */
import { callSafely } from "./emitter.ts";
import { ClosedError, ExchangeError } from "./rpcErrors.ts";
import type { Link } from "./socketLink.ts";

export interface ChannelDesk {
  /** `ready` is when the node has joined the channel, or refused it. */
  subscribe(channel: string, handler: (data: unknown) => void): Subscription;
  /** Leaves and joins again, so that a channel that begins with a whole begins anew. */
  rejoin(channel: string): void;
  receive(channel: string, data: unknown): void;
  /** Joins on a new link all that is wanted; resolves when that is done. */
  attach(link: Link): Promise<void>;
  detach(): void;
  close(): void;
  readonly size: number;
}

export interface Subscription {
  readonly ready: Promise<void>;
  leave(): void;
}

/** Channels in one request: the API's bound. */
const CHANNELS_MAX = 500;

interface Entry {
  readonly handlers: Set<(data: unknown) => void>;
  /** On the present link. */
  isJoined: boolean;
  isStale: boolean;
  /** Those who were promised it; of nobody else's is a refusal told as a loss. */
  readonly waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
}

interface Desk {
  readonly entries: Map<string, Entry>;
  /** Joined on the present link and wanted by nobody now. */
  readonly leaving: Set<string>;
  readonly onLost: (channel: string, error: Error) => void;
  link: Link | undefined;
  running: Promise<void> | undefined;
}

export function createChannelDesk(onLost: Desk["onLost"]): ChannelDesk {
  const entries = new Map<string, Entry>();
  const desk: Desk = { entries, leaving: new Set(), onLost, link: undefined, running: undefined };
  return {
    get size() {
      return entries.size;
    },
    subscribe(channel, handler) {
      const entry = entries.get(channel) ?? newEntry();
      entries.set(channel, entry);
      // Of its own, so that one function may be subscribed twice.
      const own = (data: unknown): void => handler(data);
      entry.handlers.add(own);
      const ready = entry.isJoined
        ? Promise.resolve()
        : new Promise<void>((resolve, reject) => entry.waiters.push({ resolve, reject }));
      const leave = (): void => {
        if (!entry.handlers.delete(own) || entry.handlers.size > 0) return;
        if (entries.get(channel) !== entry) return;
        entries.delete(channel);
        if (entry.isJoined) desk.leaving.add(channel);
        for (const { resolve } of entry.waiters.splice(0)) resolve();
        void synchronise(desk);
      };
      void synchronise(desk);
      return { ready, leave };
    },
    rejoin(channel) {
      const entry = entries.get(channel);
      if (entry === undefined || !entry.isJoined) return;
      entry.isStale = true;
      void synchronise(desk);
    },
    receive(channel, data) {
      for (const handler of entries.get(channel)?.handlers ?? []) callSafely(handler, data);
    },
    attach(link) {
      desk.link = link;
      return synchronise(desk);
    },
    detach() {
      desk.link = undefined;
      desk.leaving.clear();
      for (const entry of entries.values()) [entry.isJoined, entry.isStale] = [false, false];
    },
    close() {
      const error = new ClosedError();
      for (const { waiters } of entries.values()) {
        for (const { reject } of waiters.splice(0)) reject(error);
      }
      entries.clear();
    },
  };
}

function newEntry(): Entry {
  return { handlers: new Set(), isJoined: false, isStale: false, waiters: [] };
}

/** What is asked for in one turn goes out in one request. */
function synchronise(desk: Desk): Promise<void> {
  desk.running ??= Promise.resolve()
    .then(() => run(desk))
    .finally(() => {
      desk.running = undefined;
      // Wanted since, or another link has come.
      if (desk.link !== undefined && hasWork(desk)) void synchronise(desk);
    });
  return desk.running;
}

function hasWork({ entries, leaving }: Desk): boolean {
  return (
    leaving.size > 0 || [...entries.values()].some(({ isJoined, isStale }) => !isJoined || isStale)
  );
}

async function run(desk: Desk): Promise<void> {
  const { entries, leaving } = desk;
  while (desk.link !== undefined && hasWork(desk)) {
    const { link } = desk;
    try {
      const stale = [...entries].filter(([, { isStale }]) => isStale).map(([name]) => name);
      await leave(desk, link, [...new Set([...leaving, ...stale])].slice(0, CHANNELS_MAX));
      const absent = [...entries].filter(([, { isJoined }]) => !isJoined).map(([name]) => name);
      for (const isOwn of [false, true]) {
        const names = absent.filter((name) => name.startsWith("user.") === isOwn);
        if (names.length > 0) await join(desk, link, names.slice(0, CHANNELS_MAX), isOwn);
      }
    } catch {
      // The next link joins what is wanted then; its calls say why there is none.
      if (desk.link === link) link.drop("could not subscribe");
    }
  }
}

async function leave({ entries, leaving }: Desk, link: Link, names: string[]): Promise<void> {
  if (names.length === 0) return;
  await patiently(() => link.call("public/unsubscribe", { channels: names }));
  for (const name of names) {
    leaving.delete(name);
    const entry = entries.get(name);
    if (entry !== undefined) [entry.isJoined, entry.isStale] = [false, false];
  }
}

/** All or none are joined: where one is refused, halves are tried, down to that one. */
async function join(desk: Desk, link: Link, names: string[], isOwn: boolean): Promise<void> {
  const { entries, leaving, onLost } = desk;
  const method = isOwn ? "private/subscribe" : "public/subscribe";
  try {
    await patiently(() => link.call(method, { channels: names }));
  } catch (error) {
    if (!(error instanceof ExchangeError) || error.reason === "temporarily_unavailable")
      throw error;
    const [only] = names;
    if (names.length > 1) {
      const middle = Math.ceil(names.length / 2);
      await join(desk, link, names.slice(0, middle), isOwn);
      await join(desk, link, names.slice(middle), isOwn);
    } else if (only !== undefined) {
      const waiters = entries.get(only)?.waiters.splice(0) ?? [];
      entries.delete(only);
      for (const { reject } of waiters) reject(error);
      if (waiters.length === 0) onLost(only, error);
    }
    return;
  }
  if (desk.link !== link) return;
  for (const name of names) {
    const entry = entries.get(name);
    // Nobody wants it any more.
    if (entry === undefined) leaving.add(name);
    else {
      entry.isJoined = true;
      for (const { resolve } of entry.waiters.splice(0)) resolve();
    }
  }
}

/** How often a call that came too fast is tried again. */
const TRIES_MAX = 20;

async function patiently(call: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await call();
      return;
    } catch (error) {
      const wait = error instanceof ExchangeError ? error.retryAfterMs : undefined;
      if (wait === undefined || tries >= TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait + 1));
    }
  }
}
