/** The text `book-side-price-seq`, which names an order exactly as a cancel does. */
import { BOOK_BITS, PRICE_OFFSET, SEQ_BITS } from "./constants.ts";

/** Where an order stands: its book, side, price in ticks (signed) and seq. */
export interface OrderPlace {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
}

/** `12-B--35-1042`: book 12, a bid at minus 35 ticks, seq 1042. Sides are `B` and `S`. */
export function orderIdText(order: OrderPlace): string {
  return `${order.book}-${order.isSell ? "S" : "B"}-${order.price}-${order.seq}`;
}

/** Inverse of {@link orderIdText}; undefined where the text is not the text of an order. */
export function parseOrderId(text: string): OrderPlace | undefined {
  const match = /^(\d{1,5})-([BS])-(-?\d{1,8})-(\d{1,14})$/.exec(text);
  if (match === null) return undefined;
  const [, book, side, price, seq] = match;
  const order = {
    book: Number(book),
    isSell: side === "S",
    price: Number(price),
    seq: Number(seq),
  };
  if (order.book >= 2 ** BOOK_BITS || Math.abs(order.price) >= PRICE_OFFSET) return undefined;
  if (order.seq < 1 || order.seq >= 2 ** SEQ_BITS) return undefined;
  return orderIdText(order) === text ? order : undefined;
}
