/** The request for quotes of this page, and what of its quotes can be taken. */
import type { BlockRfq } from "../../client/packages.ts";
import { createStore } from "./store.ts";

export type Offer = BlockRfq["asks"][number];

/** The last one that was sent; undefined: none. */
export const request = createStore<BlockRfq | undefined>(undefined);

export interface Takeable {
  readonly side: "buy" | "sell";
  readonly offer: Offer;
  /** All of the request fills within this offer's price, by it and those that are better. */
  readonly isEnough: boolean;
}

/** The best first, those that one buys from before those that one sells to. */
export function takeable({ asks, bids, amount }: BlockRfq): readonly Takeable[] {
  const of = (side: Takeable["side"], offers: readonly Offer[]): Takeable[] => {
    let sum = 0;
    return offers.map((offer) => {
      sum += offer.amount;
      // Amounts are multiples of a lot: what is below is rounding.
      return { side, offer, isEnough: sum > amount - 1e-9 };
    });
  };
  return [...of("buy", asks), ...of("sell", bids)];
}
