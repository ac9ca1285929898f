/** What the methods of trading take. */
import { z } from "zod";
import { HELD_PER_REQUEST_MAX } from "../../protocol/heldWord.ts";
import * as fields from "./fieldSchemas.ts";
import { TRIGGER_TYPES, triggerType } from "./heldSchemas.ts";

const { decimal, direction, instrumentName, label, signedWord } = fields;

const common = {
  amount: decimal.describe("contracts"),
  time_in_force: fields.timeInForce.default("good_til_cancelled"),
  post_only: z.boolean().default(false),
  reject_post_only: z.literal(true).optional().describe("a signed price is never changed"),
  reduce_only: z.boolean().default(false),
  label: label.default(""),
  valid_until: fields.timestamp.optional().describe("the word's deadline"),
};

/** Of an order that goes out at once. */
export const orderFields = {
  ...common,
  price: decimal.describe("USDC for one contract"),
  type: z.literal("limit").default("limit"),
};

/** Of one that may wait. */
const waitingFields = {
  ...common,
  price: decimal.optional().describe("may be left out of a market order: its bound is signed"),
  type: z.enum(["limit", ...TRIGGER_TYPES]).default("limit"),
  trigger: triggerType.optional(),
  trigger_price: decimal.optional(),
};

const SECONDARY = z.strictObject({
  instrument_name: instrumentName.optional(),
  direction,
  ...waitingFields,
  signed: signedWord,
});
export type Secondary = z.output<typeof SECONDARY>;

/** Words beside the first that may be left with it. */
const OTHERS_MAX = HELD_PER_REQUEST_MAX - 1;

export const PLACE = z.strictObject({
  instrument_name: instrumentName,
  ...waitingFields,
  signed: signedWord,
  linked_order_type: z
    .enum(["one_triggers_other", "one_cancels_other", "one_triggers_one_cancels_other"])
    .optional(),
  trigger_fill_condition: z.enum(["first_hit", "complete_fill"]).default("first_hit"),
  otoco_config: z.array(SECONDARY).max(OTHERS_MAX).optional(),
  display_amount: decimal.optional().describe("the largest part that is shown at a time"),
  signed_slices: z.array(signedWord).max(OTHERS_MAX).optional().describe("words after the first"),
});
export type Place = z.output<typeof PLACE>;

/** Quotes in one `private/mass_quote`. */
const QUOTES_MAX = 25;

const QUOTE_SIDE = z.strictObject({
  price: decimal,
  amount: decimal,
  post_only: z.boolean().default(true),
  signed: signedWord,
  cancel: z
    .strictObject({ order_id: fields.orderId, signed: signedWord })
    .optional()
    .describe("of the quote that this one replaces; it goes out before"),
});
export type QuoteSide = z.output<typeof QUOTE_SIDE>;

export const MASS_QUOTE = z.strictObject({
  quotes: z
    .array(
      z.strictObject({
        instrument_name: instrumentName,
        label: label.default(""),
        bid: QUOTE_SIDE.optional(),
        ask: QUOTE_SIDE.optional(),
      }),
    )
    .min(1)
    .max(QUOTES_MAX),
});
