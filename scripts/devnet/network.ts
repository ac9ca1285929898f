/** A whole Straddle network on this machine, each role a process of its own. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { createPublicClient, createWalletClient, http } from "viem";
import instances from "../../circuits/instances.json" with { type: "json" };
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { type Deployment, deployStraddle } from "../deploy.ts";
import { ROOT } from "../keys/circom.ts";
import { buildTerminal } from "../terminal.ts";
import { ensureArtifacts, HARDHAT } from "./artifacts.ts";
import { type ChildExitError, type Children, createChildren } from "./children.ts";
import type { DataDirectory } from "./dataDirectory.ts";
import type { MarketSetup } from "./marketPlan.ts";
import { type NatsPlace, natsReady } from "./nats.ts";
import {
  ACCOUNTS,
  gossipOf,
  localUrl,
  makeMemberKeys,
  makeOracleKeys,
  makeSequencers,
  type NetworkPlan,
  type OracleKey,
  type SequencerPlace,
  validatorAddresses,
  writeMovingConfigs,
  writeNatsConfigs,
  writeOracleConfigs,
  writeProverConfig,
  writeSequencerConfig,
  writeValidatorConfigs,
} from "./nodeConfigs.ts";
import type { Ports } from "./ports.ts";

export const INSTANCE = "tiny";
export const CHAIN_ID = 31337;
/** Proofs first: everything else in a devnet is small work that can wait a moment for a core. */
const NICE = { chain: 2, sequencer: 1, oracle: 5, validator: 10 } as const;

export interface Network {
  readonly children: Children;
  readonly deployment: Deployment;
  /** Of each sequencer, where there are several. */
  readonly apiUrl: string | readonly string[];
  readonly rpcUrl: string;
  readonly gossip: string;
  /** Starts it again after it was killed or stopped. */
  startSequencer(): Promise<void>;
  /** The API answers: for a standby, when it has taken over. */
  apiUp(): Promise<void>;
}

export interface NetworkOptions {
  readonly directory: DataDirectory;
  readonly ports: Ports;
  readonly market: MarketSetup;
  /** Where NATS servers shall keep the order log, with a sequencer that stands by. */
  readonly nats?: readonly NatsPlace[] | undefined;
  /** Whether each validator has a sequencer of its own, which writes while it leads. */
  readonly movesSequencer?: boolean;
  readonly signal: AbortSignal;
  say(line: string): void;
  onExit(error: Error): void;
  /** Circuits, keys and contracts are there: from here on, time is the network's. */
  onBuilt?(): void;
}

/** Throws what went wrong; the processes started so far are then stopped. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { directory, ports, say, signal, market, nats } = options;
  const logs = directory.file("logs");
  const onExit = toleratedBy(options);
  const children = createChildren({ directory: logs, root: ROOT, onExit });
  try {
    startChain(children, ports);
    const building = ensureArtifacts(INSTANCE, directory.file("circuits"), say);
    const [artifacts] = await Promise.all([building, chainUp(ports, signal), buildTerminal()]);
    options.onBuilt?.();
    say(`chain        ${localUrl(ports.rpc)} (chain id ${CHAIN_ID}, Hardhat, in memory)`);
    const oracleKeys = makeOracleKeys(instances.trade[INSTANCE].oracles);
    const deployment = await deploy(ports, oracleKeys);
    say(`contracts    rollup ${deployment.rollup}, token ${deployment.token}`);
    const jobsToken = randomBytes(24).toString("hex");
    const oracles = [...deployment.oracles];
    const known = {
      ...deployment,
      instance: INSTANCE,
      oracles,
    } satisfies NetworkPlan["deployment"];
    const memberKeys = await makeMemberKeys();
    const gossipSeed = randomBytes(32).toString("hex");
    const keys = { oracleKeys, memberKeys, jobsToken, gossipSeed };
    const sequencers = options.movesSequencer === true ? await makeSequencers(ports) : undefined;
    const plan = { directory, ports, artifacts, market, nats, sequencers, ...keys };
    const nodes = await startNodes({ ...plan, deployment: known }, children, options);
    say(`terminal     ${[nodes.apiUrl].flat()[0]}/ (open it in a browser)`);
    return { ...nodes, deployment };
  } catch (error) {
    await children.stopAll();
    throw error;
  }
}

/** Of several sequencers the network can lose one, with its validator where it has one. */
function toleratedBy({ nats, movesSequencer, say, onExit }: NetworkOptions) {
  if (nats === undefined && movesSequencer !== true) return onExit;
  let lost: string | undefined;
  return (error: ChildExitError): void => {
    const [role, place = ""] = error.child.split("-");
    const isValidator = role === "validator" && movesSequencer === true;
    const isSpare = role === "sequencer" || role === "standby" || isValidator;
    const isSameMachine = movesSequencer === true && place === lost;
    if (isSpare && (lost === undefined || isSameMachine)) {
      lost = place;
      say(`${error.child.padEnd(12)} ended; the others go on`);
    } else onExit(error);
  };
}

