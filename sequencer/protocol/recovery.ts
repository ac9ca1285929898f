/** Who signed: addresses are recovered from signatures as layer one does it. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

const SIGNATURE = /^0x[0-9a-fA-F]{130}$/;
/** Added to the recovery bit by those who sign for layer one. */
export const V_OFFSET = 27;
/** Of what is signed, and of a signature `r | s | v`. */
export const DIGEST_BYTES = 32;
export const SIGNATURE_BYTES = 65;

/** Address, in lower case, of a public key of 65 bytes. */
export function addressOf(publicKey: Uint8Array): string {
  return `0x${bytesToHex(keccak_256(publicKey.subarray(1)).subarray(12))}`;
}

export interface SignatureParts {
  readonly recovery: 0 | 1;
  /** 64 bytes. */
  readonly rs: Uint8Array;
}

/** Of 65 bytes `r | s | v` in hex, v 27 or 28; undefined where it is something else. */
export function signatureParts(signature: string): SignatureParts | undefined {
  if (!SIGNATURE.test(signature)) return undefined;
  const bytes = hexToBytes(signature.slice(2));
  const recovery = bytes[64]! - V_OFFSET;
  return recovery === 0 || recovery === 1 ? { recovery, rs: bytes.slice(0, 64) } : undefined;
}

/**
 * Address, in lower case, that signed the digest as it is. Undefined where nobody did. A high s is
 * refused, as on layer one: a signature has one form.
 */
export function recoverAddress(digest: Uint8Array, signature: string): string | undefined {
  const parts = signatureParts(signature);
  if (parts === undefined) return undefined;
  try {
    const signed = concatBytes(Uint8Array.of(parts.recovery), parts.rs);
    const read = secp256k1.Signature.fromBytes(signed, "recovered");
    return read.hasHighS() ? undefined : addressOf(read.recoverPublicKey(digest).toBytes(false));
  } catch {
    return undefined;
  }
}
