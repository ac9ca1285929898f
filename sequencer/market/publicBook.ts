/** Books and series as everyone sees them. Prices in ticks, quantities in lots. */
import type { SeriesStatus } from "../protocol/constants.ts";
import type { BookFees } from "../protocol/state.ts";

/** What rests at one price, without void orders. */
export interface BookLevel {
  readonly price: number;
  readonly lots: number;
  readonly orders: number;
}

/** The price of a combination, and how many lots of it are to be had at it. */
export interface ImpliedQuote {
  readonly price: number;
  readonly lots: number;
}

/**
 * What a combination would fetch (`bid`) and cost (`ask`) leg by leg at the best prices of the
 * plain books. Nobody has promised to trade all legs: it is information, not an order.
 */
export interface ImpliedPrices {
  readonly bid: ImpliedQuote | null;
  readonly ask: ImpliedQuote | null;
}

/** Best level first on both sides. `changeId` is that of the last {@link BookChange} in it. */
export interface BookInfo {
  readonly book: number;
  readonly changeId: number;
  readonly time: number;
  readonly isOpen: boolean;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  /** Null for a plain book. */
  readonly implied: ImpliedPrices | null;
}

/** `lots` and `orders` as they are after the change; both 0 where the level is gone. */
export interface LevelChange extends BookLevel {
  readonly action: "new" | "change" | "delete";
}

/** Follows the change with id `prevChangeId` of the same book; a gap means: ask for the book. */
export interface BookChange {
  readonly book: number;
  readonly changeId: number;
  readonly prevChangeId: number;
  readonly time: number;
  readonly bids: readonly LevelChange[];
  readonly asks: readonly LevelChange[];
}

/** The best of a book and, for a combination, of its legs. Sent when any of them has changed. */
export interface BookTicker {
  readonly book: number;
  readonly time: number;
  readonly bestBid: BookLevel | null;
  readonly bestAsk: BookLevel | null;
  readonly implied: ImpliedPrices | null;
}

/** A book that has been opened at some time. */
export interface BookSummary {
  readonly book: number;
  readonly weights: readonly number[];
  readonly generation: number;
  readonly isOpen: boolean;
  /** The slot of a plain book, else null. */
  readonly plainSlot: number | null;
  /** Rates in ticks for each lot; a fill pays at most an eighth of its price (SPEC section 4). */
  readonly fees: BookFees;
  readonly bestBid: BookLevel | null;
  readonly bestAsk: BookLevel | null;
  /** Null for a plain book. */
  readonly implied: ImpliedPrices | null;
}

/** One slot of the market. */
export interface SeriesInfo {
  readonly slot: number;
  readonly status: SeriesStatus;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
  readonly generation: number;
  readonly holders: number;
  /** The effective mark. */
  readonly mark: number;
  /** Implied volatility (0.8 is 80 %) and delta (-1 to 1) of the mark, where known. */
  readonly markIv: number | null;
  readonly delta: number | null;
  /** The open plain book of the slot with the lowest id, and its best levels. */
  readonly book: number | null;
  readonly bestBid: BookLevel | null;
  readonly bestAsk: BookLevel | null;
  /** Lots that are held long; null where nobody counts them. */
  readonly openInterest: number | null;
}

/** What is about to be listed: the oracles price it first. */
export type AnnouncedSeries = Pick<SeriesInfo, "slot" | "isCall" | "strike" | "expiry">;

export interface ChainInfo {
  /** First part of instrument names, for example `ETH`. */
  readonly underlying: string;
  /** Price of the underlying in ticks, where known. */
  readonly underlyingPrice: number | null;
  /** Time of the snapshot whose marks these are; null while there is none. */
  readonly snapshotTime: number | null;
  readonly series: readonly SeriesInfo[];
  /** Comes into slots that are free, each once a snapshot prices it. */
  readonly announced: readonly AnnouncedSeries[];
}

/** One listing of a slot, also long after the slot has another one. */
export interface Listing {
  readonly slot: number;
  readonly generation: number;
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
  /** Unix ms; null: before the node's memory. */
  readonly listedAt: number | null;
  /** When its last mark became final (unix ms), and that mark in ticks; null: not yet. */
  readonly settledAt: number | null;
  readonly settlementPrice: number | null;
}

/** What the id of a book meant from one opening to the next. */
export interface BookOpening {
  readonly book: number;
  /** Ascending slots; `generation` says which listing of the slot the leg is. */
  readonly legs: readonly {
    readonly slot: number;
    readonly weight: number;
    readonly generation: number;
  }[];
  /** Unix ms: of the batch that opened it; where that is not known, when the memory began. */
  readonly since: number;
  /** When the id was opened again (unix ms); null: not yet. */
  readonly until: number | null;
}
