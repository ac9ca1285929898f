/** Combinations, requests and quotes in the wire's words, and legs back. */
import type { z } from "zod";
import { type Package, PackageError, type PackageLeg, packageOf } from "../../market/package.ts";
import {
  QUOTE_ENDS,
  type QuoteInfo,
  type RfqInfo,
  type RfqTrade,
} from "../../protocol/blockRfq.ts";
import { amountOf, type Decimal, lotsOf, priceOf } from "./amounts.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import { markOf } from "./marketShapes.ts";
import { bookNameAt, seriesNameAt } from "./pastNames.ts";
import type * as schemas from "./rfqSchemas.ts";

type RfqShape = z.output<typeof schemas.BLOCK_RFQ>;
type QuoteShape = z.output<typeof schemas.BLOCK_RFQ_QUOTE>;
type TradeShape = z.output<typeof schemas.BLOCK_TRADE>;
type ComboShape = z.output<typeof schemas.COMBO>;
type Leg = z.output<typeof schemas.RATIO_LEG>;

export interface SaidLeg {
  readonly instrument_name: string;
  readonly amount: Decimal;
  readonly direction: "buy" | "sell";
}

/** The package of these legs, bought and sold as they say. Throws {@link RpcError}. */
export function packageFrom(legs: readonly SaidLeg[], { byName, info }: Catalogue): Package {
  const read = legs.map(({ instrument_name, amount, direction }): PackageLeg => {
    const series = byName.get(instrument_name.trim().toUpperCase())?.series;
    if (series === undefined || series === null || series.status !== "listed") {
      const text = `a leg is a listed option or forward. Got \`${instrument_name.slice(0, 80)}\`.`;
      throw new RpcError("invalid_or_unsupported_instrument", text, { param: "legs" });
    }
    const { slot, isCall, strike, expiry } = series;
    const lots = lotsOf(amount, info);
    return { slot, isCall, strike, expiry, lots: direction === "sell" ? -lots : lots };
  });
  try {
    return packageOf(read, info);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new RpcError("invalid_params", error.message, { param: "legs" });
  }
}

export function comboShape(
  { name, book, summary, legs }: Instrument,
  catalogue: Catalogue,
): ComboShape {
  return {
    id: name,
    instrument_id: book ?? 0,
    state: summary?.isOpen === true ? "active" : "inactive",
    legs: legs.map(([slot, weight]) => ({
      instrument_name: legName(slot, catalogue),
      amount: weight,
    })),
  };
}

function legName(slot: number, { byName }: Catalogue): string {
  for (const { series, name } of byName.values()) if (series?.slot === slot) return name;
  return "";
}

type Sided = Pick<RfqInfo, "isReversed">;

/** Of the legs as the request has them, from a price in ticks of the book. */
function legsPrice(ticks: number, { isReversed }: Sided, { info }: Catalogue): number {
  return priceOf(isReversed ? 0 - ticks : ticks, info);
}

/** Of who buys or sells the legs, from the side of the book. */
function legsDirection(isSell: boolean, { isReversed }: Sided): "buy" | "sell" {
  return isSell === isReversed ? "buy" : "sell";
}

/** What a word must say of the book where its owner says this of the legs. */
export function bookTerms(
  { direction, price }: { readonly direction: "buy" | "sell"; readonly price: Decimal },
  { isReversed }: Sided,
): { readonly isSell: boolean; readonly price: Decimal } {
  const isSell = (direction === "sell") !== isReversed;
  if (!isReversed) return { isSell, price };
  const text = String(price);
  return { isSell, price: text.startsWith("-") ? text.slice(1) : `-${text}` };
}

export function legShapes(rfq: RfqInfo, catalogue: Catalogue): Leg[] {
  return rfq.legs.map(({ slot, ratio }) => ({
    instrument_name: isOpen(rfq)
      ? legName(slot, catalogue)
      : (seriesNameAt(slot, timeOf(rfq), catalogue) ?? ""),
    ratio: Math.abs(ratio),
    direction: ratio > 0 ? "buy" : "sell",
  }));
}

function isOpen({ state }: RfqInfo): boolean {
  return state === "open";
}

/** A moment when its book was open. */
function timeOf({ trade, createdAt }: RfqInfo): number {
  return trade?.time ?? createdAt;
}

/** One that has ended may be of a book that was opened again since. */
function comboId(rfq: RfqInfo, catalogue: Catalogue): string {
  const name = isOpen(rfq)
    ? catalogue.byBook.get(rfq.book)?.name
    : bookNameAt(rfq.book, timeOf(rfq), catalogue);
  return name ?? "";
}

