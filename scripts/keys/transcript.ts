/**
 * The transcript of a setup: which circuit, which powers of tau and which key, by their hashes, and
 * who contributed. Its own hash is a constant of the verifier contract.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { sha256OfFile } from "./fileHash.ts";
import { readKeyFile } from "./keyFile.ts";
import { publicSignalCount, readR1cs } from "./r1cs.ts";

const VERSION = 1;
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const transcriptSchema = z.strictObject({
  version: z.literal(VERSION),
  constraints: z.int().min(1),
  publicSignals: z.int().min(0),
  sha256: z.strictObject({ r1cs: hash, ptau: hash, zkey: hash, vkey: hash }),
  contributions: z.array(
    z.strictObject({ kind: z.enum(["participant", "beacon"]), name: z.string() }),
  ),
});
export type Transcript = z.output<typeof transcriptSchema>;

/** A transcript that does not vouch for what it is given with. */
export class TranscriptError extends Error {
  override readonly name = "TranscriptError";
}

export interface SetupFiles {
  readonly r1cs: string;
  readonly ptau: string;
  readonly key: string;
  /** The verification key as JSON. */
  readonly vkey: string;
}

/** The same text for the same files. */
export async function transcriptText(files: SetupFiles): Promise<string> {
  return `${JSON.stringify(await transcriptOf(files), null, 2)}\n`;
}

async function transcriptOf({ r1cs, ptau, key, vkey }: SetupFiles): Promise<Transcript> {
  const circuit = readR1cs(r1cs);
  const { contributions } = readKeyFile(key);
  return {
    version: VERSION,
    constraints: circuit.constraints,
    publicSignals: publicSignalCount(circuit),
    sha256: {
      r1cs: await sha256OfFile(r1cs),
      ptau: await sha256OfFile(ptau),
      zkey: await sha256OfFile(key),
      vkey: await sha256OfFile(vkey),
    },
    contributions: contributions.map(({ kind, name }) => ({ kind, name })),
  };
}

/** What a verifier states as SETUP_HASH. */
export function setupHashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Throws {@link TranscriptError} unless the files are those that the transcript names. */
export async function checkTranscript(
  file: string,
  files: SetupFiles,
): Promise<{ readonly transcript: Transcript; readonly setupHash: string }> {
  const text = readFileSync(file, "utf8");
  const transcript = parse(file, text);
  const actual = await transcriptOf(files);
  for (const name of ["r1cs", "ptau", "zkey", "vkey"] as const) {
    if (transcript.sha256[name] === actual.sha256[name]) continue;
    const path = name === "zkey" ? files.key : files[name];
    throw new TranscriptError(
      `\`${path}\` has the sha256 \`${actual.sha256[name]}\`; \`${file}\` names ` +
        `\`${transcript.sha256[name]}\``,
    );
  }
  // One text only: a hash must not depend on how somebody lays out JSON.
  if (text !== `${JSON.stringify(actual, null, 2)}\n`) {
    throw new TranscriptError(`\`${file}\` says something else of its files than they do`);
  }
  return { transcript, setupHash: setupHashOf(text) };
}

function parse(file: string, text: string): Transcript {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TranscriptError(`\`${file}\` is not JSON`, { cause });
  }
  const result = transcriptSchema.safeParse(value);
  if (result.success) return result.data;
  throw new TranscriptError(`\`${file}\` is no transcript: ${z.prettifyError(result.error)}`);
}
