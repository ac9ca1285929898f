/** A book kept up to date from its channel; a gap in the changes makes it fetch the whole again. */
import type { Wire } from "../exchangeService.ts";
import type { BookInfo, BookLevel, LevelChange } from "../market/publicBook.ts";
import type { BookMessage, Exchange } from "./exchange.ts";

type Levels = Wire<BookInfo>["bids"];
type Change = Extract<BookMessage, { type: "change" }>;

/** Without `implied`, which moves with other books: their tickers tell it. */
export type LiveBookState = Omit<Wire<BookInfo>, "implied">;

export interface LiveBook {
  /** Best first; undefined only before the first answer. */
  current(): LiveBookState | undefined;
  stop(): void;
}

/** Calls `onUpdate` with the book after every change. */
export async function followBook(
  exchange: Pick<Exchange, "book" | "onBook">,
  id: number,
  onUpdate: (book: LiveBookState) => void = () => undefined,
): Promise<LiveBook> {
  let book: LiveBookState | undefined;
  let isFetching = false;
  const put = (next: LiveBookState) => {
    book = next;
    onUpdate(next);
  };
  const putWhole = ({ implied: _, ...whole }: Wire<BookInfo>) => put(whole);
  const fetchWhole = async () => {
    if (isFetching) return;
    isFetching = true;
    try {
      const whole = await exchange.book(id, 100);
      if (book === undefined || whole.changeId >= book.changeId) putWhole(whole);
    } catch {
      // The connection is gone: joining again brings a snapshot.
    } finally {
      isFetching = false;
    }
  };
  const stop = await exchange.onBook(id, (message) => {
    if (message.type === "snapshot") return putWhole(message);
    if (book !== undefined && message.changeId <= book.changeId) return;
    if (book === undefined || message.prevChangeId !== book.changeId) return void fetchWhole();
    put(applyChange(book, message));
  });
  if (book === undefined) await fetchWhole();
  return { current: () => book, stop };
}

/** The book after the change, which must be the next one. */
export function applyChange(book: LiveBookState, change: Change): LiveBookState {
  return {
    ...book,
    changeId: change.changeId,
    time: change.time,
    bids: applySide(book.bids, change.bids, (a, b) => b.price - a.price),
    asks: applySide(book.asks, change.asks, (a, b) => a.price - b.price),
  };
}

function applySide(
  levels: Levels,
  changes: readonly LevelChange[],
  order: (a: BookLevel, b: BookLevel) => number,
): Levels {
  const byPrice = new Map(levels.map((level) => [level.price, level]));
  for (const { action, price, lots, orders } of changes) {
    if (action === "delete") byPrice.delete(price);
    else byPrice.set(price, { price, lots, orders });
  }
  return [...byPrice.values()].sort(order);
}
