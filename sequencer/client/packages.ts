/**
 * Packages of legs for a trader: combinations on demand, requests for quotes, quotes, blocks. Words
 * are of a combination's book, so what legs, side and price mean there is worked out here, from the
 * book's weights, and never taken from whoever asks.
 */
import type { Receipt, Wire } from "../exchangeService.ts";
import { parsePrice, parseQuantity } from "../market/decimal.ts";
import { findInstrument } from "../market/instrument.ts";
import { isBookOf, packageOf } from "../market/package.ts";
import { type SignedWord, wireWord } from "./exchange.ts";
import type { ChannelMessages } from "./generated/api.ts";
import type { Answered } from "./keyChain.ts";
import type { Params, Result } from "./rpcConnection.ts";
import { ExchangeError } from "./rpcErrors.ts";
import type { PlaceOptions, Trader } from "./trader.ts";

export type Combo = Result<"private/create_combo">;
export type BlockRfq = Result<"private/create_block_rfq">;
export type BlockRfqQuote = Result<"private/add_block_rfq_quote">;
export type BlockTrade = ChannelMessages["rfqTrades"];
export type TradedLeg = Params<"private/create_block_rfq">["legs"][number];
export type RatioLeg = BlockRfq["legs"][number];

/** USDC for one contract of the legs together, and contracts of them; `direction` is one's own. */
export interface LegsTerms {
  readonly direction: "buy" | "sell";
  readonly price: number | string;
  readonly amount: number | string;
  readonly lifetimeMs?: number;
  readonly label?: string;
}

export interface QuoteTerms extends LegsTerms {
  readonly execution_instruction?: BlockRfqQuote["execution_instruction"];
  /** A cancel-all by another key of the account: takes back what is left resting of the quote. */
  readonly signed_cancel?: SignedWord;
}

export type Accepted = Result<"private/accept_block_rfq"> & Answered;
export type BlockTerms = Omit<Params<"private/verify_block_trade">, "signed" | "role">;
export type ExecutedBlock = Result<"private/execute_block_trade"> & Answered;

export interface RfqHandlers {
  /** Requests that the account may quote. */
  readonly asked?: (rfq: BlockRfq) => void;
  /** Its own quotes, as they change. */
  readonly quote?: (quote: BlockRfqQuote) => void;
  /** Its own requests, with the quotes that it may see. */
  readonly own?: (rfq: BlockRfq) => void;
  /** Everybody's trades. */
  readonly traded?: (trade: BlockTrade) => void;
}

/** What `asked`, `quote` and `own` need is a session: a connection of this trader's own. */
export interface PackageTrader {
  /** The book of these legs, by amounts or ratios; opened where there is none. */
  createCombo(legs: readonly TradedLeg[]): Promise<Combo>;
  requestQuotes(
    legs: readonly TradedLeg[],
    options?: Omit<Params<"private/create_block_rfq">, "legs">,
  ): Promise<BlockRfq>;
  cancelRequest(rfq: Pick<BlockRfq, "block_rfq_id">): Promise<BlockRfq>;
  requests(filter?: Params<"private/get_block_rfqs">): Promise<readonly BlockRfq[]>;
  /**
   * Signs a post-only order on the key's head and leaves it. The key's next message ends it, so
   * quotes have a key of their own; several on one head exclude one another.
   */
  quoteRequest(
    rfq: Pick<BlockRfq, "block_rfq_id" | "legs">,
    terms: QuoteTerms,
  ): Promise<BlockRfqQuote>;
  editQuote(
    quote: Pick<BlockRfqQuote, "block_rfq_quote_id" | "legs">,
    terms: QuoteTerms,
  ): Promise<BlockRfqQuote>;
  cancelQuote(quote: Pick<BlockRfqQuote, "block_rfq_quote_id">): Promise<BlockRfqQuote>;
  quotes(): Promise<readonly BlockRfqQuote[]>;
  /** All of `amount` within `price`, or nothing. */
  acceptQuote(rfq: Pick<BlockRfq, "block_rfq_id" | "legs">, terms: LegsTerms): Promise<Accepted>;
  /** One side's consent, to execute the block with. Directions are the maker's. */
  verifyBlockTrade(terms: BlockTerms, role: "maker" | "taker"): Promise<string>;
  executeBlockTrade(
    terms: BlockTerms,
    role: "maker" | "taker",
    signature: string,
  ): Promise<ExecutedBlock | Result<"private/execute_block_trade">>;
  /** Resolves with the end of it. */
  follow(handlers: RfqHandlers): Promise<() => void>;
}

