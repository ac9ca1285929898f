/**
 * A validator set in one process in which each member has a sequencer of its own, that writes while
 * its member leads: real stores, real libp2p nodes on loopback, the logs and drivers that nodes
 * run. The records are toys, which no engine has to execute.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ownPorts } from "../../scripts/ownPorts.ts";
import type { LogEntry, LogRecord } from "../../sequencer/batch/log.ts";
import { LogStoppedError } from "../../sequencer/batch/logWriter.ts";
import type { Block } from "../../sequencer/consensus/block.ts";
import type { Beginning } from "../../sequencer/consensus/handover.ts";
import type { Signer } from "../../sequencer/consensus/signing.ts";
import type { Timing } from "../../sequencer/consensus/state.ts";
import type { VerificationRules } from "../../sequencer/consensus/verification.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import { peerIdOf } from "../../sequencer/gossip/peerNode.ts";
import { createHandoverWriter, readHandover } from "../../sequencer/node/handoverFile.ts";
import {
  createLeaderFollowing,
  type LeaderFollowing,
} from "../../sequencer/node/leaderFollowing.ts";
import { type Member, openMember } from "../../sequencer/node/member.ts";
import { enterSitting, holdToSitting, type OwnSitting } from "../../sequencer/node/sittingOfLog.ts";
import { systemClock } from "../../sequencer/node/systemClock.ts";
import { loadVoteKeys, type VoteKeys } from "../../sequencer/node/voteKeys.ts";
import type { Logger, MemberNetwork } from "../../sequencer/ports.ts";
import { CertifiedLogError, createCertifiedLog } from "../../sequencer/roles/certifiedLog.ts";
import { openTermLog, type TermLog } from "../../sequencer/roles/termLog.ts";
import { openStore, type Store } from "../../sequencer/store/store.ts";
import { createObserver, type Observer } from "../simulation/consensus/observer.ts";
import { createToySitting, DOMAIN, TIMING, tapped, until } from "./committee.ts";
import { openToyValidator } from "./toyValidator.ts";

const MEMBERS = 4;
const FIRST: MovingSitting = { epoch: 1, numbers: [0, 1, 2, 3] };
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Who sits, and where. */
export interface MovingSitting {
  readonly epoch: number;
  /** Numbers of the members' keys: who sits again has the stores of before. */
  readonly numbers: readonly number[];
  /** With stores of a sitting before. */
  readonly directory?: string;
  /** A member's file of where the sitting before has ended. */
  readonly handover?: string;
  readonly end?: number;
}

export interface MovingOptions {
  readonly sitting?: MovingSitting;
  readonly timing?: Timing;
  readonly logger?: Logger;
  /** Where the member finds the sequencers, if not where they are. */
  readonly serversOf?: (member: number, servers: readonly string[]) => readonly string[];
}

/** A member and its sequencer. */
export interface Machine {
  readonly index: number;
  readonly member: Member;
  readonly store: Store;
  /** Why the member votes no more; undefined while it does. */
  ended(): string | undefined;
  /** The log while it is this machine's to write. */
  log(): TermLog | undefined;
  /** From now on no message passes to or from these members. */
  cut(list: readonly number[]): void;
  /** Ends its sequencer; it comes back by itself. */
  breakSequencer(): void;
}

export interface MovingCommittee {
  readonly rules: VerificationRules;
  readonly genesis: Block;
  readonly directory: string;
  readonly observer: Observer;
  readonly peers: readonly string[];
  machine(index: number): Machine;
  machines(): readonly Machine[];
  /** The machine that writes now. */
  writer(): Machine | undefined;
  /** Appends to whichever machine writes, and again to the next where that ends: its records. */
  append(entries: readonly LogEntry[]): Promise<readonly LogRecord[]>;
  start(index: number): Promise<void>;
  /** Ends member and sequencer at once. */
  kill(index: number): Promise<void>;
  /** The stores stay for a sitting to come. */
  adjourn(): Promise<void>;
  stop(): Promise<void>;
}

interface World {
  readonly options: MovingOptions;
  readonly sitting: MovingSitting;
  readonly beginning: Beginning | undefined;
  readonly directory: string;
  readonly keys: VoteKeys;
  readonly signers: readonly Signer[];
  readonly seeds: readonly string[];
  readonly peers: readonly string[];
  readonly rules: VerificationRules;
  readonly genesis: Block;
  readonly observer: Observer;
  /** Where sequencers are, and where members listen. */
  readonly servers: readonly string[];
  readonly listens: readonly string[];
}

