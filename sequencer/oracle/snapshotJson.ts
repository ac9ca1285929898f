/** Snapshots as JSON: field elements as 0x strings (decimal is read too), the rest as numbers. */
import { z } from "zod";
import {
  CHANGE_OFFSET,
  FIELD_MODULUS,
  MARK_BITS,
  SCENARIOS,
  SECONDS_BITS,
  SLOTS_MAX,
  STRIKE_BITS,
  TIME_BITS,
} from "../protocol/constants.ts";
import type { Snapshot } from "../protocol/snapshot.ts";

/** More oracles than any set has; bounds what a peer can make us verify. */
const SIGNATURES_MAX = 64;

const element = z
  .string()
  .regex(/^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/, "must be a decimal or 0x string")
  .transform(BigInt)
  .refine((value) => value < FIELD_MODULUS, "must lie below the field's modulus");

/** Of an {@link OracleSignature}. */
export const signatureSchema = z.strictObject({
  signer: z
    .int()
    .min(0)
    .max(SIGNATURES_MAX - 1),
  r8x: element,
  r8y: element,
  s: element,
});

const schema = z.strictObject({
  time: z
    .int()
    .min(0)
    .max(2 ** TIME_BITS - 1),
  slots: z
    .array(
      z.strictObject({
        terms: z.strictObject({
          isCall: z.boolean(),
          strike: z
            .int()
            .min(0)
            .max(2 ** STRIKE_BITS - 1),
          expiry: z
            .int()
            .min(0)
            .max(2 ** SECONDS_BITS - 1),
        }),
        mark: z
          .int()
          .min(0)
          .max(2 ** MARK_BITS - 1),
        isFinal: z.boolean(),
        changes: z.array(z.int().gt(-CHANGE_OFFSET).lt(CHANGE_OFFSET)).length(SCENARIOS),
      }),
    )
    .max(SLOTS_MAX),
  signatures: z.array(signatureSchema).max(SIGNATURES_MAX),
});

/** {@link Snapshot} with strings in the place of bigints. */
export type SnapshotJson = z.input<typeof schema>;

export function snapshotToJson(snapshot: Snapshot): SnapshotJson {
  return {
    time: snapshot.time,
    slots: snapshot.slots.map(({ terms, mark, isFinal, changes }) => {
      return { terms: { ...terms }, mark, isFinal, changes: [...changes] };
    }),
    signatures: snapshot.signatures.map(({ signer, r8x, r8y, s }) => {
      return { signer, r8x: toHex(r8x), r8y: toHex(r8y), s: toHex(s) };
    }),
  };
}

/** Validates shape and ranges, not signatures. Throws zod's error, which names the wrong field. */
export function snapshotFromJson(value: unknown): Snapshot {
  return schema.parse(value);
}

function toHex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
