/** The command line of `npm run deploy`, joined with what the networks' file says. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";
import instances from "../../circuits/instances.json" with { type: "json" };
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import type { PublicKey } from "../../sequencer/protocol/eddsa.ts";
import { VENUE_OWNERS } from "../deploy.ts";
import type { GovernanceOptions, ValidatorOptions } from "../deployGovernance.ts";
import { DeployError, type SetupSource } from "../deployVerifiers.ts";
import {
  NETWORKS,
  NETWORKS_FILE,
  type Network,
  type NetworkSettings,
  networkOf,
  readNetworkSettings,
} from "./networks.ts";

export const HELP = `Deploys Straddle's contracts, or goes on where a deployment stopped.

  npm run deploy -- --network <name> --instance <name> --oracles <file> --operator <address> ...

  --network <name>         ${NETWORKS.map(({ name }) => name).join(", ")}
  --rpc <url>              the chain's JSON-RPC (local networks: http://127.0.0.1:8545)
  --dry-run                print every transaction, its gas and its cost at present fees;
                           send and write nothing
  --keystore <file>        encrypted key (version 3) that pays; the password is asked for, or read
                           from --password-file or STRADDLE_PASSWORD. Local networks can do without:
                           the node's own first account pays. Keys are taken from nowhere else
  --password-file <file>   the keystore's password
  --from <address>         who would pay, for a dry run without keystore

  --instance <name>        circuit sizes: ${Object.keys(instances.trade).join(", ")}
  --setup <folder>         folder with \`trade\`, \`ledger\`, \`exit\` as \`ceremony.ts export\`
                           wrote them: keys are checked from the powers of tau on
  --ptau <file>            the powers of tau that the setups start from
  --ptau-sha256 <hex>      their published sha256; without it they are verified, which takes long
  --token <address>        the collateral, an ERC-20 with 6 decimals, or
  --test-token             a new token that anybody may mint (local networks only)
  --oracles <file>         JSON: [{ "x": "<decimal>", "y": "<decimal>" }, ...]
  --operator <address>     who submits batches
  --treasury <address>     who owns account 1, which fees are collected into
  --insurance <address>    who owns account 2, the insurance fund; on local networks both default to
                           development accounts
  --proposer <address>     who proposes changes of settings, and
  --guardian <address>     who cancels proposals and may pause: give both or neither; without them
                           nothing can ever be changed
  --validators <a,b,...>   at most 16 addresses that certify batches once the deployer has bonded
                           for them, which it does at once with a test token
  --forced-deadline <s>    seconds to serve a forced operation (default: 7 days; on public networks
                           3 to 30 days)
  --claim-window <s>       seconds for claims after a freeze (default: 28 days; on public networks
                           7 to 90 days)
  --minimum-deposit <n>    1e-6 USDC: what it costs to occupy an account (local networks: 1)
  --mock-verifiers         verifiers that accept every proof (local networks only)

  --etherscan-key-file <file>  has sources verified by Etherscan
  --blockscout <url>       has them verified by a Blockscout explorer: https://.../api
  --verify-only            verify the sources of the recorded deployment, deploy nothing
                           Without these, what to upload is written beside the addresses
  --config <file>          who and where, by network (default: ${NETWORKS_FILE}):
                           the same names, as in { "sepolia": { "passwordFile": "..." } }
  --deployments <folder>   where addresses and history are kept (default: deployments)
  --out <file>             also write the deployment for a node's configuration
  --help                   this text

Verifiers with development keys are refused on every chain but 31337 and 1337, here and by the
contracts. An interrupted deployment keeps a journal beside the addresses; the same command goes on.
`;

const OPTIONS = {
  network: { type: "string" },
  rpc: { type: "string" },
  "dry-run": { type: "boolean", default: false },
  keystore: { type: "string" },
  "password-file": { type: "string" },
  from: { type: "string" },
  instance: { type: "string" },
  setup: { type: "string" },
  ptau: { type: "string" },
  "ptau-sha256": { type: "string" },
  token: { type: "string" },
  "test-token": { type: "boolean", default: false },
  oracles: { type: "string" },
  operator: { type: "string" },
  treasury: { type: "string" },
  insurance: { type: "string" },
  proposer: { type: "string" },
  guardian: { type: "string" },
  validators: { type: "string" },
  "forced-deadline": { type: "string" },
  "claim-window": { type: "string" },
  "minimum-deposit": { type: "string" },
  "mock-verifiers": { type: "boolean", default: false },
  "etherscan-key-file": { type: "string" },
  blockscout: { type: "string" },
  "verify-only": { type: "boolean", default: false },
  config: { type: "string", default: NETWORKS_FILE },
  deployments: { type: "string", default: "deployments" },
  out: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

export interface CommandOptions {
  readonly network: Network;
  readonly rpc: string;
  readonly isDryRun: boolean;
  readonly isVerifyOnly: boolean;
  readonly keystore: string | undefined;
  readonly passwordFile: string | undefined;
  readonly from: Address | undefined;
  readonly etherscanKey: string | undefined;
  readonly blockscout: string | undefined;
  /** Without extension: `.json` is added for addresses, `.pending.json` for the journal. */
  readonly stem: string;
  readonly out: string | undefined;
  /** Read when they are first needed: verifying sources takes none of them. */
  readonly terms: () => Terms;
}

