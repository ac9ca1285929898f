/**
 * The market as a bot sees it: the series table, read anew each time, and a local book for each
 * open plain book, kept and checked from its channel. Several bots may share one view.
 */
import type { Exchange } from "../client/exchange.ts";
import { type LocalBook, openLocalBook } from "../client/localBook.ts";
import { ExchangeError } from "../client/rpcErrors.ts";
import { instrumentName } from "../market/instrument.ts";
import { type Level, type Listed, type OwnOrder, type Picture, withoutOwn } from "./picture.ts";

export interface VenueView {
  /** `own`: orders that are not to be seen in the books. */
  read(own: readonly OwnOrder[]): Promise<Picture>;
  /** Whether so many sealed batches have no proof yet; 0: nobody counts them. */
  isCongested(backlogMax: number): Promise<boolean>;
  stop(): void;
}

export interface ViewOptions {
  readonly exchange: Exchange;
  readonly now: () => number;
}

/** Books that are followed at once: below the channels that a connection may hold. */
const BOOKS_MAX = 900;

type Info = Awaited<ReturnType<Exchange["info"]>>;

export async function openVenueView(options: ViewOptions): Promise<VenueView> {
  const { exchange, now } = options;
  const info = await exchange.info();
  const followed = new Map<string, LocalBook>();
  /** One at a time: two bots that read at once would follow a book twice. */
  let opening = Promise.resolve();
  const follow = async (names: readonly string[]): Promise<void> => {
    for (const [name, book] of followed) {
      if (names.includes(name)) continue;
      book.stop();
      followed.delete(name);
    }
    const added = names.filter((name) => !followed.has(name));
    const room = BOOKS_MAX - followed.size;
    const opened = await Promise.all(
      added.slice(0, Math.max(0, room)).map((name) => open(exchange, name, info)),
    );
    for (const book of opened) {
      if (book === undefined) continue;
      followed.set(book.instrument, book);
      // Refused after a loss, and perhaps not the next time.
      book.on("ended", () => followed.delete(book.instrument));
    }
  };
  return {
    async read(own) {
      const [chain, books] = await Promise.all([exchange.chain(), exchange.books()]);
      const listed = chain.series.flatMap((series) => {
        const { status, book } = series;
        const fees = books.find((each) => each.book === book)?.fees;
        if (status !== "listed" || book === null || fees === undefined) return [];
        return [{ ...series, status, book, fees, name: instrumentName(series, info) }];
      });
      opening = opening.catch(() => undefined).then(() => follow(listed.map(({ name }) => name)));
      await opening;
      const series = listed.flatMap((each): Listed[] => {
        const book = followed.get(each.name);
        const view = book?.isLive === true ? book.current() : undefined;
        if (view === undefined) return [];
        const side = (isSell: boolean): Level[] => {
          const mine = own.filter((order) => order.book === each.book && order.isSell === isSell);
          const levels = (isSell ? view.asks : view.bids).map((level) => levelOf(level, info));
          return withoutOwn(levels, mine);
        };
        const { slot, name, status, isCall, strike, expiry, mark, fees } = each;
        const terms = { slot, name, status, isCall, strike, expiry, mark, book: each.book, fees };
        return [{ ...terms, bids: side(false), asks: side(true) }];
      });
      const { unit, depth } = info.shape;
      const sizes = { unit, depth, lotsPerContract: info.lotsPerContract };
      return { marksAt: chain.snapshotTime ?? 0, now: now(), series, ...sizes };
    },
    async isCongested(backlogMax) {
      if (backlogMax === 0) return false;
      const { sealed, proven } = await exchange.status();
      return sealed - proven >= backlogMax;
    },
    stop() {
      for (const book of followed.values()) book.stop();
      followed.clear();
    },
  };
}

/** Undefined where the instrument has just expired. */
async function open(
  { rpc }: Exchange,
  instrument: string,
  info: Info,
): Promise<LocalBook | undefined> {
  const { tickSize, lotsPerContract } = info;
  const sizes = { tick_size: tickSize / 1e6, min_trade_amount: 1 / lotsPerContract };
  try {
    return await openLocalBook(rpc, { instrument, sizes });
  } catch (error) {
    if (error instanceof ExchangeError) return undefined;
    throw error;
  }
}

/** Doubles of decimals: both divide but for their last digits. */
function levelOf(
  { price, amount }: { readonly price: number; readonly amount: number },
  { tickSize, lotsPerContract }: Info,
): Level {
  return {
    price: Math.round((price * 1e6) / tickSize),
    lots: Math.round(amount * lotsPerContract),
  };
}
