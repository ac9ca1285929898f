/** What the methods and channels of market data answer. */
import { z } from "zod";
import { account, natural, timestamp } from "./fieldSchemas.ts";

const price = z.number();
const amount = z.number().min(0);

export const INSTRUMENT = z.strictObject({
  instrument_name: z.string(),
  instrument_id: natural.describe("of a listing: it is not used again"),
  kind: z.enum(["option", "option_combo"]),
  instrument_type: z.literal("linear"),
  base_currency: z.string(),
  quote_currency: z.string(),
  counter_currency: z.string(),
  settlement_currency: z.string(),
  price_index: z.string(),
  option_type: z.enum(["call", "put"]).optional(),
  strike: price.optional(),
  expiration_timestamp: timestamp,
  creation_timestamp: timestamp.nullable(),
  is_active: z.boolean(),
  state: z.enum(["open", "locked", "closed", "delivered"]),
  contract_size: amount,
  min_trade_amount: amount.describe("one lot: amounts are multiples of it"),
  tick_size: price,
  taker_fee: z
    .number()
    .nullable()
    .describe("USDC for one contract, at most an eighth of the price"),
  maker_fee: z.number().nullable(),
  book: natural.nullable().describe("what words name; null: no book is open"),
  slot: natural.nullable().describe("of an option, while it has one"),
  legs: z
    .array(z.strictObject({ instrument_name: z.string(), ratio: z.int() }))
    .describe("of a combination"),
});

export const GREEKS = z.strictObject({
  delta: z.number(),
  gamma: z.number(),
  vega: z.number(),
  theta: z.number(),
  rho: z.number(),
});

export const IMPLIED = z
  .strictObject({
    bid_price: price.nullable(),
    bid_amount: amount,
    ask_price: price.nullable(),
    ask_amount: amount,
  })
  .describe("what the legs' books would give; nobody has promised to trade all legs");

const STATS = z.strictObject({
  volume: amount,
  volume_usd: z.number(),
  high: price.nullable(),
  low: price.nullable(),
  price_change: z.number().nullable().describe("percent"),
});

const TICKER_FIELDS = {
  instrument_name: z.string(),
  timestamp,
  state: INSTRUMENT.shape.state,
  stats: STATS,
  open_interest: amount.nullable(),
  best_bid_price: price.nullable(),
  best_bid_amount: amount,
  best_ask_price: price.nullable(),
  best_ask_amount: amount,
  last_price: price.nullable(),
  mark_price: price.nullable(),
  mark_iv: z.number().nullable().describe("percent, as all volatilities"),
  bid_iv: z.number().nullable(),
  ask_iv: z.number().nullable(),
  greeks: GREEKS.nullable(),
  index_price: price.nullable(),
  underlying_price: price.nullable(),
  underlying_index: z.string(),
  estimated_delivery_price: price.nullable(),
  interest_rate: z.literal(0),
  delivery_price: price.optional().describe("once it is settled"),
  implied: IMPLIED.optional(),
};

export const TICKER = z.strictObject(TICKER_FIELDS);

const LEVELS = z.array(z.tuple([price, amount]));

export const ORDER_BOOK = z.strictObject({
  ...TICKER_FIELDS,
  change_id: natural,
  checksum: natural,
  bids: LEVELS,
  asks: LEVELS,
});

export const BOOK_SUMMARY = z.strictObject({
  instrument_name: z.string(),
  base_currency: z.string(),
  quote_currency: z.string(),
  creation_timestamp: timestamp,
  bid_price: price.nullable(),
  ask_price: price.nullable(),
  mid_price: price.nullable(),
  mark_price: price.nullable(),
  mark_iv: z.number().nullable(),
  last: price.nullable(),
  high: price.nullable(),
  low: price.nullable(),
  price_change: z.number().nullable(),
  volume: amount,
  volume_usd: z.number(),
  open_interest: amount.nullable(),
  underlying_price: price.nullable(),
  underlying_index: z.string(),
  estimated_delivery_price: price.nullable(),
  interest_rate: z.literal(0),
});

