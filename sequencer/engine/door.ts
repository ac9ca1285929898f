/**
 * What is checked before a message is sequenced (SPEC section 5). {@link checkSequenced} is what
 * the proofs demand, so a batch that breaks it has none; {@link checkMessage} adds the policy that
 * keeps numbers in range and traders from wasting the venue's steps.
 */
import { KEYS_PER_ACCOUNT, LOTS_BITS, PRICE_KEY_MAX, PRICE_OFFSET } from "../protocol/constants.ts";
import {
  isTradeMessage,
  isWellFormed,
  type LedgerMessage,
  type Message,
  messageWord,
  type PlaceMessage,
} from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { Entry } from "../protocol/state.ts";
import { canPay } from "./balance.ts";
import { isBookOpen, isPlain, secondsOf } from "./bookState.ts";
import { worstFee } from "./fees.ts";
import type { Author } from "./records.ts";
import { admissibility, bookRisk, type Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/** Positions that an account's orders could reach stay below this (lots). */
export const POSITION_LIMIT = 2 ** 21;
/** `|price| * lots * unit` of one order stays below this (1e-6 USDC). */
export const ORDER_NOTIONAL_LIMIT = 2 ** 45;
/** Cash and the notional of all orders of an account stay below this (1e-6 USDC). */
export const CASH_LIMIT = 2 ** 51;

/** A message on its way in; `signatureHead` is checked by the caller, together with its key. */
export interface IncomingMessage {
  readonly author: Author;
  readonly message: Message;
  readonly word: bigint;
  readonly signatureHead?: bigint;
}

/** A resting order with its place. */
export interface OpenOrder extends Readonly<Entry> {
  readonly book: number;
  readonly isSell: boolean;
}

/** `time` now (unix ms); `openOrders` the live orders of the author's account; no risk: no feed. */
export interface DoorContext {
  readonly risk: Risk | undefined;
  readonly time: number;
  readonly openOrders: readonly OpenOrder[];
}

/** Why no proof could sequence the message at `time` (unix ms), signature and chain aside. */
export function checkSequenced(
  view: StateView,
  { author, message, word }: IncomingMessage,
  time: number,
): DoorReject | undefined {
  const malformed = checkForm(message, word);
  if (malformed !== undefined) return malformed;
  const keyReject = checkKey(view, author, time);
  if (keyReject !== undefined) return keyReject;
  if (message.deadline < time) return "deadlinePassed";
  const isLocked = view.session(author.account).lockedSince !== 0;
  if (message.kind === "place" && isLocked) return "accountLocked";
  if (message.kind !== "place" && message.kind !== "cancel") return undefined;
  const book = view.book(message.book);
  if (book === undefined) return "unknownBook";
  if (!isBookOpen(view, book, time)) return "bookClosed";
  const isReduceOnly = message.kind === "place" && message.reduceOnly;
  return isReduceOnly && !isPlain(book.weights) ? "badFlags" : undefined;
}

function checkForm(message: Message, word: bigint): DoorReject | undefined {
  if (message.kind === "place" || message.kind === "cancel") {
    const offsetPrice = message.price + PRICE_OFFSET;
    if (!isIntegerIn(offsetPrice, 1, PRICE_KEY_MAX - 1)) return "badPrice";
  }
  if (message.kind === "place" && !isIntegerIn(message.lots, 1, 2 ** LOTS_BITS - 1)) {
    return "badLots";
  }
  if (!isWellFormed(message)) return message.kind === "place" ? "badFlags" : "malformed";
  try {
    return messageWord(message) === word ? undefined : "malformed";
  } catch {
    // A field out of its range has no word.
    return "malformed";
  }
}

function isIntegerIn(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function checkKey(
  view: StateView,
  { account, keyIndex }: Author,
  time: number,
): DoorReject | undefined {
  if (view.account(account).owner === 0n) return "unknownAccount";
  if (!(keyIndex >= 0 && keyIndex < KEYS_PER_ACCOUNT)) return "unknownKey";
  const key = view.session(account).keys[keyIndex];
  if (key === undefined || (key.x === 0n && key.y === 0n)) return "unknownKey";
  return key.expiry <= secondsOf(time) ? "keyExpired" : undefined;
}

/** Why the venue does not take the message, signature, chain and rate aside. */
export function checkMessage(
  view: StateView,
  incoming: IncomingMessage,
  context: DoorContext,
): DoorReject | undefined {
  const { author, message } = incoming;
  const reject = checkSequenced(view, incoming, context.time);
  if (reject !== undefined) return reject;
  if (isTradeMessage(message) && message.kind !== "place") return undefined;
  if (context.risk === undefined) return "noSnapshot";
  if (message.kind === "place") {
    if (exceedsLimits(view, author.account, message, context)) return "limitExceeded";
    return hasMargin(view, author.account, message, context.risk)
      ? undefined
      : "insufficientMargin";
  }
  return checkPayment(view, author.account, message, context.risk);
}

function hasMargin(view: StateView, id: number, message: PlaceMessage, risk: Risk): boolean {
  // What only reduces is tried at its fill: its size is not what it says it is.
  if (message.reduceOnly) return true;
  const { weights, fees } = view.book(message.book)!;
  const rates = bookRisk(weights, risk);
  const signedLots = message.isSell ? -message.lots : message.lots;
  const { price } = message;
  const { unit } = view;
  const account = view.account(id);
  const fee = worstFee(fees, price);
  return admissibility({ account, rates, price, signedLots, risk, unit, fee }) === undefined;
}

type SizedOrder = Pick<OpenOrder, "book" | "price" | "lots">;

function exceedsLimits(
  view: StateView,
  id: number,
  message: PlaceMessage,
  { openOrders, time }: DoorContext,
): boolean {
  const account = view.account(id);
  const reach = account.positions.map(Math.abs);
  const carried = view.carry();
  const orders: SizedOrder[] = openOrders.filter(({ book: bookId }) => {
    const book = view.book(bookId);
    return book !== undefined && isBookOpen(view, book, time);
  });
  if (carried?.account === id) orders.push(carried);
  let exposed = Math.abs(account.cash);
  // Sums that round are far above the limits they are compared with.
  for (const order of [...orders, message]) {
    exposed += notionalOf(view, order);
    for (const [slot, weight] of view.book(order.book)!.weights.entries()) {
      reach[slot]! += order.lots * Math.abs(weight);
    }
  }
  if (notionalOf(view, message) >= ORDER_NOTIONAL_LIMIT || exposed >= CASH_LIMIT) return true;
  return reach.some((lots) => lots >= POSITION_LIMIT);
}

function notionalOf(view: StateView, { price, lots }: SizedOrder): number {
  return Math.abs(price) * lots * view.unit;
}

function checkPayment(
  view: StateView,
  id: number,
  message: LedgerMessage,
  risk: Risk,
): DoorReject | undefined {
  if (message.kind === "transfer") {
    if (message.to === id) return "malformed";
    if (view.account(message.to).owner === 0n) return "unknownAccount";
  }
  return canPay(view, id, message.amount, risk) ? undefined : "insufficientCash";
}
