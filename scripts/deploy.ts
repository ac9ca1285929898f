/**
 * Deploys a rollup with its verifiers: `deployStraddle` for the devnet and tests, and a command.
 * Development keys and mocks are refused off local chains here, before anything is paid for, and
 * again by the rollup's constructor, which no script can leave out.
 */
import {
  type Address,
  getContractAddress,
  type PublicClient,
  type WalletClient,
  zeroAddress,
} from "viem";
import instances from "../circuits/instances.json" with { type: "json" };
import { domainOf } from "../sequencer/l1/domain.ts";
import type { PublicKey } from "../sequencer/protocol/eddsa.ts";
import { oracleSetHash } from "../sequencer/protocol/snapshot.ts";
import { genesisRoot } from "../sequencer/state/genesis.ts";
import { checkTerms } from "./deploy/checkTerms.ts";
import { createSender, type Deploy, type Sender } from "./deploy/deployer.ts";
import { openJournal } from "./deploy/journal.ts";
import {
  bondValidators,
  checkGovernance,
  DAY_SECONDS,
  deployGovernance,
  type GovernanceOptions,
  type ValidatorOptions,
  validatorConfig,
} from "./deployGovernance.ts";
import {
  type Artifact,
  CIRCUITS,
  type Circuit,
  chooseVerifiers,
  DeployError,
  instanceOf,
  LOCAL_CHAIN_IDS,
  readArtifact,
  type SetupHashes,
  type SetupSource,
} from "./deployVerifiers.ts";

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
  /** Who certifies batches; with a test token the deployer bonds for them. */
  readonly validators?: ValidatorOptions | undefined;
  /** Without it nothing can ever be changed, nor paused. */
  readonly governance?: GovernanceOptions | undefined;
  readonly forcedDeadline?: number | undefined;
  readonly claimWindow?: number | undefined;
  readonly minimumDeposit?: bigint | undefined;
  /** Deploys a verifier that accepts everything: local chains only. */
  readonly mockVerifiers?: boolean | undefined;
  /** What vouches for the verifiers' keys; needed off local chains. */
  readonly setup?: SetupSource | undefined;
  /** Sends, or only plans to; by default sends and keeps no journal. */
  readonly sender?: Sender | undefined;
  /** Nothing is on the chain afterwards, so nothing is read from it. */
  readonly isDryRun?: boolean | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** Everything that a node must know of a deployment; JSON-safe. */
export interface Deployment {
  readonly chainId: number;
  readonly instance: string;
  readonly rollup: Address;
  readonly vault: Address;
  readonly token: Address;
  /** The validators' registry. */
  readonly registry: Address;
  /** The timelock; 0 when there is none. */
  readonly governance: Address;
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
  /** What vouches for the verifiers; null with development keys and mocks. */
  readonly setups: Readonly<Record<Circuit, SetupHashes>> | null;
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

/** Deploys token and timelock (if asked), verifiers and rollup. Throws {@link DeployError}. */
export async function deployStraddle(options: DeployOptions): Promise<Deployment> {
  const { publicClient, instance, operator, treasury, insurance } = options;
  const deployer = options.walletClient.account?.address;
  if (deployer === undefined) throw new DeployError("the wallet client has no account");
  checkVenueOwners(options);
  const { trade, ledger } = instanceSizes(instance);
  if (options.oracles.length !== trade.oracles) {
    throw new DeployError(
      `\`${instance}\` takes ${trade.oracles} oracles. Got \`${options.oracles.length}\`.`,
    );
  }
  const forcedDeadline = options.forcedDeadline ?? 7 * DAY_SECONDS;
  const claimWindow = options.claimWindow ?? 28 * DAY_SECONDS;
  const notice = forcedDeadline + claimWindow;
  if (options.governance) checkGovernance(options.governance, notice);
  const validators = validatorConfig(options.validators, deployer, insurance);
  const chainId = await publicClient.getChainId();
  checkTerms({ ...options, forcedDeadline, claimWindow }, chainId);
  const chosen = await chooseVerifiers(options, chainId);
  const sender = options.sender ?? volatileSender(options, { chainId, from: deployer });
  const { deploy } = sender;

  const token =
    options.token === "test-token" ? await deployTestToken(deploy, chainId) : options.token;
  const verifiers: Record<string, Address> = {};
  const mock = chosen.mock && (await deploy("AcceptingVerifier", chosen.mock, []));
  for (const circuit of CIRCUITS) {
    const { name, artifact } = chosen.byCircuit[circuit];
    verifiers[circuit] = mock ? mock.address : (await deploy(name, artifact, [])).address;
  }
  const governance = options.governance
    ? await deployGovernance(deploy, options.governance, notice)
    : zeroAddress;
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
      tradeFills: trade.fills,
      ledgerSteps: ledger.steps,
      accountLevels: trade.accountLevels,
    },
    forcedDeadline: BigInt(forcedDeadline),
    claimWindow: BigInt(claimWindow),
    minimumDeposit: options.minimumDeposit ?? 1n,
    ...{ governance, validators },
  };
  const artifact = readArtifact("Rollup.sol/Rollup.json");
  const rollup = await deploy("Rollup", artifact, [config]);
  const { vault, registry, domain } = options.isDryRun
    ? derived(rollup.address, chainId)
    : await readBack(publicClient, rollup.address, artifact);
  if (options.validators && options.token === "test-token") {
    await bondValidators(sender, { ...options.validators, deployer, registry, token });
  }
  return {
    chainId,
    instance,
    rollup: rollup.address,
    ...{ vault, token, registry, governance },
    verifiers: verifiers as Record<Circuit, Address>,
    ...{ operator, treasury, insurance },
    oracles: options.oracles.map(({ x, y }) => ({ x: `${x}`, y: `${y}` })),
    genesisRoot: `${root}`,
    domain: `${domain}`,
    forcedDeadline,
    claimWindow,
    block: rollup.block,
    setups: chosen.setups ?? null,
  };
}

