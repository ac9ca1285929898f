/** Accounts in liquidation as everyone sees them: what is offered, and what has happened. */

/**
 * What a backstop account may take over of one position (SPEC section 7, T1 to T4, T6): up to
 * `lotsMax` lots at the mark, for up to `amountPerLot * lots`, rounded down, from the locked
 * account. 0 lots: something else has to leave it first.
 */
export interface AuctionOffer {
  readonly slot: number;
  /** The locked account's position, signed lots. */
  readonly position: number;
  readonly mark: number;
  /** The scenario (0..16) that threatens the most, in which the account is below maintenance. */
  readonly scenario: number;
  /** What that scenario costs for each lot, in 1e-6 USDC. */
  readonly lossPerLot: number;
  readonly lotsMax: number;
  /** 1e-6 USDC now and at its highest; not integers. */
  readonly amountPerLot: number;
  readonly amountPerLotMax: number;
}

/** A locked account. Amounts in 1e-6 USDC; null while there is no snapshot. */
export interface LiquidationInfo {
  readonly account: number;
  /** Unix seconds. */
  readonly lockedSince: number;
  readonly cash: number;
  /** Signed lots by slot. */
  readonly positions: readonly number[];
  readonly equity: number | null;
  /** Equity less the worst scenario's loss: below 0, it may be liquidated. */
  readonly maintenance: number | null;
  /** Time (unix ms) and seconds since the lock that the offers are of. */
  readonly time: number;
  readonly lockedFor: number;
  readonly offers: readonly AuctionOffer[];
}

/**
 * Something happened to an account in liquidation. `locked`: its orders are void from here on.
 * `order`: a fill of the venue's order in a book. The takeovers: `lots` of `slot` left it.
 */
export interface LiquidationUpdate {
  readonly account: number;
  readonly action: "locked" | "order" | "backstop" | "insure" | "deleverage" | "absorb" | "release";
  /** Of `order` and of takeovers, else null. */
  readonly book: number | null;
  readonly slot: number | null;
  readonly isSell: boolean | null;
  readonly lots: number;
  /** The fill's price, or the mark of a takeover, in ticks; else null. */
  readonly price: number | null;
  /** What the account paid besides, in 1e-6 USDC; negative: received. An `order`'s is its fee. */
  readonly amount: number;
  /** The account on the other side, where there is one. */
  readonly counterparty: number | null;
  readonly time: number;
  readonly batchNumber: number;
}