interface Running {
  readonly machine: Machine;
  stop(): Promise<void>;
}

export async function createMovingCommittee(options: MovingOptions = {}): Promise<MovingCommittee> {
  const world = await createWorld(options);
  const running = new Map<number, Running>();
  const machines = (): Machine[] => [...running.values()].map(({ machine }) => machine);
  // One that is cut off may not know yet that it has been replaced.
  const writer = (): Machine | undefined =>
    machines()
      .filter((machine) => machine.log())
      .sort((a, b) => termOf(b) - termOf(a))[0];
  const kill = async (index: number): Promise<void> => {
    const stopped = running.get(index);
    running.delete(index);
    await stopped?.stop();
  };
  let isStopped = false;
  const start = async (index: number): Promise<void> => {
    running.set(index, await startMachine(world, index));
  };
  const adjourn = async (): Promise<void> => {
    isStopped = true;
    await allDone([...running.keys()].map(kill));
  };
  const stop = (): Promise<void> =>
    adjourn().finally(() => rmSync(world.directory, { recursive: true, force: true }));
  try {
    for (let index = 0; index < MEMBERS; index++) await start(index);
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  const { rules, genesis, observer, peers, directory } = world;
  return {
    ...{ rules, genesis, directory, observer, peers, machines, writer, start, kill, adjourn },
    machine: (index) => running.get(index)!.machine,
    append: async (entries) => {
      while (!isStopped) {
        const log = writer()?.log();
        try {
          if (log !== undefined) return await log.append(entries);
        } catch (error) {
          if (!(error instanceof LogStoppedError)) throw error;
        }
        await sleep(5);
      }
      return [];
    },
    stop,
  };
}

/** Waits for all of them, then throws what the first one that failed has thrown. */
async function allDone(parts: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts);
  const failed = outcomes.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

const termOf = ({ member }: Machine): number => member.progress()?.term ?? 0;

async function createWorld(options: MovingOptions): Promise<World> {
  const { sitting = FIRST } = options;
  const { epoch, handover } = sitting;
  const directory = sitting.directory ?? mkdtempSync(path.join(tmpdir(), "straddle-moving-"));
  const { verify } = loadVoteKeys();
  const beginning = readHandover(handover, { domain: DOMAIN, epoch, verify });
  const { keys, signers, seeds, peers, genesis, rules } = await createToySitting(
    MEMBERS,
    { numbers: [...sitting.numbers], epoch },
    beginning,
  );
  const observer = createObserver({ rules, genesis, corrupted: new Set() });
  const ports = await ownPorts(2 * MEMBERS);
  const servers = await Promise.all(ports.slice(MEMBERS).map(serverAddress));
  const listens = ports.slice(0, MEMBERS).map(listenOn);
  const shared = { keys, signers, seeds, peers, rules, genesis, observer, servers, listens };
  return { options, sitting, beginning, directory, ...shared };
}

export const sequencerSeed = (index: number) => `ab0${index}`.repeat(16);

/** Where the sequencer listens whenever it runs. */
const serverAddress = async (port: number, index: number): Promise<string> =>
  `${listenOn(port)}/p2p/${await peerIdOf(sequencerSeed(index))}`;

const listenOn = (port: number): string => `/ip4/127.0.0.1/tcp/${port}`;

async function startMachine(world: World, index: number): Promise<Running> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const sequencer = runSequencer(world, index, signal);
  const { machine, stopped } = await startMember(world, index, signal);
  return {
    machine: { ...machine, log: sequencer.log, breakSequencer: sequencer.end },
    stop: async () => {
      stopping.abort();
      sequencer.end();
      await allDone([stopped(), sequencer.ended]);
    },
  };
}

const numberOf = ({ sitting }: World, index: number): number => sitting.numbers[index]!;

function ownSitting({ rules, beginning }: World): OwnSitting {
  return { session: rules.validators.session, beginning };
}

/** Stands by, writes in its turn, and stands by again. */
function runSequencer(world: World, index: number, signal: AbortSignal) {
  let own: TermLog | undefined;
  let ending = new AbortController();
  const ended = (async () => {
    while (!signal.aborted) {
      ending = new AbortController();
      const until = AbortSignal.any([signal, ending.signal]);
      await oneTurn(world, index, until, (log) => {
        own = log;
      }).catch((error: unknown) => {
        const isPassing = error instanceof LogStoppedError || error instanceof CertifiedLogError;
        if (!until.aborted && !isPassing) throw error;
      });
      own = undefined;
    }
  })();
  // Thrown where the machine is stopped: a rejection that nobody awaits would end the test before
  // it has said what to stop, and its file never.
  ended.catch(() => undefined);
  return { log: () => own, end: () => ending.abort(new Error("ended by the test")), ended };
}

