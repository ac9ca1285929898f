/**
 * Word layouts as data: each word is a list of fields from the lowest bit upwards.
 * Read at run time by `codec.ts`, turned into circom and Solidity by `scripts/generate.ts`.
 */
import {
  ACCOUNT_BITS,
  AMOUNT_BITS,
  BOOK_BITS,
  FEE_BITS,
  GENERATION_BITS,
  HOLDERS_BITS,
  KEY_VERSION_BITS,
  LOTS_BITS,
  MARK_BITS,
  PRICE_BITS,
  SECONDS_BITS,
  SEQ_BITS,
  SLOT_BITS,
  STRIKE_BITS,
  TIME_BITS,
} from "./constants.ts";

export type Layout = readonly (readonly [name: string, bits: number])[];

/**
 * A signed word of the trade circuit: place, cancel (names its order by side, price and seq) and
 * cancel-all. `deadline` is the latest batch time (unix ms) at which it may be sequenced. The word
 * of a liquidation has the same layout, with the account in `seq`, and nobody signs it.
 */
export const TRADE_MESSAGE = [
  ["kind", 4],
  ["book", BOOK_BITS],
  ["isSell", 1],
  ["price", PRICE_BITS],
  ["lots", LOTS_BITS],
  ["timeInForce", 2],
  ["postOnly", 1],
  ["reduceOnly", 1],
  ["deadline", TIME_BITS],
  ["seq", SEQ_BITS],
] as const satisfies Layout;

/**
 * A signed word of the ledger circuit: withdraw, transfer, and backstop (takes `lots` of `slot`
 * over from the locked account `to` for `amount`). Amounts in 1e-6 USDC.
 */
export const LEDGER_MESSAGE = [
  ["kind", 4],
  ["amount", AMOUNT_BITS],
  ["to", ACCOUNT_BITS],
  ["deadline", TIME_BITS],
  ["slot", SLOT_BITS],
  ["lots", LOTS_BITS],
] as const satisfies Layout;

/** A resting order. As an integer it sorts by price-time priority, best first, on both sides. */
export const ENTRY = [
  ["lots", LOTS_BITS],
  ["account", ACCOUNT_BITS],
  ["seq", SEQ_BITS],
  ["priceKey", PRICE_BITS],
] as const satisfies Layout;

/** An order that a batch's end interrupted; 0 when there is none. */
export const CARRY = [
  ["account", ACCOUNT_BITS],
  ["book", BOOK_BITS],
  ["isSell", 1],
  ["price", PRICE_BITS],
  ["lots", LOTS_BITS],
  ["timeInForce", 2],
  ["postOnly", 1],
  ["reduceOnly", 1],
  ["seq", SEQ_BITS],
] as const satisfies Layout;

/** What an account's session leaf holds besides its keys; `lockedSince` unix seconds, 0: not. */
export const SESSION_META = [
  ["watermark", SEQ_BITS],
  ["lockedSince", SECONDS_BITS],
] as const satisfies Layout;

/** Fee rates of a book in ticks for each lot; a maker's may be a rebate up to the taker's. */
export const BOOK_FEES = [
  ["taker", FEE_BITS],
  ["maker", FEE_BITS],
  ["isRebate", 1],
] as const satisfies Layout;

/**
 * How far the ranking of a slot's long or short holders has come: `seen` of them, every one below
 * account `next`, the largest being `best` with `bestLots`. 0 where no ranking is under way.
 */
export const RANKING = [
  ["slot", SLOT_BITS],
  ["isLong", 1],
  ["next", ACCOUNT_BITS + 1],
  ["seen", HOLDERS_BITS],
  ["best", ACCOUNT_BITS],
  ["bestLots", LOTS_BITS],
] as const satisfies Layout;

/** One slot of the series table. `expiry` in unix seconds, `strike` and `mark` in ticks. */
export const SERIES = [
  ["mark", MARK_BITS],
  ["holders", HOLDERS_BITS],
  ["generation", GENERATION_BITS],
  ["status", 2],
  ["isCall", 1],
  ["strike", STRIKE_BITS],
  ["expiry", SECONDS_BITS],
] as const satisfies Layout;

/** The terms of a series as `listSeries` publishes them. */
export const SERIES_TERMS = [
  ["isCall", 1],
  ["strike", STRIKE_BITS],
  ["expiry", SECONDS_BITS],
] as const satisfies Layout;

/** The first word of a slot in a snapshot: what it prices, at what mark (ticks), if for good. */
export const SLOT_HEAD = [
  ["mark", MARK_BITS],
  ["isFinal", 1],
  ...SERIES_TERMS,
] as const satisfies Layout;

/** Expiry (unix seconds) and version of a trading key. */
export const KEY_META = [
  ["expiry", SECONDS_BITS],
  ["version", KEY_VERSION_BITS],
] as const satisfies Layout;

/** Public word of a fill unit: a fill (kind 1), or 0. `price` is offset as in messages. */
export const FILL = [
  ["kind", 4],
  ["taker", ACCOUNT_BITS],
  ["maker", ACCOUNT_BITS],
  ["book", BOOK_BITS],
  ["takerIsSell", 1],
  ["price", PRICE_BITS],
  ["lots", LOTS_BITS],
] as const satisfies Layout;

/**
 * First public word of a ledger operation; unused fields are 0. In a takeover `account` takes over
 * from `to`, and pays it `amount` if `isSubsidy`, else is paid by it. In a forced close `lots` is
 * what layer one asked for, and `amount` what the closer pays the fund for each lot it takes.
 */
export const LEDGER_OP = [
  ["kind", 5],
  ["executed", 1],
  ["account", ACCOUNT_BITS],
  ["to", ACCOUNT_BITS],
  ["slot", SLOT_BITS],
  ["book", BOOK_BITS],
  ["keyIndex", 2],
  ["amount", AMOUNT_BITS],
  ["keyExpiry", SECONDS_BITS],
  ["lots", LOTS_BITS],
  ["isSubsidy", 1],
  ["isLong", 1],
] as const satisfies Layout;

/** Header of a batch's public data: one field element each, before the marks and the step words. */
export const HEADER = [
  "kind",
  "number",
  "time",
  "rootBefore",
  "rootAfter",
  "oracleSet",
  "domain",
  "snapshotTime",
  "privateRoot",
] as const;
export type HeaderField = (typeof HEADER)[number];

/** Every layout by name, for the generator and for exhaustive tests. */
export const LAYOUTS = {
  tradeMessage: TRADE_MESSAGE,
  ledgerMessage: LEDGER_MESSAGE,
  entry: ENTRY,
  carry: CARRY,
  sessionMeta: SESSION_META,
  bookFees: BOOK_FEES,
  ranking: RANKING,
  series: SERIES,
  seriesTerms: SERIES_TERMS,
  slotHead: SLOT_HEAD,
  keyMeta: KEY_META,
  fill: FILL,
  ledgerOp: LEDGER_OP,
} as const satisfies Record<string, Layout>;

/** Total bits of a layout. */
export function layoutBits(layout: Layout): number {
  return layout.reduce((sum, [, bits]) => sum + bits, 0);
}
