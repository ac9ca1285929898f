/** What the two processes of the benchmark agree on. */

export interface Ready {
  readonly url: string;
  readonly echoUrl: string;
  /** The venue's clock, unix ms. */
  readonly time: number;
}

/** Accounts that trade; 3 and 4 are the market's own. */
export const FIRST_TRADER = 5;
/** Fewer than the orders of one side of a book, so that none is evicted. */
export const TRADERS = 6;
export const ROUNDS = 40;
/** Far from everything that trades, in ticks. */
export const RESTING_PRICE = 400;

/** Milliseconds of each message. */
export interface Trading {
  readonly place: number[];
  readonly cancel: number[];
}
