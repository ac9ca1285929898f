/** Purge: takes a void order out of its book. Twin: circuits, transactions/purge. */
import { assertEngine } from "../assertion.ts";
import { findEntry } from "../book/side.ts";
import { isVoid } from "../bookState.ts";
import type { StateView } from "../stateView.ts";

/** A resting order by name: `price` in ticks. */
export interface OrderName {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
}

/** Returns the owner. Throws EngineAssertion where there is no such order or it is not void. */
export function purgeOrder(view: StateView, name: OrderName): number {
  const book = view.book(name.book);
  const side = (name.isSell ? book?.asks : book?.bids) ?? [];
  const place = findEntry(side, name);
  const entry = side[place];
  assertEngine(entry !== undefined, `There is no order \`${name.seq}\` in book \`${name.book}\`.`);
  assertEngine(isVoid(view, entry), `Order \`${name.seq}\` is not void and cannot be purged.`);
  view.removeOrder(name.book, name.isSell, place);
  return entry.account;
}
