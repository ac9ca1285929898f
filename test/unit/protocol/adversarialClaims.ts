// Signatures that somebody chose, for a key and a message that are given.
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  type PublicKey,
  publicKeyOf,
  type Signature,
  SUBGROUP_ORDER,
} from "../../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../../sequencer/protocol/hash.ts";
import { orderFour, orderTwo, plusOrderFour, plusOrderTwo } from "./smallOrder.ts";

export const NEUTRAL: PublicKey = { x: 0n, y: 1n };

type Change = readonly [string, (good: Signature) => Signature];
const at = ({ x, y }: PublicKey) => ({ r8x: x, r8y: y });
const r8Of = ({ r8x, r8y }: Signature) => ({ x: r8x, y: r8y });

/** Only the first leaves it a signature. */
export const CHANGES: readonly Change[] = [
  ["nothing changed", (good) => good],
  ["R8 with a part of order 2", (good) => ({ ...good, ...at(plusOrderTwo(r8Of(good))) })],
  ["R8 with a part of order 4", (good) => ({ ...good, ...at(plusOrderFour(r8Of(good))) })],
  ["R8 neutral", (good) => ({ ...good, ...at(NEUTRAL) })],
  ["R8 of order 2", (good) => ({ ...good, ...at(orderTwo) })],
  ["R8 of order 4", (good) => ({ ...good, ...at(orderFour) })],
  ["R8 neutral and S = 0", () => ({ ...at(NEUTRAL), s: 0n })],
  ["R8 = (0, 0)", (good) => ({ ...good, r8x: 0n, r8y: 0n })],
  ["R8's coordinates swapped", (good) => ({ ...good, r8x: good.r8y, r8y: good.r8x })],
  ["S = 1", (good) => ({ ...good, s: 1n })],
  ["S negated", (good) => ({ ...good, s: SUBGROUP_ORDER - good.s })],
  ["S = order - 1", (good) => ({ ...good, s: SUBGROUP_ORDER - 1n })],
];

/**
 * A signature for any key whose large part is `secret` times the generator. `named` is the R8 that
 * it names, and hashes, in place of the one it was made with.
 */
export function signAs(
  key: PublicKey,
  secret: bigint,
  nonce: bigint,
  message: bigint,
  named = (r8: PublicKey): PublicKey => r8,
): Signature {
  const r8 = named(publicKeyOf(nonce));
  const challenge = poseidon([r8.x, r8.y, key.x, key.y, message]);
  return { ...at(r8), s: (nonce + 8n * challenge * secret) % SUBGROUP_ORDER };
}

/** R8 that differ from the right one in one coordinate. */
export const HALF_RIGHT: readonly (readonly [string, (r8: PublicKey) => PublicKey])[] = [
  ["R8 of the right x alone", ({ x, y }) => ({ x, y: FIELD_MODULUS - y })],
  ["R8 of the right y alone", ({ x, y }) => ({ x: FIELD_MODULUS - x, y })],
];