async function startNodes(
  plan: NetworkPlan,
  children: Children,
  { say, signal }: NetworkOptions,
): Promise<Omit<Network, "deployment">> {
  const { directory, ports, nats } = plan;
  if (nats !== undefined) await startNats(plan.directory, nats, children, signal);
  for (const [index, file] of writeOracleConfigs(plan).entries()) {
    startRole(children, { role: "oracle", name: `oracle-${index}`, file });
  }
  say(`oracles      ${ports.oracles.map(localUrl).join(" ")}`);
  if (plan.sequencers !== undefined) {
    return startMoving({ ...plan, sequencers: plan.sequencers }, children, { say, signal });
  }
  const sequencerFile = writeSequencerConfig(plan);
  const startSequencer = async (): Promise<void> => {
    startRole(children, { role: "sequencer", name: "sequencer", file: sequencerFile });
    await apiUp(ports, signal);
  };
  const starting = startSequencer();
  startRole(children, { role: "prover", name: "prover", file: writeProverConfig(plan) });
  await starting;
  const apiUrl = localUrl(ports.api);
  const gossip = await readGossip(directory, signal);
  say(`sequencer    ${apiUrl} (JSON-RPC over HTTP and WebSocket), ${gossip}`);
  for (const [index, file] of writeValidatorConfigs(plan, gossip).entries()) {
    startRole(children, { role: "validator", name: `validator-${index}`, file });
  }
  if (nats !== undefined) {
    const file = writeSequencerConfig(plan, "standby");
    startRole(children, { role: "sequencer", name: "standby", file });
    say(
      `order log    ${nats.map(({ client }) => client).join(" ")} (JetStream); a standby follows`,
    );
  }
  say(`logs         ${path.relative(process.cwd(), directory.file("logs"))}`);
  const rpcUrl = localUrl(ports.rpc);
  return { children, apiUrl, rpcUrl, gossip, startSequencer, apiUp: () => apiUp(ports, signal) };
}

/** Four validators, each with a sequencer of its own. */
async function startMoving(
  plan: NetworkPlan & { readonly sequencers: readonly SequencerPlace[] },
  children: Children,
  { say, signal }: Pick<NetworkOptions, "say" | "signal">,
): Promise<Omit<Network, "deployment">> {
  const { directory, ports, sequencers } = plan;
  const files = writeMovingConfigs(plan, sequencers);
  for (const [index, file] of files.entries()) {
    startRole(children, { role: "sequencer", name: `sequencer-${index}`, file });
  }
  const gossip = gossipOf(sequencers);
  for (const [index, file] of writeValidatorConfigs(plan, gossip).entries()) {
    // Nothing is acknowledged before they have voted.
    startRole(children, { role: "validator", name: `validator-${index}`, file, isUrgent: true });
  }
  startRole(children, { role: "prover", name: "prover", file: writeProverConfig(plan) });
  const apiUrl = sequencers.map((place) => localUrl(place.ports.api));
  const apiUp = async (): Promise<void> => {
    const until = new AbortController();
    const each = AbortSignal.any([signal, until.signal]);
    const health = (url: string) => answers("a sequencer", `${url}/health`, {}, each);
    await Promise.any(apiUrl.map(health)).finally(() => until.abort());
  };
  await apiUp();
  say(`sequencers   ${apiUrl.join(" ")}: the one writes whose validator leads`);
  say(`logs         ${path.relative(process.cwd(), directory.file("logs"))}`);
  const startSequencer = apiUp;
  const rpcUrl = localUrl(ports.rpc);
  return { children, apiUrl, rpcUrl, gossip: gossip[0]!, startSequencer, apiUp };
}

