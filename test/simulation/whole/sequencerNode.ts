/** The sequencer's machine: the real role on a simulated disk, network, layer one and oracles. */
import { decodeRecord, type LogRecord } from "../../../sequencer/batch/log.ts";
import type { ExchangeService, Submission } from "../../../sequencer/exchangeService.ts";
import { realScheduler } from "../../../sequencer/node/systemClock.ts";
import { withAnnounced } from "../../../sequencer/oracle/feed.ts";
import type { Logger, LogSource, Refusal, SettlementLayer } from "../../../sequencer/ports.ts";
import type { Snapshot } from "../../../sequencer/protocol/snapshot.ts";
import { createJobBoard } from "../../../sequencer/prover/jobBoard.ts";
import type { ProofAnswer } from "../../../sequencer/prover/jobMessages.ts";
import type { ProofHandlers } from "../../../sequencer/roles/proofDesk.ts";
import { createSequencer } from "../../../sequencer/roles/sequencer.ts";
import type { SequencerConfig } from "../../../sequencer/roles/sequencerConfig.ts";
import { numberedKey } from "../../../sequencer/store/keys.ts";
import { CONFIG, infoOf } from "../../unit/roles/market.ts";
import {
  deployment,
  isSignedAttestation,
  isSignedRefusal,
  members,
  peers,
  receiptSigner,
  rules,
} from "./deployment.ts";
import type { Disk } from "./disk.ts";
import { openLateInputs } from "./lateInputs.ts";
import { createLogLine } from "./logWire.ts";
import { type Node, openStore, type Store } from "./node.ts";
import { proofVerifier } from "./proverNode.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

export interface SequencerNodeOptions {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly wire: Wire;
  readonly oracles: Machine;
  readonly settlement: SettlementLayer;
  readonly logger: Logger;
  /** It has ended by itself; why. */
  onEnd(reason: string, disk: Disk): void;
  /** A validator accuses it. */
  onRefusal(refusal: Refusal): void;
}

export interface SequencerNode extends Node {
  /** Of the present life, once it has started. */
  service(): ExchangeService | undefined;
}

const BACKLOG_MAX = 64;
export const LEASE_MS = 5_000;

export const config: SequencerConfig = {
  ...CONFIG,
  deployment,
  info: {
    ...{ ...infoOf(), validators: members, sequencer: receiptSigner.address },
    fairOrder: deployment.fairOrder,
  },
  certification: { rules, peers },
  backlogMax: BACKLOG_MAX,
  unanchoredMax: BACKLOG_MAX,
  breakers: {},
  // Batches are what a run costs most for: each is hashed by every node.
  limits: { ...CONFIG.limits, batchAgeMs: 2_500, ledgerDelayMs: 1_500 },
  tickMs: 50,
  pollMs: 200,
};

/** What stands from one life of a sequencer to the next start. */
export interface Running {
  service: ExchangeService | undefined;
}

export function createSequencerNode(options: SequencerNodeOptions): SequencerNode {
  return createNode(options, (running) => run(options, running));
}

/** `life` throws where it ends by itself. */
export function createNode(
  { machine, disk, onEnd }: Pick<SequencerNodeOptions, "machine" | "disk" | "onEnd">,
  life: (running: Running) => Promise<void>,
): SequencerNode {
  const running: Running = { service: undefined };
  return {
    machine,
    disk,
    service: () => running.service,
    start: () => {
      running.service = undefined;
      machine.boot(() => {
        life(running).catch((error: Error) => {
          onEnd(error.message, disk);
          machine.crash();
        });
      });
    },
  };
}

async function run(options: SequencerNodeOptions, running: Running): Promise<void> {
  const { machine, disk, wire, oracles, settlement, logger } = options;
  const store = await openStore(disk);
  const { log, batches, checkpoints, accounts } = store;
  const line = createLogLine(logSource(store));
  line.server.onRefusal(options.onRefusal);
  let board: ReturnType<typeof createJobBoard> | undefined;
  const sequencer = await createSequencer(
    {
      ...{ clock: machine.clock, logger, log, checkpoints, batches, settlement, receiptSigner },
      scheduler: realScheduler,
      openInputs: openLateInputs,
      network: line.server,
      snapshots: {
        latest: async () => {
          const { series, announced } = await sequencer.service.chain();
          const content = withAnnounced(series, announced);
          return wire.call<Snapshot>(machine, oracles, { method: "snapshot", content });
        },
      },
      prover: proofVerifier,
      openProofJobs: async (handlers: ProofHandlers) => {
        board = createJobBoard({ ...handlers, batches, leaseMs: LEASE_MS, logger });
        return { notify: board.notify, stop: async () => undefined };
      },
      isSignedAttestation: async (attestation) => isSignedAttestation(attestation),
      isSignedRefusal: async (refusal) => isSignedRefusal(refusal),
      ...{ accounts, isSignedScope: async () => false },
    },
    config,
  );
  const { service } = sequencer;
  running.service = service;
  wire.serve(machine, { ...line.served, ...exchangeHandlers(service, () => board!) });
  await sequencer.run(new AbortController().signal);
}

/** What clients and provers ask. */
export function exchangeHandlers(
  service: ExchangeService,
  board: () => ReturnType<typeof createJobBoard>,
) {
  return {
    submit: (submission: unknown) => service.submit(submission as Submission),
    account: (id: unknown) => service.account({ id: id as number }),
    orders: (account: unknown) => service.orders(account as number),
    session: (account: unknown) => service.session(account as number, 0),
    status: () => service.status(),
    job: async () => {
      const job = await board().take();
      // Toy proofs need the public words only.
      return job && { ...job, inputs: {} };
    },
    proven: (answer: unknown) => {
      const { number, proof } = answer as ProofAnswer;
      return board().answer(number, proof);
    },
  };
}

/** What validators read: the log, and each batch that has a proof. */
export function logSource({ log, batches }: Pick<Store, "batches" | "log">): LogSource {
  return {
    record: (from) => log.read(from),
    proofOf: async (number) => {
      const proof = await batches.proof(number);
      const batch = proof === undefined ? undefined : await batches.sealed(number);
      return proof && batch && { words: batch.words, proof };
    },
  };
}

/** The record at a position as the medium has it. */
export function recordOn(disk: Disk, position: number): LogRecord | undefined {
  const text = disk.logText(numberedKey("log", position));
  return text === undefined ? undefined : decodeRecord(text);
}
