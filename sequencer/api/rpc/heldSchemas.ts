/** Words that are held, in the wire's words. */
import { z } from "zod";
import {
  CONDITIONS_MAX,
  HELD_LABEL_LENGTH_MAX,
  HELD_PER_REQUEST_MAX,
} from "../../protocol/heldWord.ts";
import { ORDER } from "./accountSchemas.ts";
import * as fields from "./fieldSchemas.ts";

const { account, decimal, instrumentName, keyIndex, natural, orderId, signedWord, timestamp } =
  fields;

export const triggerType = z.enum(["index_price", "mark_price"]);

/** Types of orders that wait for a price; `market`: immediate within the signed price. */
export const TRIGGER_TYPES = ["stop_limit", "stop_market", "take_limit", "take_market"] as const;
export type TriggerType = (typeof TRIGGER_TYPES)[number];

const comparison = z.enum(["at_or_above", "at_or_below"]);

export const condition = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("index_price"), is: comparison, price: decimal }),
    z.strictObject({
      type: z.literal("mark_price"),
      instrument_name: instrumentName,
      ...{ is: comparison, price: decimal },
    }),
    z.strictObject({ type: z.literal("time"), timestamp }),
    z.strictObject({
      type: z.literal("disconnected"),
      scope: z.enum(["connection", "account"]).default("connection"),
    }),
    z.strictObject({
      type: z.literal("filled"),
      order_id: orderId.nullable().default(null).describe("null: of the word that it follows"),
      part: z.enum(["any", "all"]).default("all"),
    }),
    z.strictObject({ type: z.literal("mmp_trigger") }),
  ])
  .describe("what has to come true");
export type WireCondition = z.output<typeof condition>;

export const heldWord = z.strictObject({
  signed: signedWord,
  follows: natural
    .max(HELD_PER_REQUEST_MAX - 1)
    .nullable()
    .optional()
    .describe("place in the list of the word whose head it extends; default: the one before"),
  conditions: z.array(condition).max(CONDITIONS_MAX).default([]).describe("one after the other"),
  label: z.string().max(HELD_LABEL_LENGTH_MAX).default(""),
});

const SHOWN_CONDITION = z.strictObject({
  type: z.string(),
  met: z.boolean(),
  is: comparison.optional(),
  price: z.number().optional(),
  instrument_name: z.string().optional(),
  timestamp: timestamp.optional(),
  scope: z.enum(["connection", "account"]).optional(),
  order_id: z.string().nullable().optional(),
  part: z.enum(["any", "all"]).optional(),
});

export const HELD = z.strictObject({
  held_id: z.string(),
  group: z.string().describe("of all words that were left together"),
  account,
  key_index: keyIndex,
  kind: z.enum(["place", "cancel", "cancelAll"]),
  conditions: z.array(SHOWN_CONDITION),
  state: z.enum(["held", "triggered", "sent", "refused", "dropped", "withdrawn"]),
  reason: z.string().nullable(),
  reason_text: z.string().nullable(),
  follows: z.string().nullable(),
  label: z.string(),
  deadline: timestamp,
  creation_timestamp: timestamp,
  last_update_timestamp: timestamp,
  order: ORDER.nullable().describe("of a held order; else null"),
});

export const HELD_ANSWER = z.strictObject({ held: z.array(HELD) });

/** Of a trigger order: nothing is sequenced yet, so there is no receipt. */
export const HELD_PLACED = z.strictObject({
  order: ORDER,
  trades: z.array(z.never()).max(0),
  held: z.array(HELD),
});

export const CANCEL_ON_DISCONNECT = z.strictObject({
  scope: z.enum(["connection", "account"]),
  enabled: z.boolean(),
});

export const MMP_CONFIG = z.strictObject({
  index_name: z.string(),
  interval: z.number().describe("seconds"),
  frozen_time: z.number().describe("seconds; 0: until it is reset"),
  quantity_limit: z.number().nullable(),
  delta_limit: z.number().nullable(),
  vega_limit: z.number().nullable(),
  is_frozen: z.boolean(),
  frozen_until: timestamp.nullable(),
  has_word: z.boolean().describe("a cancel-all is held that goes out when it is triggered"),
});

export const MMP_TRIGGER = z.strictObject({
  index_name: z.string(),
  frozen_until: timestamp.describe("0: until it is reset"),
});

const quoteError = z.strictObject({
  code: z.int(),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export const MASS_QUOTED = z.strictObject({
  quotes: z.array(
    z.strictObject({
      instrument_name: z.string(),
      side: z.enum(["bid", "ask"]),
      label: z.string(),
      cancelled: z.boolean().nullable().describe("null: nothing was to be cancelled"),
      cancel_error: quoteError.nullable(),
      order: ORDER.nullable(),
      error: quoteError.nullable(),
    }),
  ),
});

export const KEY_SCOPE = z.strictObject({
  account,
  key_index: keyIndex,
  version: natural,
  scope: z.enum(["full", "noWithdrawals", "tradeOnly", "cancelOnly", "readOnly", "none"]),
});
