/** Schemas of single fields, shared by all methods. Prices in USDC, amounts in contracts. */
import { z } from "zod";
import { TIME_IN_FORCE_NAMES } from "../../market/timeInForce.ts";
import {
  ACCOUNT_BITS,
  FIELD_MODULUS,
  KEYS_PER_ACCOUNT,
  PRICE_OFFSET,
} from "../../protocol/constants.ts";

export const account = z
  .int()
  .min(0)
  .max(2 ** ACCOUNT_BITS - 1)
  .describe("account id");
export const keyIndex = z
  .int()
  .min(0)
  .max(KEYS_PER_ACCOUNT - 1)
  .describe("which of the account's trading keys");
export const natural = z.int().min(0);
export const timestamp = natural.describe("unix ms");
export const count = z.int().min(1).max(1000);
/** A label is the client's own; it is not signed and not unique. */
export const label = z.string().max(64);

/** An exact decimal: a JSON number, or its text where a language's floats are not trusted. */
export const decimal = z.union(
  [
    z.number().min(-PRICE_OFFSET).max(PRICE_OFFSET),
    z.string().regex(/^-?\d{1,9}(\.\d{1,9})?$/, "must be a decimal number such as 12.5"),
  ],
  "must be a decimal number such as 12.5, or its text",
);

export const instrumentName = z
  .string()
  .min(1)
  .max(200)
  .describe("such as `ETH-20261225-3000-C`, or a combination's name");

const HEX = /^0x[0-9a-fA-F]{1,64}$/;
export const hexField = z.string().regex(HEX, "must be a 0x string of 1 to 64 hex digits");

/** A field element; the bound is not in the JSON schema, which knows no numbers of that size. */
export const fieldElement = hexField.refine(
  // Runs also where the form is wrong already.
  (text) => HEX.test(text) && BigInt(text) < FIELD_MODULUS,
  "must be below the field's modulus",
);

export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be a layer-one address: 0x and 40 hex digits");

export const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");

export const eddsaSignature = z
  .strictObject({ r8x: fieldElement, r8y: fieldElement, s: fieldElement })
  .describe("EdDSA-Poseidon on Baby Jubjub");

/** An order's word with its signature: what a private method of trading is authorised by. */
export const signedWord = z
  .strictObject({
    account,
    key_index: keyIndex,
    word: fieldElement.describe("layout `tradeMessage` or `ledgerMessage`"),
    signature: eddsaSignature.describe("over the key's chain head after the word"),
    seen: z
      .strictObject({ position: natural, hash, signature: eddsaSignature })
      .optional()
      .describe("what the author has seen of the log"),
  })
  .describe("the signed word that says the same as the readable fields");

export const kind = z.enum(["option", "option_combo", "any"]).default("any");
export const currency = z.string().max(10).describe("the underlying, `USDC` or `any`");
export const direction = z.enum(["buy", "sell"]);
export const timeInForce = z.enum(Object.values(TIME_IN_FORCE_NAMES));
export const orderId = z.string().max(48).describe("such as `12-B-350-1042`");
export const stage = z.enum(["sequenced", "certified", "proven", "anchored"]);
