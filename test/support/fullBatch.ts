/** A trade batch that uses what its instance has room for: steps, accounts, books. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { createMarket, listMarket, order } from "./market.ts";

/** Makers quote both sides of every book, then takers trade through the quotes. */
export function fillTradeBatch(instance: string): SealedBatch {
  const market = createMarket(instance);
  listMarket(market);
  const { accounts, books, steps } = market.sizes.trade;
  const traders = Array.from({ length: accounts }, (_, index) => index + 1);
  for (const account of traders) market.deposit(account, 50_000_000_000);
  market.seal();
  const known = Math.min(books, 4);
  for (let step = 0; market.executor.current() === undefined || isOpen(); step++) {
    const isTaker = step % 2 === 1;
    const account = traders[step % traders.length]!;
    const book = Math.floor(step / 2) % known;
    const price = 200 + 100 * book;
    market.trade(account, order({ book, isSell: !isTaker, price, lots: 5 + (step % 3) }));
    if (step > 4 * steps) throw new Error("the batch does not fill up");
  }
  return market.seal();

  function isOpen(): boolean {
    const current = market.executor.current();
    return current !== undefined && current.used < current.capacity;
  }
}
