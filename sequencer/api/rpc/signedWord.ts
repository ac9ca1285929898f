/**
 * A signed word beside readable fields: both must say the same, so that nobody signs one thing and
 * is shown another, and a mistake in either is told before anything is sequenced.
 */
import type { z } from "zod";
import type { Info, Submission } from "../../exchangeService.ts";
import { TIME_IN_FORCE_NAMES, type TimeInForceName } from "../../market/timeInForce.ts";
import {
  type CancelMessage,
  type Message,
  messageFromWord,
  type PlaceMessage,
} from "../../protocol/messages.ts";
import { orderIdText, parseOrderId } from "../../protocol/orderId.ts";
import { type Decimal, lotsOf, ticksOf } from "./amounts.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import type { signedWord } from "./fieldSchemas.ts";

export type SignedWord = z.output<typeof signedWord>;

export interface ReadWord<M extends Message> {
  readonly submission: Submission;
  readonly message: M;
}

/** Throws {@link RpcError}. */
export function readWord(signed: SignedWord): ReadWord<Message> {
  const { account, key_index: keyIndex, seen } = signed;
  const word = BigInt(signed.word);
  const message = messageFromWord(word);
  if (message === undefined) {
    throw new RpcError("invalid_arguments", undefined, { param: "signed.word" });
  }
  const submission = {
    ...{ account, keyIndex, word, signature: signatureOf(signed.signature) },
    ...(seen && { seen: { ...seen, signature: signatureOf(seen.signature) } }),
  };
  return { submission, message };
}

export function signatureOf({ r8x, r8y, s }: SignedWord["signature"]): Submission["signature"] {
  return { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
}

/** The word's message, which must be of the kind. */
export function readWordOf<K extends Message["kind"]>(
  kind: K,
  signed: SignedWord,
): ReadWord<Extract<Message, { kind: K }>> {
  const { submission, message } = readWord(signed);
  if (message.kind !== kind) mismatch("signed.word", message.kind, kind);
  return { submission, message: message as Extract<Message, { kind: K }> };
}

/** What `private/buy` and `private/sell` are told beside the word. */
export interface ReadableOrder {
  readonly isSell: boolean;
  readonly amount: Decimal;
  /** Undefined: what is signed is the bound. */
  readonly price?: Decimal | undefined;
  readonly time_in_force: TimeInForceName;
  readonly post_only: boolean;
  readonly reduce_only: boolean;
  readonly valid_until?: number | undefined;
}

/**
 * Throws `word_mismatch`, which names the field, both values, and what would agree; `book_closed`
 * for an instrument that has expired.
 */
export function assertPlace(
  message: PlaceMessage,
  readable: ReadableOrder,
  instrument: Instrument,
  info: Info,
): void {
  if (instrument.book === null) {
    throw new RpcError("book_closed", `\`${instrument.name}\` has no open book.`);
  }
  const timeInForce = TIME_IN_FORCE_NAMES[message.timeInForce];
  const { price } = readable;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["instrument_name", instrument.book, message.book],
    ["direction", side(readable.isSell), side(message.isSell)],
    ["price", price === undefined ? message.price : ticksOf(price, info), message.price],
    ["amount", lotsOf(readable.amount, info), message.lots],
    ["time_in_force", readable.time_in_force, timeInForce],
    ["post_only", readable.post_only, message.postOnly],
    ["reduce_only", readable.reduce_only, message.reduceOnly],
    ["valid_until", readable.valid_until ?? message.deadline, message.deadline],
  ];
  for (const [field, said, signed] of pairs) if (said !== signed) mismatch(field, signed, said);
}

export function assertCancel(message: CancelMessage, orderId: string): void {
  if (parseOrderId(orderId) === undefined) {
    const form = "book-side-price-seq, such as 12-B-350-1042";
    throw new RpcError("invalid_order_id", `an order id is ${form}. Got \`${orderId}\`.`);
  }
  const signed = orderIdText(message);
  if (signed !== orderId) mismatch("order_id", signed, orderId);
}

function side(isSell: boolean): string {
  return isSell ? "sell" : "buy";
}

function mismatch(param: string, signed: unknown, said: unknown): never {
  const text = `the word says \`${signed}\` for \`${param}\`, the request \`${said}\`.`;
  throw new RpcError("word_mismatch", text, { param, signed, said });
}
