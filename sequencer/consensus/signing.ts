/**
 * Votes are signed with secp256k1 by the very key that the registry on layer one lists, over a
 * sha256 digest: the chain can recompute the digest with a precompile and `ecrecover` the signer,
 * so that each piece of evidence can be slashed by two recoveries, and a validator has one key to
 * guard. Ed25519 would verify faster, but no chain could check it at a bearable price.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { addressOf, recoverAddress, V_OFFSET } from "../protocol/recovery.ts";

export interface Signer {
  /** 0x and 40 lower-case hex digits. */
  readonly address: string;
  /** The same digest has the same signature always: steps are functions. */
  sign(digest: Uint8Array): string;
}

/** Whether `member` signed `digest`. Never throws. */
export type Verify = (member: string, digest: Uint8Array, signature: string) => boolean;

/** Whether a vote's signature is in lower case: nobody can give a vote a second text. */
export function isOneForm(signature: string): boolean {
  return signature === signature.toLowerCase();
}

/** `privateKey`: 32 bytes. Signatures are deterministic (RFC 6979) and have a low s. */
export function createSigner(privateKey: Uint8Array): Signer {
  const address = addressOf(secp256k1.getPublicKey(privateKey, false));
  return {
    address,
    sign: (digest) => {
      const options = { prehash: false, format: "recovered" } as const;
      const [recovery = 0, ...rs] = secp256k1.sign(digest, privateKey, options);
      return `0x${bytesToHex(Uint8Array.from([...rs, recovery + V_OFFSET]))}`;
    },
  };
}

export const verifySignature: Verify = (member, digest, signature) =>
  isOneForm(signature) && recoverAddress(digest, signature) === member;

/** Signatures that are known to be good. */
export interface SignatureMemory {
  readonly verify: Verify;
  /** The signer, whose own signatures come back in certificates and need no check. */
  signing(signer: Signer): Signer;
}

/** Remembers what was found good: a vote comes alone and then again in certificates. */
export function createSignatureMemory(verify: Verify, entriesMax: number): SignatureMemory {
  const good = new Set<string>();
  const entryOf = (member: string, digest: Uint8Array, signature: string): string =>
    `${member}${bytesToHex(digest)}${signature}`;
  const remember = (entry: string): void => {
    if (good.size >= entriesMax) good.delete(good.values().next().value!);
    good.add(entry);
  };
  return {
    verify: (member, digest, signature) => {
      const entry = entryOf(member, digest, signature);
      if (good.has(entry)) return true;
      if (!verify(member, digest, signature)) return false;
      remember(entry);
      return true;
    },
    signing: ({ address, sign }) => ({
      address,
      sign: (digest) => {
        const signature = sign(digest);
        remember(entryOf(address, digest, signature));
        return signature;
      },
    }),
  };
}

export function withMemory(verify: Verify, entriesMax: number): Verify {
  return createSignatureMemory(verify, entriesMax).verify;
}
