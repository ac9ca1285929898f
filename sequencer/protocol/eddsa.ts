/**
 * EdDSA-Poseidon on Baby Jubjub as circomlib's `EdDSAPoseidonVerifier` checks it:
 * `S * B8 = R8 + 8 * Poseidon(R8, A, message) * A`, with `S` below the subgroup order.
 * The scalar multiplication is not constant time in the sense of side channels: signing belongs on
 * the trader's own machine.
 */
import { type EdwardsPoint, edwards } from "@noble/curves/abstract/edwards.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { FIELD_MODULUS } from "./constants.ts";
import { poseidon } from "./hash.ts";

/** Order of the prime subgroup of Baby Jubjub. */
export const SUBGROUP_ORDER =
  2736030358979909402780800718157159386076813972158567259200215660948447373041n;

const Point = edwards({
  p: FIELD_MODULUS,
  n: SUBGROUP_ORDER,
  h: 8n,
  a: 168700n,
  d: 168696n,
  Gx: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  Gy: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
});

export interface PublicKey {
  readonly x: bigint;
  readonly y: bigint;
}

export interface Signature {
  readonly r8x: bigint;
  readonly r8y: bigint;
  readonly s: bigint;
}

/** Secret scalar from at least 16 bytes of secret: SHA-512 reduced into the subgroup order. */
export function secretFromSeed(seed: Uint8Array): bigint {
  if (seed.length < 16) {
    throw new RangeError(`\`seed\` must have at least 16 bytes. Got \`${seed.length}\`.`);
  }
  const secret = bytesToNumberBE(sha512(seed)) % SUBGROUP_ORDER;
  return secret === 0n ? 1n : secret;
}

export function publicKeyOf(secret: bigint): PublicKey {
  const { x, y } = Point.BASE.multiply(secret).toAffine();
  return { x, y };
}

/** Signs a field element; the nonce is derived from secret and message, as in RFC 8032. */
export function sign(secret: bigint, message: bigint): Signature {
  const nonceInput = new Uint8Array(64);
  nonceInput.set(numberToBytesBE(secret, 32), 0);
  nonceInput.set(numberToBytesBE(message, 32), 32);
  const nonce = (bytesToNumberBE(sha512(nonceInput)) % (SUBGROUP_ORDER - 1n)) + 1n;
  const r8 = Point.BASE.multiply(nonce).toAffine();
  const key = publicKeyOf(secret);
  const challenge = poseidon([r8.x, r8.y, key.x, key.y, message]);
  const s = (nonce + ((challenge * 8n) % SUBGROUP_ORDER) * secret) % SUBGROUP_ORDER;
  return { r8x: r8.x, r8y: r8.y, s };
}

/** Whether a point is on the curve, in the field, and of large order (what a key must be). */
export function isValidKey(key: PublicKey): boolean {
  const point = toPoint(key.x, key.y);
  return point !== undefined && !point.clearCofactor().is0() && point.isTorsionFree();
}

/** Never throws: malformed input is simply not a valid signature. */
export function verify(key: PublicKey, message: bigint, signature: Signature): boolean {
  const { r8x, r8y, s } = signature;
  if (s < 0n || s >= SUBGROUP_ORDER) return false;
  if (message < 0n || message >= FIELD_MODULUS) return false;
  const a = toPoint(key.x, key.y);
  const r8 = toPoint(r8x, r8y);
  if (a === undefined || r8 === undefined) return false;
  const a8 = a.clearCofactor();
  if (a8.is0()) return false;
  const challenge = poseidon([r8x, r8y, key.x, key.y, message]);
  const left = s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s);
  const reduced = challenge % SUBGROUP_ORDER;
  const right = reduced === 0n ? r8 : r8.add(a8.multiplyUnsafe(reduced));
  return left.equals(right);
}

function toPoint(x: bigint, y: bigint): EdwardsPoint | undefined {
  if (x < 0n || y < 0n || x >= FIELD_MODULUS || y >= FIELD_MODULUS) return undefined;
  try {
    const point = Point.fromAffine({ x, y });
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}
