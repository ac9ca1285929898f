/**
 * The command line for production keys: a Groth16 second phase through snarkjs.
 *
 * Whoever contributes must forget their randomness; one honest participant is enough. A key with
 * no participant, or with gamma = delta, lets anybody forge proofs, and `export` refuses it.
 */
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { powersOfTau, zKey } from "snarkjs";
import { assertKeyIsSound } from "./checkKey.ts";
import { exportSolidityVerifier } from "./exportVerifier.ts";
import { sha256OfFile } from "./fileHash.ts";
import { readKeyFile } from "./keyFile.ts";
import { createProgressBoard, type ProgressTask } from "./progress.ts";
import { readR1cs } from "./r1cs.ts";
import { stopSnarkjs } from "./snarkjsThreads.ts";
import { setupHashOf, transcriptText } from "./transcript.ts";

const HELP = `Makes a production key for a circuit, step by step.

  npm run ceremony -- <step> [options]

  setup       --r1cs <file> --ptau <file> --out <zkey>
              The first key, without any secret. It must not be used as it is.
  contribute  --in <zkey> --out <zkey> --name <who> [--entropy-stdin]
              Adds a participant's randomness: the system's, and what standard input holds.
              snarkjs mixes in randomness of its own in any case.
  beacon      --in <zkey> --out <zkey> --hash <hex> [--iterations <2^n>] [--name <what>]
              Adds public randomness that nobody could choose, after the last participant.
  verify      --r1cs <file> --ptau <file> --key <zkey> [--ptau-sha256 <hex>]
              Checks the powers of tau, the key against the circuit, and its soundness. Checking
              the powers takes hours at size: give the file's published sha256 instead.
  export      --r1cs <file> --ptau <file> --key <zkey> --out <folder> --contract <Name>
              [--ptau-sha256 <hex>]
              Verifies, then writes verification_key.json, <Name>.sol, transcript.json and a copy
              of the key. The contract states the hashes of circuit and transcript; it belongs in
              contracts/generated/verifiers, and the folder is what \`npm run deploy\` checks.

Powers of tau must be prepared for the second phase and come from a public ceremony. Outside local
chains a deployment takes a key only with contributions by 20 different participants or more and a
beacon after the last.
`;

/** The head of every verifier that `export` writes: its text is compared when it is deployed. */
export const VERIFIER_HEADER: readonly string[] = [
  "A ceremony's key; the transcript is beside its verification key.",
];
const DEFAULT_ITERATIONS = "10";

/** A mistake of the caller's or a key that must not be used: a message, no stack. */
export class CeremonyError extends Error {
  override readonly name = "CeremonyError";
}

/** What `verify` and `export` check a key against. */
export type CeremonyInputs = {
  readonly r1cs: string;
  readonly ptau: string;
  readonly key: string;
  readonly ptauSha256?: string | undefined;
};

/** Makes the first key of a circuit. Nobody has contributed to it yet. */
export async function setup(r1cs: string, ptau: string, out: string): Promise<void> {
  readR1cs(r1cs);
  await writeNewKey(out, "setup", async (file, logger) => {
    const hash = await zKey.newZKey(r1cs, ptau, file, logger);
    // snarkjs returns -1 after logging, where it could have thrown.
    if (hash === -1) throw new CeremonyError("snarkjs refuses the circuit or the powers of tau");
  });
}

/** Adds a participant. `entropy` is mixed with randomness of the system's. */
export async function contribute(
  request: { readonly from: string; readonly out: string; readonly name: string },
  entropy: string,
): Promise<void> {
  refuseDevelopmentKey(request.from);
  // snarkjs asks at the terminal when it gets no entropy, hence never an empty text.
  const mixed = `${entropy}${randomBytes(64).toString("hex")}`;
  await writeNewKey(request.out, "contribute", (file, logger) =>
    zKey.contribute(request.from, file, request.name, mixed, logger),
  );
}

