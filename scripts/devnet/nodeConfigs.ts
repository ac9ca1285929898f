/** The configuration file of every node of a devnet. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { peerIdOf } from "../../sequencer/gossip/peerNode.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import type { ConfigInput } from "../../sequencer/node/config.ts";
import { publicKeyOf, secretFromSeed } from "../../sequencer/protocol/eddsa.ts";
import { VENUE_OWNERS } from "../deploy.ts";
import { TERMINAL } from "../terminal.ts";
import type { Artifacts } from "./artifacts.ts";
import type { DataDirectory } from "./dataDirectory.ts";
import { type FeedPlan, MARKET, type MarketSetup } from "./marketPlan.ts";
import { type NatsPlace, natsConfigOf } from "./nats.ts";
import { type Ports, type SequencerPorts, sequencerPortsFrom, VALIDATORS } from "./ports.ts";

/** Development accounts by purpose. */
export const ACCOUNTS = {
  deployer: 0,
  operator: 1,
  receipts: 2,
  validators: 3,
  ...VENUE_OWNERS,
  proposer: 9,
  guardian: VENUE_OWNERS.treasury,
  traders: 10,
} as const;

export const localUrl = (port: number): string => `http://127.0.0.1:${port}`;

export interface OracleKey {
  readonly seed: string;
  readonly publicKey: ReturnType<typeof publicKeyOf>;
}

export function makeOracleKeys(count: number): OracleKey[] {
  return Array.from({ length: count }, () => {
    const bytes = randomBytes(32);
    return { seed: bytes.toString("hex"), publicKey: publicKeyOf(secretFromSeed(bytes)) };
  });
}

/** Who a validator is to the others: the seed of its node, and the id that follows from it. */
export interface MemberKey {
  readonly seed: string;
  readonly peer: string;
}

export async function makeMemberKeys(): Promise<MemberKey[]> {
  const seeds = Array.from({ length: VALIDATORS }, () => randomBytes(32).toString("hex"));
  return Promise.all(seeds.map(async (seed) => ({ seed, peer: await peerIdOf(seed) })));
}

export interface NetworkPlan {
  readonly directory: DataDirectory;
  readonly ports: Ports;
  readonly deployment: ConfigInput<"sequencer">["deployment"];
  readonly artifacts: Artifacts;
  readonly market: MarketSetup;
  readonly oracleKeys: readonly OracleKey[];
  readonly memberKeys: readonly MemberKey[];
  readonly jobsToken: string;
  /** Identity of whoever serves the log: a standby takes it over with all else. */
  readonly gossipSeed: string;
  /** NATS servers that keep the log; absent: the sequencer's own store does. */
  readonly nats?: readonly NatsPlace[] | undefined;
  /** Each validator's own sequencer, where the log moves with the leader; else there is one. */
  readonly sequencers?: readonly SequencerPlace[] | undefined;
}

export interface SequencerPlace {
  readonly ports: SequencerPorts;
  readonly seed: string;
  readonly peer: string;
}

export async function makeSequencers(ports: Ports): Promise<SequencerPlace[]> {
  return Promise.all(
    sequencerPortsFrom(ports).map(async (each) => {
      const seed = randomBytes(32).toString("hex");
      return { ports: each, seed, peer: await peerIdOf(seed) };
    }),
  );
}

/** Of all sequencers. */
function urlsOf({ ports, sequencers }: NetworkPlan, port: "api" | "jobs"): string | string[] {
  return sequencers?.map((each) => localUrl(each.ports[port])) ?? localUrl(ports[port]);
}

export function writeOracleConfigs(plan: NetworkPlan): string[] {
  const { directory, ports, deployment } = plan;
  const feed = feedConfig(directory, plan.market.feed);
  return plan.oracleKeys.map(({ seed }, index) => {
    const secretFile = directory.file("config", `oracle-${index}.key`);
    const others = ports.oracles.filter((_, other) => other !== index);
    const config: ConfigInput<"oracle"> = {
      ...{ deployment, index, secretFile, feed },
      port: ports.oracles[index]!,
      peers: others.map(localUrl),
      apiUrl: urlsOf(plan, "api"),
    };
    const file = directory.writeJson(config, "config", `oracle-${index}.json`);
    writeFileSync(secretFile, `${seed}\n`, { mode: 0o600 });
    return file;
  });
}

function feedConfig(directory: DataDirectory, feed: FeedPlan): ConfigInput<"oracle">["feed"] {
  if (feed.kind === "simulated") return feed;
  const { startMs } = feed;
  const { expiries, series, snapshots } = feed.recording;
  const recording = directory.writeJson({ expiries, series, snapshots }, "config", "replay.json");
  return { kind: "recorded", recording, startMs, speed: 1 };
}

/** `standby`: of a second one, which takes over the first one's keys and addresses with the log. */
export function writeSequencerConfig(
  plan: NetworkPlan,
  name: "sequencer" | "standby" = "sequencer",
): string {
  const { directory, ports, nats } = plan;
  const log = nats === undefined ? {} : { log: logConfig(nats, name === "standby") };
  const common = sequencerConfig(plan, { ports, seed: plan.gossipSeed });
  const config = { ...common, ...log, dataDir: directory.file("nodes", name) };
  return directory.writeJson(config, "config", `${name}.json`);
}

