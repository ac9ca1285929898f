/** Ledger batches around an account that is being liquidated, for the tests of cheating. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import type { SlotPrice } from "../../sequencer/protocol/snapshot.ts";
import type { Made } from "./ledgerBatches.ts";
import { createMarket, FAR, listMarket, type Market, order, slotRisk } from "./market.ts";

const RICH = 50_000_000;
/** Initial margin of 100 short lots of slot 0, whose worst scenario is a rise by 144 ticks. */
const POOR = 19_000_000;
/** The scenario of that rise. */
const WORST = 16;

/** What loses 251 ticks in the deepest fall, and nothing in a rise. */
const PUT: SlotPrice = {
  ...{ mark: 300, isFinal: false },
  changes: Array.from({ length: SCENARIOS }, (_, s) => Math.max(0, Math.round((7 - s) * 35.8))),
};

/**
 * Account 3 is short 100 lots of slot 0 to account 4; the mark has risen, and the account has been
 * locked for 600 s. 39 lots are missing to initial margin in the worst scenario. With `straddle`
 * it is short 100 lots of slot 1 too, and the deepest fall costs only 700 ticks less than the rise.
 */
export function lockedMarket({ straddle = false } = {}): Market {
  const market = createMarket();
  for (const account of [1, 2, 4, 5]) market.deposit(account, RICH);
  market.deposit(3, POOR);
  listMarket(market);
  if (straddle) market.slots = market.slots.with(1, PUT);
  for (const shape of [
    { book: 0, price: 200, lots: 100 },
    ...(straddle ? [{ book: 1, price: 300, lots: 100 }] : []),
  ]) {
    market.trade(4, order(shape));
    market.trade(3, order({ ...shape, isSell: true }));
  }
  market.seal();
  market.slots = market.slots.with(0, slotRisk(280, 80));
  const limit = { book: 0, isSell: false, price: 290, reduceOnly: true };
  market.liquidate({ ...limit, account: 3, lots: 1, scenario: WORST });
  market.seal();
  market.time += 600_000;
  return market;
}

/** Counts accounts 2 to 5, who all hold slot 0, on its long side. */
function rankAll(market: Market): void {
  for (const account of [2, 3, 4, 5]) {
    market.operate({ kind: "rank", account, slot: 0, isLong: true });
  }
}

const TAKEN = { from: 3, slot: 0, scenario: WORST };

/**
 * 0 account 5 takes 10 lots over, 1 the fund 8; 2 to 5 accounts 2 to 5 are ranked; 6 account 4 is
 * deleveraged of 5 lots. Signer: account 5.
 */
export function takeoverBatch(): Made {
  const market = lockedMarket();
  const message = { from: 3, slot: 0, lots: 10, amount: 700_000, deadline: FAR } as const;
  market.payment(5, { kind: "backstop", ...message }, 0, WORST);
  market.operate({ kind: "insure", ...TAKEN, lots: 8, amount: 100_000, isSubsidy: false });
  rankAll(market);
  const terms = { ...TAKEN, lots: 5, amount: 0, isSubsidy: false };
  market.operate({ kind: "deleverage", account: 4, ...terms });
  return { market, batch: market.seal() };
}

/**
 * Account 3 owes more than it has. 0 the fund takes 2 lots over and pays for it; 1 to 4 accounts 2
 * to 5 are ranked; 5 account 4 is deleveraged of 3 lots and pays for it; 6 the fund pays what is
 * still missing.
 */
export function deficitBatch(): Made {
  const { market } = takeoverBatch();
  market.slots = market.slots.with(0, slotRisk(430, 80));
  market.operate({ kind: "insure", ...TAKEN, lots: 2, amount: 100_000, isSubsidy: true });
  rankAll(market);
  const terms = { ...TAKEN, lots: 3, amount: 50_000, isSubsidy: true };
  market.operate({ kind: "deleverage", account: 4, ...terms });
  market.operate({ kind: "absorb", from: 3, amount: -equityOf(market, 3) });
  return { market, batch: market.seal() };
}

/** The fund takes over `lots` of the straddle's slot 0: 6 at most, or a fall would hurt more. */
export function straddleTakeover(lots: number): Made {
  const market = lockedMarket({ straddle: true });
  market.operate({ kind: "insure", ...TAKEN, lots, amount: 0, isSubsidy: false });
  return { market, batch: market.seal() };
}

/** Step 0 offers 20 lots of slot 0, step 1 liquidates `lots` of the straddle: 5 at most fill. */
export function straddleLiquidation(lots: number): { market: Market; batch: SealedBatch } {
  const market = lockedMarket({ straddle: true });
  market.trade(5, order({ book: 0, price: 290, lots: 20, isSell: true }));
  const limit = { book: 0, isSell: false, price: 290, reduceOnly: true };
  market.liquidate({ ...limit, account: 3, lots, scenario: WORST });
  return { market, batch: market.seal() };
}

/** 1e-6 USDC, at slot 0's mark. */
export function equityOf(market: Market, id: number): number {
  const { cash, positions } = market.state.account(id);
  return cash + market.state.unit * positions[0]! * market.slots[0]!.mark;
}

/**
 * 0 account 3 is ranked, 1 gets a deposit, 2 is released; 3 fees are collected; 4, 5 books 7 and 8
 * open, the second with a rebate. Account 4 stays below maintenance in no scenario.
 */
export function releaseBatch(): Made {
  const market = lockedMarket();
  market.operate({ kind: "rank", account: 3, slot: 0, isLong: false });
  market.deposit(3, RICH);
  market.operate({ kind: "release", account: 3 });
  market.operate({ kind: "collectFees" });
  for (const [book, maker] of [[7, 3] as const, [8, -2] as const]) {
    const weights = market.slots.map((_, slot) => (slot === 1 ? 1 : 0));
    market.operate({ kind: "openBook", book, weights, fees: { taker: 2, maker } });
  }
  return { market, batch: market.seal() };
}
