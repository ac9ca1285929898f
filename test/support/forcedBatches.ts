/** Ledger batches of forced operations, for the tests of cheating. */
import type { LedgerOperation } from "../../sequencer/engine/records.ts";
import type { Made } from "./ledgerBatches.ts";
import { createMarket, EXPIRY, listMarket, type Market, order, ownerOf } from "./market.ts";

const RICH = 50_000_000;

/** Account 4 has bought 100 lots of slot 0 from account 3, and has an order at rest. */
function forcedMarket(fund: number): Market {
  const market = createMarket();
  for (const account of [1, 3, 4, 5]) market.deposit(account, RICH);
  market.deposit(2, fund);
  listMarket(market);
  const shape = { book: 0, price: 200, lots: 100 };
  market.trade(4, order(shape));
  market.trade(3, order({ ...shape, isSell: true }));
  market.trade(4, order({ book: 1, price: 100, lots: 1 }));
  market.seal();
  return market;
}

export function closeOf(account: number, lots: number, slot = 0): LedgerOperation {
  return { kind: "forcedClose", account, owner: ownerOf(account), slot, lots };
}

/**
 * 0 account 4 cancels all; 1 closes 30 of its 100 long lots; 2 account 3 closes all of its 100
 * short lots, asking for 200; 3 account 5 has nothing to close; 4 account 4 nothing in slot 1.
 */
export function closingBatch(): Made {
  const market = forcedMarket(2 * RICH);
  market.operate({ kind: "forcedCancelAll", account: 4, owner: ownerOf(4) });
  market.operate(closeOf(4, 30));
  market.operate(closeOf(3, 200));
  market.operate(closeOf(5, 1));
  market.operate(closeOf(4, 1, 1));
  return { market, batch: market.seal() };
}

/** 0 account 4 would close 30 lots, for which the fund has no cash; 1 account 3 one. */
export function poorFundBatch(): Made {
  const market = forcedMarket(0);
  market.operate(closeOf(4, 30));
  market.operate(closeOf(3, 1));
  return { market, batch: market.seal() };
}

/**
 * 0 account 4 closes 30 lots; in the last second before the expiry, or in the first after it, when
 * nobody has called a mark final.
 */
export function expiringBatch(isExpired: boolean): Made {
  const market = forcedMarket(2 * RICH);
  market.time = EXPIRY * 1000 - (isExpired ? 1000 : 2000);
  market.operate(closeOf(4, 30));
  return { market, batch: market.seal() };
}

/**
 * In the first second after the expiry, with marks that are final: 0 account 4 asks for 30 of its
 * 100 lots of slot 0, which settles; 1 account 3 for its 100 short ones; 2 account 5 has nothing
 * there, 3 account 4 nothing in slot 1. The fund has nothing at all.
 */
export function expiredBatch(): Made {
  const market = forcedMarket(0);
  market.time = EXPIRY * 1000 - 1000;
  market.slots = market.slots.map((price) => ({ ...price, isFinal: true }));
  market.operate(closeOf(4, 30));
  market.operate(closeOf(3, 100));
  market.operate(closeOf(5, 1));
  market.operate(closeOf(4, 1, 1));
  return { market, batch: market.seal() };
}
