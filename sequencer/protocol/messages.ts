/** Signed messages, their words, and the chain that a trading key's messages form. */

import { pack, unpack } from "./codec.ts";
import {
  MESSAGE_KINDS,
  PRICE_KEY_MAX,
  PRICE_OFFSET,
  TIME_IN_FORCE,
  type TimeInForce,
} from "./constants.ts";
import { poseidon } from "./hash.ts";
import { LEDGER_MESSAGE, TRADE_MESSAGE } from "./layout.ts";

/** `price` in ticks (signed), `lots` above 0, `deadline` in unix ms. */
export interface PlaceMessage {
  readonly kind: "place";
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly deadline: number;
}

/** Names the order by side, price and seq: its place in the side's order. */
export interface CancelMessage {
  readonly kind: "cancel";
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  readonly deadline: number;
}

/** Voids every order of the account that was placed before. */
export interface CancelAllMessage {
  readonly kind: "cancelAll";
  readonly deadline: number;
}

/** `amount` in 1e-6 USDC. */
export interface WithdrawMessage {
  readonly kind: "withdraw";
  readonly amount: number;
  readonly deadline: number;
}

export interface TransferMessage {
  readonly kind: "transfer";
  readonly amount: number;
  readonly to: number;
  readonly deadline: number;
}

/**
 * Takes `lots` of `slot` over from the locked account `from`, at the mark and for `amount`
 * (1e-6 USDC) that it pays.
 */
export interface BackstopMessage {
  readonly kind: "backstop";
  readonly from: number;
  readonly slot: number;
  readonly lots: number;
  readonly amount: number;
  readonly deadline: number;
}

export type TradeMessage = PlaceMessage | CancelMessage | CancelAllMessage;
export type LedgerMessage = WithdrawMessage | TransferMessage | BackstopMessage;
export type Message = TradeMessage | LedgerMessage;

export function isTradeMessage(message: Message): message is TradeMessage {
  return message.kind === "place" || message.kind === "cancel" || message.kind === "cancelAll";
}

const NO_TAKEOVER = { slot: 0, lots: 0 };
const NO_ORDER = {
  book: 0,
  isSell: 0,
  price: 0,
  lots: 0,
  timeInForce: 0,
  postOnly: 0,
  reduceOnly: 0,
  seq: 0,
};

/** The field element that a key's chain absorbs. Throws CodecRangeError on values out of range. */
export function messageWord(message: Message): bigint {
  const kind = MESSAGE_KINDS[message.kind];
  const { deadline } = message;
  switch (message.kind) {
    case "place":
      return pack(TRADE_MESSAGE, {
        kind,
        book: message.book,
        isSell: message.isSell ? 1 : 0,
        price: message.price + PRICE_OFFSET,
        lots: message.lots,
        timeInForce: TIME_IN_FORCE[message.timeInForce],
        postOnly: message.postOnly ? 1 : 0,
        reduceOnly: message.reduceOnly ? 1 : 0,
        deadline,
        seq: 0,
      });
    case "cancel": {
      const { book, seq } = message;
      const isSell = message.isSell ? 1 : 0;
      const price = message.price + PRICE_OFFSET;
      return pack(TRADE_MESSAGE, { ...NO_ORDER, kind, book, isSell, price, seq, deadline });
    }
    case "cancelAll":
      return pack(TRADE_MESSAGE, { ...NO_ORDER, kind, deadline });
    case "withdraw":
      return pack(LEDGER_MESSAGE, {
        ...NO_TAKEOVER,
        kind,
        amount: message.amount,
        to: 0,
        deadline,
      });
    case "transfer": {
      const { amount, to } = message;
      return pack(LEDGER_MESSAGE, { ...NO_TAKEOVER, kind, amount, to, deadline });
    }
    case "backstop": {
      const { amount, from, slot, lots } = message;
      return pack(LEDGER_MESSAGE, { kind, amount, to: from, deadline, slot, lots });
    }
  }
}

/**
 * The message in a word, or undefined where the word is not the word of a well-formed message
 * (the rules of {@link isWellFormed} included), so that word and message determine each other.
 */
export function messageFromWord(word: bigint): Message | undefined {
  const message = decode(word);
  if (message === undefined || !isWellFormed(message)) return undefined;
  return messageWord(message) === word ? message : undefined;
}

function decode(word: bigint): Message | undefined {
  const kind = Number(word & 15n);
  try {
    if (kind >= MESSAGE_KINDS.withdraw) return decodeLedgerMessage(kind, word);
    const fields = unpack(TRADE_MESSAGE, word);
    const { book, lots, deadline, seq } = fields;
    const isSell = fields.isSell === 1;
    const price = fields.price - PRICE_OFFSET;
    if (kind === MESSAGE_KINDS.cancelAll) return { kind: "cancelAll", deadline };
    if (kind === MESSAGE_KINDS.cancel)
      return { kind: "cancel", book, isSell, price, seq, deadline };
    if (kind !== MESSAGE_KINDS.place) return undefined;
    const codes = Object.entries(TIME_IN_FORCE) as [TimeInForce, number][];
    const timeInForce = codes.find(([, code]) => code === fields.timeInForce)?.[0];
    if (timeInForce === undefined) return undefined;
    const postOnly = fields.postOnly === 1;
    const reduceOnly = fields.reduceOnly === 1;
    const order = { book, isSell, price, lots, timeInForce, postOnly, reduceOnly, deadline };
    return { kind: "place", ...order };
  } catch {
    return undefined;
  }
}

/** Throws CodecRangeError where bits stand above the layout. */
function decodeLedgerMessage(kind: number, word: bigint): LedgerMessage | undefined {
  const { amount, to, deadline, slot, lots } = unpack(LEDGER_MESSAGE, word);
  if (kind === MESSAGE_KINDS.withdraw) return { kind: "withdraw", amount, deadline };
  if (kind === MESSAGE_KINDS.transfer) return { kind: "transfer", amount, to, deadline };
  if (kind !== MESSAGE_KINDS.backstop) return undefined;
  return { kind: "backstop", from: to, slot, lots, amount, deadline };
}

/**
 * Rules that need no state: positive lots and amounts, a price that leaves both sentinels free,
 * post-only only on resting orders, and reduce-only only on immediate ones (it never rests).
 */
export function isWellFormed(message: Message): boolean {
  switch (message.kind) {
    case "place": {
      if (message.lots < 1 || !isPriceInRange(message.price)) return false;
      if (message.postOnly && (message.timeInForce !== "gtc" || message.reduceOnly)) return false;
      return !(message.reduceOnly && message.timeInForce === "gtc");
    }
    case "cancel":
      return isPriceInRange(message.price);
    case "cancelAll":
      return true;
    case "withdraw":
    case "transfer":
      return message.amount > 0;
    case "backstop":
      return message.lots > 0;
  }
}

function isPriceInRange(price: number): boolean {
  const offset = price + PRICE_OFFSET;
  return Number.isSafeInteger(offset) && offset >= 1 && offset <= PRICE_KEY_MAX - 1;
}

/** What a key's chain starts from: `domain` binds chain id and contract. */
export function firstHead(options: {
  domain: bigint;
  account: number;
  keyIndex: number;
  version: number;
}): bigint {
  const { domain, account, keyIndex, version } = options;
  return poseidon([domain, BigInt(account), BigInt(keyIndex), BigInt(version)]);
}

export function nextHead(head: bigint, word: bigint): bigint {
  return poseidon([head, word]);
}
