/** Batches whose proofs the tests of cheating start from. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import {
  createMarket,
  EXPIRY,
  FAR,
  keySecret,
  listMarket,
  type Market,
  order,
  ownerOf,
  slotRisk,
} from "./market.ts";

const RICH = 50_000_000;

function funded(): Market {
  const market = createMarket();
  for (const account of [1, 2, 4]) market.deposit(account, RICH);
  listMarket(market);
  return market;
}

/** The next batch's time is the last millisecond before the series expire. */
function lastMoment(market: Market): void {
  market.seal();
  market.time = EXPIRY * 1000 - 1001;
}

const BUY = { book: 0, price: 200, lots: 1 };
const SELL = { ...BUY, isSell: true };

/**
 * Steps: 0, 1 an order of account 4 fills with 1 and 2; 2 account 1 cancels; 3 an order of 4 rests;
 * 4, 5 a fill-or-kill order of 1 fills with 2 and 4. Signers: accounts 1 and 4.
 */
export function fillingBatch(): { market: Market; batch: SealedBatch } {
  const market = funded();
  market.trade(1, order({ ...SELL, lots: 3 }));
  market.trade(2, order({ ...SELL, lots: 2 }));
  market.trade(1, order({ ...SELL, price: 210 }));
  const { seq } = market.state.book(0)!.asks[2]!;
  lastMoment(market);
  market.trade(4, order({ ...BUY, lots: 4, timeInForce: "ioc" }));
  market.trade(1, {
    kind: "cancel",
    book: 0,
    isSell: true,
    price: 210,
    seq,
    deadline: FAR,
  });
  market.trade(4, order({ ...SELL, price: 205, lots: 5 }));
  market.trade(1, order({ ...BUY, price: 205, lots: 3, timeInForce: "fok" }));
  return { market, batch: market.seal() };
}

/**
 * Steps: 0 account 2 cancels all; 1, 2, 3 a fill-or-kill order of 4 meets the void order of 2,
 * fills with 1 and aborts; 4 the void order is purged; 5 idle. Signers: accounts 2 and 4.
 */
export function abortingBatch(): { market: Market; batch: SealedBatch } {
  const market = funded();
  market.trade(2, order(SELL));
  market.trade(1, order({ ...SELL, price: 201, lots: 2 }));
  const { seq } = market.state.book(0)!.asks[0]!;
  lastMoment(market);
  market.trade(2, { kind: "cancelAll", deadline: FAR });
  market.trade(4, order({ ...BUY, price: 201, lots: 5, timeInForce: "fok" }));
  market.purge({ book: 0, isSell: true, price: 200, seq });
  return { market, batch: market.seal() };
}

/** `first` leaves an order of account 4 behind, which `batch` goes on with and ends. */
export function carryingBatches(): { market: Market; first: SealedBatch; batch: SealedBatch } {
  const market = funded();
  const { depth, steps } = market.sizes.trade;
  for (let index = 0; index < depth; index++) {
    market.trade(4, order({ ...SELL, price: 200 + index }));
  }
  market.seal();
  for (let used = 0; used < steps - 2; used++) {
    market.trade(2, { kind: "cancelAll", deadline: FAR });
  }
  market.trade(4, order({ ...BUY, price: 220, lots: 9 }));
  const first = market.seal();
  market.openBatch("trade");
  return { market, first, batch: market.seal() };
}

/** One cancel-all by key 1 of account 1, in the last millisecond before the key expires. */
export function expiringBatch(): { market: Market; batch: SealedBatch } {
  const market = funded();
  const key = publicKeyOf(keySecret(1, 1));
  const owner = ownerOf(1);
  const keyExpiry = EXPIRY;
  market.operate({ kind: "registerKey", account: 1, owner, key, keyIndex: 1, keyExpiry });
  lastMoment(market);
  market.trade(1, { kind: "cancelAll", deadline: FAR }, 1);
  return { market, batch: market.seal() };
}

/** Positions of 30 lots in slots 0 and 1 of accounts 1 (short) and 4 (long). */
export function holdingMarket(): Market {
  const market = funded();
  for (const book of [0, 1]) {
    const price = 200 + 100 * book;
    market.trade(1, order({ ...SELL, book, price, lots: 30 }));
    market.trade(4, order({ ...BUY, book, price, lots: 30 }));
  }
  market.seal();
  return market;
}

/** Enough for 20 lots of slot 0 at 200 ticks, and for no fall of their mark. */
const POOR = 3_000_000;
/** Below maintenance in scenario 0 at a mark of 150 ticks; sells above a quarter of the way. */
export const LIQUIDATION = { book: 0, isSell: true, price: 122, reduceOnly: true, scenario: 0 };

/**
 * Accounts 3 and 5 are long 20 lots, whose mark has fallen. `batch` follows a ranking of account 3.
 * Steps: 0 an order of 3 rests; 1 account 3 is locked and sells 2 of 4 lots to account 4; 2 account
 * 5, which an earlier batch has locked, sells 2 lots to 4; 3, 4 an order of 4 meets the void order
 * of 3 and is killed; 5 idle. Signers: accounts 3 and 4.
 */
export function liquidatingBatch(): { market: Market; batch: SealedBatch; lockedSince: number } {
  const market = funded();
  for (const account of [3, 5]) market.deposit(account, POOR);
  market.trade(1, order({ ...SELL, lots: 40 }));
  for (const account of [3, 5]) market.trade(account, order({ ...BUY, lots: 20 }));
  market.seal();
  market.slots = market.slots.with(0, slotRisk(150, 80));
  market.trade(4, order({ ...BUY, price: 150 }));
  market.liquidate({ ...LIQUIDATION, account: 5, lots: 1 });
  market.trade(4, order({ ...BUY, price: 150, lots: 2 }));
  market.trade(4, order({ ...BUY, price: 149, lots: 5 }));
  const { lockedSince } = market.state.session(5);
  market.operate({ kind: "rank", account: 3, slot: 0, isLong: true });
  lastMoment(market);
  market.trade(3, order({ ...SELL, price: 160 }));
  market.liquidate({ ...LIQUIDATION, account: 3, lots: 4 });
  market.liquidate({ ...LIQUIDATION, account: 5, lots: 2 });
  market.trade(4, order({ ...BUY, price: 160, timeInForce: "ioc" }));
  return { market, batch: market.seal(), lockedSince };
}
