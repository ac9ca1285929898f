/** Exact decimals for people: prices in USDC, quantities in contracts, no floating point. */
import { USDC } from "../protocol/usdc.ts";

/** Sizes of a market, as `straddle/get_info` tells them. */
export interface MarketSizes {
  /** 1e-6 USDC of one tick for one contract. */
  readonly tickSize: number;
  readonly lotsPerContract: number;
}

/** Text that is not a number of the kind that is wanted. */
export class DecimalError extends Error {
  override name = "DecimalError";
}

/** `"12.5"` with `unit` 1 000 000 is 12 500 000. Throws where a part below one would be lost. */
function toUnits(name: string, text: string, unitsPerOne: number): number {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text.trim());
  if (match === null) {
    throw new DecimalError(`\`${name}\` must be a decimal number such as 12.5. Got \`${text}\`.`);
  }
  const [, sign, whole = "0", fraction = ""] = match;
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * BigInt(unitsPerOne);
  const units = Number(scaled / scale);
  if (scaled % scale !== 0n || !Number.isSafeInteger(units)) {
    const step = fromUnits(1, unitsPerOne);
    throw new DecimalError(`\`${name}\` must be a multiple of ${step}. Got \`${text}\`.`);
  }
  return sign === "-" && units !== 0 ? -units : units;
}

/** Shortest exact decimal of `units / unitsPerOne`; `unitsPerOne` has no factors but 2 and 5. */
function fromUnits(units: number, unitsPerOne: number): string {
  const sign = units < 0 ? "-" : "";
  const whole = BigInt(Math.abs(units)) / BigInt(unitsPerOne);
  let rest = BigInt(Math.abs(units)) % BigInt(unitsPerOne);
  let fraction = "";
  while (rest > 0n && fraction.length < 12) {
    rest *= 10n;
    fraction += (rest / BigInt(unitsPerOne)).toString();
    rest %= BigInt(unitsPerOne);
  }
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** USDC to 1e-6 USDC. */
export function parseUsdc(text: string, name = "amount"): number {
  return toUnits(name, text, USDC);
}

export function formatUsdc(amount: number): string {
  return fromUnits(amount, USDC);
}

/** A price in USDC for one contract, to ticks. */
export function parsePrice(text: string, { tickSize }: MarketSizes, name = "price"): number {
  const amount = toUnits(name, text, USDC);
  if (amount % tickSize !== 0) {
    const tick = formatUsdc(tickSize);
    throw new DecimalError(`\`${name}\` must be a multiple of the tick ${tick}. Got \`${text}\`.`);
  }
  return amount / tickSize + 0;
}

export function formatPrice(ticks: number, { tickSize }: MarketSizes): string {
  return formatUsdc(ticks * tickSize);
}

/** Contracts to lots. */
export function parseQuantity(text: string, sizes: MarketSizes, name = "quantity"): number {
  return toUnits(name, text, sizes.lotsPerContract);
}

export function formatQuantity(lots: number, { lotsPerContract }: MarketSizes): string {
  return fromUnits(lots, lotsPerContract);
}
