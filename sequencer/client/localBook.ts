/**
 * A book kept from its channel: a whole, then changes, each of which names the one before and sums
 * up the book after it. What does not follow, or does not sum up, is not shown: the whole is asked
 * for again.
 */
import { bookChecksum, CHECKSUM_LEVELS } from "../market/bookChecksum.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import type { ChannelMessages } from "./generated/api.ts";
import type { RpcConnection } from "./rpcConnection.ts";

export type BookMessage = ChannelMessages["book"];

/** In USDC for one contract, and contracts. */
export interface Level {
  readonly price: number;
  readonly amount: number;
}

/** A new object with each change; unchanged sides are the same arrays. Best level first. */
export interface BookView {
  readonly instrument: string;
  readonly changeId: number;
  readonly timestamp: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface BookEvents {
  readonly update: BookView;
  /** Something was lost on the way. The whole book has been asked for. */
  readonly gap: { readonly expected: number; readonly prevChangeId: number | undefined };
  /** The book is not what the node says that it is. The whole book has been asked for. */
  readonly badChecksum: { readonly changeId: number; readonly checksum: number };
  /** The connection is gone, or the book is asked for again: the last view may be old. */
  readonly stale: undefined;
  /** The node no longer has the channel: the instrument has expired. Nothing more comes. */
  readonly ended: { readonly error: Error };
}

export interface LocalBook {
  readonly instrument: string;
  /** What was last known to be right; undefined before the first whole book. */
  current(): BookView | undefined;
  /** Whether {@link LocalBook.current} is the book as the node last told it. */
  readonly isLive: boolean;
  on: Emitter<BookEvents>["on"];
  stop(): void;
}

export interface LocalBookOptions {
  readonly instrument: string;
  /** `raw`: each change at once. Default: at most one message in 100 ms. */
  readonly interval?: "raw" | "100ms" | "agg2";
  /** Of `public/get_instruments`, where the caller has them; else they are asked for. */
  readonly sizes?: BookSizes;
}

/** What one tick and one lot are. */
export interface BookSizes {
  readonly tick_size: number;
  readonly min_trade_amount: number;
}

/** Levels of one side that are kept; the API sends no more than the book can hold. */
export const LEVELS_MAX = 10_000;
/** Milliseconds before a whole book is asked for again, doubling from the first time. */
const RESYNC_MS = 100;
const RESYNC_MS_MAX = 10_000;
/** Wholes that may be wrong before there is a right one. */
const WRONG_MAX = 5;

/** Resolves with the first whole book. Rejects where there is no such book. */
export async function openLocalBook(
  connection: Pick<RpcConnection, "call" | "subscribe" | "rejoin" | "on">,
  options: LocalBookOptions,
): Promise<LocalBook> {
  const { interval = "100ms" } = options;
  const instrument = options.instrument.toUpperCase();
  const sizes =
    options.sizes ??
    (await connection.call("public/get_instrument", { instrument_name: instrument }));
  const channel = `book.${instrument}.${interval}` as const;
  const emitter = createEmitter<BookEvents>();
  const state: State = { sizes, emitter, view: undefined, isLive: false, failures: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const resync = (): void => {
    emitter.emit("stale", undefined);
    const wait = Math.min(RESYNC_MS_MAX, RESYNC_MS * 2 ** Math.min(state.failures++, 16));
    clearTimeout(timer);
    // The first time at once: a loss is repaired before anybody looks.
    timer = setTimeout(() => connection.rejoin(channel), state.failures === 1 ? 0 : wait);
  };
  const first = firstOf(emitter);
  const ends = [
    connection.on("closed", () => {
      if (!state.isLive) return;
      state.isLive = false;
      emitter.emit("stale", undefined);
    }),
    connection.on("channelLost", (lost) => {
      if (lost.channel !== channel) return;
      state.isLive = false;
      emitter.emit("ended", { error: lost.error });
    }),
  ];
  const stop = (): void => {
    clearTimeout(timer);
    for (const end of ends.splice(0)) end();
  };
  try {
    ends.push(await connection.subscribe(channel, (message) => take(state, message, resync)));
    // Others follow the channel already: its whole was sent before.
    if (state.view === undefined) connection.rejoin(channel);
    await first;
  } catch (error) {
    stop();
    throw error;
  }
  return {
    instrument,
    current: () => state.view,
    get isLive() {
      return state.isLive;
    },
    on: emitter.on,
    stop,
  };
}

interface State {
  readonly sizes: BookSizes;
  readonly emitter: Emitter<BookEvents>;
  view: BookView | undefined;
  isLive: boolean;
  /** Resynchronisations since the book was last right for a change. */
  failures: number;
}

function firstOf(emitter: Emitter<BookEvents>): Promise<void> {
  let wrong = 0;
  const ends: (() => void)[] = [];
  return new Promise<void>((resolve, reject) => {
    ends.push(
      emitter.on("update", () => resolve()),
      emitter.on("ended", ({ error }) => reject(error)),
      emitter.on("badChecksum", ({ checksum }) => {
        wrong += 1;
        const text = `the node's book does not sum up to its checksum \`${checksum}\`.`;
        if (wrong === WRONG_MAX) reject(new Error(text));
      }),
    );
  }).finally(() => {
    for (const end of ends) end();
  });
}

function take(state: State, message: BookMessage, resync: () => void): void {
  const { emitter, view } = state;
  const isWhole = message.type === "snapshot";
  if (!isWhole) {
    // The whole has been asked for; what comes before it is of no use.
    if (view === undefined || !state.isLive) return;
    const { prev_change_id: prevChangeId } = message;
    if (prevChangeId !== view.changeId) {
      state.isLive = false;
      emitter.emit("gap", { expected: view.changeId, prevChangeId });
      resync();
      return;
    }
  }
  const next = bookAfter(isWhole ? undefined : view, message);
  if (checksumOf(next, state.sizes) !== message.checksum) {
    state.isLive = false;
    emitter.emit("badChecksum", { changeId: message.change_id, checksum: message.checksum });
    resync();
    return;
  }
  if (!isWhole) state.failures = 0;
  state.isLive = true;
  state.view = next;
  emitter.emit("update", next);
}

/** The book after the message, unchecked. */
export function bookAfter(before: BookView | undefined, message: BookMessage): BookView {
  return {
    instrument: message.instrument_name,
    changeId: message.change_id,
    timestamp: message.timestamp,
    bids: changed(before?.bids ?? [], message.bids, (a, b) => a > b),
    asks: changed(before?.asks ?? [], message.asks, (a, b) => a < b),
  };
}

export function checksumOf({ bids, asks }: Pick<BookView, "bids" | "asks">, sizes: BookSizes) {
  const { tick_size: tick, min_trade_amount: lot } = sizes;
  const best = (levels: readonly Level[]) => levels.slice(0, CHECKSUM_LEVELS);
  // Both divide exactly but for the doubles' last digits.
  const counted = ({ price, amount }: Level) => ({
    price: Math.round(price / tick),
    lots: Math.round(amount / lot),
  });
  return bookChecksum(best(bids).map(counted), best(asks).map(counted));
}

function changed(
  levels: readonly Level[],
  changes: BookMessage["bids"],
  isBetter: (a: number, b: number) => boolean,
): readonly Level[] {
  if (changes.length === 0) return levels;
  const next = [...levels];
  for (const [action, price, amount] of changes) {
    const at = placeOf(next, price, isBetter);
    const isThere = next[at]?.price === price;
    if (action === "delete") next.splice(at, isThere ? 1 : 0);
    else next.splice(at, isThere ? 1 : 0, { price, amount });
  }
  return next.slice(0, LEVELS_MAX);
}

/** Index of the level with the price, or of where it would stand. */
function placeOf(
  levels: readonly Level[],
  price: number,
  isBetter: (a: number, b: number) => boolean,
): number {
  let [low, high] = [0, levels.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBetter(levels[middle]!.price, price)) low = middle + 1;
    else high = middle;
  }
  return low;
}
