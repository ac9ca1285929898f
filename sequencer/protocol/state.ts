/**
 * What the state consists of and how each leaf hashes. Integers only: lots, ticks, 1e-6 USDC.
 * Twins: circuits/state/*.circom.
 */

import { CodecRangeError, pack, packMany, unpack } from "./codec.ts";
import {
  CASH_BITS,
  CASH_OFFSET,
  KEYS_PER_ACCOUNT,
  POSITION_BITS,
  POSITION_OFFSET,
  POSITION_STRIDE_BITS,
  POSITIONS_PER_WORD,
  PRICE_KEY_MAX,
  PRICE_OFFSET,
  SERIES_PER_WORD,
  SERIES_STATUS,
  type SeriesStatus,
  TIME_IN_FORCE,
  type TimeInForce,
  WEIGHT_BITS,
  WEIGHT_OFFSET,
  WEIGHTS_PER_WORD,
} from "./constants.ts";
import { beforeLastBlock, hashVector, poseidon } from "./hash.ts";
import {
  BOOK_FEES,
  CARRY,
  ENTRY,
  KEY_META,
  layoutBits,
  RANKING,
  SERIES,
  SESSION_META,
} from "./layout.ts";

/** The sizes of one deployment's state; every circuit of the deployment shares them. */
export interface Shape {
  readonly slots: number;
  readonly depth: number;
  readonly accountLevels: number;
  readonly bookLevels: number;
  /** 1e-6 USDC of one tick times one lot. */
  readonly unit: number;
}

/** `owner` is a layer-one address (0: the account is unused), `cash` in 1e-6 USDC. */
export interface Account {
  owner: bigint;
  cash: number;
  /** Signed lots, one for each slot of the market. */
  positions: number[];
}

/** `x = 0, y = 0`: no key. `expiry` in unix seconds. */
export interface TradingKey {
  x: bigint;
  y: bigint;
  head: bigint;
  expiry: number;
  version: number;
}

/**
 * `watermark`: resting orders with a smaller seq are void. `lockedSince`: when the account was
 * locked for liquidation (unix seconds), 0 where it is not.
 */
export interface Session {
  keys: TradingKey[];
  watermark: number;
  lockedSince: number;
}

/** `price` in ticks, signed. */
export interface Entry {
  readonly account: number;
  readonly seq: number;
  readonly price: number;
  readonly lots: number;
}

/**
 * Ticks for each lot, before the cap by premium. A negative `maker` is a rebate and at most `taker`
 * in size.
 */
export interface BookFees {
  readonly taker: number;
  readonly maker: number;
}

/** Best order first on both sides, at most `depth` each. */
export interface Book {
  /** Never changed: another market of the same id is another array. */
  readonly weights: readonly number[];
  /** Sum of weight^2 times listing generation: differs as soon as a leg was listed anew. */
  generation: number;
  fees: BookFees;
  bids: Entry[];
  asks: Entry[];
}

/**
 * The ranking of those who hold `slot` long or short, on its way to the largest: layout `ranking`.
 */
export interface Ranking {
  readonly slot: number;
  readonly isLong: boolean;
  readonly next: number;
  readonly seen: number;
  readonly best: number;
  readonly bestLots: number;
}

/** `strike` and `mark` in ticks, `expiry` in unix seconds. A call with strike 0 is a forward. */
export interface Series {
  status: SeriesStatus;
  isCall: boolean;
  strike: number;
  expiry: number;
  generation: number;
  holders: number;
  mark: number;
}

/** An order that a batch's end interrupted. */
export interface Carry {
  account: number;
  book: number;
  isSell: boolean;
  price: number;
  lots: number;
  timeInForce: TimeInForce;
  postOnly: boolean;
  reduceOnly: boolean;
  seq: number;
}

export function emptyAccount(slots: number): Account {
  return { owner: 0n, cash: 0, positions: new Array<number>(slots).fill(0) };
}

export function emptyKey(): TradingKey {
  return { x: 0n, y: 0n, head: 0n, expiry: 0, version: 0 };
}

export function emptySession(): Session {
  const keys = Array.from({ length: KEYS_PER_ACCOUNT }, emptyKey);
  return { keys, watermark: 0, lockedSince: 0 };
}

