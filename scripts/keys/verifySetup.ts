/**
 * Whether a setup may guard money: its transcript names the circuit that these sources compile to,
 * the key follows from it and from the powers of tau, somebody has contributed, and the verifier's
 * source is what the key exports.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assertManyContributed,
  assertProductionKey,
  CeremonyError,
  VERIFIER_HEADER,
  verify,
} from "./ceremony.ts";
import { assertKeyIsSound } from "./checkKey.ts";
import { exportSolidityVerifier } from "./exportVerifier.ts";
import type { VerificationKey } from "./keyFile.ts";
import { checkTranscript, type Transcript, TranscriptError } from "./transcript.ts";

export interface SetupRequest {
  /** What `ceremony.ts export` wrote, with the key beside it. */
  readonly folder: string;
  /** Compiled from the sources at hand, never taken from the folder. */
  readonly r1cs: string;
  readonly ptau: string;
  /** Published hash of the powers; without it they are verified, which takes long at size. */
  readonly ptauSha256?: string | undefined;
  readonly contractName: string;
  /** So many must have contributed, and a beacon after them (default: anybody is enough). */
  readonly participantsMin?: number | undefined;
  /** The source that was compiled into the contract to be deployed. */
  readonly verifierSource: string;
}

export interface VerifiedSetup {
  readonly r1csHash: string;
  readonly setupHash: string;
  readonly transcript: Transcript;
  readonly vkey: VerificationKey;
}

export const SETUP_FILES = {
  transcript: "transcript.json",
  vkey: "verification_key.json",
  key: "key.zkey",
} as const;

/** Throws CeremonyError, TranscriptError or UnsoundKeyError, saying what is wrong. */
export async function verifySetup(request: SetupRequest): Promise<VerifiedSetup> {
  const { folder, r1cs, ptau, ptauSha256, contractName, participantsMin } = request;
  const file = (name: keyof typeof SETUP_FILES) => join(folder, SETUP_FILES[name]);
  for (const path of [file("transcript"), file("vkey"), file("key"), r1cs, ptau]) {
    if (!existsSync(path)) throw new CeremonyError(`\`${path}\` is missing`);
  }
  // Cheap and decisive first: the rest reads gigabytes.
  assertProductionKey(file("key"));
  if (participantsMin !== undefined) assertManyContributed(file("key"), participantsMin);
  const files = { r1cs, ptau, key: file("key"), vkey: file("vkey") };
  const { transcript, setupHash } = await checkTranscript(file("transcript"), files);
  await verify({ r1cs, ptau, key: files.key, ptauSha256 });
  const r1csHash = transcript.sha256.r1cs;
  const exported = await exportSolidityVerifier({
    zkeyFile: files.key,
    contractName,
    header: VERIFIER_HEADER,
    r1csHash,
    setupHash,
  });
  if (exported !== request.verifierSource) {
    throw new TranscriptError(`\`${contractName}.sol\` is not what \`${files.key}\` exports`);
  }
  const vkey = JSON.parse(readFileSync(files.vkey, "utf8")) as VerificationKey;
  assertKeyIsSound(vkey);
  return { r1csHash, setupHash, transcript, vkey };
}
