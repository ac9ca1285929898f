/** Sizes of the circuits' instances (circuits/instances.json). */

/** What both batch circuits share: the sizes of the state and of the oracle set. */
export interface CommonSizes {
  readonly accounts: number;
  readonly signers: number;
  readonly slots: number;
  readonly scenarios: number;
  readonly depth: number;
  readonly accountLevels: number;
  readonly bookLevels: number;
  readonly oracles: number;
  readonly quorum: number;
  readonly unit: number;
}

export interface TradeSizes extends CommonSizes {
  readonly steps: number;
  /** How many of the steps may fill, or need margin looked at: what the circuit has units for. */
  readonly fills: number;
  readonly books: number;
}

export interface LedgerSizes extends CommonSizes {
  /** Operations. */
  readonly steps: number;
}

export interface BatchSizes {
  readonly trade: TradeSizes;
  readonly ledger: LedgerSizes;
}

/** `F` of SPEC section 6: the most steps of a fill-or-kill order; an empty batch holds them. */
export function fokSteps(sizes: TradeSizes): number {
  return Math.min(sizes.steps, sizes.fills, sizes.accounts - 1);
}
