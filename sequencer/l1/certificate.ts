/** Validators' signatures on a batch, as `ValidatorRegistry.certifies` reads them. */
import { type Address, concatHex, getAddress, type Hex, numberToHex } from "viem";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation } from "../ports.ts";
import { rootToHex } from "./attestation.ts";
import { rollupAbi, validatorRegistryAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";

const BITMAP_BYTES = 2;
/** No certificate: without validators, or after a day of their silence. */
const NONE: Hex = "0x";

/**
 * Bitmap, log hash, signatures in the members' order. Attestations of others, of another root,
 * of other words and of a minority's log are left out; empty when nobody's is left.
 */
export function encodeCertificate(
  members: readonly Address[],
  batch: Pick<SealedBatch, "number" | "rootAfter" | "words">,
  attestations: readonly Attestation[],
): Hex {
  const root = rootToHex(batch.rootAfter);
  const published = wordsHash(batch.words);
  const fitting = attestations.filter((attestation) => {
    const isOfBatch = attestation.number === batch.number && attestation.root === root;
    return isOfBatch && attestation.wordsHash === published;
  });
  const logHash = mostCommon(fitting.map((attestation) => attestation.logHash));
  const signatures = new Map<string, Hex>();
  for (const attestation of fitting) {
    if (attestation.logHash !== logHash) continue;
    signatures.set(getAddress(attestation.validator), attestation.signature as Hex);
  }
  const signing = members.map((member) => signatures.get(getAddress(member)));
  if (logHash === undefined || signing.every((signature) => signature === undefined)) return NONE;
  const bitmap = signing.reduce((bits, signature, i) => bits | (signature ? 1 << i : 0), 0);
  const inOrder = signing.filter((signature) => signature !== undefined);
  const head = [numberToHex(bitmap, { size: BITMAP_BYTES }), `0x${logHash}`] as const;
  return concatHex([...head, ...inOrder]);
}

/** The certificate that layer one asks for, of the attestations at hand. */
export async function certificateFor(
  { client, rollup }: RollupReader,
  batch: SealedBatch,
  attestations: readonly Attestation[],
): Promise<Hex> {
  if (attestations.length === 0) return NONE;
  const registry = await client.readContract({
    ...{ address: rollup, abi: rollupAbi, functionName: "validators" },
  });
  const contract = { address: registry, abi: validatorRegistryAbi } as const;
  // Read each time: slashing takes a member out at once, and every bit after it moves.
  const [members, quorum] = await Promise.all([
    client.readContract({ ...contract, functionName: "members" }),
    client.readContract({ ...contract, functionName: "quorum" }),
  ]);
  const known = new Set(members.map((member) => getAddress(member)));
  const count = attestations.filter(({ validator }) => known.has(getAddress(validator))).length;
  // Fewer than the quorum certify nothing: better none, which counts after a day of silence.
  return BigInt(count) < quorum ? NONE : encodeCertificate(members, batch, attestations);
}

/**
 * Whether the contract misses signatures, and nothing else: it looks at them last. Members come and
 * go, so what it refuses today it may take tomorrow, with other signatures or a day without any.
 */
export function isOfCertificate(refusal: string): boolean {
  return /^reverted: (Certificate\w+|QuorumMissing)\(/.test(refusal);
}

function mostCommon(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
