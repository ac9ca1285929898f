/** Which verifier contracts a deployment takes, and on which chains it may. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Abi, Hex, PublicClient } from "viem";
import instances from "../circuits/instances.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "..");
export const LOCAL_CHAIN_IDS = [31337, 1337];
const INSECURE_ORIGIN = "insecure-development";
/** Where a circuit has no instance of the name: `large` differs in its trade circuit only. */
const FALLBACK_INSTANCE = "medium";

export const CIRCUITS = ["trade", "ledger", "exit"] as const;
export type Circuit = (typeof CIRCUITS)[number];
export type Artifact = { readonly abi: Abi; readonly bytecode: Hex };

/** What the choice depends on; `mockVerifiers`: one that accepts everything. */
interface VerifierChoice {
  readonly publicClient: PublicClient;
  readonly instance: string;
  readonly mockVerifiers?: boolean | undefined;
}

/** A deployment that was not begun, and why. */
export class DeployError extends Error {
  override name = "DeployError";
}

export function instanceOf(circuit: Circuit, name: string): string {
  return name in instances[circuit] ? name : FALLBACK_INSTANCE;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function artifactFile(path: string): string {
  return join(ROOT, "artifacts", "contracts", path);
}

export function readArtifact(path: string): Artifact {
  if (!existsSync(artifactFile(path))) {
    throw new DeployError(`\`artifacts/contracts/${path}\` is missing; run \`npm run build\``);
  }
  return JSON.parse(readFileSync(artifactFile(path), "utf8")) as Artifact;
}

/** The verifier of a circuit: one with a ceremony's key if it exists, else the development one. */
function findVerifier(circuit: Circuit, instance: string) {
  const suffix = `${capitalised(circuit)}${capitalised(instanceOf(circuit, instance))}Verifier`;
  for (const name of [suffix, `InsecureDev${suffix}`]) {
    const path = `generated/verifiers/${name}.sol/${name}.json`;
    if (existsSync(artifactFile(path))) return { name, artifact: readArtifact(path) };
  }
  throw new DeployError(
    `no verifier of \`${circuit}\` for \`${instance}\`; run \`npm run circuits -- ` +
      `--instance ${instanceOf(circuit, instance)} --verifiers\`, then \`npm run build\``,
  );
}

/** Throws {@link DeployError} for mocks and development keys off local chains. */
export async function chooseVerifiers(options: VerifierChoice, chainId: number) {
  const { publicClient, instance } = options;
  const isLocal = LOCAL_CHAIN_IDS.includes(chainId);
  const mock = options.mockVerifiers
    ? readArtifact("mocks/AcceptingVerifier.sol/AcceptingVerifier.json")
    : undefined;
  if (mock && !isLocal) {
    throw new DeployError(`mock verifiers accept every proof; refused on chain \`${chainId}\``);
  }
  const find = (circuit: Circuit) =>
    mock ? { name: "AcceptingVerifier", artifact: mock } : findVerifier(circuit, instance);
  const byCircuit = { trade: find("trade"), ledger: find("ledger"), exit: find("exit") };
  for (const { name, artifact } of isLocal ? [] : Object.values(byCircuit)) {
    // Asked of the code before it is deployed: a refusal then costs nothing.
    const origin = await publicClient.readContract({
      abi: artifact.abi,
      code: artifact.bytecode,
      functionName: "KEY_ORIGIN",
    });
    if (origin === INSECURE_ORIGIN) {
      throw new DeployError(
        `anybody can forge proofs for the key of \`${name}\`; refused on chain \`${chainId}\``,
      );
    }
  }
  return { mock, byCircuit };
}
