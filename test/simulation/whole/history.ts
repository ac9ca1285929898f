/** What clients asked for and were told, with the moments of it: the history that is checked. */
import type { Receipt } from "../../../sequencer/exchangeService.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";

/** A time in the run: what was acknowledged before it, and what could have been done by then. */
export interface Moment {
  /** Virtual ms. */
  readonly at: number;
  /** Records that somebody had been told of as durable. */
  readonly acknowledged: number;
  /** Records that were durable. */
  readonly durable: number;
}

/** What somebody wants once, however often it is sent or signed. */
export interface Command {
  readonly account: number;
  readonly message: Message;
  readonly invoked: Moment;
  /** The chain heads that it would lead to, one for each signature. */
  readonly heads: bigint[];
  /** Copies that were sent. */
  copies: number;
  /** Undefined: the client does not know, or not yet. */
  answer:
    | { readonly receipt: Receipt; readonly moment: Moment }
    | { readonly refused: string; readonly moment: Moment }
    | undefined;
  /** Nothing more is done for it. */
  isOver: boolean;
}

/** What of an account was read in one answer. */
export interface Read {
  readonly account: number;
  readonly invoked: Moment;
  readonly answered: Moment;
  /** What {@link balanceText} or {@link ordersText} make of it. */
  readonly what: "balance" | "orders";
  readonly found: string;
}

export interface History {
  readonly commands: readonly Command[];
  readonly reads: readonly Read[];
}

export function balanceText(account: {
  readonly cash: number;
  readonly positions: readonly number[];
}): string {
  return [account.cash, ...account.positions].join(" ");
}

interface OrderText {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  readonly lots: number;
}

export function ordersText(orders: readonly OrderText[]): string {
  return orders
    .map(({ book, isSell, price, seq, lots }) => [book, isSell, price, seq, lots].join(" "))
    .sort()
    .join(", ");
}
