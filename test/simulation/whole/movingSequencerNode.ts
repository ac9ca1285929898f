/**
 * A sequencer that belongs to a member: stands by, writes in its turn, and so on, as
 * `node/sequencerNode.ts` does it, with gossip's real ends on simulated streams.
 */
import { createLogServer } from "../../../sequencer/gossip/logServer.ts";
import { realScheduler } from "../../../sequencer/node/systemClock.ts";
import { withAnnounced } from "../../../sequencer/oracle/feed.ts";
import type { Log } from "../../../sequencer/ports.ts";
import type { Snapshot } from "../../../sequencer/protocol/snapshot.ts";
import { createJobBoard } from "../../../sequencer/prover/jobBoard.ts";
import { CertifiedLogError } from "../../../sequencer/roles/certifiedLog.ts";
import { DEFAULT_BREAKERS } from "../../../sequencer/roles/circuitBreakers.ts";
import type { ProofHandlers } from "../../../sequencer/roles/proofDesk.ts";
import { createSequencer } from "../../../sequencer/roles/sequencer.ts";
import type { SequencerConfig } from "../../../sequencer/roles/sequencerConfig.ts";
import { openTermLog, type TermLog, TurnOverError } from "../../../sequencer/roles/termLog.ts";
import { isSignedAttestation, isSignedRefusal, receiptSigner, rules } from "./deployment.ts";
import { openLateInputs } from "./lateInputs.ts";
import { openStore, type Store } from "./node.ts";
import { proofVerifier } from "./proverNode.ts";
import {
  config as common,
  createNode,
  exchangeHandlers,
  LEASE_MS,
  logSource,
  type Running,
  type SequencerNode,
  type SequencerNodeOptions,
} from "./sequencerNode.ts";
import type { Streams } from "./streams.ts";

export interface MovingSequencerOptions extends SequencerNodeOptions {
  readonly streams: Streams;
  /** Where members find it, and its own member, and all of them. */
  readonly address: string;
  readonly member: string;
  readonly peers: readonly string[];
  /** A broken promise, to see that the checks notice: what is on the own disk is acknowledged. */
  readonly isHasty: boolean;
}

/** As nodes have it where certification makes records durable. */
const APPEND_FLOOR_MS = 5_000;

export function createMovingSequencerNode(options: MovingSequencerOptions): SequencerNode {
  return createNode(options, (running) => run(options, running));
}

async function run(options: MovingSequencerOptions, running: Running): Promise<void> {
  const { wire, machine, logger } = options;
  // Who dials a process that only stands by is refused at once.
  wire.serve(machine, {});
  for (;;) {
    try {
      await runOnce(options, running);
    } catch (error) {
      const isPassing = error instanceof TurnOverError || error instanceof CertifiedLogError;
      if (!isPassing) throw error;
      logger.info("stands by again", { reason: error.message });
    } finally {
      running.service = undefined;
    }
  }
}

async function runOnce(options: MovingSequencerOptions, running: Running): Promise<void> {
  const { machine, wire, logger, disk } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const store = await openStore(disk);
  const network = openNetwork(options, store);
  try {
    const { desk, announce } = await network.desk();
    const log: TermLog = await openTermLog({
      ...{ copy: store.log, desk, logger, signal, onTurn: network.own },
      announce: (position) => {
        if (options.isHasty) log.certified(position + 1);
        announce(position);
      },
      truncate: store.truncate,
    });
    network.serve(store.log);
    const board: { current: ReturnType<typeof createJobBoard> | undefined } = {
      current: undefined,
    };
    const sequencer = await openSequencer(options, { store, log, network, board });
    try {
      await log.begun();
      running.service = sequencer.service;
      wire.serve(
        machine,
        exchangeHandlers(sequencer.service, () => board.current!),
      );
      await sequencer.run(signal);
    } finally {
      wire.serve(machine, {});
      await sequencer.stop();
      await log.close();
    }
  } finally {
    ending.abort();
    await network.opened()?.stop();
    await store.close();
  }
}

type Network = ReturnType<typeof openNetwork>;

interface Opened {
  readonly store: Store;
  readonly log: TermLog;
  readonly network: Network;
  readonly board: { current: ReturnType<typeof createJobBoard> | undefined };
}

async function openSequencer(
  options: MovingSequencerOptions,
  { store, log, network, board }: Opened,
) {
  const { machine, wire, oracles, settlement, logger, peers } = options;
  const { batches, checkpoints, accounts } = store;
  const certified = { ...log, log: store.log };
  const config: SequencerConfig = {
    ...common,
    certification: { rules, peers, waiting: certified },
    breakers: { append: { ...DEFAULT_BREAKERS.append, floorMs: APPEND_FLOOR_MS } },
  };
  const sequencer = await createSequencer(
    {
      ...{ clock: machine.clock, scheduler: realScheduler, logger, settlement, receiptSigner },
      ...{ log, checkpoints, batches, prover: proofVerifier },
      openInputs: openLateInputs,
      get network() {
        return network.opened()!;
      },
      snapshots: {
        latest: async () => {
          const { series, announced } = await sequencer.service.chain();
          const content = withAnnounced(series, announced);
          return wire.call<Snapshot>(machine, oracles, { method: "snapshot", content });
        },
      },
      openProofJobs: async (handlers: ProofHandlers) => {
        const opened = createJobBoard({ ...handlers, batches, leaseMs: LEASE_MS, logger });
        board.current = opened;
        return { notify: opened.notify, stop: async () => undefined };
      },
      isSignedAttestation: async (attestation) => isSignedAttestation(attestation),
      isSignedRefusal: async (refusal) => isSignedRefusal(refusal),
      ...{ accounts, isSignedScope: async () => false },
    },
    config,
  );
  return sequencer;
}

/** Open for the own member at once, and for all others when the log is this node's to show. */
function openNetwork(
  { machine, streams, address, member, logger, onRefusal }: MovingSequencerOptions,
  store: Store,
) {
  let opened: Awaited<ReturnType<typeof createLogServer>> | undefined;
  let shown: Pick<Log, "read"> | undefined;
  let isOwn = false;
  const { proofOf } = logSource(store);
  const source = {
    proofOf,
    record: async function* (from: number) {
      yield* (isOwn ? shown : undefined)?.read(from) ?? [];
    },
  };
  const open = async () => {
    const node = streams.join(machine, address);
    opened ??= await createLogServer({ node, source, member, logger });
    opened.onRefusal(onRefusal);
    return opened;
  };
  return {
    opened: () => opened,
    own: async (): Promise<void> => {
      isOwn = true;
      opened?.announce(0);
    },
    serve: (log: Pick<Log, "read">): void => {
      shown = log;
      opened?.announce(0);
    },
    desk: async () => {
      const { leadDesk, announce } = await open();
      return { desk: leadDesk!, announce };
    },
  };
}
