/** A validator's signed word that a batch follows from the log: EIP-712 over secp256k1. */
import { type Address, type Hex, hashTypedData, recoverAddress } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Attestation } from "../ports.ts";

/** What attestations are bound to, besides their contents. */
export interface AttestationDomain {
  readonly chainId: number;
  readonly rollup: Address;
}

export interface AttestationContent {
  readonly number: number;
  readonly root: bigint;
  /** Hash of the batch's `seal` record, 64 hex digits. */
  readonly logHash: string;
}

export interface Attester {
  readonly address: Address;
  attest(content: AttestationContent): Promise<Attestation>;
}

const TYPES = {
  Attestation: [
    { name: "number", type: "uint256" },
    { name: "root", type: "uint256" },
    { name: "logHash", type: "bytes32" },
  ],
} as const;

const ROOT_PATTERN = /^0x[0-9a-f]{64}$/;
const HASH_PATTERN = /^[0-9a-f]{64}$/;
const SIGNATURE_PATTERN = /^0x[0-9a-f]{130}$/;

export function attestationDigest(
  { chainId, rollup }: AttestationDomain,
  { number, root, logHash }: AttestationContent,
): Hex {
  return hashTypedData({
    domain: { name: "Straddle", version: "1", chainId, verifyingContract: rollup },
    types: TYPES,
    primaryType: "Attestation",
    message: { number: BigInt(number), root, logHash: `0x${logHash}` },
  });
}

export function createAttester(privateKey: Hex, domain: AttestationDomain): Attester {
  return attesterOf(privateKeyToAccount(privateKey), domain);
}

/** Attests with an account whose key is at hand. */
export function attesterOf(
  account: Pick<PrivateKeyAccount, "address" | "sign">,
  domain: AttestationDomain,
): Attester {
  return {
    address: account.address,
    attest: async (content) => ({
      validator: account.address,
      number: content.number,
      root: rootToHex(content.root),
      logHash: content.logHash,
      signature: await account.sign({ hash: attestationDigest(domain, content) }),
    }),
  };
}

/** The validator that signed, or undefined if it is not the one named. Never throws. */
export async function recoverAttester(
  attestation: Attestation,
  domain: AttestationDomain,
): Promise<Address | undefined> {
  const { validator, number, root, logHash, signature } = attestation;
  if (!ROOT_PATTERN.test(root) || !HASH_PATTERN.test(logHash)) return undefined;
  if (!SIGNATURE_PATTERN.test(signature)) return undefined;
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  try {
    const hash = attestationDigest(domain, { number, root: BigInt(root), logHash });
    const address = await recoverAddress({ hash, signature: signature as Hex });
    return address === validator ? address : undefined;
  } catch {
    return undefined;
  }
}

/** How attestations write a root: 32 bytes in hex. */
export function rootToHex(root: bigint): Hex {
  return `0x${root.toString(16).padStart(64, "0")}`;
}
