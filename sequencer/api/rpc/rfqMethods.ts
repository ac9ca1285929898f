/** Requests for quotes of packages, and their quotes. */
import { z } from "zod";
import { isAskedOf, type QuoteInfo, type RfqInfo } from "../../protocol/blockRfq.ts";
import { verify } from "../../protocol/eddsa.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { receiptShape } from "./accountShapes.ts";
import type { Decimal } from "./amounts.ts";
import type { Catalogue } from "./catalogue.ts";
import { openCombo } from "./comboMethods.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { assertCurrency } from "./marketMethods.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import * as schemas from "./rfqSchemas.ts";
import {
  blockTradeShape,
  bookTerms,
  legShapes,
  packageFrom,
  quoteShape,
  rfqShape,
} from "./rfqShapes.ts";
import { assertPlace, type ReadWord, readWordOf, type SignedWord } from "./signedWord.ts";
import { refusal } from "./submissions.ts";

const { decimal, direction, label, natural, signedWord, timestamp } = fields;

/** A signature is checked, and a package is tried before it is executed. */
const QUOTE_CALLS = 2;
const ACCEPT_CALLS = 4;
const CREATE_CALLS = 10;

const rfqId = natural.describe("of the request");
const quoteId = natural.describe("of the quote");

/** What a quote says beside its word. */
const quoteFields = {
  amount: decimal.describe("multiplied by a leg's ratio: what is quoted of the leg"),
  price: decimal.describe("USDC for one contract of the legs together"),
  execution_instruction: schemas.executionInstruction.default("any_part_of"),
  expires_at: timestamp.optional().describe("the word's deadline"),
  label: label.default(""),
  legs: schemas.said_legs,
  signed: signedWord.describe("a post-only order in the combination's book"),
  signed_cancel: signedWord
    .optional()
    .describe("a cancel-all of another key, for what is left resting of the quote"),
};

