/**
 * Every width and bound of the protocol, declared once. `scripts/generate.ts` turns this file and
 * `layout.ts` into circom and Solidity; nothing repeats these numbers by hand.
 */

/** Order of the BN254 scalar field: every word that is hashed or proven lies below it. */
export const FIELD_MODULUS =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Bits of an account id: a quaternary tree of up to 10 levels. */
export const ACCOUNT_BITS = 20;
/** Bits of a book id. */
export const BOOK_BITS = 12;
/** Bits of a slot number in public words. */
export const SLOT_BITS = 8;
/** Trading keys of one account. */
export const KEYS_PER_ACCOUNT = 4;
/** Bits of a price as it stands in words: price in ticks + PRICE_OFFSET, from 1 to 2^24 - 2. */
export const PRICE_BITS = 24;
export const PRICE_OFFSET = 2 ** 23;
/** `asks` sort by the offset price, `bids` by PRICE_KEY_MAX minus it: smallest key first. */
export const PRICE_KEY_MAX = 2 ** PRICE_BITS - 1;
/** Bits of a quantity in lots. */
export const LOTS_BITS = 22;
/** Bits of the sequence number that dates orders and cancel-alls. */
export const SEQ_BITS = 40;
/** Bits of a time in unix milliseconds, and in seconds. */
export const TIME_BITS = 48;
export const SECONDS_BITS = 32;
/** A position lies strictly between -2^22 and 2^22 lots; encoded with offset 2^22 in 23 bits. */
export const POSITION_BITS = 23;
export const POSITION_OFFSET = 2 ** 22;
/**
 * Encoded positions in one field element: 7 lanes of 36 bits = 252, below the modulus. A lane is
 * wider than a position, so that words tell positions before a batch apart without a range of their
 * own (circuits/state/Account.circom, PositionsBought).
 */
export const POSITION_STRIDE_BITS = 36;
export const POSITIONS_PER_WORD = 7;
/** Cash in 1e-6 USDC lies strictly between -2^52 and 2^52; encoded with offset 2^52 in 53 bits. */
export const CASH_BITS = 53;
export const CASH_OFFSET = 2 ** 52;
/** Bits of an amount moved by a deposit, withdrawal or transfer (1e-6 USDC). */
export const AMOUNT_BITS = 50;
/** Bits of a mark price in ticks. */
export const MARK_BITS = 20;
/** A scenario change lies strictly between -2^20 and 2^20 ticks; offset 2^20, 21 bits. */
export const CHANGE_BITS = 21;
export const CHANGE_OFFSET = 2 ** 20;
/**
 * Changes of a slot stand 5 to a word, each in a lane of 50 bits: what all slots of an account add
 * up to is below 64 * 2^22 * 2^20 = 2^48 in size, so that words are summed whole, lane by lane.
 */
export const CHANGE_LANE_BITS = 50;
export const CHANGE_LANES_PER_WORD = 5;
/** Scenarios of the risk matrix: the 16 of the SPAN risk array, then the short-option minimum. */
export const SPAN_SCENARIOS = 16;
export const SCENARIOS = 17;
/** A book weight lies between -8 and 7; encoded with offset 8 in 4 bits, 32 to a word. */
export const WEIGHT_BITS = 4;
export const WEIGHT_OFFSET = 8;
export const WEIGHTS_PER_WORD = 32;
/** What ends a book's leaf after its sides: two words of weights, generation, rates. */
export const BOOK_OWN_WORDS = 4;
/** Two weight words bound the slots of a market. */
export const SLOTS_MAX = 64;
/** Bits of a slot's listing counter, of its holder count, of a strike in ticks. */
export const GENERATION_BITS = 20;
export const HOLDERS_BITS = 20;
export const STRIKE_BITS = 24;
/** Series in one element of the table: 2 x 119 = 238 bits. */
export const SERIES_PER_WORD = 2;
/** Bits of a trading key's version. */
export const KEY_VERSION_BITS = 20;
/** Marks in one public word: 12 x 20 = 240 bits. */
export const MARKS_PER_WORD = 12;
/**
 * Bits of the non-negative number that a passed health check exhibits. A headroom is
 * 4 cash + unit X with |4 cash| < 2^54, unit < 2^10 and |X| < 9 * 2^(22 + 20 + 6) < 2^51.2,
 * so |headroom| < 2^61.3: exact as unit quotients in a double (X < 2^53), and far from the modulus.
 * Maintenance exhibits 4 headroom_s + headroom_unchanged, below 2^63.7; relief the difference of
 * two of them.
 */
