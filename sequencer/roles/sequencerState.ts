/** How a sequencer begins: from its newest checkpoint, through every record of the log after it. */
import type { InputOrigin } from "../batch/inputMaker.ts";
import { headAfter, type LogHead, logOrigin } from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { ExchangeEvent } from "../exchangeService.ts";
import type {
  BatchStore,
  CheckpointChange,
  CheckpointStore,
  InputDesk,
  Log,
  Logger,
} from "../ports.ts";
import type { MemoryState } from "../state/memoryState.ts";
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
  readonly trackers: TrackerMemory;
  /** The log's where the batch has ended, once that is durable. */
  readonly head: LogHead | undefined;
};

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
  /** An entry was executed again, and these events were told of it, or would have been. */
  replayed?(state: MemoryState, effect: Effect, events: readonly ExchangeEvent[]): void;
}): Promise<SequencerState> {
  const { deployment, validators, log, checkpoints, checkpointEvery, store, logger } = options;
  const checkpoint = await loadCheckpoint(log, checkpoints);
  const memory = checkpoint?.extra as SequencerMemory | undefined;
  const { shape, sizes, domain, oracles } = deployment;
  const origin = logOrigin(domain);
  let inputs!: InputDesk;
  const node = createNodeState(deployment, origin, checkpoint, (state, number) => {
    const from = { shape, sizes, domain, oracles, number };
    inputs = options.openInputs({ ...from, state: state.exportState() });
    return inputs;
  });
  const drafts = new Map<number, SequencerDraft>();
  const trackers = createTrackers(node, memory?.trackers);
  const anchored = memory?.anchored ?? 0;
  const batches = createBatchTracker({ validators, anchored, memory: memory?.batches });
  const from = node.position();
  for await (const record of log.read(from)) {
    // Else the thread would stand still for it.
    if (record.entry.type === "seal" && node.openBatch()?.number !== record.entry.number) {
      await inputs.hasHashes(record.entry.number);
    }
    const effect = node.apply(record);
    const events = trackers.observe(effect);
    options.replayed?.(node.state, effect, events);
    const { sealed, batch, position } = effect;
    if (effect.hasEnded && batch.number % checkpointEvery === 0) {
      const head = headAfter(record);
      drafts.set(batch.number, {
        ...draftCheckpoint(node, effect),
        ...{ trackers: trackers.memory(), head },
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