export const RFQ_METHODS: readonly Method[] = [
  method("private/create_block_rfq", {
    summary: "Asks makers for quotes of a package of legs.",
    calls: CREATE_CALLS,
    params: z.strictObject({
      legs: schemas.TRADED_LEGS,
      label: label.default(""),
      makers: schemas.makers,
      non_anonymous: z.boolean().default(false),
    }),
    result: schemas.BLOCK_RFQ,
    call: async ({ legs, label: own, makers, non_anonymous }, context) => {
      const { account } = await context.session("place");
      const view = await context.market.view();
      const wanted = packageFrom(legs, view.catalogue);
      const { instrument, catalogue } = await openCombo(account, wanted, context);
      const sign = wanted.isSell ? -1 : 1;
      const made = await context.service.packages.request({
        ...{ account, book: instrument.book ?? 0, isReversed: wanted.isSell, lots: wanted.lots },
        legs: wanted.legs.map(([slot, weight]) => ({ slot, ratio: sign * weight })),
        ...{ label: own, makers: makers?.map(Number) ?? null, isDisclosed: non_anonymous },
      });
      if (!made.accepted) throw refusal(made);
      return rfqShape(made.rfq, [], catalogue);
    },
  }),
  method("private/cancel_block_rfq", {
    summary: "Ends an own request; its quotes act no more.",
    params: z.strictObject({ block_rfq_id: rfqId }),
    result: schemas.BLOCK_RFQ,
    call: async ({ block_rfq_id }, context) => {
      const { account } = await context.session("cancel");
      const { catalogue } = await context.market.view();
      const ended = await context.service.packages.cancelRequest(account, block_rfq_id);
      if (!ended.accepted) throw refusal(ended);
      return rfqShape(ended.rfq, [], catalogue);
    },
  }),
  method("private/get_block_rfqs", {
    summary: "Requests that the account has made or may quote, newest first.",
    calls: 2,
    params: z.strictObject({
      currency: fields.currency.default("any"),
      block_rfq_id: rfqId.optional(),
      role: z.enum(["taker", "maker", "any"]).default("any"),
      state: schemas.BLOCK_RFQ.shape.state.optional(),
      count: fields.count.default(20),
    }),
    result: z.strictObject({ block_rfqs: z.array(schemas.BLOCK_RFQ) }),
    call: async ({ currency, block_rfq_id, role, state, count }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      assertCurrency(infoOf(context).underlying, currency);
      const { packages } = context.service;
      const [rfqs, quotes] = await Promise.all([packages.requests(), packages.quotes()]);
      const isWanted = (rfq: RfqInfo): boolean => {
        const isOwn = rfq.account === account;
        const isOfRole = (isOwn && role !== "maker") || (!isOwn && role !== "taker");
        const isSeen = isOwn || isAskedOf(rfq, account);
        const isNamed = block_rfq_id === undefined || rfq.id === block_rfq_id;
        return isOfRole && isSeen && isNamed && (state === undefined || rfq.state === state);
      };
      const now = context.clock.now();
      const shapes = rfqs.filter(isWanted).slice(0, count);
      return {
        block_rfqs: shapes.map((rfq) => {
          const seen = rfq.account === account ? seenQuotes(rfq, quotes, now) : undefined;
          return rfqShape(rfq, seen, catalogue);
        }),
      };
    },
  }),
  method("private/add_block_rfq_quote", {
    summary:
      "Quotes a request by a signed order, which is executed with the taker's or not at all.",
    scope: "signed",
    calls: QUOTE_CALLS,
    params: z.strictObject({ block_rfq_id: rfqId, direction, ...quoteFields }),
    result: schemas.BLOCK_RFQ_QUOTE,
    call: async (params, context) => {
      const rfq = await rfqOf(params.block_rfq_id, params.signed.account, context);
      const { catalogue } = await context.market.view();
      const request = readQuote(params, rfq, catalogue, context);
      const made = await context.service.packages.quote({ ...request, rfq: rfq.id });
      if (!made.accepted) throw refusal(made);
      return quoteShape(made.quote, rfq, catalogue);
    },
  }),
  method("private/edit_block_rfq_quote", {
    summary: "Replaces an own quote by another of the same key and head.",
    scope: "signed",
    calls: QUOTE_CALLS,
    params: z.strictObject({ block_rfq_quote_id: quoteId, ...quoteFields }),
    result: schemas.BLOCK_RFQ_QUOTE,
    call: async (params, context) => {
      const { account } = params.signed;
      const before = (await ownQuotes(account, context)).find(
        ({ id }) => id === params.block_rfq_quote_id,
      );
      if (before === undefined) throw new RpcError("block_rfq_closed");
      const rfq = await rfqOf(before.rfq, account, context);
      const { catalogue } = await context.market.view();
      const { direction: said } = quoteShape(before, rfq, catalogue);
      const request = readQuote({ ...params, direction: said }, rfq, catalogue, context);
      const made = await context.service.packages.editQuote(before.id, request);
      if (!made.accepted) throw refusal(made);
      return quoteShape(made.quote, rfq, catalogue);
    },
  }),
  method("private/cancel_block_rfq_quote", {
    summary: "Withdraws an own quote: the sequencer forgets its word.",
    params: z.strictObject({ block_rfq_quote_id: quoteId }),
    result: schemas.BLOCK_RFQ_QUOTE,
    call: async ({ block_rfq_quote_id }, context) => {
      const { account } = await context.session("cancel");
      const { packages } = context.service;
      const [gone] = await packages.cancelQuotes(account, ({ id }) => id === block_rfq_quote_id);
      if (gone === undefined) throw new RpcError("block_rfq_closed");
      const { catalogue } = await context.market.view();
      return quoteShape(gone, await rfqOf(gone.rfq, account, context), catalogue);
    },
  }),
  method("private/cancel_all_block_rfq_quotes", {
    summary: "Withdraws all own quotes, or those of one request; answers how many.",
    params: z.strictObject({ block_rfq_id: rfqId.optional() }),
    result: natural,
    call: async ({ block_rfq_id }, context) => {
      const { account } = await context.session("cancel");
      const isOf = ({ rfq }: QuoteInfo) => block_rfq_id === undefined || rfq === block_rfq_id;
      return (await context.service.packages.cancelQuotes(account, isOf)).length;
    },
  }),
  method("private/get_block_rfq_quotes", {
    summary: "Own quotes of requests that the node remembers, newest first.",
    calls: 2,
    params: z.strictObject({
      block_rfq_id: rfqId.optional(),
      block_rfq_quote_id: quoteId.optional(),
      label: label.optional(),
    }),
    result: z.array(schemas.BLOCK_RFQ_QUOTE),
    call: async ({ block_rfq_id, block_rfq_quote_id, label: wanted }, context) => {
      const { account } = await context.session();
      const { catalogue } = await context.market.view();
      const rfqs = new Map(
        (await context.service.packages.requests()).map((rfq) => [rfq.id, rfq] as const),
      );
      const own = (await ownQuotes(account, context)).filter(
        (quote) =>
          (block_rfq_id === undefined || quote.rfq === block_rfq_id) &&
          (block_rfq_quote_id === undefined || quote.id === block_rfq_quote_id) &&
          (wanted === undefined || quote.label === wanted),
      );
      return own.toReversed().flatMap((quote) => {
        const rfq = rfqs.get(quote.rfq);
        return rfq === undefined ? [] : [quoteShape(quote, rfq, catalogue)];
      });
    },
  }),
  method("private/accept_block_rfq", {
    summary: "Takes quotes within a signed limit: all of the amount at once, or nothing.",
    scope: "signed",
    calls: ACCEPT_CALLS,
    params: z.strictObject({
      block_rfq_id: rfqId,
      direction,
      price: decimal.describe("the worst for the legs together"),
      amount: decimal,
      time_in_force: z.literal("fill_or_kill").default("fill_or_kill"),
      legs: schemas.said_legs,
      label: label.default(""),
      signed: signedWord.describe("a fill-or-kill order in the combination's book"),
    }),
    result: schemas.ACCEPTED,
    call: async (params, context) => {
      const { block_rfq_id, signed, label: own } = params;
      const read = readWordOf("place", signed);
      const { catalogue } = await context.market.view();
      const repeated = await repeatOf(read, block_rfq_id, context);
      if (repeated !== undefined) return repeated;
      const rfq = await rfqOf(block_rfq_id, signed.account, context);
      assertLegs(params.legs, rfq, catalogue);
      assertTerms(read.message, params, { rfq, catalogue, context });
      const done = await context.service.packages.accept(rfq.id, read.submission);
      if (!done.accepted) throw refusal(done);
      const { receipt, trade } = done;
      context.submissions.remember(receipt);
      const instrument = catalogue.byBook.get(rfq.book)?.name ?? "";
      context.orders.place(read.message, receipt, { instrument, label: own });
      return {
        block_trades: [blockTradeShape(trade, rfq.isDisclosed, catalogue)],
        ...{ receipt: receiptShape(receipt), is_repeat: false },
      };
    },
  }),
  method("public/get_block_rfq_trades", {
    summary: "Packages that were traded by requests and as blocks, newest first.",
    calls: 2,
    params: z.strictObject({
      currency: fields.currency.default("any"),
      count: fields.count.default(20),
    }),
    result: z.strictObject({ block_rfqs: z.array(schemas.BLOCK_TRADE) }),
    call: async ({ currency, count }, context) => {
      const { catalogue } = await context.market.view();
      assertCurrency(infoOf(context).underlying, currency);
      const trades = await context.service.packages.rfqTrades();
      const newest = trades.slice(0, count);
      return { block_rfqs: newest.map((trade) => blockTradeShape(trade, false, catalogue)) };
    },
  }),
];

