/** Who signed: addresses are recovered from signatures as layer one does it. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

const SIGNATURE = /^0x[0-9a-fA-F]{130}$/;
const V_OFFSET = 27;

/**
 * Address, in lower case, that signed the digest as it is: 65 bytes `r | s | v`, v 27 or 28.
 * Undefined where nobody did. A high s is refused, as on layer one: a signature has one form.
 */
export function recoverAddress(digest: Uint8Array, signature: string): string | undefined {
  if (!SIGNATURE.test(signature)) return undefined;
  const bytes = hexToBytes(signature.slice(2));
  const recovery = bytes[64]! - V_OFFSET;
  if (recovery !== 0 && recovery !== 1) return undefined;
  try {
    const signed = concatBytes(Uint8Array.of(recovery), bytes.subarray(0, 64));
    if (secp256k1.Signature.fromBytes(signed, "recovered").hasHighS()) return undefined;
    const key = secp256k1.recoverPublicKey(signed, digest, { prehash: false });
    const point = secp256k1.Point.fromBytes(key).toBytes(false);
    return `0x${bytesToHex(keccak_256(point.subarray(1)).subarray(12))}`;
  } catch {
    return undefined;
  }
}