/** Adds a random beacon: 2^iterations hashes over a public number. */
export async function beacon(
  request: { readonly from: string; readonly out: string; readonly name: string },
  hash: string,
  iterations: string,
): Promise<void> {
  refuseDevelopmentKey(request.from);
  if (!/^([0-9a-f]{2}){1,255}$/i.test(hash)) {
    throw new CeremonyError(`the beacon \`${hash}\` must be hex, of 1 to 255 bytes`);
  }
  if (!/^\d+$/.test(iterations) || Number(iterations) < 10 || Number(iterations) > 63) {
    throw new CeremonyError(`\`${iterations}\` iterations; the exponent must be from 10 to 63`);
  }
  await writeNewKey(request.out, "beacon", (file, logger) =>
    zKey.beacon(request.from, file, request.name, hash, iterations, logger),
  );
}

/** Throws unless the key follows from the circuit and the powers and cannot be forged. */
export async function verify(inputs: CeremonyInputs): Promise<void> {
  assertProductionKey(inputs.key);
  await withProgress("verify", async (logger) => {
    if (inputs.ptauSha256 === undefined) {
      const isTrue = await powersOfTau.verify(inputs.ptau, undefined, undefined, logger);
      if (!isTrue) throw new CeremonyError(`\`${inputs.ptau}\` is no valid powers-of-tau file`);
    } else if ((await sha256OfFile(inputs.ptau)) !== inputs.ptauSha256.toLowerCase()) {
      throw new CeremonyError(`\`${inputs.ptau}\` does not have the sha256 given`);
    }
    if (!(await zKey.verifyFromR1cs(inputs.r1cs, inputs.ptau, inputs.key, logger))) {
      throw new CeremonyError(`\`${inputs.key}\` does not follow from the circuit and the powers`);
    }
  });
}