/** Open ones, once the grace period is over. */
function seenQuotes(rfq: RfqInfo, quotes: readonly QuoteInfo[], now: number): QuoteInfo[] {
  if (now < rfq.quotesFrom) return [];
  return quotes.filter((quote) => quote.rfq === rfq.id && quote.state === "open");
}

async function ownQuotes(account: number, { service }: CallContext): Promise<QuoteInfo[]> {
  return (await service.packages.quotes()).filter((quote) => quote.account === account);
}

/** A request that the account has made or may quote. */
async function rfqOf(id: number, account: number, { service }: CallContext): Promise<RfqInfo> {
  const found = (await service.packages.requests()).find((rfq) => rfq.id === id);
  const isSeen = found !== undefined && (found.account === account || isAskedOf(found, account));
  if (isSeen) return found;
  throw new RpcError("block_rfq_closed", `no such request: \`${id}\`.`);
}

interface SaidQuote {
  readonly direction: "buy" | "sell";
  readonly price: Decimal;
  readonly amount: Decimal;
  readonly execution_instruction: "any_part_of" | "all_or_none";
  readonly expires_at?: number | undefined;
  readonly label: string;
  readonly legs?: z.output<typeof schemas.said_legs>;
  readonly signed: SignedWord;
  readonly signed_cancel?: SignedWord | undefined;
}

