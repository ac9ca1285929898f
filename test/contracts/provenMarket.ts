/** A market in memory as the tests with real proofs trade it: what is opened in it, and fills. */
import type { Address } from "viem";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import type { PlaceMessage } from "../../sequencer/protocol/messages.ts";
import type { SlotPrice } from "../../sequencer/protocol/snapshot.ts";
import { FEES, keySecret, type Market, order } from "../support/market.ts";

/** A first deposit as layer one has queued it, with key 0 of {@link keySecret}. */
export interface Funding {
  readonly account: number;
  readonly owner: Address;
  /** 1e-6 USDC. */
  readonly amount: number;
  /** Unix seconds. */
  readonly keyExpiry: number;
}

export function takeDeposit(market: Market, { owner, ...rest }: Funding): void {
  const key = publicKeyOf(keySecret(rest.account));
  market.operate({ kind: "deposit", owner: BigInt(owner), key, keyIndex: 0, ...rest });
}

/**
 * The deposits, and a series of `expiry` (unix seconds) with a book for each of `risks`, in slots
 * from 0 on: a call, then puts. The batch is sealed.
 */
export function openMarket(
  market: Market,
  start: {
    readonly deposits: readonly Funding[];
    readonly risks: readonly SlotPrice[];
    readonly expiry: number;
  },
): void {
  const { deposits, risks, expiry } = start;
  price(market, risks);
  for (const deposit of deposits) takeDeposit(market, deposit);
  for (const slot of risks.keys()) {
    const terms = { isCall: slot === 0, strike: 20_000, expiry };
    market.operate({ kind: "listSeries", slot, ...terms });
    const weights = market.slots.map((_, leg) => (leg === slot ? 1 : 0));
    market.operate({ kind: "openBook", book: slot, weights, fees: FEES });
  }
  market.seal();
}

/** Prices of the slots from 0 on, for the snapshots to come. */
export function price(market: Market, risks: readonly SlotPrice[]): void {
  market.slots = market.slots.map((risk, slot) => risks[slot] ?? risk);
}

type Terms = Pick<PlaceMessage, "book" | "price" | "lots"> & Partial<PlaceMessage>;

/** One account's order that rests, and another's that takes it whole. */
export function fill(market: Market, seller: number, buyer: number, terms: Terms): void {
  market.trade(seller, order({ ...terms, isSell: true }));
  market.trade(buyer, order(terms));
}