/** Verifies a key and writes what a deployment needs; the folder appears whole or not at all. */
export async function exportKey(
  inputs: CeremonyInputs,
  out: string,
  contractName: string,
): Promise<void> {
  if (existsSync(out)) throw new CeremonyError(`\`${out}\` exists; name a new folder`);
  await verify(inputs);
  const temporary = `${out}.${process.pid}.tmp`;
  mkdirSync(temporary, { recursive: true });
  try {
    const { r1cs, ptau, key } = inputs;
    const vkeyFile = join(temporary, "verification_key.json");
    const vkey: unknown = await zKey.exportVerificationKey(key);
    writeFileSync(vkeyFile, `${JSON.stringify(vkey, null, 2)}\n`);
    const transcript = await transcriptText({ r1cs, ptau, key, vkey: vkeyFile });
    writeFileSync(join(temporary, "transcript.json"), transcript);
    const source = await exportSolidityVerifier({
      zkeyFile: key,
      contractName,
      header: VERIFIER_HEADER,
      r1csHash: await sha256OfFile(r1cs),
      setupHash: setupHashOf(transcript),
    });
    writeFileSync(join(temporary, `${contractName}.sol`), source);
    copyFileSync(key, join(temporary, "key.zkey"));
    renameSync(temporary, out);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Throws unless so many took part, by name, that one was honest, and a beacon came last. */
export function assertManyContributed(zkeyFile: string, participantsMin: number): void {
  const { contributions } = readKeyFile(zkeyFile);
  const participants = contributions.filter(({ kind }) => kind === "participant");
  const names = new Set(participants.map(({ name }) => name));
  if (names.size < participantsMin) {
    throw new CeremonyError(
      `\`${names.size}\` participants contributed to \`${zkeyFile}\`, at least ` +
        `${participantsMin} must`,
    );
  }
  if (contributions.at(-1)?.kind === "beacon") return;
  throw new CeremonyError(`no beacon ends the contributions to \`${zkeyFile}\``);
}

/** Throws unless a participant has contributed and the key withstands the known forgery. */
export function assertProductionKey(zkeyFile: string): void {
  refuseDevelopmentKey(zkeyFile);
  const { contributions } = readKeyFile(zkeyFile);
  if (!contributions.some(({ kind }) => kind === "participant")) {
    throw new CeremonyError(
      `nobody has contributed to \`${zkeyFile}\`, so anybody can forge its proofs; ` +
        "a beacon alone is public",
    );
  }
  assertKeyIsSound(zkeyFile);
}

function refuseDevelopmentKey(zkeyFile: string): void {
  if (readKeyFile(zkeyFile).origin === "insecure-development") {
    throw new CeremonyError(`\`${zkeyFile}\` is a development key, whose secrets are published`);
  }
}

type SnarkjsLogger = Readonly<
  Record<"debug" | "info" | "warn" | "error", (message: string) => void>
>;

async function writeNewKey(
  out: string,
  step: string,
  write: (file: string, logger: SnarkjsLogger) => Promise<unknown>,
): Promise<void> {
  if (existsSync(out)) throw new CeremonyError(`\`${out}\` exists; a key is never overwritten`);
  const temporary = `${out}.${process.pid}.tmp`;
  try {
    await withProgress(step, (logger) => write(temporary, logger));
    renameSync(temporary, out);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function withProgress(
  step: string,
  work: (logger: SnarkjsLogger) => Promise<unknown>,
): Promise<void> {
  const task: ProgressTask = createProgressBoard().start(step);
  const ignore = (): void => undefined;
  const warn = (message: string): void => console.error(message);
  try {
    // The first words name the stage; the counts behind the colon would be a line each.
    const stage = (message: string): void => {
      const name = message.split(/[:\n]/)[0] ?? "";
      if (/[a-z]/i.test(name)) task.update(name);
    };
    await work({ debug: ignore, info: stage, warn, error: warn });
    task.finish("done");
  } catch (error) {
    task.finish("failed");
    throw error;
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

function readOptions(
  args: readonly string[],
  required: readonly string[],
  optional: readonly string[] = [],
): (name: string) => string {
  const options: Options = Object.fromEntries(
    [...required, ...optional].map((name) => [
      name,
      { type: name.endsWith("-stdin") ? "boolean" : "string" },
    ]),
  );
  const { values } = parseArgs({ args: [...args], options });
  const missing = required.find((name) => values[name] === undefined);
  if (missing !== undefined) throw new CeremonyError(`\`--${missing}\` is missing; see --help`);
  return (name) => String(values[name] ?? "");
}

async function main([step, ...rest]: readonly string[]): Promise<void> {
  if (step === undefined || rest.includes("--help") || /^(--)?help$|^-h$/.test(step)) {
    process.stdout.write(HELP);
    return;
  }
  if (step === "setup") {
    const option = readOptions(rest, ["r1cs", "ptau", "out"]);
    await setup(option("r1cs"), option("ptau"), option("out"));
  } else if (step === "contribute") {
    const option = readOptions(rest, ["in", "out", "name"], ["entropy-stdin"]);
    const entropy = option("entropy-stdin") === "true" ? await text(process.stdin) : "";
    await contribute({ from: option("in"), out: option("out"), name: option("name") }, entropy);
  } else if (step === "beacon") {
    const option = readOptions(rest, ["in", "out", "hash"], ["iterations", "name"]);
    const request = { from: option("in"), out: option("out"), name: option("name") || "beacon" };
    await beacon(request, option("hash"), option("iterations") || DEFAULT_ITERATIONS);
  } else if (step === "verify") {
    const option = readOptions(rest, ["r1cs", "ptau", "key"], ["ptau-sha256"]);
    await verify(ceremonyInputs(option));
  } else if (step === "export") {
    const option = readOptions(rest, ["r1cs", "ptau", "key", "out", "contract"], ["ptau-sha256"]);
    await exportKey(ceremonyInputs(option), option("out"), option("contract"));
  } else {
    throw new CeremonyError(`\`${step}\` is no step; see --help`);
  }
}

function ceremonyInputs(option: (name: string) => string): CeremonyInputs {
  const ptauSha256 = option("ptau-sha256") || undefined;
  return { r1cs: option("r1cs"), ptau: option("ptau"), key: option("key"), ptauSha256 };
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`ceremony: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
  await stopSnarkjs();
}
