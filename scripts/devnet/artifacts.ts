/** What a devnet needs built: circuits, development keys, their verifiers, the contracts. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { ensureAll, type KeyedCircuit, writeVerifier } from "../circuits.ts";
import { ROOT } from "../keys/circom.ts";
import { stopSnarkjs } from "../keys/snarkjsThreads.ts";

/** Files of one circuit, as nodes are told of them. */
export interface CircuitArtifacts {
  readonly wasm: string;
  readonly zkey: string;
  readonly vkey: string;
}

export interface Artifacts {
  readonly trade: CircuitArtifacts;
  readonly ledger: CircuitArtifacts;
  readonly exit: CircuitArtifacts;
}

/** `hardhat build` failed. */
export class BuildError extends Error {
  override name = "BuildError";
}

const STAMPS = path.join(ROOT, "build", "devnet");

/** Builds what is missing or out of date; progress goes to the terminal. `folder` is the run's. */
export async function ensureArtifacts(
  instance: string,
  folder: string,
  say: (line: string) => void,
): Promise<Artifacts> {
  const keyed = await ensureAll(instance);
  await ensureVerifiers(instance, keyed);
  await ensureContracts(say);
  await stopSnarkjs();
  const files = (circuit: "trade" | "ledger" | "exit"): CircuitArtifacts => {
    const { wasmFile, zkeyFile, vkeyFile } = keyed.get(circuit)!;
    const keep = (file: string, end: string): string =>
      keepFile(file, path.join(folder, `${circuit}.${end}`));
    return {
      wasm: keep(wasmFile, "wasm"),
      zkey: keep(zkeyFile, "zkey"),
      vkey: keep(vkeyFile, "vkey.json"),
    };
  };
  mkdirSync(folder, { recursive: true });
  return { trade: files("trade"), ledger: files("ledger"), exit: files("exit") };
}

/** A second name for the file: a build during the run replaces it, and the run must not notice. */
function keepFile(file: string, kept: string): string {
  rmSync(kept, { force: true });
  try {
    linkSync(file, kept);
  } catch {
    // Another disk.
    copyFileSync(file, kept);
  }
  return kept;
}

async function ensureVerifiers(
  instance: string,
  keyed: ReadonlyMap<"trade" | "ledger" | "exit", KeyedCircuit>,
): Promise<void> {
  for (const [circuit, { zkeyFile }] of keyed) {
    const stamp = path.join(STAMPS, `verifier-${circuit}-${instance}`);
    const known = readStamp(stamp);
    if (known !== undefined) {
      const [key, file, hash] = known.split("\n");
      const isSame = key === path.basename(zkeyFile) && file !== undefined && existsSync(file);
      if (isSame && hashOf([file]) === hash) continue;
    }
    const file = await writeVerifier(circuit, instance);
    writeStamp(stamp, [path.basename(zkeyFile), file, hashOf([file])].join("\n"));
  }
}

/** Hardhat's own check of what is up to date takes seconds; a hash of the sources does not. */
async function ensureContracts(say: (line: string) => void): Promise<void> {
  const stamp = path.join(STAMPS, "contracts");
  const sources = globSync("contracts/**/*.sol", { cwd: ROOT }).sort();
  const files = ["hardhat.config.ts", "package-lock.json", ...sources];
  const hash = hashOf(files.map((name) => path.join(ROOT, name)));
  const isBuilt = existsSync(path.join(ROOT, "artifacts", "contracts", "Rollup.sol"));
  if (isBuilt && readStamp(stamp) === hash) return;
  say("building the contracts");
  await runHardhat(["build"]);
  writeStamp(stamp, hash);
}

export const HARDHAT = path.join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");

async function runHardhat(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [HARDHAT, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new BuildError(`\`hardhat ${args.join(" ")}\` failed:\n${output}`);
}

function hashOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${file} ${bytes.length} `).update(bytes);
  }
  return hash.digest("hex");
}

function readStamp(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function writeStamp(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
