/** What the sequencer does for packages of legs: books on demand, requests for quotes, blocks. */
import type { BookLegs } from "./market/package.ts";
import type { QuoteInfo, RfqInfo, RfqTrade } from "./protocol/blockRfq.ts";
import type { Signature } from "./protocol/eddsa.ts";

/** A signed word as it is submitted. */
export interface PackageWord {
  readonly account: number;
  readonly keyIndex: number;
  readonly word: bigint;
  readonly signature: Signature;
}

/** `isOpen` false: it waits for the next listing, or there was no time to wait for it longer. */
export interface ComboBook {
  readonly accepted: true;
  readonly book: number | null;
  readonly isOpen: boolean;
}

export interface RfqRequest extends Pick<RfqInfo, "account" | "book" | "isReversed" | "lots"> {
  readonly legs: RfqInfo["legs"];
  readonly label: string;
  readonly makers: readonly number[] | null;
  readonly isDisclosed: boolean;
}

export interface QuoteRequest {
  readonly rfq: number;
  readonly signed: PackageWord;
  readonly isWhole: boolean;
  readonly label: string;
  /** A cancel-all of another key, to go out if a part of the quote is left resting. */
  readonly cancel: PackageWord | null;
}

export type Made<K extends string, T> = { readonly accepted: true } & Readonly<Record<K, T>>;

/** `receipt`: of the taker's message. */
export interface Executed<Receipt> {
  readonly accepted: true;
  readonly trade: RfqTrade;
  readonly receipt: Receipt;
}

/** `Refused` and `Receipt` are those of the exchange's service. */
export interface PackageTrading<Refused, Receipt> {
  /** The open book of these legs; opens one where there is none. */
  openCombo(account: number, legs: BookLegs): Promise<ComboBook | Refused>;
  request(request: RfqRequest): Promise<Made<"rfq", RfqInfo> | Refused>;
  cancelRequest(account: number, rfq: number): Promise<Made<"rfq", RfqInfo> | Refused>;
  quote(request: QuoteRequest): Promise<Made<"quote", QuoteInfo> | Refused>;
  /** The new word takes the place of the one before. */
  editQuote(
    quote: number,
    request: Omit<QuoteRequest, "rfq">,
  ): Promise<Made<"quote", QuoteInfo> | Refused>;
  /** Those that will not act any more. */
  cancelQuotes(
    account: number,
    wanted: (quote: QuoteInfo) => boolean,
  ): Promise<readonly QuoteInfo[]>;
  /** The taker's word: executed with the quotes that fill it, or not at all. */
  accept(rfq: number, taker: PackageWord): Promise<Executed<Receipt> | Refused>;
  /** Whether one side's word could be part of a block now; null: it could. */
  checkBlock(word: PackageWord): Promise<Refused | null>;
  block(maker: PackageWord, taker: PackageWord): Promise<Executed<Receipt> | Refused>;
  /** Open ones and the newest that have ended, newest first. */
  requests(): Promise<readonly RfqInfo[]>;
  /** Of an account's own quotes also those that have ended. */
  quotes(): Promise<readonly QuoteInfo[]>;
  /** Newest first. */
  rfqTrades(): Promise<readonly RfqTrade[]>;
}

/**
 * Something happened to a request, or to quotes of it. `quotes`: all that are open; `changed`:
 * those that have come, changed or ended just now.
 */
export interface RfqNews {
  readonly rfq: RfqInfo;
  readonly quotes: readonly QuoteInfo[];
  readonly changed: readonly QuoteInfo[];
  /** Whether its taker may see them: the grace period is over. */
  readonly areQuotesSeen: boolean;
}
