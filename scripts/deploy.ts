/**
 * Deploys a rollup with its verifiers: `deployStraddle` for the devnet and tests, and a command.
 * Development keys and mocks are refused off local chains here, before anything is paid for, and
 * again by the rollup's constructor, which no script can leave out.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  type Abi,
  type Account,
  type Address,
  createPublicClient,
  createWalletClient,
  getAddress,
  type Hex,
  http,
  isAddress,
  type PublicClient,
  type WalletClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { z } from "zod";
import instances from "../circuits/instances.json" with { type: "json" };
import { readKeystore } from "../sequencer/l1/keystore.ts";
import type { PublicKey } from "../sequencer/protocol/eddsa.ts";
import { oracleSetHash } from "../sequencer/protocol/snapshot.ts";
import type { Shape } from "../sequencer/protocol/state.ts";
import { createMemoryState } from "../sequencer/state/memoryState.ts";
import { createStateTrees } from "../sequencer/state/stateTrees.ts";
import { passwordOf } from "./password.ts";

const ROOT = join(import.meta.dirname, "..");
const LOCAL_CHAIN_IDS = [31337, 1337];
const INSECURE_ORIGIN = "insecure-development";
/** Where a circuit has no instance of the name: `large` differs in its trade circuit only. */
const FALLBACK_INSTANCE = "medium";
const DAY_SECONDS = 86_400;

const CIRCUITS = ["trade", "ledger", "exit"] as const;
type Circuit = (typeof CIRCUITS)[number];
type Artifact = { readonly abi: Abi; readonly bytecode: Hex };

