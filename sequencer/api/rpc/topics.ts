/**
 * One channel's audience and what it is sent. Three ways with a reader who is slow:
 *
 * - *stream* (trades, orders, batches): every item counts, so each is sent; whoever lets too much
 *   pile up is dropped by the connection.
 * - *state* (tickers, quotes, indices, top of book, portfolio): only the latest counts; a congested
 *   reader gets it once it reads again.
 * - *book* (changes of levels): what a congested reader has missed is merged into one change, which
 *   follows the last one that it was sent; no larger than the two books between.
 */
import type { BookChange, BookLevel, LevelChange } from "../../market/publicBook.ts";

/** One connection as topics see it. */
export interface Reader {
  send(text: string): void;
  /** So much is unsent that what can be conflated should be. */
  isCongested(): boolean;
}

export interface Topic {
  readonly channel: string;
  /** 0: at once. */
  readonly intervalMs: number;
  readonly readers: ReadonlySet<Reader>;
  /** With the first message, where the channel has one. */
  join(reader: Reader): void;
  leave(reader: Reader): void;
  /** Sends what has gathered during an interval. */
  flush(): void;
  /** Sends what a congested reader has missed. */
  recover(): void;
}

/** Items of one message; more are sent before their interval is over. */
const ITEMS_MAX = 500;

export interface StreamTopic extends Topic {
  push(item: unknown): void;
}

/** `isArray`: also single items are told in an array. */
export function createStreamTopic(
  channel: string,
  intervalMs: number,
  { isArray }: { readonly isArray: boolean },
): StreamTopic {
  const readers = new Set<Reader>();
  let waiting: unknown[] = [];
  const send = (data: unknown): void => {
    const text = notification(channel, data);
    for (const reader of readers) reader.send(text);
  };
  const flush = (): void => {
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    send(items);
  };
  return {
    ...{ channel, intervalMs, readers, flush, recover: () => undefined },
    join: (reader) => void readers.add(reader),
    leave: (reader) => void readers.delete(reader),
    push(item) {
      if (readers.size === 0) return;
      if (intervalMs === 0) send(isArray ? [item] : item);
      else if (waiting.push(item) >= ITEMS_MAX) flush();
    },
  };
}

export interface StateTopic extends Topic {
  /** Something that the channel tells has changed. */
  mark(): void;
}

/** `render` is called for what is sent next; undefined: nothing to say yet. */
export function createStateTopic(
  channel: string,
  intervalMs: number,
  render: () => unknown,
): StateTopic {
  const readers = new Set<Reader>();
  const lagging = new Set<Reader>();
  let isDirty = false;
  const textNow = (): string | undefined => {
    const data = render();
    return data === undefined ? undefined : notification(channel, data);
  };
  const flush = (): void => {
    if (!isDirty) return;
    isDirty = false;
    const text = textNow();
    if (text === undefined) return;
    for (const reader of readers) {
      if (reader.isCongested()) lagging.add(reader);
      else reader.send(text);
    }
  };
  return {
    ...{ channel, intervalMs, readers, flush },
    join(reader) {
      readers.add(reader);
      // Who joins much at once hears of it as fast as it reads.
      if (reader.isCongested()) {
        lagging.add(reader);
        return;
      }
      const text = textNow();
      if (text !== undefined) reader.send(text);
    },
    leave(reader) {
      readers.delete(reader);
      lagging.delete(reader);
    },
    mark() {
      if (readers.size === 0) return;
      isDirty = true;
      if (intervalMs === 0) flush();
    },
    recover() {
      if (lagging.size === 0) return;
      const text = textNow();
      for (const reader of lagging) {
        if (reader.isCongested()) continue;
        lagging.delete(reader);
        if (text !== undefined) reader.send(text);
      }
    },
  };
}

export interface BookTopic extends Topic {
  push(change: BookChange): void;
  /** Changes were lost on the way here: everybody gets the whole book. */
  reload(): void;
}

/** The book as it is now, and how the wire tells it. */
export interface BookSource {
  snapshot(): unknown;
  /** Of the book as it is now. */
  change(delta: Delta): unknown;
  changeId(): number;
}