export const HEALTH_BITS = 65;
/**
 * The same in lot ticks of `unit`, rounded down, as steps of a trade batch have it: with
 * |4 cash / unit| < 2^48 headrooms are below 2^51.4, 20 times maintenance below 2^53.8, and the
 * difference of two of them below 2^54.8.
 */
export const HEALTH_LOT_TICKS_BITS = 55;
/** Initial margin = 5/4 of the worst scenario loss, maintenance margin = the loss itself. */
export const MARGIN_VALUE_FACTOR = 4;
export const MARGIN_INITIAL_FACTOR = 5;
/** Bits of a fee rate in ticks for each lot; a fee is at most 1/2^3 of the premium, rounded up. */
export const FEE_BITS = 16;
export const FEE_CAP_SHIFT = 3;
/** The accounts that layer one opens for the venue: fees, and the insurance fund. */
export const FEE_ACCOUNT = 1;
export const INSURANCE_ACCOUNT = 2;
/**
 * What a locked account pays for a takeover grows from 0 to this long after the lock (seconds), to
 * AUCTION_SECONDS / AUCTION_DIVISOR = half of the loss that the scenario threatens. From then on
 * the insurance fund may take over, and later accounts may be deleveraged.
 */
export const AUCTION_SECONDS = 256;
export const AUCTION_DIVISOR = 512;
export const DELEVERAGE_SECONDS = 512;
/** Oracle snapshots older than this at a batch's time are refused (ms, below 2^17). */
export const SNAPSHOT_AGE_MS_BITS = 17;
/** Public words of one ledger operation. */
export const LEDGER_OP_WORDS = 4;
/** Sum over the vault: deposits are refused above it, so that cash always fits (1e-6 USDC). */
export const VAULT_CAP = 2 ** 50;
/** Batches of one transaction of layer one. What they share is a small part of each by then. */
export const BATCHES_TOGETHER_MAX = 16;

/** Message kinds (low four bits of every signed word); `liquidate` words are never signed. */
export const MESSAGE_KINDS = {
  place: 1,
  cancel: 2,
  cancelAll: 3,
  liquidate: 4,
  withdraw: 8,
  transfer: 9,
  backstop: 10,
} as const;
export type MessageKind = keyof typeof MESSAGE_KINDS;

/** Time in force codes. */
export const TIME_IN_FORCE = { gtc: 0, ioc: 1, fok: 2 } as const;
export type TimeInForce = keyof typeof TIME_IN_FORCE;

/** Which circuit proves a batch (header word 0). */
export const BATCH_KINDS = { trade: 1, ledger: 2 } as const;
export type BatchKind = keyof typeof BATCH_KINDS;

/** Public step words of the trade circuit: 0 says nothing happened to the ledger. */
export const TRADE_WORD_KINDS = { none: 0, fill: 1 } as const;

/** Operations of the ledger circuit (low five bits of an operation's first word). */
export const LEDGER_KINDS = {
  idle: 0,
  deposit: 1,
  registerKey: 2,
  forcedWithdraw: 3,
  withdraw: 4,
  transfer: 5,
  listSeries: 6,
  openBook: 7,
  settleSeries: 8,
  settlePosition: 9,
  backstop: 10,
  insure: 11,
  deleverage: 12,
  rank: 13,
  release: 14,
  collectFees: 15,
  absorb: 16,
  forcedCancelAll: 17,
  forcedClose: 18,
} as const;
export type LedgerKind = keyof typeof LEDGER_KINDS;

/** Status of a slot in the series table. */
export const SERIES_STATUS = { empty: 0, listed: 1, settled: 2 } as const;
export type SeriesStatus = keyof typeof SERIES_STATUS;