/** What a deployment is made of. Times in seconds, amounts in 1e-6 USDC. */
export interface DeployOptions {
  readonly publicClient: PublicClient;
  /** Signs with its account, which pays. */
  readonly walletClient: WalletClient;
  /** A name in circuits/instances.json. */
  readonly instance: string;
  /** `test-token` deploys a token that anybody may mint. */
  readonly token: Address | "test-token";
  readonly oracles: readonly PublicKey[];
  readonly operator: Address;
  readonly forcedDeadline?: number | undefined;
  readonly claimWindow?: number | undefined;
  readonly minimumDeposit?: bigint | undefined;
  /** Deploys a verifier that accepts everything: local chains only. */
  readonly mockVerifiers?: boolean | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** Everything that a node must know of a deployment; JSON-safe. */
export interface Deployment {
  readonly chainId: number;
  readonly instance: string;
  readonly rollup: Address;
  readonly vault: Address;
  readonly token: Address;
  readonly verifiers: Readonly<Record<Circuit, Address>>;
  readonly operator: Address;
  readonly oracles: readonly { readonly x: string; readonly y: string }[];
  readonly genesisRoot: string;
  readonly domain: string;
  readonly forcedDeadline: number;
  readonly claimWindow: number;
  /** Block of the rollup's creation: no event is older. */
  readonly block: number;
}

/** A deployment that was not begun, and why. */
export class DeployError extends Error {
  override name = "DeployError";
}

/** Root of the state in which nothing has happened. */
export function genesisRoot(shape: Shape): bigint {
  return createStateTrees(shape).root(createMemoryState(shape));
}

/** Sizes of a named instance. Throws {@link DeployError}. */
export function instanceSizes(name: string) {
  const trade = instances.trade[name as keyof typeof instances.trade];
  if (trade === undefined) {
    const known = Object.keys(instances.trade).join("`, `");
    throw new DeployError(`there is no instance \`${name}\`; there are \`${known}\``);
  }
  const ledger = instances.ledger[instanceOf("ledger", name) as keyof typeof instances.ledger];
  return { trade, ledger };
}

/** Deploys token (if asked), verifiers and rollup. Throws {@link DeployError}. */
export async function deployStraddle(options: DeployOptions): Promise<Deployment> {
  const { publicClient, walletClient, instance, operator } = options;
  const { trade, ledger } = instanceSizes(instance);
  if (options.oracles.length !== trade.oracles) {
    throw new DeployError(
      `\`${instance}\` takes ${trade.oracles} oracles. Got \`${options.oracles.length}\`.`,
    );
  }
  const chainId = await publicClient.getChainId();
  const chosen = await chooseVerifiers(options, chainId);
  const deploy = createDeployer(publicClient, walletClient, options.onProgress);

  const token =
    options.token === "test-token" ? await deployTestToken(deploy, chainId) : options.token;
  const verifiers: Record<string, Address> = {};
  const mock = chosen.mock && (await deploy("AcceptingVerifier", chosen.mock, []));
  for (const circuit of CIRCUITS) {
    const { name, artifact } = chosen.byCircuit[circuit];
    verifiers[circuit] = mock ? mock.address : (await deploy(name, artifact, [])).address;
  }
  const forcedDeadline = options.forcedDeadline ?? 7 * DAY_SECONDS;
  const claimWindow = options.claimWindow ?? 28 * DAY_SECONDS;
  const root = genesisRoot(trade);
  const config = {
    token,
    tradeVerifier: verifiers.trade,
    ledgerVerifier: verifiers.ledger,
    exitVerifier: verifiers.exit,
    genesisRoot: root,
    oracleSetHash: oracleSetHash(options.oracles),
    operator,
    sizes: {
      slots: trade.slots,
      tradeSteps: trade.steps,
      ledgerSteps: ledger.steps,
      accountLevels: trade.accountLevels,
    },
    forcedDeadline: BigInt(forcedDeadline),
    claimWindow: BigInt(claimWindow),
    minimumDeposit: options.minimumDeposit ?? 1n,
  };
  const artifact = readArtifact("Rollup.sol/Rollup.json");
  const rollup = await deploy("Rollup", artifact, [config]);
  const read = (functionName: string) =>
    publicClient.readContract({ address: rollup.address, abi: artifact.abi, functionName });
  return {
    chainId,
    instance,
    rollup: rollup.address,
    vault: (await read("vault")) as Address,
    token,
    verifiers: verifiers as Record<Circuit, Address>,
    operator,
    oracles: options.oracles.map(({ x, y }) => ({ x: `${x}`, y: `${y}` })),
    genesisRoot: `${root}`,
    domain: `${await read("domain")}`,
    forcedDeadline,
    claimWindow,
    block: rollup.block,
  };
}

function instanceOf(circuit: Circuit, name: string): string {
  return name in instances[circuit] ? name : FALLBACK_INSTANCE;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function artifactFile(path: string): string {
  return join(ROOT, "artifacts", "contracts", path);
}

function readArtifact(path: string): Artifact {
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

async function chooseVerifiers(options: DeployOptions, chainId: number) {
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

type Deployer = (
  name: string,
  artifact: Artifact,
  args: readonly unknown[],
) => Promise<{ readonly address: Address; readonly block: number }>;

function createDeployer(
  publicClient: PublicClient,
  walletClient: WalletClient,
  onProgress: DeployOptions["onProgress"],
): Deployer {
  const { account } = walletClient;
  if (account === undefined) throw new DeployError("the wallet client has no account");
  return async (name, { abi, bytecode }, args) => {
    const chain = walletClient.chain ?? null;
    const hash = await walletClient.deployContract({ account, chain, abi, bytecode, args });
    const receipt = await publicClient.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success" || !receipt.contractAddress) {
      throw new DeployError(`the deployment of \`${name}\` reverted in transaction \`${hash}\``);
    }
    onProgress?.(`${name} at ${receipt.contractAddress} (${receipt.gasUsed} gas)`);
    // Some nodes answer in lower case; addresses are written in one way only.
    const address = getAddress(receipt.contractAddress);
    return { address, block: Number(receipt.blockNumber) };
  };
}

async function deployTestToken(deploy: Deployer, chainId: number): Promise<Address> {
  if (!LOCAL_CHAIN_IDS.includes(chainId)) {
    throw new DeployError(`anybody may mint the test token; refused on chain \`${chainId}\``);
  }
  const artifact = readArtifact("mocks/TestToken.sol/TestToken.json");
  return (await deploy("TestToken", artifact, [])).address;
}

const HELP = `Deploys Straddle's contracts.

  npm run deploy -- --rpc <url> --instance <name> --oracles <file> --operator <address> ...

  --rpc <url>              the chain's JSON-RPC
  --instance <name>        circuit sizes: ${Object.keys(instances.trade).join(", ")}
  --token <address>        the collateral, an ERC-20 with 6 decimals, or
  --test-token             a new token that anybody may mint (local chains only)
  --oracles <file>         JSON: [{ "x": "<decimal>", "y": "<decimal>" }, ...]
  --operator <address>     who submits batches
  --keystore <file>        encrypted key (version 3) that pays; the password is asked for, or
                           read from STRADDLE_PASSWORD. Without it the node's own
                           first account pays (local chains only)
  --forced-deadline <s>    seconds to serve a forced operation (default: 7 days)
  --claim-window <s>       seconds for claims after a freeze (default: 28 days)
  --minimum-deposit <n>    1e-6 USDC (default: 1)
  --mock-verifiers         verifiers that accept every proof (local chains only)
  --out <file>             where to write the deployment (default: deployment.json)
  --help                   this text

Verifiers with development keys are refused on every chain but 31337 and 1337.
`;

const OPTIONS = {
  rpc: { type: "string" },
  instance: { type: "string" },
  token: { type: "string" },
  "test-token": { type: "boolean" },
  oracles: { type: "string" },
  operator: { type: "string" },
  keystore: { type: "string" },
  "forced-deadline": { type: "string" },
  "claim-window": { type: "string" },
  "minimum-deposit": { type: "string" },
  "mock-verifiers": { type: "boolean" },
  out: { type: "string", default: "deployment.json" },
  help: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

function required(values: Values, name: "rpc" | "instance" | "oracles" | "operator"): string {
  const value = values[name];
  if (value === undefined) throw new DeployError(`\`--${name}\` is missing; see --help`);
  return value;
}

function readAddress(text: string, option: string): Address {
  if (!isAddress(text)) throw new DeployError(`\`--${option}\` is no address. Got \`${text}\`.`);
  return getAddress(text);
}

function readNatural(text: string | undefined, option: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,15}$/.test(text)) {
    throw new DeployError(`\`--${option}\` is a whole number from 1. Got \`${text}\`.`);
  }
  return BigInt(text);
}

function readOracles(file: string): PublicKey[] {
  const decimal = z
    .string()
    .regex(/^[0-9]{1,77}$/)
    .transform(BigInt);
  const result = z
    .array(z.object({ x: decimal, y: decimal }))
    .safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new DeployError(`oracles in \`${file}\`: \`${path.join(".")}\`: ${message}`);
}

/** The account that pays: from a key file, or the first of a local node's own. */
async function payer(values: Values, publicClient: PublicClient): Promise<Account | Address> {
  if (values.keystore !== undefined) {
    const password = await passwordOf(values.keystore);
    return privateKeyToAccount(await readKeystore(values.keystore, password));
  }
  const chainId = await publicClient.getChainId();
  if (!LOCAL_CHAIN_IDS.includes(chainId)) {
    throw new DeployError(`\`--keystore\` is missing; chain \`${chainId}\` is not local`);
  }
  const wallet = createWalletClient({ transport: http(values.rpc) });
  const [first] = await wallet.getAddresses();
  if (first === undefined) throw new DeployError("the node has no account; use `--keystore`");
  return first;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return void process.stdout.write(HELP);
  const transport = http(required(values, "rpc"));
  const instance = required(values, "instance");
  const operator = readAddress(required(values, "operator"), "operator");
  const oracles = readOracles(required(values, "oracles"));
  if ((values.token === undefined) === !values["test-token"]) {
    throw new DeployError("give either `--token` or `--test-token`");
  }
  const seconds = (name: "forced-deadline" | "claim-window") => {
    const value = readNatural(values[name], name);
    return value === undefined ? undefined : Number(value);
  };
  const publicClient = createPublicClient({ transport });
  const account = await payer(values, publicClient);
  const deployment = await deployStraddle({
    publicClient,
    walletClient: createWalletClient({ transport, account }),
    instance,
    token: values.token === undefined ? "test-token" : readAddress(values.token, "token"),
    oracles,
    operator,
    forcedDeadline: seconds("forced-deadline"),
    claimWindow: seconds("claim-window"),
    minimumDeposit: readNatural(values["minimum-deposit"], "minimum-deposit"),
    mockVerifiers: values["mock-verifiers"],
    onProgress: (line) => console.log(line),
  });
  writeFileSync(values.out, `${JSON.stringify(deployment, null, 2)}\n`);
  console.log(`wrote ${values.out}`);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(`deploy: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
