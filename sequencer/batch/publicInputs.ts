/**
 * The three public inputs that bind a batch's words to its proof (SPEC section 8).
 * Twins: circuits/gadgets/PublicData.circom, contracts/libraries/PublicData.sol.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { FIELD_MODULUS } from "../protocol/constants.ts";
import { hashVector } from "../protocol/hash.ts";

export interface PublicInputs {
  readonly commitment: bigint;
  readonly gamma: bigint;
  readonly evaluation: bigint;
}

/** `commitment = hashVector(words)`, the challenge drawn from it, and the words' value there. */
export function publicInputs(words: readonly bigint[]): PublicInputs {
  const commitment = hashVector(words);
  const gamma = challenge(commitment, words);
  return { commitment, gamma, evaluation: evaluate(words, gamma) };
}

/** The signals in the order of the circuits' public inputs. */
export function publicSignals(words: readonly bigint[]): bigint[] {
  const { commitment, gamma, evaluation } = publicInputs(words);
  return [commitment, gamma, evaluation];
}

/** `keccak256(commitment, keccak256(words)) mod r`, as the contract draws it. */
export function challenge(commitment: bigint, words: readonly bigint[]): bigint {
  const inner = keccak_256(words32(words));
  return fromBytes(keccak_256(words32([commitment, fromBytes(inner)]))) % FIELD_MODULUS;
}

/** `sum words[i] gamma^(i+1)`, by Horner's rule from the last word. */
export function evaluate(words: readonly bigint[], gamma: bigint): bigint {
  return words.reduceRight((sum, word) => ((sum + word) * gamma) % FIELD_MODULUS, 0n);
}

/** keccak256 of the words as they are published, 64 hex digits: what validators attest. */
export function wordsHash(words: readonly bigint[]): string {
  return bytesToHex(keccak_256(words32(words)));
}

function words32(words: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(32 * words.length));
  for (const [index, word] of words.entries()) {
    const at = 32 * index;
    // A store keeps the low 64 bits of what it is given.
    view.setBigUint64(at, word >> 192n);
    view.setBigUint64(at + 8, word >> 128n);
    view.setBigUint64(at + 16, word >> 64n);
    view.setBigUint64(at + 24, word);
  }
  return new Uint8Array(view.buffer);
}

function fromBytes(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) + BigInt(byte), 0n);
}
