/**
 * What follows when batches have ended and when entries are durable: a batch is sealed once its
 * root is known; sealed batches are stored, announced, checkpointed.
 */
import { headAfter } from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { BatchStatus, ExchangeEvent } from "../exchangeService.ts";
import type { BatchStore, CheckpointStore, Logger } from "../ports.ts";
import type { DurableTurn } from "./batcher.ts";
import type { Effect } from "./effect.ts";
import { draftCheckpoint } from "./nodeState.ts";
import { checkpointFrom, type SequencerState, STATUSES_KEPT } from "./sequencerState.ts";

export interface SealingOptions extends SequencerState {
  readonly store: BatchStore;
  readonly checkpoints: CheckpointStore;
  readonly checkpointEvery: number;
  readonly logger: Logger;
  /** Seals the batch, unless it is sealed. */
  seal(number: number): void;
  publish(events: readonly ExchangeEvent[]): void;
  /** The log has grown up to `position`. */
  announce(position: number): void;
  /** A batch is stored and may be proven. */
  onStored(batch: SealedBatch): void;
  fail(error: unknown): void;
}

export interface Sealing {
  /** Right after an entry's execution: the state is that of the entry. */
  observe(effect: Effect): void;
  onDurable(turn: DurableTurn): void;
  publishBatches(changed: readonly BatchStatus[]): void;
  /** Resolves when all sealed batches are stored, with the inputs of their proofs. */
  stored(): Promise<void>;
}

/** Goes on with what the restart has left: a batch that has ended, and drafts that wait. */
export function createSealing(options: SealingOptions): Sealing {
  const { inputs, drafts, node } = options;
  let storing: Promise<void> = Promise.resolve();

  function publishBatches(changed: readonly BatchStatus[]): void {
    options.publish(changed.map((batch) => ({ type: "batch", batch })));
  }

  function sealLater(number: number): void {
    inputs
      .hasHashes(number)
      .then(() => options.seal(number))
      .catch(options.fail);
  }

  function observe(effect: Effect): void {
    if (!effect.hasEnded) return;
    const { number } = effect.batch;
    options.batches.ended(number, effect.position);
    sealLater(number);
    if (number % options.checkpointEvery !== 0) return;
    // Now and not when it is saved: by then the state has moved on.
    const { trackers } = options;
    const own = { trackers: trackers.memory(), ownRows: trackers.costs.takeChange() };
    drafts.set(number, { ...draftCheckpoint(node, effect), ...own, head: undefined });
  }

  async function store(batch: SealedBatch): Promise<void> {
    const { number } = batch;
    // A checkpoint comes after the inputs of all batches up to it: a restart makes those after it.
    await options.store.putSealed(batch, await inputs.inputs(number));
    options.onStored(batch);
    const draft = drafts.get(number);
    if (draft === undefined) return;
    drafts.delete(number);
    const extra = {
      ...{ batches: options.batches.memory(STATUSES_KEPT) },
      ...{ anchored: options.batches.progress().anchored },
    };
    await options.checkpoints.save(checkpointFrom(draft, batch, extra));
    options.logger.debug("checkpoint saved", { number });
  }

  function onDurable({ records, effects, events }: DurableTurn): void {
    options.publish(events);
    for (const [index, { sealed, batch, hasEnded }] of effects.entries()) {
      const record = records[index];
      if (record === undefined) continue;
      const { position, hash } = record;
      const draft = hasEnded ? drafts.get(batch.number) : undefined;
      if (draft !== undefined) drafts.set(batch.number, { ...draft, head: headAfter(record) });
      if (sealed === undefined) continue;
      const { kind, number, rootAfter: root } = sealed;
      options.logger.info("batch sealed", { number, kind, position, used: batch.time });
      const place = { logPosition: position, logHash: hash };
      const published = { root, wordsHash: wordsHash(sealed.words) };
      const { time } = batch;
      publishBatches(options.batches.sealed({ number, kind, time, ...published, ...place }));
      storing = storing.then(() => store(sealed)).catch(options.fail);
    }
    const last = records.at(-1);
    if (last !== undefined) options.announce(last.position);
  }

  const left = node.executor.ended();
  if (left !== undefined) sealLater(left);
  return { observe, onDurable, publishBatches, stored: () => storing };
}
