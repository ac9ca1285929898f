/**
 * A validator set in one process: every member with its own LevelDB folder, its own libp2p node on
 * loopback and the driver that validators run. The log is a real one, of records that no engine
 * has to execute, served by a real log server.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ownPorts } from "../../scripts/ownPorts.ts";
import { type LogEntry, type LogRecord, logOrigin } from "../../sequencer/batch/log.ts";
import { type Block, genesisBlock } from "../../sequencer/consensus/block.ts";
import type { Beginning } from "../../sequencer/consensus/handover.ts";
import type { Message } from "../../sequencer/consensus/message.ts";
import type { Signer } from "../../sequencer/consensus/signing.ts";
import type { Timing } from "../../sequencer/consensus/state.ts";
import { createValidatorSet } from "../../sequencer/consensus/validatorSet.ts";
import { rulesOf, type VerificationRules } from "../../sequencer/consensus/verification.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import type { MemberLimits } from "../../sequencer/gossip/memberWire.ts";
import { peerIdOf } from "../../sequencer/gossip/peerNode.ts";
import { type Member, openMember } from "../../sequencer/node/member.ts";
import { loadVoteKeys } from "../../sequencer/node/voteKeys.ts";
import type { Logger, LogServer, MemberNetwork, MemberReport } from "../../sequencer/ports.ts";
import { openStore, type Store } from "../../sequencer/store/store.ts";
import { createObserver, type Observer } from "../simulation/consensus/observer.ts";

export const DOMAIN = 7n;
export const GENESIS_ROOT = 1n;
const LISTEN = "/ip4/127.0.0.1/tcp/0";
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface CommitteeOptions {
  readonly members: number;
  /** Members that do not run: their keys are the test's to misuse. */
  readonly absent?: readonly number[];
  readonly timing?: Timing;
  readonly limits?: Partial<MemberLimits>;
  readonly logger?: Logger;
}

export interface Committee {
  readonly rules: VerificationRules;
  readonly genesis: Block;
  readonly observer: Observer;
  readonly signers: readonly Signer[];
  readonly seeds: readonly string[];
  readonly peers: readonly string[];
  readonly directory: string;
  /** Newest report by peer id, as the sequencer has it. */
  readonly reports: ReadonlyMap<string, MemberReport>;
  addressOf(member: number): string | undefined;
  /** What a member that the test runs by hand listens on. */
  setAddress(member: number, address: string): void;
  seat(member: number): Seat;
  seats(): readonly Seat[];
  /** Appends records and tells followers; every tenth is a seal. */
  grow(count: number): Promise<void>;
  head(): number;
  sequencer(): LogServer;
  stopSequencer(): Promise<void>;
  startSequencer(): Promise<void>;
  start(member: number): Promise<void>;
  /** Ends the member at once, as a crash would: nothing more is sent or written. */
  kill(member: number): Promise<void>;
  stop(): Promise<void>;
}

/** A running member. */
export interface Seat {
  readonly index: number;
  readonly member: Member;
  readonly network: () => MemberNetwork;
  readonly store: Store;
  readonly ended: Promise<string | undefined>;
  /** From now on nothing passes to or from the others in `list`, until it is called again. */
  cut(list: readonly number[]): void;
  height(): number;
  position(): number;
  term(): number;
}

interface Running {
  readonly seat: Seat;
  stop(): Promise<void>;
}

export const TIMING: Timing = { termMs: 1_000, heartbeatMs: 150, resendMs: 250 };

