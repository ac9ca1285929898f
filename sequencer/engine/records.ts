/**
 * What the engine says about each step and operation: enough for receipts and public words, and,
 * with the state before the batch, for the circuits' witnesses.
 */
import type { PublicKey } from "../protocol/eddsa.ts";
import type { LedgerMessage, TradeMessage } from "../protocol/messages.ts";
import type { Outcome, Removal } from "../protocol/rejection.ts";
import type { BookFees, Carry } from "../protocol/state.ts";

/** Who signed a sequenced message: the key as it stood before the batch is in the state. */
export interface Author {
  readonly account: number;
  readonly keyIndex: number;
}

/** Circuit case of one order step (rows 1 to 8 of SPEC section 6). */
export type OrderCase =
  | "noCross"
  | "makerVoid"
  | "postOnly"
  | "selfTrade"
  | "nothingToReduce"
  | "makerMargin"
  | "takerMargin"
  | "fill";

export interface Fill {
  readonly taker: number;
  readonly maker: number;
  readonly book: number;
  readonly takerIsSell: boolean;
  readonly price: number;
  readonly lots: number;
  readonly makerSeq: number;
  /** 0 for a liquidation. */
  readonly takerSeq: number;
  /** What each side pays, in 1e-6 USDC; negative: a rebate. */
  readonly takerFee: number;
  readonly makerFee: number;
}

export interface RemovedOrder {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  readonly account: number;
  readonly lots: number;
  readonly reason: Removal;
}

/** What an order step found and did. */
export interface OrderStep {
  readonly orderCase: OrderCase;
  /** The order as it stood when the step began. */
  readonly before: Carry;
  /** The order that goes on, if any. */
  readonly after: Carry | undefined;
  /** Account of the best opposite entry, where there is one that crosses. */
  readonly maker: number | undefined;
  /** The quantity that was filled, or that the margin tests of rows 6 and 7 were made for. */
  readonly lots: number;
  /** First scenario (0..17) in which the maker's or taker's test failed, in rows 6 and 7. */
  readonly failedScenario: number | undefined;
  /** The FOK's state was restored in this step. */
  readonly aborted: boolean;
  readonly outcome: Outcome | undefined;
  readonly fill: Fill | undefined;
  readonly removed: readonly RemovedOrder[];
}

/**
 * The operator's order for an account below maintenance margin: `price` in ticks is the limit;
 * in `scenario` (0..17) the account is below it.
 */
export interface Liquidation {
  readonly account: number;
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
  /** It closes a position, and relieves the account; other orders must be admissible for it. */
  readonly reduceOnly: boolean;
  readonly scenario: number;
}

interface MessagePart {
  readonly author: Author;
  readonly message: TradeMessage;
  readonly word: bigint;
  readonly seq: number;
}

/** One step of the trade circuit. */
export type StepRecord =
  | ({ readonly kind: "place"; readonly order: OrderStep } & MessagePart)
  | { readonly kind: "proceed"; readonly order: OrderStep }
  | ({
      readonly kind: "cancel";
      readonly outcome: "cancelled" | "notFound" | "notOwner";
    } & MessagePart)
  | ({ readonly kind: "liquidate"; readonly order: OrderStep } & Liquidation)
  | ({ readonly kind: "cancelAll"; readonly outcome: "allCancelled" } & MessagePart)
  | {
      readonly kind: "purge";
      readonly book: number;
      readonly isSell: boolean;
      readonly price: number;
      readonly seq: number;
      readonly account: number;
    };

/**
 * `lots` of `slot` leave the locked account `from` at the mark; `amount` (1e-6 USDC) is paid by
 * `from`, or to it if `isSubsidy`. `scenario` (0..16) shows `from` below maintenance margin.
 */
export interface Takeover {
  readonly from: number;
  readonly slot: number;
  readonly lots: number;
  readonly amount: number;
  readonly isSubsidy: boolean;
  readonly scenario: number;
}

/** An instruction of the ledger circuit, as sequenced. */
export type LedgerOperation =
  | {
      readonly kind: "deposit";
      readonly account: number;
      readonly owner: bigint;
      readonly amount: number;
      readonly key: PublicKey;
      readonly keyIndex: number;
      readonly keyExpiry: number;
    }
  | {
      readonly kind: "registerKey";
      readonly account: number;
      readonly owner: bigint;
      readonly key: PublicKey;
      readonly keyIndex: number;
      readonly keyExpiry: number;
    }
  | {
      readonly kind: "forcedWithdraw";
      readonly account: number;
      readonly owner: bigint;
      readonly amount: number;
    }
  | {
      /** Voids every order of the account. */
      readonly kind: "forcedCancelAll";
      readonly account: number;
      readonly owner: bigint;
    }
  | {
      /**
       * Closes at most `lots` of the position at the mark, against the insurance fund; of an
       * expired series the whole position is paid out.
       */
      readonly kind: "forcedClose";
      readonly account: number;
      readonly owner: bigint;
      readonly slot: number;
      readonly lots: number;
    }
  | {
      readonly kind: "withdraw" | "transfer" | "backstop";
      readonly author: Author;
      readonly message: LedgerMessage;
      readonly word: bigint;
      /** Of a backstop, and only there: as in {@link Takeover}. */
      readonly scenario?: number;
    }
  | ({ readonly kind: "insure" } & Takeover)
  | ({ readonly kind: "deleverage"; readonly account: number } & Takeover)
  | {
      /** The insurance fund pays `amount` to an account whose equity is below 0. */
      readonly kind: "absorb";
      readonly from: number;
      readonly amount: number;
    }
  | {
      /** Counts the next holder of the slot for {@link Ranking}. */
      readonly kind: "rank";
      readonly account: number;
      readonly slot: number;
      readonly isLong: boolean;
    }
  | { readonly kind: "release"; readonly account: number }
  | { readonly kind: "collectFees" }
  | {
      readonly kind: "listSeries";
      readonly slot: number;
      readonly isCall: boolean;
      readonly strike: number;
      readonly expiry: number;
    }
  | {
      readonly kind: "openBook";
      readonly book: number;
      readonly weights: readonly number[];
      readonly fees: BookFees;
    }
  | { readonly kind: "settleSeries"; readonly slot: number }
  | { readonly kind: "settlePosition"; readonly account: number; readonly slot: number };

/** One operation of the ledger circuit with its outcome and its four public words. */
export interface OperationRecord {
  readonly operation: LedgerOperation;
  readonly outcome: "executed" | "refused";
  readonly publicWords: readonly bigint[];
}
