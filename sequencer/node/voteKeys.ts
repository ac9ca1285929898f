/**
 * Signs and checks votes with libsecp256k1, where its binding runs on this machine: the same
 * signatures and the same verdicts as `consensus/signing.ts`, some twenty times as fast.
 */
import { createRequire } from "node:module";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { numberToBytesBE } from "@noble/curves/utils.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  createSigner,
  isOneForm,
  type Signer,
  type Verify,
  verifySignature,
} from "../consensus/signing.ts";
import type { Logger } from "../ports.ts";
import { addressOf, signatureParts, V_OFFSET } from "../protocol/recovery.ts";

/** What is used of the package `secp256k1`. */
interface Binding {
  publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array;
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recid: number };
  ecdsaRecover(
    signature: Uint8Array,
    recovery: number,
    digest: Uint8Array,
    compressed: boolean,
  ): Uint8Array;
}

export interface VoteKeys {
  signer(privateKey: Uint8Array): Signer;
  readonly verify: Verify;
  /** False: the binding does not run here, and votes cost more. */
  readonly isNative: boolean;
}

/** More than any set of validators has. */
const MEMBERS_KNOWN_MAX = 256;
/** Half of the curve's order, rounded down: the largest low s. */
const HALF_ORDER = numberToBytesBE(secp256k1.Point.Fn.ORDER >> 1n, 32);

/** Signatures that are remembered as good: a vote comes alone, and again in certificates. */
export const SIGNATURES_KEPT = 4096;

export function loadVoteKeys(load: () => Binding = loadBinding): VoteKeys {
  try {
    const binding = load();
    return { signer: (key) => signerOf(binding, key), verify: verifyBy(binding), isNative: true };
  } catch {
    return { signer: createSigner, verify: verifySignature, isNative: false };
  }
}

/** The keys of a node, which says so when they are slow. */
export function openVoteKeys(logger: Logger): VoteKeys {
  const keys = loadVoteKeys();
  if (!keys.isNative) logger.warn("votes are signed and checked slowly: no libsecp256k1 here");
  return keys;
}

function loadBinding(): Binding {
  // By this path, for the package's own fallback is a slower library than ours.
  return createRequire(import.meta.url)("secp256k1/bindings.js") as Binding;
}

function signerOf(binding: Binding, privateKey: Uint8Array): Signer {
  return {
    address: addressOf(binding.publicKeyCreate(privateKey, false)),
    sign: (digest) => {
      const { signature, recid } = binding.ecdsaSign(digest, privateKey);
      return `0x${bytesToHex(signature)}${(V_OFFSET + recid).toString(16)}`;
    },
  };
}

function verifyBy(binding: Binding): Verify {
  /** Public keys by address: the hash that leads from one to the other is the same each time. */
  const known = new Map<string, Uint8Array>();
  const isOf = (member: string, publicKey: Uint8Array): boolean => {
    const before = known.get(member);
    if (before !== undefined) return Buffer.compare(before, publicKey) === 0;
    if (addressOf(publicKey) !== member) return false;
    if (known.size < MEMBERS_KNOWN_MAX) known.set(member, publicKey);
    return true;
  };
  return (member, digest, signature) => {
    const parts = isOneForm(signature) ? signatureParts(signature) : undefined;
    if (parts === undefined) return false;
    const { rs, recovery } = parts;
    // A high s is a second signature of the same vote: layer one refuses it too.
    if (Buffer.compare(rs.subarray(32), HALF_ORDER) > 0) return false;
    try {
      return isOf(member, binding.ecdsaRecover(rs, recovery, digest, false));
    } catch {
      return false;
    }
  };
}