/** Sends, and remembers nothing once the process has ended. */
function volatileSender(
  { publicClient, walletClient, onProgress }: DeployOptions,
  owner: { readonly chainId: number; readonly from: Address },
): Sender {
  const journal = openJournal(undefined, owner);
  return createSender({ publicClient, walletClient, journal, onProgress });
}

/** What the rollup's constructor will make of its address. */
function derived(rollup: Address, chainId: number) {
  // The vault is the first contract that the rollup creates, the registry the second.
  const created = (nonce: bigint) => getContractAddress({ from: rollup, nonce });
  return { vault: created(1n), registry: created(2n), domain: domainOf(chainId, rollup) };
}

async function readBack(client: PublicClient, address: Address, { abi }: Artifact) {
  const read = (functionName: string) => client.readContract({ address, abi, functionName });
  const found = {
    vault: await read("vault"),
    registry: await read("validators"),
    domain: await read("domain"),
  };
  const expected = derived(address, await client.getChainId());
  const { vault, registry, domain } = expected;
  if (found.vault !== vault || found.registry !== registry || found.domain !== domain) {
    throw new DeployError(`the rollup at \`${address}\` is not the one that was deployed`);
  }
  return expected;
}

/** Before anything is paid for; the constructor would refuse them as well. */
function checkVenueOwners({ treasury, insurance }: DeployOptions): void {
  if (treasury === zeroAddress || insurance === zeroAddress || treasury === insurance) {
    const got = `Got \`${treasury}\` and \`${insurance}\`.`;
    throw new DeployError(`treasury and insurance fund need an owner each, not the same. ${got}`);
  }
}

async function deployTestToken(deploy: Deploy, chainId: number): Promise<Address> {
  if (!LOCAL_CHAIN_IDS.includes(chainId)) {
    throw new DeployError(`anybody may mint the test token; refused on chain \`${chainId}\``);
  }
  const artifact = readArtifact("mocks/TestToken.sol/TestToken.json");
  return (await deploy("TestToken", artifact, [])).address;
}

if (import.meta.main) {
  // Not awaited: the command imports this file, which must have ended by then.
  import("./deploy/command.ts")
    .then(({ main }) => main(process.argv.slice(2)))
    .catch((error: unknown) => {
      // viem's `message` is a page with all the calldata; its `shortMessage` is the sentence.
      const { shortMessage, details, message } = error as Record<string, string | undefined>;
      const text = shortMessage ? [shortMessage, details].filter(Boolean).join(" ") : message;
      console.error(`deploy: ${text ?? String(error)}`);
      process.exitCode = 1;
    });
}
