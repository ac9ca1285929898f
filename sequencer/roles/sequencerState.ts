/** How a sequencer begins: from its newest checkpoint, through every record of the log after it. */
import type { InputOrigin } from "../batch/inputMaker.ts";
import { headAfter, LogCorruptionError, type LogHead, logOrigin } from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { ExchangeEvent } from "../exchangeService.ts";
import type {
  BatchStore,
  Checkpoint,
  CheckpointChange,
  CheckpointStore,
  InputDesk,
  Log,
  Logger,
} from "../ports.ts";
import { createMemoryState, type MemoryState } from "../state/memoryState.ts";
import { type BatchMemory, type BatchTracker, createBatchTracker } from "./batchTracker.ts";
import type { Effect } from "./effect.ts";
import {
  type CheckpointDraft,
  createNodeState,
  type Deployment,
  draftCheckpoint,
  type ExecutorMemory,
  loadCheckpoint,
  type NodeState,
} from "./nodeState.ts";
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
  /** Of checkpoints whose batches have ended and are not stored, by number. */
  readonly drafts: Map<number, SequencerDraft>;
}

export type SequencerDraft = CheckpointDraft & {
  readonly ownRows: CheckpointChange["ownRows"];
  readonly trackers: TrackerMemory;
  /** The log's where the batch has ended, once that is durable. */
  readonly head: LogHead | undefined;
};

export type OpenInputs = (origin: InputOrigin) => InputDesk;

/** Batches whose status a checkpoint keeps. */
export const STATUSES_KEPT = 500;

export interface RestoreOptions {
  readonly deployment: Deployment;
  readonly validators: readonly string[];
  readonly log: Log;
  readonly checkpoints: CheckpointStore;
  readonly checkpointEvery: number;
  readonly store: BatchStore;
  readonly logger: Logger;
  readonly openInputs: OpenInputs;
  /** An entry was executed again, and these events were told of it, or would have been. */
  replayed?(state: MemoryState, effect: Effect, events: readonly ExchangeEvent[]): void;
}

/**
 * Throws LogCorruptionError where log and checkpoint are damaged: the node must not start. A node
 * that stands by is in here for as long as others write, so that checkpoints are made here too.
 */
export async function restoreSequencer(options: RestoreOptions): Promise<SequencerState> {
  const checkpoint = await loadCheckpoint(options.log, options.checkpoints);
  const { shape, sizes, domain, oracles } = options.deployment;
  const number = checkpoint?.batchNumber ?? 0;
  const state = checkpoint?.state ?? createMemoryState(shape).exportState();
  const inputs = options.openInputs({ shape, sizes, domain, oracles, number, state });
  try {
    // Else the node, which asks for the root at once, would stand still for it.
    await inputs.hasHashes(number);
    return await restoreFrom(options, checkpoint, inputs);
  } catch (error) {
    await inputs.stop();
    throw error;
  }
}

async function restoreFrom(
  options: RestoreOptions,
  checkpoint: Checkpoint | undefined,
  inputs: InputDesk,
): Promise<SequencerState> {
  const { deployment, validators, log, checkpoints, checkpointEvery, store, logger } = options;
  const memory = checkpoint?.extra as SequencerMemory | undefined;
  const node = createNodeState(deployment, logOrigin(deployment.domain), checkpoint, inputs);
  const drafts = new Map<number, SequencerDraft>();
  const trackers = createTrackers(node, memory?.trackers, checkpoint?.ownRows);
  const anchored = memory?.anchored ?? 0;
  const batches = createBatchTracker({ validators, anchored, memory: memory?.batches });
  const from = node.position();
  const left = node.endedBatch();
  if (left !== undefined) batches.ended(left.number, from - 1);
  for await (const record of log.read(from)) {
    // Else the thread would stand still for it.
    if (record.entry.type === "seal" && node.endedBatch()?.number === record.entry.number) {
      await inputs.hasHashes(record.entry.number);
    }
    const effect = node.apply(record);
    const events = trackers.observe(effect);
    options.replayed?.(node.state, effect, events);
    const { sealed, batch, position } = effect;
    if (effect.hasEnded) batches.ended(batch.number, position);
    if (effect.hasEnded && batch.number % checkpointEvery === 0) {
      const head = headAfter(record);
      drafts.set(batch.number, {
        ...draftCheckpoint(node, effect),
        ...{ trackers: trackers.memory(), ownRows: trackers.costs.takeChange(), head },
      });
    }
    if (sealed === undefined) continue;
    const place = { logPosition: position, logHash: record.hash };
    const published = { root: sealed.rootAfter, wordsHash: wordsHash(sealed.words) };
    batches.sealed({ ...batch, ...published, ...place });
    // The crash may have come between the log and the store.
    await store.putSealed(sealed, await inputs.inputs(sealed.number));
    const draft = drafts.get(sealed.number);
    if (draft === undefined) continue;
    drafts.delete(sealed.number);
    const extra = { batches: batches.memory(STATUSES_KEPT), anchored };
    await checkpoints.save(checkpointFrom(draft, sealed, extra));
  }
  assertSealed(node, checkpoint);
  const { sealed } = batches.progress();
  for (let number = anchored + 1; number <= sealed; number++) {
    if ((await store.proof(number)) !== undefined) batches.proven(number);
  }
  // Checked when they came. A validator that has restarted too would not say it again.
  for await (const attestation of store.attestations()) batches.restored(attestation);
  if (node.position() > 0) {
    logger.info("state restored", { replayedFrom: from, position: node.position(), sealed });
  }
  return { node, trackers, batches, inputs, drafts };
}

/** The batch is sealed, and durably so. */
export function checkpointFrom(
  { head, memory, trackers, ...draft }: SequencerDraft,
  { rootAfter: root }: SealedBatch,
  kept: Pick<SequencerMemory, "batches" | "anchored">,
): CheckpointChange {
  if (head === undefined) throw new TypeError("the end of a sealed batch is not durable");
  const extra: SequencerMemory = { ...memory, trackers, ...kept };
  return { ...draft, ...head, root, extra };
}

/** A checkpoint of a batch's end is saved behind its seal: a log without it has lost its tail. */
function assertSealed(node: NodeState, checkpoint: Checkpoint | undefined): void {
  if (checkpoint?.unsealed === undefined) return;
  const { batchNumber } = checkpoint;
  if (node.executor.ended() !== batchNumber) return;
  const reason = `the seal of batch \`${batchNumber}\`, which its checkpoint had, is lost`;
  throw new LogCorruptionError(node.position(), reason);
}
