/** What was typed into a ticket, as an order's price: directly, or by its volatility. */
import { formatPrice, type MarketSizes, parsePrice } from "../../market/decimal.ts";
import { blackPrice, MS_PER_YEAR } from "../../pricing/black76.ts";
import { impliedVolatility } from "../../pricing/impliedVolatility.ts";
import { USDC } from "../../protocol/usdc.ts";

export interface OptionNow {
  readonly isCall: boolean;
  readonly strike: number;
  /** Unix ms. */
  readonly expiry: number;
  readonly forward: number;
  readonly time: number;
}

function inputsOf({ isCall, strike, expiry, forward, time }: OptionNow) {
  return { isCall, strike, forward, yearsToExpiry: Math.max(0, expiry - time) / MS_PER_YEAR };
}

/** The tick nearest to the price at a volatility in percent; undefined where that is no number. */
export function priceAtVolatility(
  text: string,
  option: OptionNow,
  sizes: MarketSizes,
): string | undefined {
  const percent = Number(text);
  if (text.trim() === "" || !Number.isFinite(percent) || percent < 0) return undefined;
  const price = blackPrice({ ...inputsOf(option), volatility: percent / 100 });
  return formatPrice(Math.round((price * USDC) / sizes.tickSize), sizes);
}

/** In percent; undefined where the text is no price, or no volatility gives it. */
export function volatilityAtPrice(
  text: string,
  option: OptionNow,
  sizes: MarketSizes,
): number | undefined {
  try {
    const price = (parsePrice(text, sizes) * sizes.tickSize) / USDC;
    const volatility = impliedVolatility({ ...inputsOf(option), price });
    return volatility === undefined ? undefined : volatility * 100;
  } catch {
    return undefined;
  }
}
