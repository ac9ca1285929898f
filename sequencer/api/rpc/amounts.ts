/** Decimals of the wire to ticks and lots, exactly, and back. */
import {
  DecimalError,
  formatPrice,
  formatQuantity,
  formatUsdc,
  type MarketSizes,
  parsePrice,
  parseQuantity,
  parseUsdc,
} from "../../market/decimal.ts";
import { RpcError } from "./errorTable.ts";

/**
 * A number or its text. JavaScript's numbers print the shortest decimal that means them, so `0.1`
 * is one tenth here, and `0.1 + 0.2` is refused: it is no multiple of any tick.
 */
export type Decimal = number | string;

export function ticksOf(price: Decimal, sizes: MarketSizes, name = "price"): number {
  try {
    return parsePrice(String(price), sizes, name);
  } catch (error) {
    throw refused(error, "price_wrong_tick", name);
  }
}

export function lotsOf(amount: Decimal, sizes: MarketSizes, name = "amount"): number {
  try {
    return parseQuantity(String(amount), sizes, name);
  } catch (error) {
    throw refused(error, "invalid_amount", name);
  }
}

/** 1e-6 USDC. */
export function microsOf(amount: Decimal, name = "amount"): number {
  try {
    return parseUsdc(String(amount), name);
  } catch (error) {
    throw refused(error, "invalid_amount", name);
  }
}

function refused(error: unknown, reason: "price_wrong_tick" | "invalid_amount", param: string) {
  if (!(error instanceof DecimalError)) return error;
  return new RpcError(reason, error.message, { param });
}

/** The double nearest to the exact decimal, which JSON prints as that decimal. */
export function priceOf(ticks: number, sizes: MarketSizes): number {
  return Number(formatPrice(ticks, sizes));
}

export function amountOf(lots: number, sizes: MarketSizes): number {
  return Number(formatQuantity(lots, sizes));
}

export function usdcOf(micros: number): number {
  return Number(formatUsdc(micros));
}

/** A volatility as a percentage with two decimals, which is how it is quoted. */
export function percentOf(fraction: number | null): number | null {
  return fraction === null ? null : Math.round(fraction * 10_000) / 100;
}

/** Enough digits of an estimate. */
export function rounded(value: number, digits = 8): number {
  return Number(value.toFixed(digits));
}
