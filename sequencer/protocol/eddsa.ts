/**
 * EdDSA-Poseidon on Baby Jubjub as circomlib's `EdDSAPoseidonVerifier` checks it:
 * `S * B8 = R8 + 8 * Poseidon(R8, A, message) * A`, with `S` below the subgroup order.
 * The curve is in WebAssembly (`assembly/curve.ts`). Its multiplication is not constant time in the
 * sense of side channels: which entries of a table are read, and whether any, depends on the
 * secret. Signing belongs on the trader's own machine.
 */
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { poseidon } from "./hash.ts";
import { keyTable } from "./keyTables.ts";
import { assembly, fitsWord, readWord, writeWord } from "./wasm.ts";

/** Order of the prime subgroup of Baby Jubjub. */
export const SUBGROUP_ORDER =
  2736030358979909402780800718157159386076813972158567259200215660948447373041n;

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
  if (secret <= 0n || secret >= SUBGROUP_ORDER) {
    throw new RangeError("`secret` must lie from 1 to the subgroup order less 1.");
  }
  return multiplyBase(secret);
}

/** Signs a field element; the nonce is derived from secret and message, as in RFC 8032. */
export function sign(secret: bigint, message: bigint): Signature {
  const nonceInput = new Uint8Array(64);
  nonceInput.set(numberToBytesBE(secret, 32), 0);
  nonceInput.set(numberToBytesBE(message, 32), 32);
  const nonce = (bytesToNumberBE(sha512(nonceInput)) % (SUBGROUP_ORDER - 1n)) + 1n;
  const r8 = multiplyBase(nonce);
  const key = publicKeyOf(secret);
  const challenge = poseidon([r8.x, r8.y, key.x, key.y, message]);
  const s = (nonce + ((challenge * 8n) % SUBGROUP_ORDER) * secret) % SUBGROUP_ORDER;
  return { r8x: r8.x, r8y: r8.y, s };
}

/** Whether a point is on the curve, in the field, and of large order (what a key must be). */
export function isValidKey({ x, y }: PublicKey): boolean {
  if (!fitsWord(x) || !fitsWord(y)) return false;
  writeWord(2, x);
  writeWord(3, y);
  return assembly.isKey() === 1;
}

/** Never throws: malformed input is simply not a valid signature. */
export function verify(key: PublicKey, message: bigint, signature: Signature): boolean {
  const { r8x, r8y, s } = signature;
  if (!fitsWord(r8x) || !fitsWord(r8y) || !fitsWord(s)) return false;
  if (!fitsWord(key.x) || !fitsWord(key.y) || !fitsWord(message)) return false;
  const table = keyTable(key.x, key.y);
  writeWord(0, r8x);
  writeWord(1, r8y);
  writeWord(4, message);
  writeWord(5, s);
  return assembly.verifies(table) === 1;
}

/** The generator times a scalar below the subgroup order. */
function multiplyBase(scalar: bigint): PublicKey {
  writeWord(0, scalar);
  assembly.multiplyBase();
  return { x: readWord(0), y: readWord(1) };
}
