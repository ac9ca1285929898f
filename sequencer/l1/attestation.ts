/** A validator's signed word that a batch follows from the log: EIP-712 over secp256k1. */
import { type Address, type Hex, hashTypedData, recoverAddress } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { Attestation, Refusal } from "../ports.ts";

/** What attestations are bound to, besides their contents. */
export interface AttestationDomain {
  readonly chainId: number;
  readonly rollup: Address;
}

export interface AttestationContent {
  readonly number: number;
  readonly root: bigint;
  /** `wordsHash` of what the batch publishes: money leaves by the words, not by the root. */
  readonly wordsHash: string;
  /** Hash of the batch's `seal` record, 64 hex digits. */
  readonly logHash: string;
}

/** What a refusal says. */
export type RefusalContent = Omit<Refusal, "validator" | "signature">;

export interface Attester {
  readonly address: Address;
  attest(content: AttestationContent): Promise<Attestation>;
  refuse(content: RefusalContent): Promise<Refusal>;
}

const TYPES = {
  Attestation: [
    { name: "number", type: "uint256" },
    { name: "root", type: "uint256" },
    { name: "wordsHash", type: "bytes32" },
    { name: "logHash", type: "bytes32" },
  ],
  Refusal: [
    { name: "position", type: "uint256" },
    { name: "logHash", type: "bytes32" },
    { name: "reason", type: "string" },
  ],
} as const;

const ROOT_PATTERN = /^0x[0-9a-f]{64}$/;
const HASH_PATTERN = /^[0-9a-f]{64}$/;
/** Ends in 27 or 28, as layer one has it: one odd signature would spoil a whole certificate. */
const SIGNATURE_PATTERN = /^0x[0-9a-f]{128}1[bc]$/;
/** Half of secp256k1's order: layer one takes the lower `s` of the two that would do. */
const S_MAX = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n / 2n;

export function attestationDigest(
  { chainId, rollup }: AttestationDomain,
  { number, root, wordsHash, logHash }: AttestationContent,
): Hex {
  return hashTypedData({
    domain: { name: "Straddle", version: "1", chainId, verifyingContract: rollup },
    types: TYPES,
    primaryType: "Attestation",
    message: {
      number: BigInt(number),
      root,
      wordsHash: `0x${wordsHash}`,
      logHash: `0x${logHash}`,
    },
  });
}

function refusalDigest(
  { chainId, rollup }: AttestationDomain,
  { position, logHash, reason }: RefusalContent,
): Hex {
  return hashTypedData({
    domain: { name: "Straddle", version: "1", chainId, verifyingContract: rollup },
    types: TYPES,
    primaryType: "Refusal",
    message: { position: BigInt(position), logHash: `0x${logHash}`, reason },
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
      wordsHash: content.wordsHash,
      logHash: content.logHash,
      signature: await account.sign({ hash: attestationDigest(domain, content) }),
    }),
    refuse: async ({ position, logHash, reason }) => ({
      ...{ validator: account.address, position, logHash, reason },
      signature: await account.sign({ hash: refusalDigest(domain, { position, logHash, reason }) }),
    }),
  };
}

/** The validator that signed, or undefined if it is not the one named. Never throws. */
export async function recoverAttester(
  attestation: Attestation,
  domain: AttestationDomain,
): Promise<Address | undefined> {
  const { validator, number, root, wordsHash, logHash, signature } = attestation;
  if (!ROOT_PATTERN.test(root)) return undefined;
  if (!HASH_PATTERN.test(wordsHash) || !HASH_PATTERN.test(logHash)) return undefined;
  if (!SIGNATURE_PATTERN.test(signature)) return undefined;
  if (BigInt(`0x${signature.slice(66, 130)}`) > S_MAX) return undefined;
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  try {
    const content = { number, root: BigInt(root), wordsHash, logHash };
    const hash = attestationDigest(domain, content);
    const address = await recoverAddress({ hash, signature: signature as Hex });
    return address === validator ? address : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the refusal is signed by the validator that it names. Never throws. */
export async function isSignedRefusal(
  refusal: Refusal,
  domain: AttestationDomain,
): Promise<boolean> {
  const { validator, position, logHash, signature } = refusal;
  if (!HASH_PATTERN.test(logHash) || !SIGNATURE_PATTERN.test(signature)) return false;
  if (!Number.isSafeInteger(position) || position < 0) return false;
  try {
    const hash = refusalDigest(domain, refusal);
    return (await recoverAddress({ hash, signature: signature as Hex })) === validator;
  } catch {
    return false;
  }
}

/** How attestations write a root: 32 bytes in hex. */
export function rootToHex(root: bigint): Hex {
  return `0x${root.toString(16).padStart(64, "0")}`;
}
