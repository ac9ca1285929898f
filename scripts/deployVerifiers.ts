/** Which verifier contracts a deployment takes, and on which chains it may. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Abi, type BaseError, type Hex, HttpRequestError, type PublicClient } from "viem";
import instances from "../circuits/instances.json" with { type: "json" };
import { compileCircuit, verifierName } from "./circuits.ts";
import { verifySetup } from "./keys/verifySetup.ts";

const ROOT = join(import.meta.dirname, "..");
export const LOCAL_CHAIN_IDS = [31337, 1337];
/** Where a circuit has no instance of the name: `large` and `wide` are of trade only. */
const FALLBACK_INSTANCE = "medium";

/** Contributors to a setup that a public network takes: whoever trusts one of them is safe. */
const PARTICIPANTS_MIN = 20;

export const CIRCUITS = ["trade", "ledger", "exit"] as const;
export type Circuit = (typeof CIRCUITS)[number];
/** As Hardhat writes it. */
export type Artifact = {
  readonly abi: Abi;
  readonly bytecode: Hex;
  readonly contractName: string;
  readonly inputSourceName: string;
  readonly buildInfoId: string;
};

/** Where the setups' transcripts are, and the powers of tau that they start from. */
export interface SetupSource {
  /** Has a folder for each circuit, as `ceremony.ts export` wrote it. */
  readonly folder: string;
  readonly ptau: string;
  readonly ptauSha256?: string | undefined;
}

/** What the choice depends on; `mockVerifiers`: one that accepts everything. */
interface VerifierChoice {
  readonly publicClient: PublicClient;
  readonly instance: string;
  readonly mockVerifiers?: boolean | undefined;
  /** Without it only local chains will do. */
  readonly setup?: SetupSource | undefined;
}

/** What vouches for a verifier's key. */
export interface SetupHashes {
  readonly r1csHash: string;
  readonly setupHash: string;
}

/** A deployment that was not begun, and why. */
export class DeployError extends Error {
  override name = "DeployError";
}

export function instanceOf(circuit: Circuit, name: string): string {
  return name in instances[circuit] ? name : FALLBACK_INSTANCE;
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
  for (const isDevelopment of [false, true]) {
    const name = verifierName(circuit, instanceOf(circuit, instance), isDevelopment);
    const path = `generated/verifiers/${name}.sol/${name}.json`;
    if (existsSync(artifactFile(path))) return { name, artifact: readArtifact(path) };
  }
  throw new DeployError(
    `no verifier of \`${circuit}\` for \`${instance}\`; run \`npm run circuits -- ` +
      `--instance ${instanceOf(circuit, instance)} --verifiers\`, then \`npm run build\``,
  );
}

/**
 * Throws {@link DeployError} for mocks and development keys off local chains, and, wherever a setup
 * is given or needed, for keys whose transcript does not vouch for them. Nothing is paid for yet.
 */
export async function chooseVerifiers(options: VerifierChoice, chainId: number) {
  const { instance, setup } = options;
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
  if (!isLocal) await refuseDevelopmentKeys(options.publicClient, byCircuit, chainId);
  if (!isLocal && setup === undefined) {
    throw new DeployError(
      `no transcript vouches for the verifiers: \`--setup\` is missing; refused on \`${chainId}\``,
    );
  }
  const participantsMin = isLocal ? undefined : PARTICIPANTS_MIN;
  const setups =
    setup && !mock
      ? await verifySetups({ ...setup, participantsMin }, instance, byCircuit)
      : undefined;
  return { mock, byCircuit, setups };
}

type Verifiers = Readonly<Record<Circuit, { readonly name: string; readonly artifact: Artifact }>>;

async function refuseDevelopmentKeys(
  publicClient: PublicClient,
  byCircuit: Verifiers,
  chainId: number,
): Promise<void> {
  for (const { name, artifact } of Object.values(byCircuit)) {
    // Asked of the code before it is deployed: a refusal then costs nothing.
    const { abi, bytecode: code } = artifact;
    const call = { abi, code, functionName: "KEY_ORIGIN" } as const;
    const origin = await publicClient.readContract(call).catch((error: BaseError) => {
      // A verifier that does not say; an endpoint that does not answer is another matter.
      if (error.walk((cause) => cause instanceof HttpRequestError) !== null) throw error;
      return undefined;
    });
    if (origin === "ceremony") continue;
    throw new DeployError(
      `anybody can forge proofs for the key of \`${name}\`: its origin is ` +
        `\`${origin ?? "not stated"}\`; refused on chain \`${chainId}\``,
    );
  }
}

interface CheckedSource extends SetupSource {
  readonly participantsMin: number | undefined;
}

/** Compiles the circuits from the sources: a setup of another circuit vouches for nothing. */
async function verifySetups(
  { folder, ptau, ptauSha256, participantsMin }: CheckedSource,
  instance: string,
  byCircuit: Verifiers,
): Promise<Record<Circuit, SetupHashes>> {
  const verified: Partial<Record<Circuit, SetupHashes>> = {};
  for (const circuit of CIRCUITS) {
    const { name, artifact } = byCircuit[circuit];
    const { r1csFile } = await compileCircuit(circuit, instanceOf(circuit, instance));
    try {
      const { r1csHash, setupHash } = await verifySetup({
        ...{ folder: join(folder, circuit), r1cs: r1csFile, ptau, ptauSha256 },
        ...{ contractName: name, participantsMin },
        verifierSource: sourceOf(artifact),
      });
      verified[circuit] = { r1csHash, setupHash };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DeployError(`the setup of \`${circuit}\`: ${reason}`, { cause });
    }
  }
  return verified as Record<Circuit, SetupHashes>;
}

interface BuildInfo {
  readonly solcLongVersion: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The compilation that an artifact comes from. */
export function buildInfoOf(artifact: Artifact): BuildInfo {
  const file = join(ROOT, "artifacts", "build-info", `${artifact.buildInfoId}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as BuildInfo;
}

function sourceOf(artifact: Artifact): string {
  const { input } = buildInfoOf(artifact);
  const sources = input.sources as Readonly<Record<string, { readonly content: string }>>;
  const found = sources[artifact.inputSourceName];
  if (found !== undefined) return found.content;
  throw new DeployError(`the build of \`${artifact.inputSourceName}\` has no such source`);
}