async function oneTurn(
  world: World,
  index: number,
  signal: AbortSignal,
  onOwn: (log: TermLog) => void,
): Promise<void> {
  const { directory, servers, peers, rules, options } = world;
  const { logger = SILENT } = options;
  const store = await openStore(
    path.join(directory, `sequencer-${numberOf(world, index)}`),
    DOMAIN,
  );
  await holdToSitting(store, ownSitting(world));
  let isOwn = false;
  const source = {
    record: async function* (from: number) {
      if (isOwn) yield* store.log.read(from);
    },
    proofOf: async () => undefined,
  };
  const listen = servers[index]!.replace(/\/p2p\/.*/, "");
  const seed = sequencerSeed(index);
  const server = await createLogServer({ listen, seed, source, member: peers[index], logger });
  try {
    const log = await openTermLog({
      ...{ copy: store.log, desk: server.leadDesk!, logger, signal, truncate: store.truncate },
      announce: server.announce,
      onTurn: async () => {
        isOwn = true;
        server.announce(0);
      },
    });
    const contradicted = new AbortController();
    const over = AbortSignal.any([log.failure, signal, contradicted.signal]);
    const failed = new Promise<never>((_, reject) => {
      over.addEventListener("abort", () => reject(over.reason as Error), { once: true });
    });
    failed.catch(() => undefined);
    const certified = createCertifiedLog({
      ...{ rules, peers, log: store.log, clock: systemClock, logger },
      rootAt: () => undefined,
      onCertified: log.certified,
      fail: (error) => contradicted.abort(error),
    });
    server.onReport(certified.take);
    for await (const _ of log.read(0));
    onOwn(log);
    await failed.finally(() => log.close());
  } finally {
    await server.stop();
    await store.close();
  }
}

async function startMember(world: World, index: number, signal: AbortSignal) {
  const { directory, rules, genesis, keys, signers, peers, seeds, servers, listens } = world;
  const { timing = TIMING, logger = SILENT, serversOf = (_, all) => all } = world.options;
  const home = path.join(directory, `member-${numberOf(world, index)}`);
  const store = await openStore(home, DOMAIN);
  await enterSitting(store, ownSitting(world));
  const { epoch, end } = world.sitting;
  const { members } = rules.validators;
  const onFinal =
    end &&
    createHandoverWriter({
      ...{ sitting: { epoch, members }, end, log: store.log, directory: home, logger },
    });
  let network: MemberNetwork | undefined;
  const cut = new Set<number>();
  const { validators } = rules;
  const member = await openMember({
    ...{ validators, genesis, timing, keys, store, logger, peers },
    listen: listens[index]!,
    ...{ signer: signers[index]!, seed: seeds[index]! },
    sequencer: serversOf(index, servers),
    ...{ end, onFinal: onFinal || undefined },
    ...{ patienceMs: 300, addressOf: (other: number) => `${listens[other]}/p2p/${peers[other]}` },
    tap: (mesh) => {
      network = tapped(mesh, cut, (message) => world.observer.sent(index, message));
      return network;
    },
  });
  const moving = member.moving!;
  const open = () => openToyValidator(member, store, (refusal) => following.mayRefuse(refusal));
  const following: LeaderFollowing = createLeaderFollowing({ open, store, member, moving });
  const first = await open();
  let reason: string | undefined;
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const parts = Promise.all([
    following.run(first, until).then((refused) => {
      reason ??= refused;
    }),
    member.certify(first.place(), until).then((ended) => {
      reason = ended;
      ending.abort();
    }),
  ]);
  const machine = {
    ...{ index, member, store, ended: () => reason },
    cut: (list: readonly number[]) => {
      cut.clear();
      for (const other of list) cut.add(other);
    },
  };
  const stopped = async (): Promise<void> => {
    await Promise.all([parts, member.stop()]);
    await store.close();
  };
  return { machine, stopped };
}

/** Waits until every member has the whole of the writer's log final. */
export async function settled(committee: MovingCommittee, to: number): Promise<void> {
  const isThere = (machine: Machine): boolean =>
    (machine.member.progress()?.final?.block.to ?? 0) >= to;
  await until("all have it", () => committee.machines().every(isThere), 60_000);
}
