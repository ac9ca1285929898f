/** What the methods and channels of one account answer. */
import { z } from "zod";
import {
  account,
  direction,
  hash,
  hexField,
  keyIndex,
  natural,
  timeInForce,
  timestamp,
} from "./fieldSchemas.ts";
import { TRADE } from "./marketSchemas.ts";

const money = z.number().describe("USDC");

export const ORDER = z.strictObject({
  order_id: z.string(),
  instrument_name: z.string(),
  direction,
  price: z.number(),
  amount: z.number(),
  contracts: z.number(),
  filled_amount: z.number(),
  average_price: z.number().nullable(),
  order_state: z.enum(["open", "filled", "cancelled", "rejected", "untriggered", "triggered"]),
  cancel_reason: z.string().optional().describe("outcome or removal that has ended it"),
  order_type: z.enum(["limit", "stop_limit", "stop_market", "take_limit", "take_market"]),
  trigger: z.enum(["index_price", "mark_price"]).optional(),
  trigger_price: z.number().optional(),
  triggered: z.boolean().optional(),
  placed_order_id: z.string().optional().describe("of a held order that was sent: its own id"),
  time_in_force: timeInForce.nullable(),
  post_only: z.boolean(),
  reject_post_only: z.boolean().optional(),
  reduce_only: z.boolean(),
  label: z.string(),
  commission: money,
  creation_timestamp: timestamp,
  last_update_timestamp: timestamp,
  api: z.literal(true),
  replaced: z.literal(false),
  seq: natural.describe("its number in the market's order of messages"),
});

export const USER_TRADE = z.strictObject({
  ...TRADE.omit({ mark_price: true, index_price: true, iv: true, tick_direction: true }).shape,
  order_id: z.string(),
  order_type: z.literal("limit"),
  state: ORDER.shape.order_state.or(z.literal("archive")),
  label: z.string(),
  fee: money.describe("negative: a rebate"),
  fee_currency: z.literal("USDC"),
  liquidity: z.enum(["M", "T"]),
});

export const USER_TRADES = z.strictObject({
  trades: z.array(USER_TRADE),
  has_more: z.boolean(),
});

const receiptFill = z.strictObject({
  price: z.int(),
  lots: natural,
  makerSeq: natural,
  fee: z.int(),
});

const receiptRemoval = z.strictObject({
  book: natural,
  isSell: z.boolean(),
  price: z.int(),
  seq: natural,
  lots: natural,
  reason: z.string(),
});

/** In the protocol's units and names, as clients verify it. */
export const RECEIPT = z
  .strictObject({
    account,
    keyIndex,
    head: hexField,
    kind: z.string(),
    logPosition: natural,
    logEpoch: natural,
    logPrevious: hash,
    logHash: hash,
    seq: natural.nullable(),
    orderId: z.string().nullable(),
    outcome: z.string(),
    restingLots: natural,
    fills: z.array(receiptFill),
    removed: z.array(receiptRemoval),
    arrived: timestamp.nullable(),
    batchNumber: natural,
    time: timestamp,
    stage: z.literal("sequenced"),
    signature: z.string(),
  })
  .describe("the sequencer's signed word; prices in ticks, quantities in lots, 1e-6 USDC");

const sequenced = {
  receipt: RECEIPT,
  is_repeat: z.boolean().describe("the same word had been sent before; this is its receipt"),
};

export const PLACED = z.strictObject({ order: ORDER, trades: z.array(USER_TRADE), ...sequenced });
export const CANCELLED = z.strictObject({ ...ORDER.shape, ...sequenced });
export const ALL_CANCELLED = z.strictObject({ cancelled: natural, ...sequenced });
export const SUBMITTED = z.strictObject({
  results: z.array(
    z.union([
      z.strictObject(sequenced),
      z.strictObject({
        error: z.strictObject({
          code: z.int(),
          message: z.string(),
          data: z.record(z.string(), z.unknown()),
        }),
      }),
    ]),
  ),
});

export const POSITION = z.strictObject({
  instrument_name: z.string(),
  kind: z.literal("option"),
  direction: z.enum(["buy", "sell", "zero"]),
  size: z.number(),
  average_price: z
    .number()
    .nullable()
    .describe("of the open lots, to 1e-6 USDC; legs of combinations by their marks; 0: none open"),
  floating_profit_loss: money.nullable().describe("of the open lots at the mark, without fees"),
  realized_profit_loss: money
    .nullable()
    .describe("of lots closed, taken over or paid out since the series was listed, without fees"),
  total_profit_loss: money.nullable().describe("both; null: not known, or no mark"),
  mark_price: z.number().nullable(),
  mark_iv: z.number().nullable(),
  index_price: z.number().nullable(),
  value: money.nullable(),
  delta: z.number().nullable(),
  gamma: z.number().nullable(),
  vega: z.number().nullable(),
  theta: z.number().nullable(),
  settlement_price: z.number().nullable(),
});

export const ACCOUNT_SUMMARY = z.strictObject({
  currency: z.literal("USDC"),
  id: account,
  balance: money,
  equity: money.nullable(),
  margin_balance: money.nullable(),
  initial_margin: money.nullable(),
  maintenance_margin: money.nullable(),
  available_funds: money.nullable(),
  available_withdrawal_funds: money.nullable(),
  options_value: money.nullable(),
  options_delta: z.number().nullable(),
  options_gamma: z.number().nullable(),
  options_vega: z.number().nullable(),
  options_theta: z.number().nullable(),
  delta_total: z.number().nullable(),
  portfolio_margining_enabled: z.literal(true),
  cross_collateral_enabled: z.literal(false),
  margin_model: z.literal("portfolio"),
  locked_since: natural.nullable().describe("unix seconds: the account is in liquidation"),
});

export const SIMULATED = z.strictObject({
  currency: z.literal("USDC"),
  equity: money,
  balance: money,
  initial_margin: money,
  maintenance_margin: money,
  available_funds: money,
  worst_scenario: natural,
  delta: z.number(),
  gamma: z.number(),
  vega: z.number(),
  theta: z.number(),
  scenarios: z.array(
    z.strictObject({
      scenario: natural,
      name: z.string(),
      profit_loss: money,
      initial_headroom: money,
      maintenance_headroom: money,
    }),
  ),
});

export const MARGINS = z.strictObject({
  buy: money.describe("what initial margin grows by, at the worst fill"),
  sell: money,
  buy_verdict: z.string().nullable().describe("what the door would refuse it for"),
  sell_verdict: z.string().nullable(),
  min_price: z.null(),
  max_price: z.null(),
});

export const AUTHENTICATED = z.strictObject({
  account,
  key_index: keyIndex,
  scope: z.literal("connection"),
  expires_in: natural.describe("seconds until the key expires"),
});

export const TRANSACTIONS = z.strictObject({
  logs: z.array(
    z.strictObject({
      type: z.string(),
      timestamp,
      change: money.nullable().describe("null: a transfer, in or out"),
      balance: money.nullable().describe("null: not known"),
      commission: money.nullable().describe("a trade's fee, which is in `change`; else null"),
      batch_number: natural,
      instrument_name: z.string().nullable(),
      amount: z.number().nullable(),
      price: z.number().nullable(),
    }),
  ),
});