/** One for each validator: it writes while that one leads. */
export function writeMovingConfigs(
  plan: NetworkPlan,
  sequencers: readonly SequencerPlace[],
): string[] {
  const { directory, memberKeys } = plan;
  return sequencers.map((place, index) => {
    const config: ConfigInput<"sequencer"> = {
      ...sequencerConfig(plan, place),
      log: { engine: "simplex", member: memberKeys[index]!.peer },
      // The validator's own: whoever lies with it loses a stake.
      receiptKey: { development: ACCOUNTS.validators + index },
      receiptSigners: validatorAddresses(plan.deployment.chainId),
      dataDir: directory.file("nodes", `sequencer-${index}`),
    };
    return directory.writeJson(config, "config", `sequencer-${index}.json`);
  });
}

function sequencerConfig(
  plan: NetworkPlan,
  { ports: own, seed }: Pick<SequencerPlace, "ports" | "seed">,
): Omit<ConfigInput<"sequencer">, "dataDir"> {
  const { ports, deployment, artifacts, market } = plan;
  return {
    ...{ deployment, rpcUrl: localUrl(ports.rpc), confirmations: 0 },
    api: { port: own.api },
    web: { folder: TERMINAL, layerOneUrl: localUrl(ports.rpc) },
    jobs: { port: own.jobs, token: plan.jobsToken },
    gossip: { listen: listenOn(own.gossip), seed },
    oracleUrls: ports.oracles.map(localUrl),
    validators: validatorAddresses(deployment.chainId),
    certification: { peers: plan.memberKeys.map(({ peer }) => peer) },
    operatorKey: { development: ACCOUNTS.operator },
    receiptKey: { development: ACCOUNTS.receipts },
    vkeys: { trade: artifacts.trade.vkey, ledger: artifacts.ledger.vkey },
    plan: market.plan,
    ...(market.ladder === undefined ? {} : { ladder: market.ladder }),
    market: MARKET,
  };
}

function listenOn(port: number): string {
  return `/ip4/127.0.0.1/tcp/${port}`;
}

function logConfig(nats: readonly NatsPlace[], standsBy: boolean): ConfigInput<"sequencer">["log"] {
  return {
    engine: "jetstream",
    servers: nats.map(({ client }) => client),
    monitors: nats.map(({ monitor }) => `http://${monitor}`),
    ...(standsBy ? { standby: {} } : {}),
  };
}

export function writeNatsConfigs(directory: DataDirectory, nats: readonly NatsPlace[]): string[] {
  return nats.map((_, index) => {
    const text = natsConfigOf(index, directory.file("nodes", "nats"), nats);
    return directory.writeText(text, "config", `nats-${index}.conf`);
  });
}

export function validatorAddresses(chainId: number) {
  return Array.from({ length: VALIDATORS }, (_, index) => {
    return developmentAccount(ACCOUNTS.validators + index, chainId).address;
  });
}

export function writeProverConfig(plan: NetworkPlan): string {
  const { directory, artifacts, jobsToken } = plan;
  const { trade, ledger } = artifacts;
  const config: ConfigInput<"prover"> = {
    jobs: { url: urlsOf(plan, "jobs"), token: jobsToken },
    keys: { trade, ledger },
  };
  return directory.writeJson(config, "config", "prover.json");
}

/** Multiaddrs of sequencers, with their peer ids. */
export function gossipOf(sequencers: readonly SequencerPlace[]): string[] {
  return sequencers.map(({ ports, peer }) => `${listenOn(ports.gossip)}/p2p/${peer}`);
}

/** All of a devnet shares a core or two, and a change of leader costs more than some patience. */
const TIMING_MOVING = { termMs: 4_000, heartbeatMs: 500 };

/** `sequencer`: multiaddr of the running sequencer, with its peer id, or of all of them. */
export function writeValidatorConfigs(
  plan: NetworkPlan,
  sequencer: ConfigInput<"validator">["sequencer"],
): string[] {
  const { directory, ports, deployment, artifacts } = plan;
  const listens = ports.members.map(listenOn);
  return Array.from({ length: VALIDATORS }, (_, index) => {
    const config: ConfigInput<"validator"> = {
      ...{ deployment, rpcUrl: localUrl(ports.rpc), confirmations: 0, sequencer },
      dataDir: directory.file("nodes", `validator-${index}`),
      certification: {
        ...(typeof sequencer === "string" ? {} : TIMING_MOVING),
        listen: listens[index]!,
        validators: validatorAddresses(deployment.chainId),
        peers: plan.memberKeys.map(({ peer }, place) => `${listens[place]}/p2p/${peer}`),
      },
      seed: plan.memberKeys[index]!.seed,
      key: { development: ACCOUNTS.validators + index },
      vkeys: { trade: artifacts.trade.vkey, ledger: artifacts.ledger.vkey },
    };
    return directory.writeJson(config, "config", `validator-${index}.json`);
  });
}