export interface Delta {
  readonly prevChangeId: number;
  readonly changeId: number;
  readonly time: number;
  readonly bids: readonly LevelChange[];
  readonly asks: readonly LevelChange[];
}

export function createBookTopic(
  channel: string,
  intervalMs: number,
  source: BookSource,
): BookTopic {
  const readers = new Set<Reader>();
  const lags = new Map<Reader, DeltaMerge>();
  /** Those who have not been sent the whole book yet. */
  const unmet = new Set<Reader>();
  let waiting: DeltaMerge | undefined;
  const deliver = (delta: Delta): void => {
    const text = notification(channel, source.change(delta));
    for (const reader of readers) {
      if (unmet.has(reader)) continue;
      const lag = lags.get(reader);
      if (lag !== undefined) lag.add(delta);
      else if (reader.isCongested()) lags.set(reader, createDeltaMerge(delta));
      else reader.send(text);
    }
  };
  const flush = (): void => {
    const merged = waiting?.take();
    waiting = undefined;
    if (merged !== undefined) deliver(merged);
  };
  /** Who joins much at once, or does not read, is sent the whole book once it reads again. */
  const greet = (reader: Reader): void => {
    if (reader.isCongested()) {
      unmet.add(reader);
      return;
    }
    unmet.delete(reader);
    reader.send(notification(channel, source.snapshot()));
  };
  return {
    ...{ channel, intervalMs, readers, flush },
    join(reader) {
      // What has gathered belongs to the others: the snapshot has it already.
      flush();
      readers.add(reader);
      greet(reader);
    },
    leave(reader) {
      readers.delete(reader);
      lags.delete(reader);
      unmet.delete(reader);
    },
    push(change) {
      if (readers.size === 0) return;
      if (intervalMs === 0) deliver(change);
      else if (waiting === undefined) waiting = createDeltaMerge(change);
      else waiting.add(change);
    },
    reload() {
      waiting = undefined;
      lags.clear();
      for (const reader of readers) greet(reader);
    },
    recover() {
      // While something gathers, the book is ahead of what the others were sent.
      if (waiting !== undefined) return;
      for (const reader of unmet) greet(reader);
      for (const [reader, lag] of lags) {
        if (reader.isCongested()) continue;
        lags.delete(reader);
        const merged = lag.take();
        if (merged !== undefined) reader.send(notification(channel, source.change(merged)));
      }
    },
  };
}

/** Several changes as one. */
export interface DeltaMerge {
  add(delta: Delta): void;
  take(): Delta;
  /** Levels that it holds: bounded by those of the books before and after. */
  size(): number;
}

interface MergedLevel {
  readonly wasThere: boolean;
  readonly now: BookLevel | undefined;
}

type Side = Map<number, MergedLevel>;

export function createDeltaMerge(first: Delta): DeltaMerge {
  const [bids, asks]: [Side, Side] = [new Map(), new Map()];
  const { prevChangeId } = first;
  let { changeId, time } = first;
  const add = (delta: Delta): void => {
    ({ changeId, time } = delta);
    mergeSide(bids, delta.bids);
    mergeSide(asks, delta.asks);
  };
  add(first);
  return {
    add,
    take: () => ({ prevChangeId, changeId, time, bids: told(bids), asks: told(asks) }),
    size: () => bids.size + asks.size,
  };
}

function mergeSide(side: Side, changes: readonly LevelChange[]): void {
  for (const { action, price, lots, orders } of changes) {
    const wasThere = side.get(price)?.wasThere ?? action !== "new";
    const now = action === "delete" ? undefined : { price, lots, orders };
    // Came and went in between: nobody has to hear of it.
    if (!wasThere && now === undefined) side.delete(price);
    else side.set(price, { wasThere, now });
  }
}

function told(side: Side): LevelChange[] {
  return [...side].map(([price, { wasThere, now }]) => {
    if (now === undefined) return { action: "delete", price, lots: 0, orders: 0 };
    return { action: wasThere ? "change" : "new", ...now };
  });
}

export function notification(channel: string, data: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method: "subscription", params: { channel, data } });
}
