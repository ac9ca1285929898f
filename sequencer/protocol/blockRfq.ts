/**
 * Requests for quotes of packages, and blocks that two have agreed on elsewhere. All of it is the
 * sequencer's policy: what it brings together is signed orders of one book, which are executed one
 * directly after the other, and of which no proof knows that they belong together.
 */

/** Open requests: of an account, and of everybody; those that have ended and are remembered. */
export const RFQS_PER_ACCOUNT_MAX = 10;
export const RFQS_MAX = 1000;
export const RFQS_ENDED_KEPT = 1000;
/** Open quotes: of a request, of an account, and of everybody. */
export const QUOTES_PER_RFQ_MAX = 50;
export const QUOTES_PER_ACCOUNT_MAX = 64;
export const QUOTES_MAX = 10_000;
/** Accounts that a request may be limited to. */
export const RFQ_MAKERS_MAX = 32;
export const RFQ_TRADES_KEPT = 1000;
/** Combinations that wait for their books: of an account, and of everybody. */
export const COMBOS_WAITING_PER_ACCOUNT_MAX = 4;
export const COMBOS_WAITING_MAX = 64;

export type RfqState = "open" | "filled" | "cancelled" | "expired";

/** Why a quote has ended, where neither its maker nor its expiry has ended it. */
export const QUOTE_ENDS = {
  headUsed: "its key's chain has gone on without it",
  keyChanged: "its key was replaced or has expired",
  rfqEnded: "the request has ended",
  notNeeded: "others have filled the request",
} as const satisfies Record<string, string>;
export type QuoteEnd = keyof typeof QUOTE_ENDS;

/** A leg as the request has it: bought where `ratio` is above 0. */
export interface RfqLeg {
  readonly slot: number;
  readonly ratio: number;
}

/**
 * Prices and sides of requests, quotes and trades are those of the book: ticks for one of it. Where
 * `isReversed`, who buys the legs as the request has them sells the book. JSON-safe.
 */
export interface RfqInfo {
  readonly id: number;
  readonly account: number;
  readonly book: number;
  readonly isReversed: boolean;
  /** Of the book. */
  readonly lots: number;
  readonly legs: readonly RfqLeg[];
  readonly label: string;
  /** Who may see it and quote; null: everybody. */
  readonly makers: readonly number[] | null;
  /** Whether both sides are told who the other is. */
  readonly isDisclosed: boolean;
  readonly state: RfqState;
  /** Unix ms. */
  readonly createdAt: number;
  /** Its taker sees no quotes, and accepts none, before. */
  readonly quotesFrom: number;
  readonly expiresAt: number;
  readonly trade: RfqTrade | null;
}

/** Whether the account may see the request and quote: nobody quotes to himself. */
export function isAskedOf({ account, makers }: RfqInfo, maker: number): boolean {
  return maker !== account && (makers === null || makers.includes(maker));
}

/** One account's quote: what stands in the word that it has left. JSON-safe. */
export interface QuoteInfo {
  readonly id: number;
  readonly rfq: number;
  readonly account: number;
  readonly keyIndex: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
  /** All of it, or nothing. */
  readonly isWhole: boolean;
  readonly label: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The word's deadline. */
  readonly expiresAt: number;
  readonly state: RfqState;
  readonly reason: QuoteEnd | null;
  readonly filledLots: number;
  /** Of the order that the word became, and what of it rests: it is the maker's to cancel. */
  readonly orderId: string | null;
  readonly restingLots: number;
  readonly isReplaced: boolean;
}

/** A package that was traded: by a request, or as a block. */
export interface RfqTrade {
  /** The request's id; of a block its own. */
  readonly id: number;
  readonly book: number;
  /** Of the taker. */
  readonly isSell: boolean;
  readonly lots: number;
  readonly time: number;
  /** Of the taker's message. */
  readonly logPosition: number;
  /** `maker` is null for orders that rested in the book already. */
  readonly fills: readonly {
    readonly price: number;
    readonly lots: number;
    readonly maker: number | null;
  }[];
}

/** Milliseconds and lots; see the configuration `packages`. */
export interface PackageLimits {
  readonly lifeMs: number;
  readonly graceMs: number;
  /** Smallest number of lots of a book, of a request and of a block. */
  readonly rfqLotsMin: number;
  readonly blockLotsMin: number;
  /** Books for combinations that somebody asks for: the last ids of the tree are theirs. */
  readonly combosMax: number;
  /** Combinations that one account may have opened. */
  readonly combosPerHour: number;
}

/** Five minutes and five seconds, as Deribit has them. */
export const DEFAULT_PACKAGE_LIMITS: PackageLimits = {
  ...{ lifeMs: 300_000, graceMs: 5_000, rfqLotsMin: 1, blockLotsMin: 1 },
  ...{ combosMax: 128, combosPerHour: 12 },
};

/** At most a quarter of the tree. */
export function comboBooks(bookLevels: number, { combosMax }: PackageLimits): number {
  return Math.min(combosMax, 4 ** (bookLevels - 1));
}
