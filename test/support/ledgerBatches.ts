/** Ledger batches whose proofs the tests of cheating start from. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { holdingMarket } from "./batches.ts";
import { EXPIRY, FAR, FEES, keySecret, type Market, ownerOf } from "./market.ts";

export interface Made {
  readonly market: Market;
  readonly batch: SealedBatch;
}

function weights(legs: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 16 }, (_, slot) => legs[slot] ?? 0);
}

function register(market: Market, account: number, keyIndex: number): void {
  const key = publicKeyOf(keySecret(account, keyIndex));
  const owner = ownerOf(account);
  const keyExpiry = FAR / 1000 - 1;
  market.operate({ kind: "registerKey", account, owner, key, keyIndex, keyExpiry });
}

/**
 * 0 withdraw by 1, 1 transfer of 4 to 2, 2 forced withdrawal of 1 that is refused, 3 deposit to 2,
 * 4 key 1 of 2, 5 book 6 opens. Signers: accounts 1 and 4.
 */
export function payingBatch(): Made {
  const market = holdingMarket();
  market.payment(1, { kind: "withdraw", amount: 1000, deadline: FAR });
  market.payment(4, { kind: "transfer", to: 2, amount: 5000, deadline: FAR });
  const [owner, second] = [ownerOf(1), ownerOf(2)];
  market.operate({ kind: "forcedWithdraw", account: 1, owner, amount: 2 ** 50 - 1 });
  const noKey = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };
  market.operate({ kind: "deposit", account: 2, owner: second, amount: 7, ...noKey });
  register(market, 2, 1);
  market.operate({ kind: "openBook", book: 6, weights: weights({ 2: 1, 3: -1 }), fees: FEES });
  return { market, batch: market.seal() };
}

/** Refused: 0 transfer of 4 to itself, 1 to nobody (200), 2 a withdrawal of 1 against margin. */
export function refusingBatch(): Made {
  const market = holdingMarket();
  market.payment(4, { kind: "transfer", to: 4, amount: 5, deadline: FAR });
  market.payment(4, { kind: "transfer", to: 200, amount: 5, deadline: FAR });
  const { cash } = market.state.account(1);
  market.payment(1, { kind: "withdraw", amount: cash, deadline: FAR });
  return { market, batch: market.seal() };
}

/**
 * In the first millisecond after expiry: 0 slot 0 settles, 1 and 2 accounts 1 and 4 are paid, 3 the
 * slot is listed again, 4 its book 0 opens again, 5 slot 1 settles.
 */
export function settlingBatch(): Made {
  const market = holdingMarket();
  market.time = EXPIRY * 1000 - 1000;
  market.slots = market.slots.map((risk, slot) => (slot < 2 ? { ...risk, isFinal: true } : risk));
  market.operate({ kind: "settleSeries", slot: 0 });
  market.operate({ kind: "settlePosition", account: 1, slot: 0 });
  market.operate({ kind: "settlePosition", account: 4, slot: 0 });
  const terms = { isCall: false, strike: 7, expiry: 2 * EXPIRY };
  market.operate({ kind: "listSeries", slot: 0, ...terms });
  market.operate({ kind: "openBook", book: 0, weights: weights({ 0: 1 }), fees: FEES });
  market.operate({ kind: "settleSeries", slot: 1 });
  return { market, batch: market.seal() };
}

/** A key of account 2 is registered, and signs in the batch after. */
export function registeringBatches(): { registers: SealedBatch; signs: SealedBatch } {
  const market = holdingMarket();
  register(market, 2, 1);
  const registers = market.seal();
  market.payment(2, { kind: "withdraw", amount: 1, deadline: FAR }, 1);
  return { registers, signs: market.seal() };
}