/** `quotes`: what its taker may see; undefined for makers. */
export function rfqShape(
  rfq: RfqInfo,
  quotes: readonly QuoteInfo[] | undefined,
  catalogue: Catalogue,
): RfqShape {
  const { info, byBook } = catalogue;
  const isTaker = quotes !== undefined;
  const combo_id = comboId(rfq, catalogue);
  const instrument = byBook.get(rfq.book);
  const mark = instrument?.name === combo_id ? markOf(instrument, catalogue) : null;
  const offers = (direction: "buy" | "sell") =>
    (quotes ?? [])
      .filter(({ isSell }) => legsDirection(isSell, rfq) === direction)
      .map((quote) => offerShape(quote, rfq, catalogue));
  return {
    block_rfq_id: rfq.id,
    role: isTaker ? "taker" : "maker",
    state: rfq.state,
    amount: amountOf(rfq.lots, info),
    legs: legShapes(rfq, catalogue),
    combo_id,
    is_reversed: rfq.isReversed,
    mark_price: mark === null ? null : legsPrice(mark, rfq, catalogue),
    creation_timestamp: rfq.createdAt,
    expiration_timestamp: rfq.expiresAt,
    quotes_timestamp: rfq.quotesFrom,
    disclosed: rfq.isDisclosed,
    taker: isTaker || rfq.isDisclosed ? String(rfq.account) : null,
    makers: isTaker ? (rfq.makers ?? []).map(String) : [],
    label: isTaker ? rfq.label : "",
    bids: offers("buy").sort((one, other) => other.price - one.price),
    asks: offers("sell").sort((one, other) => one.price - other.price),
    trades: (rfq.trade?.fills ?? []).map(({ price, lots, maker }) => ({
      price: legsPrice(price, rfq, catalogue),
      amount: amountOf(lots, info),
      direction: legsDirection(rfq.trade?.isSell ?? false, rfq),
      maker: maker === null ? null : makerName(maker, rfq),
    })),
  };
}

function makerName(maker: number, { isDisclosed }: Pick<RfqInfo, "isDisclosed">): string {
  return isDisclosed ? String(maker) : "ANONYMOUS";
}

function offerShape(quote: QuoteInfo, rfq: RfqInfo, catalogue: Catalogue) {
  return {
    price: legsPrice(quote.price, rfq, catalogue),
    amount: amountOf(quote.lots, catalogue.info),
    makers: [makerName(quote.account, rfq)],
    last_update_timestamp: quote.updatedAt,
    execution_instruction: instructionOf(quote),
    expires_at: quote.expiresAt,
  };
}

function instructionOf({ isWhole }: QuoteInfo): "all_or_none" | "any_part_of" {
  return isWhole ? "all_or_none" : "any_part_of";
}

export function quoteShape(quote: QuoteInfo, rfq: RfqInfo, catalogue: Catalogue): QuoteShape {
  const { info } = catalogue;
  return {
    block_rfq_quote_id: quote.id,
    block_rfq_id: quote.rfq,
    account: quote.account,
    key_index: quote.keyIndex,
    direction: legsDirection(quote.isSell, rfq),
    price: legsPrice(quote.price, rfq, catalogue),
    amount: amountOf(quote.lots, info),
    legs: legShapes(rfq, catalogue),
    execution_instruction: instructionOf(quote),
    quote_state: quote.state,
    quote_state_reason: quote.reason,
    reason_text: quote.reason === null ? null : QUOTE_ENDS[quote.reason],
    filled_amount: amountOf(quote.filledLots, info),
    resting_amount: amountOf(quote.restingLots, info),
    order_id: quote.orderId,
    replaced: quote.isReplaced,
    label: quote.label,
    creation_timestamp: quote.createdAt,
    last_update_timestamp: quote.updatedAt,
    expires_at: quote.expiresAt,
  };
}

/** `isDisclosed`: whether makers' names may be told. */
export function blockTradeShape(
  trade: RfqTrade,
  isDisclosed: boolean,
  catalogue: Catalogue,
): TradeShape {
  const { info } = catalogue;
  const combo_id = bookNameAt(trade.book, trade.time, catalogue) ?? "";
  const direction = trade.isSell ? "sell" : "buy";
  return {
    ...{ id: trade.id, timestamp: trade.time, combo_id },
    ...{ direction, amount: amountOf(trade.lots, info), log_position: trade.logPosition },
    trades: trade.fills.map(({ price, lots, maker }) => ({
      ...{ price: priceOf(price, info), amount: amountOf(lots, info), direction },
      maker: maker === null ? null : makerName(maker, { isDisclosed }),
    })),
  };
}

/** Ticks of the book for one of it, from what each leg is said to cost. */
export function netPrice(
  legs: readonly (SaidLeg & { readonly ticks: number })[],
  { lots, isSell }: Package,
  { info }: Catalogue,
): number {
  const net = legs.reduce((sum, { ticks, amount, direction }) => {
    const ratio = lotsOf(amount, info) / lots;
    return sum + (direction === "sell" ? -ratio : ratio) * ticks;
  }, 0);
  return isSell ? 0 - net : net;
}
