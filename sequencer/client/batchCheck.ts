/**
 * Checks, by nothing but the file, what layer one is given of a batch: that the words are those
 * that the proof commits to and the validators attested, and who has signed the certificate.
 */
import { concat, hashTypedData, keccak256, numberToHex, recoverAddress } from "viem";
import { hashVector } from "../protocol/hash.ts";
import { type BatchFile, headerFaults, wordsOf } from "./batchWords.ts";

type Hex = `0x${string}`;

export interface Deployment {
  readonly chainId: number;
  readonly rollup: Hex;
}

export interface BatchCheck {
  readonly number: number;
  /** What does not fit together; empty: all does. */
  readonly faults: readonly string[];
  /** Lower-case addresses of those whose attestation holds, each once. */
  readonly signers: readonly string[];
}

/** Twin of l1/attestation.ts, which a client does not carry: a test holds the two together. */
const ATTESTATION = [
  { name: "number", type: "uint256" },
  { name: "root", type: "uint256" },
  { name: "wordsHash", type: "bytes32" },
  { name: "logHash", type: "bytes32" },
] as const;

/** Throws FormatError where the file is none of a batch. */
export async function checkBatch(batch: BatchFile, deployment: Deployment): Promise<BatchCheck> {
  const words = wordsOf(batch);
  const faults = [...headerFaults(batch, words)];
  if (hashVector(words) !== BigInt(batch.commitment)) {
    faults.push("the commitment is not of the words");
  }
  const wordsHash = keccak256(concat(words.map((word) => numberToHex(word, { size: 32 }))));
  const signers = new Set<string>();
  for (const attestation of batch.certificate) {
    const fault = await attestationFault(attestation, { batch, wordsHash, deployment });
    if (fault === undefined) signers.add(attestation.validator.toLowerCase());
    else faults.push(`the attestation of \`${attestation.validator}\` ${fault}`);
  }
  return { number: batch.number, faults, signers: [...signers] };
}

async function attestationFault(
  attestation: BatchFile["certificate"][number],
  { batch, wordsHash, deployment }: { batch: BatchFile; wordsHash: Hex; deployment: Deployment },
): Promise<string | undefined> {
  const { root, words_hash, log_hash, signature, validator } = attestation;
  if (`0x${words_hash}` !== wordsHash) return "is of other words";
  if (BigInt(root) !== BigInt(batch.root_after)) return "is of another root";
  const { chainId, rollup } = deployment;
  try {
    const hash = hashTypedData({
      domain: { name: "Straddle", version: "1", chainId, verifyingContract: rollup },
      types: { Attestation: ATTESTATION },
      primaryType: "Attestation",
      message: {
        ...{ number: BigInt(batch.number), root: BigInt(root), wordsHash },
        logHash: `0x${log_hash}`,
      },
    });
    const signer = await recoverAddress({ hash, signature: signature as Hex });
    return signer.toLowerCase() === validator.toLowerCase() ? undefined : "is not its signature";
  } catch {
    return "has no signature that can be read";
  }
}
