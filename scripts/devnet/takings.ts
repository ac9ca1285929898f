/** What takers want next: at fair prices in turn, or what a recorded tape says. */
import type { Wire } from "../../sequencer/exchangeService.ts";
import { forwardOf } from "../../sequencer/market/marketData.ts";
import type { BookSummary, ChainInfo } from "../../sequencer/market/publicBook.ts";
import { blackPrice, MS_PER_YEAR } from "../../sequencer/pricing/black76.ts";
import type { TapeTrade } from "../replay/tradeTape.ts";

/** `price` in ticks: the maker's on that side, and the taker's limit. */
export interface Taking {
  readonly book: Wire<BookSummary>;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
}

export type NextTaking = (
  books: readonly Wire<BookSummary>[],
  chain: Wire<ChainInfo>,
) => Taking | undefined;

const LOTS_MAX = 10;
/** Takers cross this part of the fair price: somebody has to want to trade. */
const EDGE_DIVISOR = 100;

/** Book after book, buying and selling by turns. */
export function fairTakings(): NextTaking {
  let count = 0;
  return (books, chain) => {
    const book = books[count % Math.max(books.length, 1)];
    if (book === undefined) return undefined;
    const fair = book.weights.reduce(
      (sum, weight, slot) => sum + weight * (chain.series[slot]?.mark ?? 0),
      0,
    );
    // A series that was listed a moment ago has no mark before the next snapshot.
    if (fair <= 0) return undefined;
    const isSell = Math.floor(count / books.length) % 2 === 1;
    const lots = 1 + (count % LOTS_MAX);
    count += 1;
    const edge = Math.max(1, Math.round(fair / EDGE_DIVISOR));
    const price = Math.max(1, isSell ? fair - edge : fair + edge);
    return { book, isSell, price, lots };
  };
}

/** The tape's trades one after the other, each at its own volatility and today's forward. */
export function tapeTakings(tape: readonly TapeTrade[]): NextTaking {
  let next = 0;
  const marks = (chain: Wire<ChainInfo>): number[] => chain.series.map(({ mark }) => mark);
  return (books, chain) => {
    for (let tried = 0; tried < tape.length; tried++) {
      const trade = tape[next % tape.length]!;
      next += 1;
      const book = books.find(({ plainSlot }) => plainSlot === trade.slot);
      const series = chain.series[trade.slot];
      if (book === undefined || series === undefined) continue;
      const forward = forwardOf(chain.series, marks(chain), series.expiry);
      const yearsToExpiry = (series.expiry * 1000 - Date.now()) / MS_PER_YEAR;
      if (forward === undefined || yearsToExpiry <= 0) continue;
      const { isCall, strike } = series;
      const volatility = trade.ivBps / 10_000;
      const option = { isCall, strike, forward, yearsToExpiry, volatility };
      const price = Math.max(1, Math.round(blackPrice(option)));
      const lots = Math.max(1, Math.min(trade.lots, LOTS_MAX));
      return { book, isSell: trade.takerIsSell, price, lots };
    }
    return undefined;
  };
}
