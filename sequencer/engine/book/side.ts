/** One side of a book: at most `depth` entries, best first. Twin: circuits, the side gadget. */
import type { Entry } from "../../protocol/state.ts";

/** Whether an order with this limit (ticks) trades with an entry at `price` (ticks). */
export function crosses(order: { isSell: boolean; price: number }, price: number): boolean {
  return order.isSell ? price >= order.price : price <= order.price;
}

/** Whether `a` stands before `b` on its side: by price, then by seq. */
export function isBefore(isSell: boolean, a: Entry, b: Entry): boolean {
  if (a.price === b.price) return a.seq < b.seq;
  return isSell ? a.price < b.price : a.price > b.price;
}

/** Where an order named by price and seq stands, or -1. */
export function findEntry(side: readonly Entry[], name: { price: number; seq: number }): number {
  const { price, seq } = name;
  for (let place = 0; place < side.length; place++) {
    const entry = side[place]!;
    if (entry.seq === seq && entry.price === price) return place;
  }
  return -1;
}

/** Where an entry belongs: before the first that it stands before. */
export function placeFor(side: readonly Entry[], entry: Entry, isSell: boolean): number {
  let place = 0;
  while (place < side.length && !isBefore(isSell, entry, side[place]!)) place++;
  return place;
}
