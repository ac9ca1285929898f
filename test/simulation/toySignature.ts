/** Signatures for simulations: no cryptography, since nobody there signs for another. Fast. */
import { bytesToHex } from "@noble/hashes/utils.js";

/** In the shape of a secp256k1 signature, so that it can be written as one. */
export function toySignature(member: string, digest: Uint8Array): string {
  return `0x${member.slice(2)}${bytesToHex(digest)}${"0".repeat(26)}`;
}

export function isToySignature(member: string, digest: Uint8Array, signature: string): boolean {
  return signature === toySignature(member, digest);
}

/** An address for each number from 0 on. */
export function toyAddress(index: number): `0x${string}` {
  return `0x${(index + 1).toString(16).padStart(40, "0")}`;
}
