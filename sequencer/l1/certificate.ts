/** Validators' signatures on a batch, as `ValidatorRegistry.certifies` reads them. */
import { type Address, concatHex, getAddress, type Hex, numberToHex } from "viem";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation } from "../ports.ts";
import { rootToHex } from "./attestation.ts";
import type { RollupReader } from "./rollupReader.ts";
import { readValidators } from "./validatorReader.ts";

const BITMAP_BYTES = 2;
/** No certificate: without validators, or after a day of their silence. */
const NONE: Hex = "0x";

type CertifiedBatch = Pick<SealedBatch, "number" | "rootAfter" | "words">;

/**
 * Bitmap, log hash, signatures in the members' order. Attestations of others, of another root,
 * of other words and of a minority's log are left out; empty when fewer than `quorum` are left.
 */
export function encodeCertificate(
  members: readonly Address[],
  batch: CertifiedBatch,
  attestations: readonly Attestation[],
  quorum = 1,
): Hex {
  const { logHash, signatures } = fittingSignatures(batch, attestations, members);
  const signing = members.map((member) => signatures.get(getAddress(member)));
  const inOrder = signing.filter((signature) => signature !== undefined);
  // Fewer than the quorum certify nothing: better none, which counts after a day of silence.
  if (logHash === undefined || inOrder.length < quorum) return NONE;
  const bitmap = signing.reduce((bits, signature, i) => bits | (signature ? 1 << i : 0), 0);
  const head = [numberToHex(bitmap, { size: BITMAP_BYTES }), `0x${logHash}`] as const;
  return concatHex([...head, ...inOrder]);
}

/** The members' signatures on this very batch, after the log that most of them have. */
function fittingSignatures(
  batch: CertifiedBatch,
  attestations: readonly Attestation[],
  members: readonly Address[],
): { readonly logHash: string | undefined; readonly signatures: ReadonlyMap<string, Hex> } {
  const known = new Set(members.map((member) => getAddress(member)));
  const root = rootToHex(batch.rootAfter);
  const published = wordsHash(batch.words);
  const fitting = attestations.filter(({ validator, number, ...said }) => {
    const isOfBatch = number === batch.number && said.root === root;
    return isOfBatch && said.wordsHash === published && known.has(getAddress(validator));
  });
  const logHash = mostCommon(fitting.map((attestation) => attestation.logHash));
  const signatures = new Map<string, Hex>();
  for (const attestation of fitting) {
    if (attestation.logHash !== logHash) continue;
    signatures.set(getAddress(attestation.validator), attestation.signature as Hex);
  }
  return { logHash, signatures };
}

/** The certificate that layer one asks for, of the attestations at hand. */
export async function certificateFor(
  reader: RollupReader,
  batch: SealedBatch,
  attestations: readonly Attestation[],
): Promise<Hex> {
  if (attestations.length === 0) return NONE;
  // Read each time: slashing takes a member out at once, and every bit after it moves.
  const { members, quorum } = await readValidators(reader);
  return encodeCertificate(members, batch, attestations, quorum);
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
