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
} from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import { type AdmissionContext, checkAdmission } from "./admission.ts";
import { canPay } from "./balance.ts";
import { isBookOpen, isPlain, secondsOf } from "./bookState.ts";
import type { Author } from "./records.ts";
import type { Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";
import { checkBackstop } from "./transactions/backstop.ts";

export type { OpenOrder } from "./pendingOrders.ts";

/** A message on its way in; `signatureHead` is checked by the caller, together with its key. */
export interface IncomingMessage {
  readonly author: Author;
  readonly message: Message;
  readonly word: bigint;
  readonly signatureHead?: bigint;
}

/** No risk: no feed. */
export interface DoorContext extends AdmissionContext {
  readonly risk: Risk | undefined;
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
  const { risk } = context;
  if (risk === undefined) return "noSnapshot";
  if (message.kind === "place") {
    return checkAdmission(view, author.account, message, { ...context, risk });
  }
  if (message.kind === "backstop") return checkBackstop(view, author, message, context);
  return checkPayment(view, author.account, message, risk);
}

function checkPayment(
  view: StateView,
  id: number,
  message: Exclude<LedgerMessage, { kind: "backstop" }>,
  risk: Risk,
): DoorReject | undefined {
  if (message.kind === "transfer") {
    if (message.to === id) return "malformed";
    if (view.account(message.to).owner === 0n) return "unknownAccount";
  }
  return canPay(view, id, message.amount, risk) ? undefined : "insufficientCash";
}
