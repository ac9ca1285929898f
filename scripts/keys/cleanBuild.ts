/**
 * One build of a circuit in an empty folder, from source to bytecode, and the hashes of all that
 * comes out: what two people compare who do not trust each other.
 */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zKey } from "snarkjs";
import { VERIFIER_HEADER } from "./ceremony.ts";
import { runCircom } from "./circom.ts";
import { makeDevKey } from "./devKey.ts";
import { exportSolidityVerifier } from "./exportVerifier.ts";
import { sha256OfFile } from "./fileHash.ts";
import { compileContract } from "./solidity.ts";

export interface CleanBuild {
  /** circom source of the main file. */
  readonly source: string;
  /** Emptied first. Two levels below `build`, for the includes of the main file. */
  readonly folder: string;
  readonly contractName: string;
  /** Lines that the verifier begins with. */
  readonly header?: readonly string[] | undefined;
  /** A ceremony's key with its transcript's hash; without them the development key is made. */
  readonly setup?: { readonly key: string; readonly setupHash: string } | undefined;
  readonly onProgress?: ((stage: string) => void) | undefined;
}

export const PRODUCTS = ["r1cs", "wasm", "vkey", "verifier", "bytecode"] as const;
/** sha256 in hex of each product. */
export type Hashes = Readonly<Record<(typeof PRODUCTS)[number], string>>;

export interface Built {
  readonly hashes: Hashes;
  readonly deployedBytecode: `0x${string}`;
}

export async function buildCleanly(build: CleanBuild): Promise<Built> {
  const { source, folder, contractName, setup } = build;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const mainFile = join(folder, "main.circom");
  writeFileSync(mainFile, source);
  build.onProgress?.("compiling");
  const { r1csFile, wasmFile } = await runCircom(mainFile, folder);
  const zkeyFile = setup?.key ?? join(folder, "key.zkey");
  if (setup === undefined) {
    build.onProgress?.("key");
    await makeDevKey({ r1csFile, zkeyFile });
  }
  build.onProgress?.("verifier");
  const vkey = `${JSON.stringify(await zKey.exportVerificationKey(zkeyFile), null, 2)}\n`;
  const r1csHash = await sha256OfFile(r1csFile);
  const verifier = await exportSolidityVerifier({
    ...{ zkeyFile, contractName, r1csHash, setupHash: setup?.setupHash },
    header: build.header ?? VERIFIER_HEADER,
  });
  const sourceName = `project/contracts/generated/verifiers/${contractName}.sol`;
  const { bytecode, deployedBytecode } = compileContract(sourceName, contractName, verifier);
  const wasm = await sha256OfFile(wasmFile);
  const hashes = {
    ...{ r1cs: r1csHash, wasm },
    ...{ vkey: sha256(vkey), verifier: sha256(verifier), bytecode: sha256(bytecode) },
  };
  return { hashes, deployedBytecode };
}

/** Names of the products in which two builds differ. */
export function differences(first: Hashes, second: Hashes): string[] {
  return PRODUCTS.filter((name) => first[name] !== second[name]);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
