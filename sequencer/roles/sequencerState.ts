/** How a sequencer begins: from its newest checkpoint, through every record of the log after it. */
import type { InputOrigin } from "../batch/inputMaker.ts";
import { logOrigin } from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { ExchangeEvent } from "../exchangeService.ts";
import type { BatchStore, CheckpointStore, InputDesk, Log, Logger } from "../ports.ts";
import type { HashAll } from "../protocol/hash.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { type BatchMemory, type BatchTracker, createBatchTracker } from "./batchTracker.ts";
import type { Effect } from "./effect.ts";
import {
  checkpointOf,
  createNodeState,
  type Deployment,
  type ExecutorMemory,
  executorMemory,
  loadCheckpoint,
  type NodeState,
} from "./nodeState.ts";
import { makeInputs } from "./sealing.ts";
import { createTrackers, type TrackerMemory, type Trackers } from "./trackers.ts";

/** What a checkpoint keeps besides the state. */
export interface SequencerMemory extends ExecutorMemory {
  readonly trackers: TrackerMemory;
  readonly batches: BatchMemory;
  readonly anchored: number;
}

export interface SequencerState {
  readonly node: NodeState;
  readonly trackers: Trackers;
  readonly batches: BatchTracker;
  readonly inputs: InputDesk;
}

export type OpenInputs = (origin: InputOrigin) => InputDesk;

/** Batches whose status a checkpoint keeps. */
export const STATUSES_KEPT = 500;

/**
 * Throws LogCorruptionError where log and checkpoint are damaged: the node must not start. A node
 * that stands by is in here for as long as others write, so that checkpoints are made here too.
 */
export async function restoreSequencer(options: {
  deployment: Deployment;
  validators: readonly string[];
  log: Log;
  checkpoints: CheckpointStore;
  checkpointEvery: number;
  store: BatchStore;
  logger: Logger;
  openInputs: OpenInputs;
  hashAll?: HashAll | undefined;
  /** An entry was executed again, and these events were told of it, or would have been. */
  replayed?(state: MemoryState, effect: Effect, events: readonly ExchangeEvent[]): void;
}): Promise<SequencerState> {
  const { deployment, validators, log, checkpoints, checkpointEvery, store, logger } = options;
  const checkpoint = await loadCheckpoint(log, checkpoints);
  const memory = checkpoint?.extra as SequencerMemory | undefined;
  const node = createNodeState(deployment, logOrigin(deployment.domain), checkpoint, {
    ...{ hasInputs: "later", hashAll: options.hashAll },
  });
  const { shape, sizes, domain, oracles } = deployment;
  const inputs = options.openInputs({
    ...{ shape, sizes, domain, oracles },
    state: node.state.exportState(),
  });
  const trackers = createTrackers(node, memory?.trackers);
  const anchored = memory?.anchored ?? 0;
  const batches = createBatchTracker({ validators, anchored, memory: memory?.batches });
  const from = node.position();
  for await (const record of log.read(from)) {
    const effect = node.apply(record);
    const events = trackers.observe(effect);
    options.replayed?.(node.state, effect, events);
    const { sealed, batch, position } = effect;
    if (sealed === undefined) continue;
    const place = { logPosition: position, logHash: record.hash };
    const published = { root: sealed.rootAfter, wordsHash: wordsHash(sealed.words) };
    batches.sealed({ ...batch, ...published, ...place });
    // The crash may have come between the log and the store.
    await store.putSealed(sealed, await makeInputs(inputs, sealed));
    if (sealed.number % checkpointEvery !== 0) continue;
    const { epoch, hash } = record;
    const kept = { trackers: trackers.memory(), ...executorMemory(node.executor) };
    const extra = { ...kept, batches: batches.memory(STATUSES_KEPT), anchored };
    await checkpoints.save({ ...checkpointOf(node, effect, extra), epoch, hash });
  }
  const { sealed } = batches.progress();
  for (let number = anchored + 1; number <= sealed; number++) {
    if ((await store.proof(number)) !== undefined) batches.proven(number);
  }
  // Checked when they came. A validator that has restarted too would not say it again.
  for await (const attestation of store.attestations()) batches.restored(attestation);
  if (node.position() > 0) {
    logger.info("state restored", { replayedFrom: from, position: node.position(), sealed });
  }
  return { node, trackers, batches, inputs };
}
