/**
 * A validator set of real validators in one process: each replicates a log over libp2p, executes
 * it, certifies it with the others and refuses what breaks the rules. The log is the test's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "viem";
import type { LogRecord } from "../../sequencer/batch/log.ts";
import type { Block } from "../../sequencer/consensus/block.ts";
import type { Message } from "../../sequencer/consensus/message.ts";
import { rulesOf } from "../../sequencer/consensus/verification.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import { peerIdOf } from "../../sequencer/gossip/peerNode.ts";
import { createAttester } from "../../sequencer/l1/attestation.ts";
import { type Member, type MemberOptions, openMember } from "../../sequencer/node/member.ts";
import { loadVoteKeys, type VoteKeys } from "../../sequencer/node/voteKeys.ts";
import type { Clock, LogServer, QueuedOperation, Refusal } from "../../sequencer/ports.ts";
import type { Deployment } from "../../sequencer/roles/nodeState.ts";
import { createValidator } from "../../sequencer/roles/validator.ts";
import { createSitting, type Sitting } from "../../sequencer/roles/validatorSitting.ts";
import { openStore, type Store } from "../../sequencer/store/store.ts";
import { createObserver, type Observer } from "../simulation/consensus/observer.ts";
import { createSettlement, silent } from "../unit/roles/ports.ts";
import { TIMING } from "./committee.ts";
import type { LiarSeat } from "./liar.ts";

const LISTEN = "/ip4/127.0.0.1/tcp/0";
const ROLLUP = { chainId: 31_337, rollup: `0x${"11".repeat(20)}` } as const;

export interface ExecutingOptions {
  readonly members: number;
  /** Members that do not run: their keys are the test's to misuse. */
  readonly absent?: readonly number[];
  readonly deployment: Deployment;
  readonly clock: Clock;
  /** What layer one has queued. */
  readonly queue: readonly QueuedOperation[];
  /** What the sequencer shows. */
  readonly records: readonly LogRecord[];
}

export interface ExecutingCommittee extends LiarSeat {
  readonly genesis: Block;
  readonly observer: Observer;
  /** What those who run have said to each other. */
  readonly sent: readonly Message[];
  /** In the order of the members. */
  readonly addresses: readonly string[];
  /** Told to the sequencer. */
  readonly refusals: readonly Refusal[];
  seats(): readonly ExecutingSeat[];
  /** From now on the log is this long. */
  show(records: number): void;
  stop(): Promise<void>;
}

export interface ExecutingSeat {
  readonly index: number;
  readonly member: Member;
  readonly store: Store;
  /** Why it has ended, once it has; undefined where it was stopped. */
  readonly ended: Promise<string | undefined>;
  /** Records that are final there. */
  certified(): number;
  stop(): Promise<void>;
}

export async function createExecutingCommittee(
  options: ExecutingOptions,
): Promise<ExecutingCommittee> {
  const { members: count, absent = [], deployment, records } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-executing-"));
  const keys = loadVoteKeys();
  const numbers = Array.from({ length: count }, (_, index) => index);
  const secrets = numbers.map((index): Hex => `0x${`3c0${index}`.repeat(16)}`);
  const signers = secrets.map((secret) => keys.signer(hexToBytes(secret.slice(2))));
  const seeds = numbers.map((index) => `6f0${index}`.repeat(16));
  const peers = await Promise.all(seeds.map(peerIdOf));
  const sitting = createSitting(deployment, {
    ...{ epoch: 1, members: signers.map(({ address }) => address) },
  });
  const { validators, genesis } = sitting;
  const rules = rulesOf(validators, genesis, keys.verify);
  const observer = createObserver({ rules, genesis, corrupted: new Set(absent) });
  const addresses = new Map<number, string>();
  const refusals: Refusal[] = [];
  const shown = { to: 0 };
  const server = await createLogServer({
    ...{ listen: LISTEN, seed: "cd".repeat(32), logger: silent },
    source: {
      record: async function* (from) {
        yield* records.slice(from, shown.to);
      },
      proofOf: async () => undefined,
    },
  });
  server.onRefusal((refusal) => void refusals.push(refusal));
  const sent: Message[] = [];
  const addressOf = (index: number): string | undefined => addresses.get(index);
  const start = (index: number): Promise<ExecutingSeat> =>
    startSeat(options, {
      ...{ ...sitting, keys, peers, server, addressOf },
      ...{ index, secret: secrets[index]!, seed: seeds[index]! },
      directory: path.join(directory, String(index)),
      see: (message) => {
        sent.push(message);
        observer.sent(index, message);
      },
    });
  const seats: ExecutingSeat[] = [];
  for (const index of numbers.filter((number) => !absent.includes(number))) {
    const seat = await start(index);
    addresses.set(index, seat.member.addresses()[0]!);
    seats.push(seat);
  }
  return {
    ...{ rules, genesis, observer, signers, seeds, peers, refusals, sent, addressOf },
    addresses: signers.map(({ address }) => address),
    setAddress: (index, address) => void addresses.set(index, address),
    seats: () => seats,
    show: (to) => {
      shown.to = to;
      server.announce(to - 1);
    },
    stop: async () => {
      await Promise.all(seats.map((seat) => seat.stop()));
      await server.stop();
      rmSync(directory, { recursive: true });
    },
  };
}

type SeatOptions = Sitting &
  Pick<MemberOptions, "keys" | "peers" | "seed" | "addressOf"> & {
    readonly keys: VoteKeys;
    readonly index: number;
    readonly secret: Hex;
    readonly server: LogServer;
    readonly directory: string;
    see(message: Message): void;
  };

/** As `node/validatorNode.ts` puts one together: whoever refuses certifies nothing more either. */
async function startSeat(
  { deployment, clock, queue }: ExecutingOptions,
  options: SeatOptions,
): Promise<ExecutingSeat> {
  const { index, secret, server, see } = options;
  const store = await openStore(options.directory, deployment.domain);
  const member = await openMember({
    ...options,
    ...{ store, listen: LISTEN, sequencer: server.addresses()[0]!, logger: silent },
    ...{ timing: TIMING, patienceMs: 300 },
    signer: options.keys.signer(hexToBytes(secret.slice(2))),
    tap: (mesh) => ({
      ...mesh,
      send: (to, message) => {
        see(message);
        mesh.send(to, message);
      },
    }),
  });
  const settlement = createSettlement(deployment.domain);
  settlement.queue.push(...queue);
  const validator = await createValidator(
    {
      ...{ clock, logger: silent, settlement, follower: member.follower },
      ...{ log: store.log, checkpoints: store.checkpoints, batches: store.batches },
      ...{ prover: { verify: async () => true }, attester: createAttester(secret, ROLLUP) },
    },
    {
      deployment,
      ...{ queueWaitMs: 1_000, clockSkewMs: 10_000, checkpointEvery: 4 },
      ...{ resendMs: 1_000_000, pollMs: 50 },
    },
  );
  const ending = new AbortController();
  validator.onExecuted(member.executed);
  const parts = [
    validator.run(ending.signal),
    member.certify(validator.place(), ending.signal),
  ].map((running) => running.finally(() => ending.abort()));
  const ended = Promise.all(parts).then((reasons) => reasons.find((each) => each !== undefined));
  return {
    ...{ index, member, store, ended },
    certified: () => member.progress()?.final?.block.to ?? 0,
    stop: async () => {
      ending.abort();
      await ended;
      await member.stop();
      await store.close();
    },
  };
}
