/** Orders by signed words. */
import { z } from "zod";
import type { Receipt } from "../../exchangeService.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import * as schemas from "./accountSchemas.ts";
import { orderShape, receiptShape, receiptTrades } from "./accountShapes.ts";
import type { Instrument } from "./catalogue.ts";
import { RpcError, rpcErrorObject } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import type { KnownOrder } from "./orderFeed.ts";
import {
  assertCancel,
  assertPlace,
  type ReadWord,
  readWord,
  readWordOf,
  type SignedWord,
} from "./signedWord.ts";
import type { Accepted } from "./submissions.ts";

const { decimal, instrumentName, label, orderId, signedWord } = fields;

const orderFields = {
  amount: decimal.describe("contracts"),
  price: decimal.describe("USDC for one contract"),
  type: z.literal("limit").default("limit"),
  time_in_force: fields.timeInForce.default("good_til_cancelled"),
  post_only: z.boolean().default(false),
  reject_post_only: z.literal(true).optional().describe("a signed price is never changed"),
  reduce_only: z.boolean().default(false),
  label: label.default(""),
  valid_until: fields.timestamp.optional().describe("the word's deadline"),
};

const PLACE = z.strictObject({
  instrument_name: instrumentName,
  ...orderFields,
  signed: signedWord,
});
type Place = z.output<typeof PLACE>;

/** Words in one `straddle/submit`. */
const WORDS_MAX = 50;

export const TRADING_METHODS: readonly Method[] = [
  ...(["buy", "sell"] as const).map((side) =>
    method(`private/${side}`, {
      summary: `Places a ${side} order: the signed word, and readable fields that must agree.`,
      scope: "signed",
      params: PLACE,
      result: schemas.PLACED,
      call: (params, context) => place(params, side === "sell", context),
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
    params: z.strictObject({ order_id: orderId, signed: signedWord }),
    result: schemas.CANCELLED,
    call: ({ order_id, signed }, context) => cancel(order_id, signed, context),
  }),
  method("private/cancel_all", {
    summary: "Voids every order of the account that was placed before.",
    scope: "signed",
    params: z.strictObject({ signed: signedWord }),
    result: schemas.ALL_CANCELLED,
    call: async ({ signed }, { service, submissions }) => {
      const { submission } = readWordOf("cancelAll", signed);
      // Both are called before anything is awaited: the count is of just before the message.
      const before = service.orders(submission.account);
      const accepted = submissions.submit(submission);
      const [open, done] = await Promise.all([before, accepted]);
      return { cancelled: open.length, ...sequenced(done) };
    },
  }),
  method("straddle/submit", {
    summary: "Any signed words, in their order; each has a receipt or an error of its own.",
    scope: "signed",
    calls: 5,
    params: z.strictObject({ words: z.array(signedWord).min(1).max(WORDS_MAX) }),
    result: schemas.SUBMITTED,
    call: async ({ words }, { submissions }) => {
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

/** The service is called before anything is awaited, so words keep the order of their requests. */
function place(params: Place, isSell: boolean, context: CallContext) {
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
  const { orders, submissions, market } = context;
  const accepted = await submissions.submit(submission, (receipt) => {
    orders.place(message, receipt, said);
  });
  const { receipt } = accepted;
  if (receipt.outcome === "postOnlyWouldCross") {
    throw new RpcError("post_only_reject", undefined, { receipt: receiptShape(receipt) });
  }
  const order = orders.place(message, receipt, said);
  const tradeIds = market.trades.idsOfTaker(receipt.seq ?? 0, receipt.fills.length);
  const catalogue = { info: infoOf(context) };
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