async function startNats(
  directory: DataDirectory,
  nats: readonly NatsPlace[],
  children: Children,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, file] of writeNatsConfigs(directory, nats).entries()) {
    children.start(`nats-${index}`, [path.join(import.meta.dirname, "natsProcess.ts"), file]);
  }
  await natsReady(nats, signal);
}

function startChain(children: Children, ports: Ports): void {
  const args = [HARDHAT, "node", "--hostname", "127.0.0.1", "--port", `${ports.rpc}`];
  children.start("chain", args, { nice: NICE.chain });
}

interface StartedRole {
  readonly role: keyof typeof NICE | "prover";
  readonly name: string;
  readonly file: string;
  /** Others wait for it as for the sequencer. */
  readonly isUrgent?: boolean;
}

function startRole(children: Children, { role, name, file, isUrgent = false }: StartedRole): void {
  const node = path.join(ROOT, "sequencer", "node.ts");
  const args = [node, "--role", role, "--name", name, "--config", file];
  const nice = isUrgent ? NICE.sequencer : NICE[role as keyof typeof NICE];
  children.start(name, args, role === "prover" ? {} : { nice });
}

async function deploy(ports: Ports, oracleKeys: readonly OracleKey[]): Promise<Deployment> {
  const transport = http(localUrl(ports.rpc));
  const account = developmentAccount(ACCOUNTS.deployer, CHAIN_ID);
  return deployStraddle({
    publicClient: createPublicClient({ transport, pollingInterval: POLL_MS }),
    walletClient: createWalletClient({ transport, account }),
    instance: INSTANCE,
    token: "test-token",
    oracles: oracleKeys.map(({ publicKey }) => publicKey),
    operator: developmentAccount(ACCOUNTS.operator, CHAIN_ID).address,
    treasury: developmentAccount(ACCOUNTS.treasury, CHAIN_ID).address,
    insurance: developmentAccount(ACCOUNTS.insurance, CHAIN_ID).address,
    governance: {
      proposer: developmentAccount(ACCOUNTS.proposer, CHAIN_ID).address,
      guardian: developmentAccount(ACCOUNTS.guardian, CHAIN_ID).address,
    },
    validators: { signers: validatorAddresses(CHAIN_ID) },
  });
}

const POLL_MS = 100;
const START_MS_MAX = 60_000;

async function chainUp(ports: Ports, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  await answers("the chain", localUrl(ports.rpc), { method: "POST", body }, signal);
}

async function apiUp(ports: Ports, signal: AbortSignal): Promise<void> {
  await answers("the sequencer", `${localUrl(ports.api)}/health`, {}, signal);
}

async function answers(
  name: string,
  url: string,
  request: RequestInit,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + START_MS_MAX;
  const headers = { "content-type": "application/json" };
  while (!signal.aborted) {
    const response = await fetch(url, { ...request, headers, signal }).catch(() => undefined);
    if (response?.ok) return;
    if (Date.now() > end) throw new Error(`${name} does not answer at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  signal.throwIfAborted();
}

/** Where validators find the sequencer; it writes this as soon as its API listens. */
async function readGossip(directory: DataDirectory, signal: AbortSignal): Promise<string> {
  const file = directory.file("nodes", "sequencer", "endpoints.json");
  while (!existsSync(file)) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { gossip } = JSON.parse(readFileSync(file, "utf8")) as { gossip: readonly string[] };
  const [first] = gossip;
  if (first === undefined) throw new Error("the sequencer listens to no validators");
  return first;
}