function readQuote(said: SaidQuote, rfq: RfqInfo, catalogue: Catalogue, context: CallContext) {
  const { signed, signed_cancel, execution_instruction, label: own, legs, expires_at } = said;
  const { message, submission } = readWordOf("place", signed);
  assertLegs(legs, rfq, catalogue);
  const terms = { ...said, valid_until: expires_at };
  assertTerms(message, terms, { rfq, catalogue, context });
  const cancel = signed_cancel && readWordOf("cancelAll", signed_cancel).submission;
  const isWhole = execution_instruction === "all_or_none";
  return { signed: submission, isWhole, label: own, cancel: cancel ?? null };
}

/** Readable fields are of the legs as the request has them, the word of the book. */
function assertTerms(
  message: PlaceMessage,
  said: Pick<SaidQuote, "direction" | "price" | "amount"> & {
    readonly valid_until?: number | undefined;
  },
  given: { readonly rfq: RfqInfo; readonly catalogue: Catalogue; readonly context: CallContext },
): void {
  const { rfq, catalogue, context } = given;
  const instrument = catalogue.byBook.get(rfq.book);
  if (instrument === undefined) throw new RpcError("book_closed");
  const { amount, valid_until } = said;
  const isTaker = message.timeInForce === "fok";
  const readable = {
    ...{ ...bookTerms(said, rfq), amount, valid_until, reduce_only: false, post_only: !isTaker },
    time_in_force: isTaker ? "fill_or_kill" : "good_til_cancelled",
  } as const;
  assertPlace(message, readable, instrument, infoOf(context));
}

function assertLegs(
  said: z.output<typeof schemas.said_legs>,
  rfq: RfqInfo,
  catalogue: Catalogue,
): void {
  if (said === undefined) return;
  const known = legShapes(rfq, catalogue);
  const isSame =
    said.length === known.length &&
    said.every(({ instrument_name, ratio, direction: side }) =>
      known.some(
        (leg) =>
          leg.instrument_name === instrument_name.trim().toUpperCase() &&
          leg.ratio === ratio &&
          leg.direction === side,
      ),
    );
  if (isSame) return;
  const text = "`legs` are not those of the request.";
  throw new RpcError("word_mismatch", text, { param: "legs", signed: known, said });
}

/** The same word again, which was sequenced: whoever has lost the answer has it again. */
async function repeatOf(
  { submission }: ReadWord<PlaceMessage>,
  id: number,
  { service, submissions, market }: CallContext,
) {
  const { account, keyIndex, signature } = submission;
  const key = await service.session(account, keyIndex);
  if (key === null || !verify(key.key, key.head, signature)) return undefined;
  const receipt = submissions.receipt({ account, head: key.head });
  const catalogue = market.catalogues.latest();
  const trade = (await service.packages.rfqTrades()).find((known) => known.id === id);
  if (receipt === undefined || catalogue === undefined || trade === undefined) return undefined;
  if (trade.logPosition !== receipt.logPosition) return undefined;
  const isDisclosed =
    (await service.packages.requests()).find((rfq) => rfq.id === id)?.isDisclosed ?? false;
  return {
    block_trades: [blockTradeShape(trade, isDisclosed, catalogue)],
    ...{ receipt: receiptShape(receipt), is_repeat: true },
  };
}
