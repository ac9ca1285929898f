/** What each method takes. Unknown fields are refused; numbers are bounded as the protocol is. */
import { z } from "zod";
import {
  ACCOUNT_BITS,
  BOOK_BITS,
  FIELD_MODULUS,
  KEYS_PER_ACCOUNT,
  LOTS_BITS,
  PRICE_OFFSET,
} from "../protocol/constants.ts";
import { ApiError } from "./errors.ts";
import { CHANNELS_MAX, DEPTH_MAX, ROWS_MAX } from "./limits.ts";
import { encodeWire } from "./wire.ts";

const account = z
  .int()
  .min(0)
  .max(2 ** ACCOUNT_BITS - 1);
const book = z
  .int()
  .min(0)
  .max(2 ** BOOK_BITS - 1);
const keyIndex = z
  .int()
  .min(0)
  .max(KEYS_PER_ACCOUNT - 1);
/** What words can hold; what the door makes of a 0 it says itself. */
const LOTS_MAX = 2 ** LOTS_BITS - 1;
const natural = z.int().min(0);
const limit = z.int().min(1).max(ROWS_MAX);

const field = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, "must be a 0x string of 1 to 64 hex digits")
  .transform((text) => BigInt(text))
  .refine((value) => value < FIELD_MODULUS, "must be below the field's modulus");

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be a layer-one address: 0x and 40 hex digits")
  .transform((text) => BigInt(text));

const signature = z.strictObject({ r8x: field, r8y: field, s: field });

/** What the author has seen of the log, signed over `seenHash`. */
const seen = z.strictObject({
  position: natural,
  hash: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits"),
  signature,
});

/** Signature over `readRequestHash` by one of the account's trading keys. */
const reader = z.strictObject({ account, keyIndex, time: natural, signature });
export type Reader = z.output<typeof reader>;

const CHANNEL =
  /^((trades|book|ticker|account)\.(0|[1-9]\d{0,6})|batches|liquidations|trading|heartbeat)$/;
const channel = z
  .string()
  .max(32)
  .regex(
    CHANNEL,
    "must be `trades.N`, `book.N`, `ticker.N`, `account.N`, `batches`, `liquidations`, `trading` " +
      "or `heartbeat`",
  );
const channels = z.array(channel).min(1).max(CHANNELS_MAX);

const who = z
  .strictObject({ account: account.optional(), owner: address.optional() })
  .refine((value) => (value.account === undefined) !== (value.owner === undefined), {
    message: "must have either `account` or `owner`",
  });

export const SCHEMAS = {
  nothing: z.strictObject({}),
  book: z.strictObject({ book, depth: z.int().min(1).max(DEPTH_MAX).default(20) }),
  trades: z.strictObject({ book: book.optional(), limit: limit.default(100) }),
  who,
  key: z.strictObject({ account, keyIndex }),
  owner: z.strictObject({ owner: address }),
  batch: z.strictObject({
    number: z.union([z.int().min(1), z.literal("latest")], 'must be a number from 1 or "latest"'),
  }),
  batches: z.strictObject({ from: z.int().min(1).optional(), limit: limit.default(20) }),
  stages: z.strictObject({ logPosition: natural }),
  log: z.strictObject({ from: natural, limit: limit.default(100) }),
  account: z.strictObject({ account }),
  preview: z.strictObject({
    account,
    keyIndex: keyIndex.default(0),
    book,
    isSell: z.boolean(),
    price: z.int().min(-PRICE_OFFSET).max(PRICE_OFFSET),
    lots: z.int().min(0).max(LOTS_MAX),
    timeInForce: z.enum(["gtc", "ioc", "fok"]).default("gtc"),
    postOnly: z.boolean().default(false),
    reduceOnly: z.boolean().default(false),
  }),
  submit: z.strictObject({ account, keyIndex, word: field, signature, seen: seen.optional() }),
  reader,
  history: z.strictObject({ reader, limit: limit.default(100) }),
  subscribe: z.strictObject({ channels, reader: reader.optional() }),
  unsubscribe: z.strictObject({ channels }),
};

const requestId = z.union(
  [z.string().max(64), z.int(), z.null()],
  "must be an integer, a string of at most 64 characters, or null",
);

/** Params are checked later, by the method's schema, so that their errors carry the id. */
export const REQUEST = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: requestId.optional(),
  method: z.string().max(64),
  params: z.unknown().optional(),
});
export type RequestId = z.output<typeof requestId>;

/** The value, or an {@link ApiError} that names the field, its value and what is allowed. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  root: "params" | "request",
): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const param = [root, ...issue.path.map(String)].join(".");
  const reason = root === "params" ? "invalidParams" : "invalidRequest";
  throw new ApiError(reason, `\`${param}\` ${sentence(issue)}`, { param });
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return `has unknown fields: ${issue.keys.map((key) => `\`${clip(key)}\``).join(", ")}.`;
  }
  if (issue.input === undefined && issue.code === "invalid_type") {
    return `is missing: ${issue.expected} wanted.`;
  }
  return `${rule(issue)}. Got \`${clip(encodeWire(issue.input) ?? "none")}\`.`;
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "too_small":
      return `must be at least ${issue.minimum}${issue.origin === "array" ? " long" : ""}`;
    case "too_big":
      return `must be at most ${issue.maximum}${issue.origin === "array" ? " long" : ""}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    default:
      return issue.message;
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
