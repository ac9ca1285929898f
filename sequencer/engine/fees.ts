/**
 * What the two sides of a fill pay (SPEC section 4). Twin: circuits/trade, the fees of a fill.
 *
 * Rates are below 2^16 ticks for each lot, so the fee of a fill is below
 * `2^10 * 2^22 * 2^16 = 2^48` (1e-6 USDC) and exact, and so is the sum of two.
 */
import { AMOUNT_BITS, FEE_CAP_SHIFT } from "../protocol/constants.ts";
import type { BookFees } from "../protocol/state.ts";
import { failEngine } from "./assertion.ts";
import type { StateView } from "./stateView.ts";

const FEES_LIMIT = 2 ** AMOUNT_BITS;
const FEE_CAP_DIVISOR = 2 ** FEE_CAP_SHIFT;

/** The most ticks for each lot that a side pays at `price` (ticks): `ceil(|price| / 8)`. */
export function feeCap(price: number): number {
  return Math.ceil(Math.abs(price) / FEE_CAP_DIVISOR);
}

/** Ticks for each lot, never negative. */
export function takerFee(fees: BookFees, price: number): number {
  return Math.min(fees.taker, feeCap(price));
}

/** Ticks for each lot; negative: a rebate, and then at most {@link takerFee} in size. */
export function makerFee(fees: BookFees, price: number): number {
  const size = Math.min(Math.abs(fees.maker), feeCap(price));
  // Not `-0` where nothing is left of a rebate.
  return fees.maker < 0 ? 0 - size : size;
}

/**
 * The most ticks for each lot that an order with the limit `price` may come to pay, whether it
 * takes or rests. A fill at a better price may cost more, but never more than the price is better:
 * the cap rises by at most one tick for each tick.
 */
export function worstFee(fees: BookFees, price: number): number {
  return Math.max(takerFee(fees, price), makerFee(fees, price));
}

/**
 * Adds 1e-6 USDC to what nobody has collected yet. Throws EngineAssertion where it would leave what
 * `collectFees` can state.
 */
export function addFees(view: StateView, amount: number): void {
  const fees = view.fees() + amount;
  if (!(fees >= 0 && fees < FEES_LIMIT)) {
    failEngine(`Fees must be at least 0 and below 2^${AMOUNT_BITS}. Got \`${fees}\`.`);
  }
  view.setFees(fees);
}
