/** Orders by signed words. */
import { z } from "zod";
import type { Receipt } from "../../exchangeService.ts";
import { isHeldId } from "../../protocol/heldWord.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { orderIdText } from "../../protocol/orderId.ts";
import { heldOrdersOf } from "./accountMethods.ts";
import * as schemas from "./accountSchemas.ts";
import { orderShape, receiptShape, receiptTrades } from "./accountShapes.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError, rpcErrorObject } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { heldAnswer, isHeldOrder, leaveWords, readHeldOrder } from "./heldOrders.ts";
import { HELD_PLACED, MASS_QUOTED } from "./heldSchemas.ts";
import { massQuote } from "./massQuote.ts";
import { CALL_CREDITS, type CallContext, infoOf, type Method, method } from "./method.ts";
import type { KnownOrder } from "./orderFeed.ts";
import {
  assertCancel,
  assertPlace,
  type ReadWord,
  readWord,
  readWordOf,
  type SignedWord,
} from "./signedWord.ts";
import { type Accepted, refusal } from "./submissions.ts";
import { MASS_QUOTE, orderFields, PLACE, type Place } from "./tradingSchemas.ts";

const { orderId, signedWord } = fields;

/** Of an order that goes out at once. */
type Placed = Pick<Place, "instrument_name" | "amount" | "label" | "valid_until" | "signed"> &
  Pick<Place, "time_in_force" | "post_only" | "reduce_only"> & {
    readonly price: NonNullable<Place["price"]>;
  };

/** Words in one `straddle/submit`. */
const WORDS_MAX = 50;

export const TRADING_METHODS: readonly Method[] = [
  ...(["buy", "sell"] as const).map((side) =>
    method(`private/${side}`, {
      summary: `Places a ${side} order: the signed word, and readable fields that must agree.`,
      scope: "signed",
      params: PLACE,
      result: z.union([schemas.PLACED, HELD_PLACED]),
      call: (params, context) => placeOrHold(params, side === "sell", context),
    }),
  ),
  method("private/edit", {
    summary: "Cancels an order, and if it was still open places another: two words of one key.",
    scope: "signed",
    calls: 2,
    params: z.strictObject({
      order_id: orderId,
      ...orderFields,
      signed: z.strictObject({ cancel: signedWord, place: signedWord }),
    }),
    result: schemas.PLACED,
    call: async ({ order_id, signed, ...rest }, context) => {
      const { message } = readWordOf("place", signed.place);
      const instrument = instrumentOf(message.book, context);
      assertPlace(message, { ...rest, isSell: message.isSell }, instrument, infoOf(context));
      // What replaces it is sent only once the first is known to be gone.
      await cancel(order_id, signed.cancel, context);
      const order = { ...rest, instrument_name: instrument.name, signed: signed.place };
      return place(order, message.isSell, context);
    },
  }),
  method("private/cancel", {
    summary: "Cancels an order.",
    scope: "signed",
    params: z.strictObject({
      order_id: orderId,
      signed: signedWord
        .optional()
        .describe("left out for a held order, which a session withdraws"),
    }),
    result: z.union([schemas.CANCELLED, schemas.ORDER]),
    call: ({ order_id, signed }, context) => {
      if (isHeldId(order_id)) return withdraw(order_id, context);
      if (signed !== undefined) return cancel(order_id, signed, context);
      throw new RpcError("invalid_params", "`signed` is missing.", { param: "signed" });
    },
  }),
  method("private/cancel_all", {
    summary: "Voids every order of the account that was placed before, and withdraws held ones.",
    scope: "signed",
    params: z.strictObject({ signed: signedWord }),
    result: schemas.ALL_CANCELLED,
    call: async ({ signed }, { service, submissions }) => {
      const { submission } = readWordOf("cancelAll", signed);
      // Both are called before anything is awaited: the count is of just before the message.
      const before = service.orders(submission.account);
      const accepted = submissions.submit(submission);
      const [open, done] = await Promise.all([before, accepted]);
      // What is still to be triggered is an order of the account too; held cancels stay.
      const held = await service.policy.withdraw(submission.account, { kind: "orders" });
      return { cancelled: open.length + held.length, ...sequenced(done) };
    },
  }),
  method("private/mass_quote", {
    summary: "Many quotes by signed words, each at a call's cost; one answer for each side.",
    scope: "signed",
    params: MASS_QUOTE,
    result: MASS_QUOTED,
    call: massQuote,
  }),
  method("straddle/submit", {
    summary: "Any signed words, in order, each at a call's cost; each has a receipt or an error.",
    scope: "signed",
    params: z.strictObject({ words: z.array(signedWord).min(1).max(WORDS_MAX) }),
    result: schemas.SUBMITTED,
    call: async ({ words }, { submissions, bucket }) => {
      // Each costs what it would alone: what is dear is to check its signature.
      bucket.charge(CALL_CREDITS * (words.length - 1));
      const read = words.map((word) => readWord(word).submission);
      const answers = read.map((submission) => submissions.submit(submission).then(sequenced));
      const settled = await Promise.allSettled(answers);
      return {
        results: settled.map((result) => {
          if (result.status === "fulfilled") return result.value;
          if (!(result.reason instanceof RpcError)) throw result.reason;
          return { error: rpcErrorObject(result.reason) };
        }),
      };
    },
  }),
];

