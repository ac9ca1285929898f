/** Cancel: takes the named order out of its book. Twin: circuits, transactions/cancel. */
import type { CancelMessage } from "../../protocol/messages.ts";
import { failEngine } from "../assertion.ts";
import { findEntry } from "../book/side.ts";
import type { StateView } from "../stateView.ts";

export function cancel(
  view: StateView,
  account: number,
  message: CancelMessage,
): "cancelled" | "notFound" | "notOwner" {
  const book = view.book(message.book);
  if (book === undefined) failEngine(`Book \`${message.book}\` was never opened.`);
  const side = message.isSell ? book.asks : book.bids;
  const place = findEntry(side, message);
  if (place < 0) return "notFound";
  if (side[place]!.account !== account) return "notOwner";
  view.removeOrder(message.book, message.isSell, place);
  return "cancelled";
}