export function tradePackages(trader: Trader): PackageTrader {
  const { rpc } = trader;
  const session = async <T>(call: () => Promise<T>): Promise<T> => {
    await trader.login();
    return call();
  };
  const quoteFields = async (legs: readonly RatioLeg[], terms: QuoteTerms) => {
    const { lifetimeMs: _, direction, ...said } = terms;
    const order = await orderOf(trader, legs, terms, { timeInForce: "gtc", postOnly: true });
    return { direction, fields: { ...said, signed: wireWord(await trader.signed(order)) } };
  };
  return {
    createCombo: (legs) => session(() => rpc.call("private/create_combo", { trades: [...legs] })),
    requestQuotes: (legs, options = {}) =>
      session(() => rpc.call("private/create_block_rfq", { ...options, legs: [...legs] })),
    cancelRequest: ({ block_rfq_id }) =>
      session(() => rpc.call("private/cancel_block_rfq", { block_rfq_id })),
    requests: async (filter = {}) =>
      (await session(() => rpc.call("private/get_block_rfqs", filter))).block_rfqs,
    quoteRequest: async ({ block_rfq_id, legs }, terms) => {
      const { direction, fields } = await quoteFields(legs, terms);
      return rpc.call("private/add_block_rfq_quote", { block_rfq_id, direction, ...fields });
    },
    editQuote: async ({ block_rfq_quote_id, legs }, terms) => {
      const { fields } = await quoteFields(legs, terms);
      return rpc.call("private/edit_block_rfq_quote", { block_rfq_quote_id, ...fields });
    },
    cancelQuote: ({ block_rfq_quote_id }) =>
      session(() => rpc.call("private/cancel_block_rfq_quote", { block_rfq_quote_id })),
    quotes: () => session(() => rpc.call("private/get_block_rfq_quotes", {})),
    acceptQuote: async ({ block_rfq_id, legs }, terms) => {
      const { lifetimeMs: _, ...said } = terms;
      const order = await orderOf(trader, legs, terms, { timeInForce: "fok", postOnly: false });
      return trader.placeBy(order, async (sent) => {
        const params = { block_rfq_id, ...said, signed: wireWord(sent) };
        return withReceipt(await rpc.call("private/accept_block_rfq", params));
      });
    },
    verifyBlockTrade: async (terms, role) => {
      const order = await blockOrder(trader, terms, role);
      const signed = wireWord(await trader.signed(order));
      return (await rpc.call("private/verify_block_trade", { ...terms, role, signed })).signature;
    },
    executeBlockTrade: async (terms, role, counterparty_signature) => {
      const order = await blockOrder(trader, terms, role);
      const given = { ...terms, role, counterparty_signature };
      const call = (signed: SignedWord) =>
        rpc.call("private/execute_block_trade", { ...given, signed });
      // The receipt is the taker's: a maker's word has its order's events instead.
      if (role === "maker") return call(wireWord(await trader.signed(order)));
      return trader.placeBy(order, async (sent) => withReceipt(await call(wireWord(sent))));
    },
    follow: (handlers) => session(() => follow(trader, handlers)),
  };
}

/** Bigints of receipts travel as text, which generated types know as such. */
function withReceipt<T extends { readonly receipt: unknown }>(answer: T): T & Answered {
  return answer as T & { readonly receipt: Wire<Receipt> };
}

async function follow({ rpc }: Trader, handlers: RfqHandlers): Promise<() => void> {
  const { asked, quote, own, traded } = handlers;
  const ends = await Promise.all([
    ...(asked ? [rpc.subscribe("block_rfq.maker.any", asked)] : []),
    ...(quote ? [rpc.subscribe("block_rfq.maker.quotes.any", quote)] : []),
    ...(own ? [rpc.subscribe("block_rfq.taker.any", own)] : []),
    ...(traded ? [rpc.subscribe("block_rfq.trades.any", traded)] : []),
  ]);
  return () => {
    for (const end of ends) end();
  };
}

type Flags = Required<Pick<PlaceOptions, "timeInForce" | "postOnly">>;

/** What legs bought or sold at a price are in the open book of these legs. */
async function orderOf(
  trader: Trader,
  legs: readonly RatioLeg[],
  { direction, price, amount, lifetimeMs }: LegsTerms,
  flags: Flags,
): Promise<PlaceOptions> {
  const info = await trader.exchange.info();
  const { book, isSell, lots } = await bookOfLegs(
    trader,
    legs.map(({ instrument_name, ratio, direction: side }) => {
      return { instrument_name, lots: side === "sell" ? -ratio : ratio };
    }),
  );
  const ticks = parsePrice(String(price), info);
  return {
    ...{ book, isSell: (direction === "sell") !== isSell, price: isSell ? 0 - ticks : ticks },
    lots: parseQuantity(String(amount), info, "amount") * lots,
    ...flags,
    ...(lifetimeMs !== undefined && { lifetimeMs }),
  };
}

/** The book, its side and how many of it these signed lots of legs are. */
async function bookOfLegs(
  { exchange }: Trader,
  legs: readonly { readonly instrument_name: string; readonly lots: number }[],
) {
  const [info, { series }, books] = await Promise.all([
    exchange.info(),
    exchange.chain(),
    exchange.books(),
  ]);
  const read = legs.map(({ instrument_name, lots }) => {
    const { slot, isCall, strike, expiry } = findInstrument(instrument_name, info, series);
    return { slot, isCall, strike, expiry, lots };
  });
  const wanted = packageOf(read, info);
  const found = books.find(({ isOpen, weights }) => isOpen && isBookOf(weights, wanted.legs));
  if (found !== undefined) return { ...wanted, book: found.book };
  throw new ExchangeError(10012, "book_closed", { reason: "these legs have no open book." });
}

async function blockOrder(
  trader: Trader,
  { trades }: BlockTerms,
  role: "maker" | "taker",
): Promise<PlaceOptions> {
  const info = await trader.exchange.info();
  const legs = trades.map(({ instrument_name, amount, direction, price }) => {
    const sign = direction === "sell" ? -1 : 1;
    const lots = sign * parseQuantity(String(amount), info, "amount");
    return { instrument_name, lots, ticks: parsePrice(String(price), info) };
  });
  const { book, isSell, lots } = await bookOfLegs(trader, legs);
  const net = legs.reduce((sum, leg) => sum + (leg.lots / lots) * leg.ticks, 0);
  const isTaker = role === "taker";
  return {
    ...{ book, lots, price: isSell ? 0 - net : net, isSell: isSell !== isTaker },
    ...{ timeInForce: isTaker ? "fok" : "gtc", postOnly: !isTaker },
  };
}
