/** Names of channels, as Deribit has them; `straddle.` begins those of this venue alone. */
import { RpcError } from "./errorTable.ts";

/** Milliseconds between two messages of one channel; 0: at once. */
export const INTERVALS = { raw: 0, "100ms": 100, agg2: 1000 } as const;
type Interval = keyof typeof INTERVALS;

/** Depths of the channel `book.(instrument_name).none.(depth).(interval)`. */
export const TOP_DEPTHS = [1, 10, 20] as const;

/** What an instrument's channel is of: one of them, or a kind of them. */
export type Target =
  | { readonly instrument: string }
  | { readonly kind: "option" | "option_combo" | "any"; readonly currency: string };

export type Channel =
  | { readonly type: "book"; readonly instrument: string; readonly intervalMs: number }
  | {
      readonly type: "bookTop";
      readonly instrument: string;
      readonly depth: number;
      readonly intervalMs: number;
    }
  | { readonly type: "ticker" | "quote"; readonly instrument: string; readonly intervalMs: number }
  | { readonly type: "trades"; readonly target: Target; readonly intervalMs: number }
  | {
      readonly type: "userOrders" | "userTrades";
      readonly target: Target;
      readonly intervalMs: number;
    }
  | { readonly type: "userPortfolio"; readonly currency: string }
  | { readonly type: "userMmpTrigger"; readonly index: string }
  | { readonly type: "userHeld" }
  | {
      readonly type: "userRfqMaker" | "userRfqQuotes" | "userRfqTaker" | "rfqTrades";
      readonly currency: string;
    }
  | { readonly type: "priceIndex" | "volatilityIndex" | "markPrices"; readonly index: string }
  | { readonly type: "platformState" | "batches" | "liquidations" };

/** What people are told that there is. */
export const CHANNEL_FORMS = [
  "book.(instrument_name).(raw|100ms|agg2)",
  "book.(instrument_name).none.(1|10|20).(100ms|agg2)",
  "ticker.(instrument_name).(raw|100ms|agg2)",
  "quote.(instrument_name)",
  "trades.(instrument_name).(raw|100ms|agg2)",
  "trades.(option|option_combo|any).(currency).(raw|100ms|agg2)",
  "markprice.options.(index_name)",
  "deribit_price_index.(index_name)",
  "deribit_volatility_index.(index_name)",
  "platform_state",
  "straddle.batches",
  "straddle.liquidations",
  "user.orders.(instrument_name).(raw|100ms|agg2)",
  "user.orders.(option|option_combo|any).(currency).(raw|100ms|agg2)",
  "user.trades.(instrument_name).(raw|100ms|agg2)",
  "user.trades.(option|option_combo|any).(currency).(raw|100ms|agg2)",
  "user.portfolio.(currency)",
  "user.mmp_trigger.(index_name)",
  "user.straddle.held",
  "block_rfq.maker.(currency)",
  "block_rfq.maker.quotes.(currency)",
  "block_rfq.taker.(currency)",
  "block_rfq.trades.(currency)",
] as const;

/** Strikes have points in them, so instruments are whatever stands between. */
const TOP = /^book\.(.+)\.none\.(1|10|20)\.(100ms|agg2)$/;
const OF_INSTRUMENT = /^(book|ticker|trades|user\.orders|user\.trades)\.(.+)\.(raw|100ms|agg2)$/;
const OF_KIND = /^(option|option_combo|any)\.([A-Za-z]{2,10})$/;
const OF_INDEX =
  /^((?:deribit_price|deribit_volatility)_index|markprice\.options)\.([a-z]{2,10}_usdc)$/;
const OF_PROTECTION = /^user\.mmp_trigger\.([a-z]{2,10}_usdc)$/;
const OF_QUOTE = /^quote\.(.+)$/;
const OF_PORTFOLIO = /^user\.portfolio\.([A-Za-z]{2,10})$/;
const OF_RFQ = /^block_rfq\.(maker|maker\.quotes|taker|trades)\.([A-Za-z]{2,10})$/;

const RFQ_TYPES = {
  maker: "userRfqMaker",
  "maker.quotes": "userRfqQuotes",
  taker: "userRfqTaker",
  trades: "rfqTrades",
} as const;

const INDEX_TYPES = {
  deribit_price_index: "priceIndex",
  deribit_volatility_index: "volatilityIndex",
  "markprice.options": "markPrices",
} as const;

const PLAIN = {
  platform_state: "platformState",
  "straddle.batches": "batches",
  "straddle.liquidations": "liquidations",
  "user.straddle.held": "userHeld",
} as const;

/** Throws {@link RpcError}. */
export function parseChannel(name: string): Channel {
  const plain = new Map<string, (typeof PLAIN)[keyof typeof PLAIN]>(Object.entries(PLAIN));
  const type = plain.get(name);
  if (type !== undefined) return { type };
  const top = TOP.exec(name);
  if (top !== null) {
    const [, instrument = "", depth, interval] = top;
    return { type: "bookTop", instrument, depth: Number(depth), intervalMs: msOf(interval) };
  }
  const index = OF_INDEX.exec(name);
  if (index !== null) {
    return { type: INDEX_TYPES[index[1] as keyof typeof INDEX_TYPES], index: index[2] ?? "" };
  }
  const protection = OF_PROTECTION.exec(name);
  if (protection !== null) return { type: "userMmpTrigger", index: protection[1] ?? "" };
  const portfolio = OF_PORTFOLIO.exec(name);
  if (portfolio !== null) return { type: "userPortfolio", currency: portfolio[1] ?? "" };
  const rfq = OF_RFQ.exec(name);
  if (rfq !== null) {
    return { type: RFQ_TYPES[rfq[1] as keyof typeof RFQ_TYPES], currency: rfq[2] ?? "" };
  }
  const quote = OF_QUOTE.exec(name);
  if (quote !== null) return { type: "quote", instrument: quote[1] ?? "", intervalMs: 0 };
  const own = OF_INSTRUMENT.exec(name);
  if (own !== null) return instrumentChannel(own[1] ?? "", own[2] ?? "", msOf(own[3]));
  const forms = CHANNEL_FORMS.join(", ");
  const text = `no such channel: \`${name.slice(0, 100)}\`. There are: ${forms}.`;
  throw new RpcError("invalid_params", text, { param: "channels" });
}

function instrumentChannel(prefix: string, rest: string, intervalMs: number): Channel {
  if (prefix === "book" || prefix === "ticker") {
    return { type: prefix, instrument: rest, intervalMs };
  }
  const kind = OF_KIND.exec(rest);
  const target: Target =
    kind === null
      ? { instrument: rest }
      : { kind: kind[1] as "option" | "option_combo" | "any", currency: kind[2] ?? "" };
  if (prefix === "trades") return { type: "trades", target, intervalMs };
  return { type: prefix === "user.orders" ? "userOrders" : "userTrades", target, intervalMs };
}

function msOf(interval: string | undefined): number {
  return INTERVALS[(interval ?? "raw") as Interval];
}

/** Whether only a session of the account may hear it. */
export function isPrivate({ type }: Channel): boolean {
  return type.startsWith("user");
}
