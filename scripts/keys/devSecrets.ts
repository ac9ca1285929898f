/**
 * INSECURE BY DESIGN. The secrets of every development key, in the open.
 *
 * Whoever knows these numbers forges a proof of any statement in a moment, and everybody who
 * reads this file knows them. They exist so that a key for a million constraints is made in a
 * minute, the same on every machine. Keys that guard money come from `ceremony.ts`.
 */
import { createHash } from "node:crypto";
import { SCALAR_FIELD } from "./wasmCurve.ts";

/** The first half of a development key's circuit hash, by which the key is recognised. */
export const DEV_KEY_MARK: Uint8Array = createHash("sha256")
  .update("straddle insecure development key")
  .digest();

/** The toxic waste of Groth16, which a ceremony destroys and this file publishes. */
export type Secrets = {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly gamma: bigint;
  readonly delta: bigint;
};

/** The published secrets. Each differs from the others, so that gamma is not delta. */
export const DEV_SECRETS: Secrets = {
  tau: published("tau"),
  alpha: published("alpha"),
  beta: published("beta"),
  gamma: published("gamma"),
  delta: published("delta"),
};

function published(name: string): bigint {
  const digest = createHash("sha256").update(`straddle insecure development ${name}`).digest("hex");
  return BigInt(`0x${digest}`) % SCALAR_FIELD;
}