/** What a deployment is made with. */
export interface Terms {
  readonly instance: string;
  readonly setup: SetupSource | undefined;
  readonly token: Address | "test-token";
  readonly oracles: readonly PublicKey[];
  readonly operator: Address;
  readonly treasury: Address;
  readonly insurance: Address;
  readonly governance: GovernanceOptions | undefined;
  readonly validators: ValidatorOptions | undefined;
  readonly forcedDeadline: number | undefined;
  readonly claimWindow: number | undefined;
  readonly minimumDeposit: bigint | undefined;
  readonly mockVerifiers: boolean;
}

const LOCAL_RPC = "http://127.0.0.1:8545";

/** undefined: help was asked for. Throws {@link DeployError}. */
export function readOptions(args: readonly string[]): CommandOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return undefined;
  const network = networkOf(required(values.network, "network"));
  const settings = readNetworkSettings(values.config, network.name);
  const rpc = values.rpc ?? settings.rpc ?? (network.isLocal ? LOCAL_RPC : undefined);
  const keyFile = values["etherscan-key-file"] ?? settings.etherscanKeyFile;
  return {
    network,
    rpc: required(rpc, "rpc"),
    isDryRun: values["dry-run"],
    isVerifyOnly: values["verify-only"],
    keystore: values.keystore ?? settings.keystore,
    passwordFile: values["password-file"] ?? settings.passwordFile,
    from: values.from === undefined ? undefined : readAddress(values.from, "from"),
    etherscanKey: keyFile ? readLine(keyFile) : undefined,
    blockscout: values.blockscout ?? settings.blockscout,
    stem: path.join(values.deployments, network.name),
    out: values.out,
    terms: () => termsOf(values, settings, network),
  };
}

function termsOf(values: Values, settings: NetworkSettings, network: Network): Terms {
  const token = values.token ?? (values["test-token"] ? undefined : settings.token);
  if ((token === undefined) === !values["test-token"]) {
    throw new DeployError("give either `--token` or `--test-token`");
  }
  const seconds = (name: "forced-deadline" | "claim-window") => {
    const value = readNatural(values[name], name);
    return value === undefined ? undefined : Number(value);
  };
  const instance = required(values.instance ?? settings.instance, "instance");
  const operator = required(values.operator ?? settings.operator, "operator");
  return {
    instance,
    operator: readAddress(operator, "operator"),
    oracles: readOracles(required(values.oracles ?? settings.oracles, "oracles")),
    setup: setupOf(values, settings),
    token: token === undefined ? "test-token" : readAddress(token, "token"),
    treasury: venueOwner("treasury", values.treasury ?? settings.treasury, network),
    insurance: venueOwner("insurance", values.insurance ?? settings.insurance, network),
    governance: governanceOf(values, settings),
    validators: validatorsOf(values.validators ?? settings.validators),
    forcedDeadline: seconds("forced-deadline"),
    claimWindow: seconds("claim-window"),
    minimumDeposit: readNatural(values["minimum-deposit"], "minimum-deposit"),
    mockVerifiers: values["mock-verifiers"],
  };
}

function setupOf(values: Values, settings: NetworkSettings): SetupSource | undefined {
  const folder = values.setup ?? settings.setup;
  if (folder === undefined) return undefined;
  const ptau = required(values.ptau ?? settings.ptau, "ptau");
  return { folder, ptau, ptauSha256: values["ptau-sha256"] ?? settings.ptauSha256 };
}

function venueOwner(
  name: keyof typeof VENUE_OWNERS,
  given: string | undefined,
  { isLocal, chain }: Network,
): Address {
  if (given !== undefined) return readAddress(given, name);
  if (isLocal) return developmentAccount(VENUE_OWNERS[name], chain.id).address;
  throw new DeployError(`\`--${name}\` is missing; chain \`${chain.id}\` is not local`);
}

function governanceOf(values: Values, settings: NetworkSettings): GovernanceOptions | undefined {
  const proposer = values.proposer ?? settings.proposer;
  const guardian = values.guardian ?? settings.guardian;
  if (proposer === undefined && guardian === undefined) return undefined;
  if (proposer === undefined || guardian === undefined) {
    throw new DeployError("give both `--proposer` and `--guardian`, or neither");
  }
  return {
    proposer: readAddress(proposer, "proposer"),
    guardian: readAddress(guardian, "guardian"),
  };
}

function validatorsOf(list: string | undefined): ValidatorOptions | undefined {
  if (list === undefined) return undefined;
  return { signers: list.split(",").map((text) => readAddress(text, "validators")) };
}

function required(value: string | undefined, name: string): string {
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

function readLine(file: string): string {
  return readFileSync(file, "utf8").trim();
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
  const { path: at, message } = result.error.issues[0]!;
  throw new DeployError(`oracles in \`${file}\`: \`${at.join(".")}\`: ${message}`);
}
