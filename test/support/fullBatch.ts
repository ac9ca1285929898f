/** A trade batch that uses what its instance has room for: steps, fills, accounts, books. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { createMarket, listMarket, order } from "./market.ts";

/** Makers quote every book, and as many takers as there are fill units trade with them. */
export function fillTradeBatch(instance: string): SealedBatch {
  const market = createMarket(instance);
  listMarket(market);
  const { accounts, books, steps, fills } = market.sizes.trade;
  const traders = Array.from({ length: accounts }, (_, index) => index + 1);
  for (const account of traders) market.deposit(account, 50_000_000_000);
  market.seal();
  const known = Math.min(books, 4);
  const stepsOfOne = steps / fills;
  for (let step = 0; market.executor.current() === undefined || isOpen(); step++) {
    const isTaker = step % stepsOfOne === stepsOfOne - 1;
    const account = traders[step % traders.length]!;
    const book = Math.floor(step / stepsOfOne) % known;
    const price = 200 + 100 * book;
    market.trade(account, order({ book, isSell: !isTaker, price, lots: 5 }));
    if (step > 4 * steps) throw new Error("the batch does not fill up");
  }
  return market.seal();

  function isOpen(): boolean {
    const current = market.executor.current();
    return current !== undefined && current.used < current.capacity;
  }
}
