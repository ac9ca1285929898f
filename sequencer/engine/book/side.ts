/** One side of a book: at most `depth` entries, best first. Twin: circuits, the side gadget. */
import { type Entry, priceKey } from "../../protocol/state.ts";

/** Whether an order with this limit (ticks) trades with an entry at `price` (ticks). */
export function crosses(order: { isSell: boolean; price: number }, price: number): boolean {
  return order.isSell ? price >= order.price : price <= order.price;
}

/** Whether `a` stands before `b` on its side: by price, then by seq. */
export function isBefore(isSell: boolean, a: Entry, b: Entry): boolean {
  const keyOfA = priceKey(isSell, a.price);
  const keyOfB = priceKey(isSell, b.price);
  return keyOfA < keyOfB || (keyOfA === keyOfB && a.seq < b.seq);
}

/** Where an order named by price and seq stands, or -1. */
export function findEntry(side: readonly Entry[], name: { price: number; seq: number }): number {
  return side.findIndex((entry) => entry.price === name.price && entry.seq === name.seq);
}

export interface Insertion {
  readonly isInserted: boolean;
  readonly evicted: Entry | undefined;
}

/** Puts the entry in its place. A full side loses its last entry, or refuses a later one. */
export function insertEntry(
  side: Entry[],
  entry: Entry,
  { isSell, depth }: { isSell: boolean; depth: number },
): Insertion {
  const found = side.findIndex((resting) => isBefore(isSell, entry, resting));
  const place = found < 0 ? side.length : found;
  if (place >= depth) return { isInserted: false, evicted: undefined };
  side.splice(place, 0, entry);
  return { isInserted: true, evicted: side.length > depth ? side.pop() : undefined };
}
