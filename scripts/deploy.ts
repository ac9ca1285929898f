/**
 * Deploys a rollup with its verifiers: `deployStraddle` for the devnet and tests, and a command.
 * Development keys and mocks are refused off local chains here, before anything is paid for, and
 * again by the rollup's constructor, which no script can leave out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  type Account,
  type Address,
  createPublicClient,
  createWalletClient,
  getAddress,
  http,
  isAddress,
  type PublicClient,
  type WalletClient,
  zeroAddress,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { z } from "zod";
import instances from "../circuits/instances.json" with { type: "json" };
import { developmentAccount } from "../sequencer/l1/developmentAccount.ts";
import { readKeystore } from "../sequencer/l1/keystore.ts";
import type { PublicKey } from "../sequencer/protocol/eddsa.ts";
import { oracleSetHash } from "../sequencer/protocol/snapshot.ts";
import type { Shape } from "../sequencer/protocol/state.ts";
import { createMemoryState } from "../sequencer/state/memoryState.ts";
import { createStateTrees } from "../sequencer/state/stateTrees.ts";
import {
  type Artifact,
  CIRCUITS,
  type Circuit,
  chooseVerifiers,
  DeployError,
  instanceOf,
  LOCAL_CHAIN_IDS,
  readArtifact,
} from "./deployVerifiers.ts";
import { passwordOf } from "./password.ts";

const DAY_SECONDS = 86_400;
/** Development accounts that own the venue's accounts on local chains. */
export const VENUE_OWNERS = { treasury: 7, insurance: 8 } as const;

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
  /** Owner of account 1, which fees are collected into. */
  readonly treasury: Address;
  /** Owner of account 2, the insurance fund; another address than the treasury. */
  readonly insurance: Address;
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
  readonly treasury: Address;
  readonly insurance: Address;
  readonly oracles: readonly { readonly x: string; readonly y: string }[];
  readonly genesisRoot: string;
  readonly domain: string;
  readonly forcedDeadline: number;
  readonly claimWindow: number;
  /** Block of the rollup's creation: no event is older. */
  readonly block: number;
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
  const { publicClient, walletClient, instance, operator, treasury, insurance } = options;
  checkVenueOwners(options);
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
    ...{ operator, treasury, insurance },
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
    ...{ operator, treasury, insurance },
    oracles: options.oracles.map(({ x, y }) => ({ x: `${x}`, y: `${y}` })),
    genesisRoot: `${root}`,
    domain: `${await read("domain")}`,
    forcedDeadline,
    claimWindow,
    block: rollup.block,
  };
}

/** Before anything is paid for; the constructor would refuse them as well. */
function checkVenueOwners({ treasury, insurance }: DeployOptions): void {
  if (treasury === zeroAddress || insurance === zeroAddress || treasury === insurance) {
    const got = `Got \`${treasury}\` and \`${insurance}\`.`;
    throw new DeployError(`treasury and insurance fund need an owner each, not the same. ${got}`);
  }
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
  --treasury <address>     who owns account 1, which fees are collected into
  --insurance <address>    who owns account 2, the insurance fund; on local chains both default to
                           development accounts
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
  treasury: { type: "string" },
  insurance: { type: "string" },
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

async function venueOwners(values: Values, publicClient: PublicClient) {
  const chainId = await publicClient.getChainId();
  const read = (name: keyof typeof VENUE_OWNERS): Address => {
    const given = values[name];
    if (given !== undefined) return readAddress(given, name);
    if (LOCAL_CHAIN_IDS.includes(chainId)) {
      return developmentAccount(VENUE_OWNERS[name], chainId).address;
    }
    throw new DeployError(`\`--${name}\` is missing; chain \`${chainId}\` is not local`);
  };
  return { treasury: read("treasury"), insurance: read("insurance") };
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
    ...(await venueOwners(values, publicClient)),
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
