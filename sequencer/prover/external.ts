/**
 * Programs of others that do a prover's work faster: `rapidsnark ZKEY WTNS PROOF PUBLIC` makes the
 * proof, circom's C++ calculator (`--c`), `PROGRAM INPUTS WTNS`, the witness. They get the same
 * files and give the same ones as snarkjs. A witness holds what traders keep to themselves: its
 * folder is readable by this user only, and gone when the program is done.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Groth16Proof } from "snarkjs";
import { encodeJson } from "../batch/log.ts";
import type { CircuitInputs } from "../batch/sealedBatch.ts";

/** The program is not there, failed, took too long, or wrote what cannot be read. */
export class ExternalProverError extends Error {
  override name = "ExternalProverError";
}

export interface ExternalProof {
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly string[];
}

/** The largest circuits take minutes on few cores; what takes longer hangs. */
const TIMEOUT_MS = 30 * 60_000;
const STDERR_LENGTH_MAX = 500;

/** The proof of a witness (a .wtns file's bytes). Aborting ends the program. */
export async function proveExternally(
  program: string,
  { zkey, witness }: { readonly zkey: string; readonly witness: Uint8Array },
  signal?: AbortSignal,
): Promise<ExternalProof> {
  return inFolder(async (folder) => {
    const [wtns, proofFile, publicFile] = ["witness.wtns", "proof.json", "public.json"].map(
      (name) => path.join(folder, name),
    ) as [string, string, string];
    await writeFile(wtns, witness, { mode: 0o600 });
    await run(program, [zkey, wtns, proofFile, publicFile], signal);
    const [proof, publicSignals] = await Promise.all([
      readJson(program, proofFile),
      readJson(program, publicFile),
    ]);
    if (!isProof(proof) || !isSignals(publicSignals)) {
      throw new ExternalProverError(`\`${program}\` wrote what is no Groth16 proof`);
    }
    return { proof, publicSignals };
  });
}

/** A .wtns file's bytes. Throws also where the inputs do not satisfy the circuit. */
export async function witnessExternally(
  program: string,
  inputs: CircuitInputs,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return inFolder(async (folder) => {
    const given = path.join(folder, "input.json");
    const wtns = path.join(folder, "witness.wtns");
    await writeFile(given, encodeJson(inputs), { mode: 0o600 });
    await run(program, [given, wtns], signal);
    return await readFile(wtns).catch((cause: unknown) => {
      throw new ExternalProverError(`\`${program}\` wrote no witness`, { cause });
    });
  });
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-prove-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const limits = { timeout: TIMEOUT_MS, killSignal: "SIGKILL" } as const;
  const options = { ...limits, ...(signal !== undefined && { signal }) };
  return new Promise((resolve, reject) => {
    execFile(program, [...args], options, (error, _, stderr) => {
      if (error === null) return resolve();
      // An abort is the caller's own, not a failure of the program.
      if (signal?.aborted) return reject(error);
      const said = stderr.trim().slice(-STDERR_LENGTH_MAX);
      const why = said === "" ? error.message : said;
      reject(new ExternalProverError(`\`${program}\` failed: ${why}`, { cause: error }));
    });
  });
}

async function readJson(program: string, file: string): Promise<unknown> {
  try {
    // rapidsnark pads what it writes with zero bytes.
    return JSON.parse((await readFile(file, "utf8")).replaceAll("\0", ""));
  } catch (cause) {
    throw new ExternalProverError(`\`${program}\` wrote no proof`, { cause });
  }
}

function isProof(value: unknown): value is Groth16Proof {
  const { pi_a, pi_b, pi_c } = (value ?? {}) as Partial<Groth16Proof>;
  const isPoint = (point: unknown) => Array.isArray(point) && point.length === 3;
  return isPoint(pi_a) && isPoint(pi_b) && isPoint(pi_c);
}

function isSignals(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => /^\d{1,78}$/.test(String(each)));
}