export function emptySeries(): Series {
  const zero = { strike: 0, expiry: 0, generation: 0, holders: 0, mark: 0 };
  return { status: "empty", isCall: false, ...zero };
}

/** Vector `[owner, cash + 2^52, packed positions...]`. */
export function accountWords(account: Account): bigint[] {
  const encoded = account.positions.map((lots) => lots + POSITION_OFFSET);
  const cash = account.cash + CASH_OFFSET;
  if (!Number.isSafeInteger(cash) || cash <= 0 || cash >= 2 ** CASH_BITS) {
    throw new CodecRangeError("cash", account.cash, CASH_BITS);
  }
  const stride = POSITION_STRIDE_BITS;
  const positions = packMany(encoded, POSITION_BITS, POSITIONS_PER_WORD, stride);
  return [account.owner, BigInt(cash), ...positions];
}

export function accountLeaf(account: Account): bigint {
  return hashVector(accountWords(account));
}

/** Most places for keys have none: the hash of no key, once it was asked for. */
let noKeyHash: bigint | undefined;

/** Whether a place for a key has none: all its words are 0. */
export function hasNoKey({ x, y, head, expiry, version }: TradingKey): boolean {
  return x === 0n && y === 0n && head === 0n && expiry === 0 && version === 0;
}

/** Vector `[x, y, head, key-meta]`. */
export function keyWords({ x, y, head, expiry, version }: TradingKey): bigint[] {
  return [x, y, head, pack(KEY_META, { expiry, version })];
}

export function keyHash(key: TradingKey): bigint {
  if (!hasNoKey(key)) return poseidon(keyWords(key));
  noKeyHash ??= poseidon([0n, 0n, 0n, 0n]);
  return noKeyHash;
}

/** Vector `[hash of each key..., session-meta]`. */
export function sessionWords(session: Session, keyHashes: readonly bigint[]): bigint[] {
  const { watermark, lockedSince } = session;
  return [...keyHashes, pack(SESSION_META, { watermark, lockedSince })];
}

export function sessionLeaf(session: Session): bigint {
  return poseidon(sessionWords(session, session.keys.map(keyHash)));
}

/** Two words of weights, 32 to a word; slots that do not exist are 0 bits. */
export function weightWords(weights: readonly number[]): [bigint, bigint] {
  const encoded = weights.map((weight) => weight + WEIGHT_OFFSET);
  const words = packMany(encoded, WEIGHT_BITS, WEIGHTS_PER_WORD);
  return [words[0] ?? 0n, words[1] ?? 0n];
}

/** Throws CodecRangeError for rates out of range. */
export function feesWord({ taker, maker }: BookFees): bigint {
  const isRebate = maker < 0 ? 1 : 0;
  return pack(BOOK_FEES, { taker, maker: Math.abs(maker), isRebate });
}

/** Inverse of {@link feesWord}. */
export function feesFromWord(word: bigint): BookFees {
  const { taker, maker, isRebate } = unpack(BOOK_FEES, word);
  return { taker, maker: isRebate === 1 ? -maker : maker };
}

export function rankingWord(ranking: Ranking | undefined): bigint {
  if (ranking === undefined) return 0n;
  return pack(RANKING, { ...ranking, isLong: ranking.isLong ? 1 : 0 });
}

/** All ones: sorts after every order. */
export const ENTRY_SENTINEL = (1n << BigInt(layoutBits(ENTRY))) - 1n;

/** The key by which a price sorts on its side, best first. */
export function priceKey(isSell: boolean, price: number): number {
  const offset = price + PRICE_OFFSET;
  return isSell ? offset : PRICE_KEY_MAX - offset;
}

export function entryWord(isSell: boolean, entry: Entry): bigint {
  const { lots, account, seq } = entry;
  return pack(ENTRY, { lots, account, seq, priceKey: priceKey(isSell, entry.price) });
}

/** A side as the circuit holds it: `depth` words, sentinels at the end. */
export function sideWords(isSell: boolean, entries: readonly Entry[], depth: number): bigint[] {
  if (entries.length > depth) throw new CodecRangeError("entries", entries.length, depth);
  const words = entries.map((entry) => entryWord(isSell, entry));
  return [...words, ...new Array<bigint>(depth - entries.length).fill(ENTRY_SENTINEL)];
}