function placeOrHold(params: Place, isSell: boolean, context: CallContext) {
  if (isHeldOrder(params)) return placeHeld(params, isSell, context);
  const { price, trigger, trigger_price } = params;
  if (price === undefined) {
    throw new RpcError("invalid_params", "`price` is missing.", { param: "price" });
  }
  if (trigger !== undefined || trigger_price !== undefined || params.otoco_config?.length) {
    const text = "`trigger` and `otoco_config` are of orders that wait.";
    throw new RpcError("unsupported_arg_combination", text);
  }
  return place({ ...params, price }, isSell, context);
}

/** The word waits for its price; or goes out at once, and others wait for it. */
async function placeHeld(params: Place, isSell: boolean, context: CallContext) {
  const instrument = await context.market.catalogues.find(params.instrument_name);
  const { read, request } = readHeldOrder(params, isSell, instrument, context);
  context.bucket.charge(CALL_CREDITS * (request.words.length - 1));
  const left = await leaveWords(request, context);
  if (left.sent === null) return heldAnswer(left, context);
  const result = await left.sent;
  if (!result.accepted) throw refusal(result);
  const said = { instrument: instrument.name, label: params.label };
  return answerOf(read.message, said, { receipt: result.receipt, isRepeat: false }, context);
}

/** A held order acts no more; nothing is sequenced, so a session is enough. */
async function withdraw(heldId: string, context: CallContext) {
  const { account } = await context.session("cancel");
  const { policy } = context.service;
  const known = (await policy.held(account)).find(({ id }) => id === heldId);
  const [gone] = await policy.withdraw(account, { ids: [heldId] });
  const [order] = known === undefined ? [] : await heldOrdersOf([known], context);
  if (gone === undefined || order === undefined) throw new RpcError("not_open_order");
  return { ...order, order_state: "cancelled" as const };
}

/** The service is called before anything is awaited, so words keep the order of their requests. */
function place(params: Placed, isSell: boolean, context: CallContext) {
  const { message, submission } = readWordOf("place", params.signed);
  const { latest, find } = context.market.catalogues;
  const known = latest()?.byName.get(params.instrument_name.trim().toUpperCase());
  const send = (instrument: Instrument) => {
    assertPlace(message, { ...params, isSell }, instrument, infoOf(context));
    const said = { instrument: instrument.name, label: params.label };
    return placed({ message, submission }, said, context);
  };
  return known !== undefined && known.book !== null
    ? send(known)
    : find(params.instrument_name).then(send);
}

async function placed(
  { message, submission }: ReadWord<PlaceMessage>,
  said: { readonly instrument: string; readonly label: string },
  context: CallContext,
) {
  const { orders, submissions } = context;
  const accepted = await submissions.submit(submission, (receipt) => {
    orders.place(message, receipt, said);
  });
  return answerOf(message, said, accepted, context);
}

function answerOf(
  message: PlaceMessage,
  said: { readonly instrument: string; readonly label: string },
  accepted: Accepted,
  { orders, market }: CallContext,
) {
  const { receipt } = accepted;
  if (receipt.outcome === "postOnlyWouldCross") {
    throw new RpcError("post_only_reject", undefined, { receipt: receiptShape(receipt) });
  }
  const known = orders.byId(receipt.account, orderIdText({ ...message, seq: receipt.seq ?? 0 }));
  // Whoever has seen the word can send it again: only its first sender names the order.
  const order = (accepted.isRepeat && known) || orders.place(message, receipt, said);
  const tradeIds = market.trades.idsOfTaker(receipt.seq ?? 0, receipt.fills.length);
  const catalogue = { info: infoOf({ market }) };
  const trades = receiptTrades(receipt, order, { ...catalogue, tradeIds });
  return { order: orderShape(order, catalogue), trades, ...sequenced(accepted) };
}

function sequenced({ receipt, isRepeat }: Accepted) {
  return { receipt: receiptShape(receipt), is_repeat: isRepeat };
}

async function cancel(orderIdText: string, signed: SignedWord, context: CallContext) {
  const { message, submission } = readWordOf("cancel", signed);
  assertCancel(message, orderIdText);
  const accepted = await context.submissions.submit(submission);
  const { receipt } = accepted;
  const { account } = submission;
  if (receipt.outcome !== "cancelled") throw notCancelled(receipt);
  const instrument = instrumentOf(message.book, context);
  const { orders } = context;
  const { book, isSell, price, seq } = message;
  const order =
    orders.byId(account, orderIdText) ??
    ended({ account, orderId: orderIdText, book, isSell, price, seq }, instrument, receipt);
  return { ...orderShape(order, { info: infoOf(context) }), ...sequenced(accepted) };
}

function notCancelled(receipt: Receipt): RpcError {
  const name = receipt.outcome === "notOwner" ? "not_owner_of_order" : "not_open_order";
  return new RpcError(name, undefined, { receipt: receiptShape(receipt) });
}

/** An order that rested before this node began, and is gone now: how large it was is not known. */
function ended(
  place: Pick<KnownOrder, "account" | "orderId" | "book" | "isSell" | "price" | "seq">,
  { name }: Instrument,
  { time }: Receipt,
): KnownOrder {
  return {
    ...{ ...place, instrument: name, lots: 0, left: 0, filled: 0, turnover: 0, fees: 0 },
    ...{ state: "cancelled", reason: "cancelled", label: "", timeInForce: "gtc" },
    ...{ postOnly: false, reduceOnly: false, createdAt: time, updatedAt: time },
  };
}

function instrumentOf(book: number, { market }: CallContext): Instrument {
  const instrument = market.catalogues.latest()?.byBook.get(book);
  if (instrument !== undefined) return instrument;
  throw new RpcError("invalid_or_unsupported_instrument", `no such book: \`${book}\`.`);
}