export async function createCommittee(options: CommitteeOptions): Promise<Committee> {
  const { members: count, timing = TIMING, logger = SILENT } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-committee-"));
  const { keys, signers, seeds, peers, genesis, rules } = await createToySitting(count);
  const { validators } = rules;
  const corrupted = new Set(options.absent ?? []);
  const observer = createObserver({ rules, genesis, corrupted });
  const addresses = new Map<number, string>();
  const running = new Map<number, Running>();
  const reports = new Map<string, MemberReport>();
  const log = await openStore(path.join(directory, "sequencer"), DOMAIN);
  const serverSeed = "ab".repeat(32);
  const [port] = await ownPorts(1);
  let server: LogServer | undefined;
  let serverAddress = "";

  async function startSequencer(): Promise<void> {
    const listen = `/ip4/127.0.0.1/tcp/${port}`;
    const source = { record: (from: number) => log.log.read(from), proofOf: async () => undefined };
    server = await createLogServer({ listen, seed: serverSeed, source, logger });
    server.onReport((peer, report) => void reports.set(peer, report));
    serverAddress = server.addresses()[0]!;
  }

  async function startMember(index: number): Promise<void> {
    const store = await openStore(path.join(directory, `member-${index}`), DOMAIN);
    let network: MemberNetwork | undefined;
    const cut = new Set<number>();
    const member = await openMember({
      ...{ validators, genesis, timing, keys, store, logger, peers, listen: LISTEN },
      ...{ signer: signers[index]!, seed: seeds[index]!, sequencer: serverAddress },
      ...{ patienceMs: 300, addressOf: (other: number) => addresses.get(other) },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      tap: (mesh) => {
        network = tapped(mesh, cut, (message) => observer.sent(index, message));
        return network;
      },
    });
    addresses.set(index, member.addresses()[0]!);
    const stopping = new AbortController();
    const place = await placeOf(store);
    const ended = member.certify(place, stopping.signal);
    const replicating = replicate(member, store, place.root, stopping.signal);
    const final = () => member.progress()?.final?.block;
    const seat: Seat = {
      ...{ index, member, store, ended, network: () => network! },
      cut: (list) => {
        cut.clear();
        for (const other of list) cut.add(other);
      },
      height: () => final()?.height ?? 0,
      position: () => final()?.to ?? 0,
      term: () => member.progress()?.term ?? 0,
    };
    running.set(index, {
      seat,
      stop: async () => {
        stopping.abort();
        await Promise.all([ended, member.stop(), replicating]);
        await store.close();
      },
    });
  }

  const kill = async (index: number): Promise<void> => {
    const stopped = running.get(index);
    running.delete(index);
    await stopped?.stop();
  };

  await startSequencer();
  const present = [...seeds.keys()].filter((index) => !corrupted.has(index));
  // A few at a time: a hundred handshakes at once in one thread would all take too long.
  for (let first = 0; first < present.length; first += 4) {
    await Promise.all(present.slice(first, first + 4).map(startMember));
    const started = present.slice(0, first + 4);
    const isLinked = ({ seat }: Running) => seat.network().connected().length >= started.length - 1;
    await until("all are connected", () => [...running.values()].every(isLinked), 120_000);
  }
  return {
    ...{ rules, genesis, observer, signers, seeds, peers, directory, reports },
    addressOf: (index) => addresses.get(index),
    setAddress: (index, address) => void addresses.set(index, address),
    seat: (index) => running.get(index)!.seat,
    seats: () => [...running.values()].map(({ seat }) => seat),
    grow: async (amount) => {
      const from = log.log.head().position;
      const entries = Array.from({ length: amount }, (_, place) => toyEntry(from + place));
      const records = await log.log.append(entries);
      server?.announce(records.at(-1)!.position);
    },
    head: () => log.log.head().position,
    sequencer: () => server!,
    startSequencer,
    stopSequencer: async () => {
      const stopped = server;
      server = undefined;
      await stopped?.stop();
    },
    start: startMember,
    kill,
    stop: async () => {
      await Promise.all([...running.keys()].map(kill));
      await server?.stop();
      await log.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Members with keys that everybody knows, and the block that they begin with. */
export async function createToySitting(
  count: number,
  { numbers = Array.from({ length: count }, (_, index) => index), epoch = 1 } = {},
  beginning?: Beginning,
) {
  const keys = loadVoteKeys();
  const secret = (salt: string) => (index: number) =>
    `${salt}${index.toString(16).padStart(2, "0")}`.repeat(16);
  const signers = numbers.map((index) => keys.signer(Buffer.from(secret("2b")(index), "hex")));
  const seeds = numbers.map(secret("5e"));
  const peers = await Promise.all(seeds.map(peerIdOf));
  const members = signers.map(({ address }) => address);
  const validators = createValidatorSet({ domain: DOMAIN, epoch, members });
  const start = { to: 0, logHash: logOrigin(DOMAIN), root: GENESIS_ROOT };
  const genesis = genesisBlock(validators.session, beginning ?? start, beginning?.term);
  const rules = rulesOf(validators, genesis, keys.verify);
  return { keys, signers, seeds, peers, genesis, rules };
}

/** Shows what is said, and loses what must not pass. */
export function tapped(
  mesh: MemberNetwork,
  cut: ReadonlySet<number>,
  see: (message: Message) => void,
): MemberNetwork {
  return {
    ...mesh,
    send: (to, message) => {
      see(message);
      mesh.send(
        to.filter((other) => !cut.has(other)),
        message,
      );
    },
    onMessage: (take) =>
      mesh.onMessage((from, message) => (cut.has(from) ? undefined : take(from, message))),
    connected: () => mesh.connected().filter((other) => !cut.has(other)),
  };
}

/** Every tenth record is a seal, with a root of its own. */
export function toyEntry(position: number): LogEntry {
  if (position % 10 === 9) return { type: "seal", number: position, root: rootAt(position) };
  const author = { account: 1, keyIndex: 0 };
  const signature = { rx: 1n, ry: 2n, s: BigInt(position) };
  return { type: "message", author, word: 2n ** 200n, signature } as unknown as LogEntry;
}

function rootAt(position: number): bigint {
  return 2n ** 240n + BigInt(position);
}

export async function placeOf({ log }: Pick<Store, "log">) {
  let root = GENESIS_ROOT;
  for await (const { entry } of log.read(0)) if (entry.type === "seal") root = entry.root;
  const { position: to, hash: logHash, epoch } = log.head();
  return { to, logHash, epoch, root };
}

/** In place of a validator's executor: a record's root is what its seal says. */
export async function replicate(
  { follower, executed }: Pick<Member, "follower" | "executed">,
  { log }: Pick<Store, "log">,
  from: bigint,
  signal: AbortSignal,
): Promise<void> {
  let root = from;
  for await (const record of follower.follow(log.head().position, signal)) {
    if (signal.aborted) return;
    if (record.entry.type === "seal") root = record.entry.root;
    const now = root;
    const written = log.copy([record]);
    written.then(() => executed(record, now)).catch(() => undefined);
  }
}

export async function recordAt({ log }: Store, position: number): Promise<LogRecord> {
  for await (const record of log.read(position)) return record;
  throw new RangeError(`the log ends before \`${position}\``);
}

/** Waits until it is so; throws with `what` when it takes too long. */
export async function until(
  what: string,
  isSo: () => boolean,
  timeoutMs = 30_000,
): Promise<number> {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start > timeoutMs) throw new Error(`it took too long until ${what}`);
    await sleep(5);
  }
  return performance.now() - start;
}
