/**
 * Void orders stand in the books until somebody meets them, and a side has few places. Purges take
 * them out: in steps that a batch has to spare, and at once where they would keep out a good order.
 */
import type { PurgeEntry } from "../batch/log.ts";
import { isVoid } from "../engine/bookState.ts";
import type { TradeMessage } from "../protocol/messages.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";

/** Fills what is left of the open trade batch. */
export function purgeSpare(batcher: Batcher, state: MemoryState): void {
  const batch = batcher.current();
  if (batch?.kind !== "trade" || batcher.isOrderCarried()) return;
  let spare = batch.capacity - batch.used;
  for (const book of state.bookIds()) {
    for (const isSell of [false, true]) {
      for (const entry of voidOrders(state, book, isSell)) {
        if (spare === 0) return;
        // Another book, or an owner more than the circuit has places for: the next one may fit.
        if (batcher.purgeSpare(entry)) spare -= 1;
      }
    }
  }
}

/** Makes a place on the side on which the order may come to rest. */
export function makePlace(
  batcher: Batcher,
  state: MemoryState,
  { message, time }: { message: TradeMessage; time: number },
): void {
  if (message.kind !== "place" || message.timeInForce !== "gtc") return;
  const book = state.book(message.book);
  const side = message.isSell ? book?.asks : book?.bids;
  if (side === undefined || side.length < state.depth) return;
  const [worst] = voidOrders(state, message.book, message.isSell);
  if (worst !== undefined) batcher.purge(worst, time);
}

/** Worst first: those at the back take the places of orders that are still to come. */
function voidOrders(state: MemoryState, id: number, isSell: boolean): PurgeEntry[] {
  const book = state.book(id);
  const side = (isSell ? book?.asks : book?.bids) ?? [];
  return side
    .filter((entry) => isVoid(state, entry))
    .map(({ price, seq }) => ({ type: "purge" as const, book: id, isSell, price, seq }))
    .reverse();
}
