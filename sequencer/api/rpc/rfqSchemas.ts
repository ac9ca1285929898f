/** Combinations, requests for quotes and blocks, in the wire's words. */
import { z } from "zod";
import { PACKAGE_LEGS_MAX } from "../../market/package.ts";
import { RFQ_MAKERS_MAX } from "../../protocol/blockRfq.ts";
import { RECEIPT } from "./accountSchemas.ts";
import * as fields from "./fieldSchemas.ts";

const { account, decimal, direction, instrumentName, label, natural, timestamp } = fields;

export const COMBO = z.strictObject({
  id: z.string(),
  instrument_id: natural.describe("number of its book"),
  state: z.enum(["active", "inactive"]),
  legs: z.array(
    z.strictObject({
      instrument_name: z.string(),
      amount: z.int().describe("below 0: sold by who buys the combination"),
    }),
  ),
});

/** A leg of what is asked for; amounts are contracts. */
export const TRADED_LEG = z.strictObject({
  instrument_name: instrumentName,
  amount: decimal,
  direction,
});
export const TRADED_LEGS = z.array(TRADED_LEG).min(1).max(PACKAGE_LEGS_MAX);

export const RATIO_LEG = z.strictObject({
  instrument_name: instrumentName,
  ratio: z.int().min(1),
  direction,
});
/** Beside a word: they must be those of the request. */
export const said_legs = z.array(RATIO_LEG).max(PACKAGE_LEGS_MAX).optional();

export const makers = z
  .array(z.string().regex(/^\d{1,7}$/, "must be an account's number"))
  .min(1)
  .max(RFQ_MAKERS_MAX)
  .optional()
  .describe("accounts that may see it; left out: all");

export const executionInstruction = z.enum(["any_part_of", "all_or_none"]);
const state = z.enum(["open", "filled", "cancelled", "expired"]);
const ANONYMOUS = "`ANONYMOUS`, or the account where both sides are disclosed";

const OFFER = z.strictObject({
  price: z.number(),
  amount: z.number(),
  makers: z.array(z.string()).describe(ANONYMOUS),
  last_update_timestamp: timestamp,
  execution_instruction: executionInstruction,
  expires_at: timestamp,
});

const RFQ_FILL = z.strictObject({
  price: z.number(),
  amount: z.number(),
  direction: direction.describe("of the taker"),
  maker: z.string().nullable().describe(`${ANONYMOUS}; null: it rested in the book`),
});

export const BLOCK_RFQ = z.strictObject({
  block_rfq_id: natural,
  role: z.enum(["taker", "maker"]),
  state,
  amount: z.number().describe("multiplied by a leg's ratio: what is traded of the leg"),
  legs: z.array(RATIO_LEG),
  combo_id: z.string().describe("the book that words are of"),
  is_reversed: z.boolean().describe("who buys the legs sells the book, at the negative price"),
  mark_price: z.number().nullable(),
  creation_timestamp: timestamp,
  expiration_timestamp: timestamp,
  quotes_timestamp: timestamp.describe("the taker sees quotes from then on"),
  disclosed: z.boolean(),
  taker: z.string().nullable().describe("null: anonymous"),
  makers: z.array(z.string()).describe("empty: all"),
  label: label.describe("empty for makers"),
  bids: z.array(OFFER).describe("best first; empty for makers"),
  asks: z.array(OFFER),
  trades: z.array(RFQ_FILL).describe("once it is filled"),
});

export const BLOCK_RFQ_QUOTE = z.strictObject({
  block_rfq_quote_id: natural,
  block_rfq_id: natural,
  account,
  key_index: fields.keyIndex,
  direction,
  price: z.number(),
  amount: z.number(),
  legs: z.array(RATIO_LEG),
  execution_instruction: executionInstruction,
  quote_state: state,
  quote_state_reason: z.string().nullable(),
  reason_text: z.string().nullable(),
  filled_amount: z.number(),
  resting_amount: z.number().describe("in the book, for its maker to cancel"),
  order_id: z.string().nullable(),
  replaced: z.boolean(),
  label,
  creation_timestamp: timestamp,
  last_update_timestamp: timestamp,
  expires_at: timestamp,
});

/** `id`: of the request, or of the block. Sides and prices are the combination's. */
export const BLOCK_TRADE = z.strictObject({
  id: natural,
  timestamp,
  combo_id: z.string(),
  direction: direction.describe("of the taker"),
  amount: z.number(),
  log_position: natural,
  trades: z.array(
    z.strictObject({
      price: z.number(),
      amount: z.number(),
      direction,
      maker: RFQ_FILL.shape.maker,
    }),
  ),
});

export const ACCEPTED = z.strictObject({
  block_trades: z.array(BLOCK_TRADE),
  receipt: RECEIPT,
  is_repeat: z.boolean(),
});

/** Deribit's roles: who rests, and who takes. Directions are the maker's. */
export const blockTerms = {
  timestamp: timestamp.describe("shared by both; neither word is good for longer after it"),
  nonce: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w-]+$/, "letters, digits, _ and -"),
  role: z.enum(["maker", "taker"]),
  trades: z
    .array(TRADED_LEG.extend({ price: decimal.describe("USDC for one contract of the leg") }))
    .min(1)
    .max(PACKAGE_LEGS_MAX)
    .describe("directions are the maker's"),
};

export const counterpartySignature = z
  .string()
  .max(600)
  .regex(/^\d+\.[\w-]+\.(maker|taker)\.\d+\.\d\.(0x[0-9a-f]{1,64}\.?){4}$/, "of the other side");