export const TRADE = z.strictObject({
  trade_id: z.string(),
  trade_seq: natural.describe("of all instruments together: it grows, and need not be dense"),
  instrument_name: z.string(),
  timestamp,
  price,
  amount,
  contracts: amount,
  direction: z.enum(["buy", "sell"]).describe("the taker's"),
  tick_direction: z.int().min(0).max(3),
  mark_price: price.nullable(),
  index_price: price.nullable(),
  iv: z.number().nullable(),
  liquidation: z.literal("T").optional(),
  batch_number: natural,
});

export const TRADES = z.strictObject({ trades: z.array(TRADE), has_more: z.boolean() });

export const SETTLEMENTS = z.strictObject({
  settlements: z.array(
    z.strictObject({
      type: z.literal("delivery"),
      instrument_name: z.string(),
      timestamp,
      mark_price: price,
      index_price: price.nullable(),
    }),
  ),
  continuation: z.string().nullable(),
});

export const INDEX_PRICE = z.strictObject({
  index_price: price.nullable(),
  estimated_delivery_price: price.nullable(),
});

export const CURRENCY = z.strictObject({
  currency: z.string(),
  currency_long: z.string(),
  coin_type: z.string(),
  decimals: natural,
  is_collateral: z.boolean(),
});

export const PLATFORM_STATUS = z.strictObject({
  locked: z.enum(["true", "partial", "false"]),
  locked_indices: z.array(z.string()),
  mode: z.enum(["open", "paused", "cancelOnly"]),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  since: timestamp.nullable(),
  opens_at: timestamp.nullable(),
  overloaded: z.boolean(),
  halted: z.string().nullable(),
  frozen_at: timestamp.nullable().describe("when the rollup was frozen; null: it lives"),
});

export const VOLATILITY_DATA = z.strictObject({
  data: z.array(z.tuple([timestamp, z.number(), z.number(), z.number(), z.number()])),
  continuation: timestamp.nullable(),
});

/** Channel `book.(instrument_name).(interval)`. */
const LEVEL_CHANGES = z.array(z.tuple([z.enum(["new", "change", "delete"]), price, amount]));
export const BOOK_NOTIFICATION = z.strictObject({
  type: z.enum(["snapshot", "change"]),
  timestamp,
  instrument_name: z.string(),
  change_id: natural,
  prev_change_id: natural.optional().describe("of a change: the `change_id` before it"),
  bids: LEVEL_CHANGES,
  asks: LEVEL_CHANGES,
  checksum: natural.describe("of the book after it"),
});

/** Channel `book.(instrument_name).none.(depth).(interval)`. */
export const BOOK_TOP_NOTIFICATION = z.strictObject({
  timestamp,
  instrument_name: z.string(),
  change_id: natural,
  bids: LEVELS,
  asks: LEVELS,
});

export const QUOTE_NOTIFICATION = TICKER.pick({
  instrument_name: true,
  timestamp: true,
  best_bid_price: true,
  best_bid_amount: true,
  best_ask_price: true,
  best_ask_amount: true,
});

export const PRICE_INDEX_NOTIFICATION = z.strictObject({
  index_name: z.string(),
  price: price.nullable(),
  timestamp,
});

export const VOLATILITY_INDEX_NOTIFICATION = z.strictObject({
  index_name: z.string(),
  volatility: z.number(),
  timestamp,
});

export const MARK_PRICES_NOTIFICATION = z.array(
  z.strictObject({
    instrument_name: z.string(),
    mark_price: price,
    iv: z.number().nullable(),
    timestamp,
  }),
);

export const LIQUIDATION_OFFER = z.strictObject({
  account,
  locked_since: natural.describe("unix seconds"),
  balance: z.number(),
  equity: z.number().nullable(),
  maintenance_headroom: z.number().nullable(),
  offers: z.array(
    z.strictObject({
      instrument_name: z.string().nullable(),
      slot: natural,
      position: z.number(),
      mark_price: price,
      amount_max: amount,
      lots_max: natural,
      payment_per_lot: z.number(),
      payment_per_lot_max: z.number(),
    }),
  ),
});
