/** What a transaction offers to pay, and what its replacement must offer. Wei per gas. */

/** Of a transaction without blobs. */
export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

export interface Fees extends GasFees {
  /** Of transactions that carry blobs. */
  readonly maxFeePerBlobGas?: bigint;
}

/** Nodes take a replacement that pays at least a tenth more; a quarter is safely above. */
const RAISE_PERCENT = 125n;
/** With blobs every price must double: geth's blob pool keeps to that. */
const BLOB_RAISE_PERCENT = 200n;

/**
 * How far a tip may rise above the market's, and one endpoint's market above the other's. What
 * waits in spite of such an offer waits for something else.
 */
const MULTIPLE_MAX = 10n;
/** Wei per gas below which such a ratio means nothing. */
const TIP_UNIT = 10n ** 9n;

/** Whether two endpoints see the same market. */
export function areAlike(a: Fees, b: Fees): boolean {
  return (["maxFeePerGas", "maxPriorityFeePerGas"] as const).every((name) => {
    const [low, high] = a[name] < b[name] ? [a[name], b[name]] : [b[name], a[name]];
    return high <= MULTIPLE_MAX * low + TIP_UNIT;
  });
}

/** The lower of two offers: none of two endpoints can make anybody overpay. */
export function lowerOf(a: Fees, b: Fees): Fees {
  const lower = (name: "maxFeePerGas" | "maxPriorityFeePerGas"): bigint =>
    a[name] < b[name] ? a[name] : b[name];
  return {
    maxFeePerGas: lower("maxFeePerGas"),
    maxPriorityFeePerGas: lower("maxPriorityFeePerGas"),
  };
}

/** Whether the market wants more than the offer. */
export function isBelow(offer: Fees, market: Fees): boolean {
  const { maxFeePerGas, maxPriorityFeePerGas } = market;
  return offer.maxFeePerGas < maxFeePerGas || offer.maxPriorityFeePerGas < maxPriorityFeePerGas;
}

/** Whether the offer may go further above the market. */
export function mayRise(offer: Fees, market: Fees): boolean {
  return offer.maxPriorityFeePerGas < MULTIPLE_MAX * market.maxPriorityFeePerGas;
}

/** Today's fees, or as much more than the last ones as a replacement needs. */
export function raisedFees(current: Fees, last: Fees | undefined): Fees {
  const blob = last?.maxFeePerBlobGas;
  if (last === undefined || blob === undefined) return raisedGasFees(current, last);
  const fees = raisedGasFees(current, last, BLOB_RAISE_PERCENT);
  const now = current.maxFeePerBlobGas ?? 0n;
  return { ...fees, maxFeePerBlobGas: atLeast(now, blob, BLOB_RAISE_PERCENT) };
}

/** The same of a transaction without blobs. */
export function raisedGasFees(
  current: GasFees,
  last: GasFees | undefined,
  percent = RAISE_PERCENT,
): GasFees {
  const { maxFeePerGas, maxPriorityFeePerGas } = current;
  if (last === undefined) return current;
  return {
    maxFeePerGas: atLeast(maxFeePerGas, last.maxFeePerGas, percent),
    maxPriorityFeePerGas: atLeast(maxPriorityFeePerGas, last.maxPriorityFeePerGas, percent),
  };
}

function atLeast(now: bigint, before: bigint, percent: bigint): bigint {
  const least = (before * percent) / 100n + 1n;
  return now > least ? now : least;
}

/** The most that a transaction can cost. */
export function costMax(fees: Fees, gas: bigint, blobGas = 0n): bigint {
  return gas * fees.maxFeePerGas + blobGas * (fees.maxFeePerBlobGas ?? 0n);
}
