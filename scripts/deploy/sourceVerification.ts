/**
 * Sources for block explorers: the compiler's own standard input of each contract, sent where the
 * user has an explorer's key, and written to disk in any case.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, encodeAbiParameters } from "viem";
import { type Artifact, buildInfoOf, DeployError, readArtifact } from "../deployVerifiers.ts";
import type { DeployedContract } from "./deployer.ts";

/** Etherscan's second version serves every chain at one address. */
export const ETHERSCAN_URL = "https://api.etherscan.io/v2/api";
const LICENSE_GPL_3 = "5";
const CHECKS_MAX = 20;

export interface SourceRequest {
  readonly name: string;
  readonly address: string;
  /** `project/contracts/Rollup.sol:Rollup`. */
  readonly contract: string;
  /** `v0.8.37+commit.f401782d`. */
  readonly compiler: string;
  /** Without 0x. */
  readonly constructorArguments: string;
  readonly standardInput: string;
}

/** The compiler, with its commit. */
export function compilerOf(artifact: Artifact): string {
  return `v${buildInfoOf(artifact).solcLongVersion}`;
}

/** A contract that has a source, and what it was created with. */
export type SourcedContract = Pick<DeployedContract, "name" | "artifact" | "args" | "address">;

/** The rollup's configuration, as far as its constructor hands it on. */
interface HandedOn {
  readonly token: Address;
  readonly governance: Address;
  readonly insurance: Address;
  readonly forcedDeadline: bigint;
  readonly claimWindow: bigint;
  readonly validators: unknown;
}

/** What the rollup's constructor creates, and where the record of a deployment has its address. */
export const CREATED_BY_ROLLUP = {
  CollateralVault: "vault",
  ValidatorRegistry: "registry",
} as const;

/**
 * The contracts that the rollup's constructor creates, with the arguments that it gives them
 * (contracts/RollupState.sol): no transaction of the deployment names them. What the registry
 * creates is its members' addresses as code, and has no source.
 */
export function createdByRollup(
  { args }: SourcedContract,
  { vault, registry }: { readonly vault: Address; readonly registry: Address },
): SourcedContract[] {
  const { token, governance, insurance, validators, ...config } = args[0] as HandedOn;
  const leaveDelay = config.forcedDeadline + config.claimWindow + 1n;
  const created = (name: keyof typeof CREATED_BY_ROLLUP, address: Address, own: unknown[]) => {
    return { name, artifact: readArtifact(`${name}.sol/${name}.json`), args: own, address };
  };
  return [
    created("CollateralVault", vault, [token]),
    created("ValidatorRegistry", registry, [validators, token, governance, insurance, leaveDelay]),
  ];
}

export function sourceRequest(contract: SourcedContract): SourceRequest {
  const { name, artifact, args, address } = contract;
  const creator = artifact.abi.find(({ type }) => type === "constructor");
  const inputs = creator?.type === "constructor" ? creator.inputs : [];
  return {
    ...{ name, address },
    contract: `${artifact.inputSourceName}:${artifact.contractName}`,
    compiler: compilerOf(artifact),
    constructorArguments: encodeAbiParameters(inputs, [...args]).slice(2),
    standardInput: JSON.stringify(buildInfoOf(artifact).input, null, 2),
  };
}

/** For uploading by hand. */
export function writeRequests(folder: string, requests: readonly SourceRequest[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { standardInput, ...form } of requests) {
    const stem = join(folder, `${form.name}-${form.address}`);
    writeFileSync(`${stem}.input.json`, `${standardInput}\n`);
    writeFileSync(`${stem}.json`, `${JSON.stringify(form, null, 2)}\n`);
  }
}

export interface Explorer {
  /** Of an API that speaks Etherscan's form, as Blockscout does at `/api`. */
  readonly url: string;
  readonly chainId: number;
  readonly apiKey?: string | undefined;
  readonly waitMs?: number | undefined;
}

interface ExplorerAnswer {
  readonly status: string;
  readonly message?: string;
  readonly result: string;
}

/** Resolves when the explorer has verified it. Throws {@link DeployError} with its own words. */
export async function submitSource(request: SourceRequest, explorer: Explorer): Promise<string> {
  const sent = await ask(explorer, {
    ...{ module: "contract", action: "verifysourcecode" },
    codeformat: "solidity-standard-json-input",
    sourceCode: request.standardInput,
    contractaddress: request.address,
    contractname: request.contract,
    compilerversion: request.compiler,
    // The explorer's own spelling.
    constructorArguements: request.constructorArguments,
    licenseType: LICENSE_GPL_3,
  });
  if (isVerified(sent.result)) return sent.result;
  if (sent.status !== "1")
    throw new DeployError(`the explorer refuses \`${request.name}\`: ${sent.result}`);
  for (let check = 0; check < CHECKS_MAX; check++) {
    await new Promise((resolve) => setTimeout(resolve, explorer.waitMs ?? 5000));
    const form = { module: "contract", action: "checkverifystatus", guid: sent.result };
    const { result } = await ask(explorer, form, "GET");
    if (isVerified(result)) return result;
    if (!/pending|in progress|queue/i.test(result)) {
      throw new DeployError(`the explorer has not verified \`${request.name}\`: ${result}`);
    }
  }
  throw new DeployError(`the explorer is still busy with \`${request.name}\`: look again later`);
}

function isVerified(result: string): boolean {
  return /^pass|already verified/i.test(result);
}

async function ask(
  { url, chainId, apiKey }: Explorer,
  form: Readonly<Record<string, string>>,
  method: "GET" | "POST" = "POST",
): Promise<ExplorerAnswer> {
  const target = new URL(url);
  target.searchParams.set("chainid", `${chainId}`);
  const fields = { ...form, ...(apiKey === undefined ? {} : { apikey: apiKey }) };
  for (const [name, value] of method === "GET" ? Object.entries(fields) : []) {
    target.searchParams.set(name, value);
  }
  const body = method === "POST" ? { body: new URLSearchParams(fields) } : {};
  const response = await fetch(target, { method, ...body });
  if (!response.ok) throw new DeployError(`\`${target.host}\` answers \`${response.status}\``);
  const answer = (await response.json()) as Partial<ExplorerAnswer>;
  if (typeof answer.status !== "string" || typeof answer.result !== "string") {
    throw new DeployError(`\`${target.host}\` answers what no explorer answers`);
  }
  return answer as ExplorerAnswer;
}
