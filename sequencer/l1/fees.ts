/** What a transaction offers to pay, and what its replacement must offer. Wei per gas. */

export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Of transactions that carry blobs. */
  readonly maxFeePerBlobGas?: bigint;
}

/** Nodes take a replacement that pays at least a tenth more; a quarter is safely above. */
const RAISE_PERCENT = 125n;
/** With blobs every price must double: geth's blob pool keeps to that. */
const BLOB_RAISE_PERCENT = 200n;

/** Today's fees, or as much more than the last ones as a replacement needs. */
export function raisedFees(current: Fees, last: Fees | undefined): Fees {
  if (last === undefined) return current;
  const { maxFeePerBlobGas: blob } = last;
  const percent = blob === undefined ? RAISE_PERCENT : BLOB_RAISE_PERCENT;
  const fees = {
    maxFeePerGas: atLeast(current.maxFeePerGas, last.maxFeePerGas, percent),
    maxPriorityFeePerGas: atLeast(current.maxPriorityFeePerGas, last.maxPriorityFeePerGas, percent),
  };
  if (blob === undefined) return fees;
  return { ...fees, maxFeePerBlobGas: atLeast(current.maxFeePerBlobGas ?? 0n, blob, percent) };
}

function atLeast(now: bigint, before: bigint, percent: bigint): bigint {
  const least = (before * percent) / 100n + 1n;
  return now > least ? now : least;
}

/** The most that a transaction can cost. */
export function costMax(fees: Fees, gas: bigint, blobGas = 0n): bigint {
  return gas * fees.maxFeePerGas + blobGas * (fees.maxFeePerBlobGas ?? 0n);
}
