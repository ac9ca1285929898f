/** What a bot decides from: plain values in the protocol's units, so that decisions are pure. */
import type { BookFees } from "../protocol/state.ts";

/** What can be had at one price, in ticks and lots. */
export interface Level {
  readonly price: number;
  readonly lots: number;
}

/** A listed series with its plain book. Levels are best first, and of others only. */
export interface Listed {
  readonly slot: number;
  readonly name: string;
  readonly status: "listed";
  readonly isCall: boolean;
  /** In ticks; a call with strike 0 is a forward. */
  readonly strike: number;
  /** Unix seconds. */
  readonly expiry: number;
  /** In ticks. */
  readonly mark: number;
  readonly book: number;
  /** In ticks for each lot; see engine/fees.ts for what a fill pays. */
  readonly fees: BookFees;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface Picture {
  /** Unix ms: of the marks, and now by the bot's clock. */
  readonly marksAt: number;
  readonly now: number;
  /** Those that are listed and have an open book that is known to be up to date. */
  readonly series: readonly Listed[];
  /** 1e-6 USDC of one tick for one lot. */
  readonly unit: number;
  readonly lotsPerContract: number;
  /** Orders that one side of a book can hold. */
  readonly depth: number;
}

export interface OwnOrder extends Level {
  readonly id: string;
  readonly book: number;
  readonly isSell: boolean;
}

/** The account as the venue has it. */
export interface Own {
  readonly account: number;
  /** 1e-6 USDC. */
  readonly cash: number;
  /** Null while there is no snapshot. */
  readonly equity: number | null;
  readonly isLocked: boolean;
  /** Signed lots by slot. */
  readonly positions: readonly number[];
  readonly orders: readonly OwnOrder[];
}

/** An order that a bot wants. */
export interface Wanted extends Level {
  readonly book: number;
  readonly name: string;
  readonly isSell: boolean;
}

export function isForward({ isCall, strike }: Pick<Listed, "isCall" | "strike">): boolean {
  return isCall && strike === 0;
}

/** The best price that an order of this side would meet. */
export function bestAgainst(isSell: boolean, { bids, asks }: Listed): Level | undefined {
  return (isSell ? bids : asks)[0];
}

/** Ticks by which an order at the price is worse than the mark. */
export function beyondMark({ mark }: Pick<Listed, "mark">, isSell: boolean, price: number): number {
  return isSell ? mark - price : price - mark;
}

/** The levels without the orders that stand in them. */
export function withoutOwn(
  levels: readonly Level[],
  own: readonly Pick<OwnOrder, "price" | "lots">[],
): Level[] {
  return levels.flatMap(({ price, lots }) => {
    const mine = own.reduce((sum, order) => sum + (order.price === price ? order.lots : 0), 0);
    return lots > mine ? [{ price, lots: lots - mine }] : [];
  });
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