/** Vector of bids, then asks, weights, generation and rates ({@link BOOK_OWN_WORDS}). */
export function bookWords(book: Book, depth: number): bigint[] {
  const bids = sideWords(false, book.bids, depth);
  const asks = sideWords(true, book.asks, depth);
  const own = [...weightWords(book.weights), BigInt(book.generation), feesWord(book.fees)];
  return [...bids, ...asks, ...own];
}

export function bookLeaf(book: Book, depth: number): bigint {
  return hashVector(bookWords(book, depth));
}

/** What the last Poseidon of a book's leaf takes: the hash of what stands before, and the rest. */
export function lastBookWords(book: Book, depth: number): bigint[] {
  const words = bookWords(book, depth);
  const before = beforeLastBlock(words.length);
  return before === 0 ? words : [hashVector(words.slice(0, before)), ...words.slice(before)];
}

const SERIES_BITS = BigInt(layoutBits(SERIES));

export function seriesWord(series: Series): bigint {
  const { mark, holders, generation, strike, expiry } = series;
  const status = SERIES_STATUS[series.status];
  const isCall = series.isCall ? 1 : 0;
  return pack(SERIES, { mark, holders, generation, status, isCall, strike, expiry });
}

/** The table as it is hashed: slots two to a word, the lower one in the lower bits. */
export function seriesWords(table: readonly Series[]): bigint[] {
  const words: bigint[] = [];
  for (let slot = 0; slot < table.length; slot += SERIES_PER_WORD) {
    const some = table.slice(slot, slot + SERIES_PER_WORD);
    words.push(some.reduceRight((word, series) => (word << SERIES_BITS) + seriesWord(series), 0n));
  }
  return words;
}

export function seriesRoot(table: readonly Series[]): bigint {
  return hashVector(seriesWords(table));
}

export function carryWord(carry: Carry | undefined): bigint {
  if (carry === undefined) return 0n;
  return pack(CARRY, {
    account: carry.account,
    book: carry.book,
    isSell: carry.isSell ? 1 : 0,
    price: carry.price + PRICE_OFFSET,
    lots: carry.lots,
    timeInForce: TIME_IN_FORCE[carry.timeInForce],
    postOnly: carry.postOnly ? 1 : 0,
    reduceOnly: carry.reduceOnly ? 1 : 0,
    seq: carry.seq,
  });
}

/** Inverse of {@link carryWord}. */
export function carryFromWord(word: bigint): Carry | undefined {
  if (word === 0n) return undefined;
  const fields = unpack(CARRY, word);
  const codes = Object.entries(TIME_IN_FORCE) as [TimeInForce, number][];
  const timeInForce = codes.find(([, code]) => code === fields.timeInForce)?.[0];
  if (timeInForce === undefined) throw new CodecRangeError("timeInForce", fields.timeInForce, 2);
  return {
    account: fields.account,
    book: fields.book,
    isSell: fields.isSell === 1,
    price: fields.price - PRICE_OFFSET,
    lots: fields.lots,
    timeInForce,
    postOnly: fields.postOnly === 1,
    reduceOnly: fields.reduceOnly === 1,
    seq: fields.seq,
  };
}

/**
 * The roots that make up the state root. `fees`: what fills have paid and no operation has yet
 * moved to the fee account (1e-6 USDC).
 */
export interface Roots {
  readonly accounts: bigint;
  readonly series: bigint;
  readonly fees: number;
  readonly sessions: bigint;
  readonly books: bigint;
  readonly nextSeq: number;
  readonly carry: bigint;
  readonly ranking: bigint;
}

type LedgerPart = "accounts" | "series" | "fees";

export function ledgerRoot({ accounts, series, fees }: Pick<Roots, LedgerPart>): bigint {
  return poseidon([accounts, series, BigInt(fees)]);
}

export function privateRoot(roots: Omit<Roots, LedgerPart>): bigint {
  const { sessions, books, nextSeq, carry, ranking } = roots;
  return poseidon([sessions, books, BigInt(nextSeq), carry, ranking]);
}

export function stateRoot(roots: Roots): bigint {
  return poseidon([ledgerRoot(roots), privateRoot(roots)]);
}
