/** What follows when entries are durable: sealed batches are stored, announced, checkpointed. */
import type { LogRecord } from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { BatchStatus, ExchangeEvent } from "../exchangeService.ts";
import type { BatchStore, Checkpoint, CheckpointStore, InputDesk, Logger } from "../ports.ts";
import type { DurableTurn } from "./batcher.ts";
import type { Effect } from "./effect.ts";
import { checkpointOf, executorMemory } from "./nodeState.ts";
import { type SequencerMemory, type SequencerState, STATUSES_KEPT } from "./sequencerState.ts";

export interface SealingOptions extends SequencerState {
  readonly store: BatchStore;
  readonly inputs: InputDesk;
  readonly checkpoints: CheckpointStore;
  readonly checkpointEvery: number;
  readonly logger: Logger;
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

type Draft = Omit<Checkpoint, "epoch" | "hash" | "extra"> & {
  readonly memory: Omit<SequencerMemory, "batches" | "anchored">;
};

/** Throws where the batch has come without what they are made of. */
export function makeInputs(desk: InputDesk, { draft, rootAfter, number }: SealedBatch) {
  if (draft === undefined) throw new TypeError(`batch \`${number}\` has no draft of its inputs`);
  return desk.make(draft, rootAfter);
}

export function createSealing(options: SealingOptions): Sealing {
  const drafts = new Map<number, Draft>();
  /** Of sealed batches that are not stored. */
  const inputs = new Map<number, Promise<string>>();
  let storing: Promise<void> = Promise.resolve();

  function publishBatches(changed: readonly BatchStatus[]): void {
    options.publish(changed.map((batch) => ({ type: "batch", batch })));
  }

  function observe(effect: Effect): void {
    const { sealed } = effect;
    if (sealed === undefined) return;
    const made = makeInputs(options.inputs, sealed);
    made.catch(options.fail);
    inputs.set(sealed.number, made);
    if (sealed.number % options.checkpointEvery !== 0) return;
    // Now and not when it is saved: by then the state has moved on.
    const { extra: _, ...checkpoint } = checkpointOf(options.node, effect, undefined);
    const { trackers, node } = options;
    const memory = { trackers: trackers.memory(), ...executorMemory(node.executor) };
    drafts.set(sealed.number, { ...checkpoint, memory });
  }

  async function store(batch: SealedBatch, { epoch, hash }: LogRecord): Promise<void> {
    // A checkpoint comes after the inputs of all batches up to it: a restart makes those after it.
    await options.store.putSealed(batch, await inputs.get(batch.number));
    inputs.delete(batch.number);
    options.onStored(batch);
    const draft = drafts.get(batch.number);
    if (draft === undefined) return;
    drafts.delete(batch.number);
    const { memory, ...checkpoint } = draft;
    const extra: SequencerMemory = {
      ...memory,
      batches: options.batches.memory(STATUSES_KEPT),
      anchored: options.batches.progress().anchored,
    };
    await options.checkpoints.save({ ...checkpoint, epoch, hash, extra });
    options.logger.debug("checkpoint saved", { number: batch.number });
  }

  function onDurable({ records, effects, events }: DurableTurn): void {
    options.publish(events);
    for (const [index, { sealed, batch }] of effects.entries()) {
      const record = records[index];
      if (sealed === undefined || record === undefined) continue;
      const { position, hash } = record;
      const { kind, number, rootAfter: root } = sealed;
      options.logger.info("batch sealed", { number, kind, position, used: batch.time });
      const place = { logPosition: position, logHash: hash };
      const published = { root, wordsHash: wordsHash(sealed.words) };
      const { time } = batch;
      publishBatches(options.batches.sealed({ number, kind, time, ...published, ...place }));
      storing = storing.then(() => store(sealed, record)).catch(options.fail);
    }
    const last = records.at(-1);
    if (last !== undefined) options.announce(last.position);
  }

  return { observe, onDurable, publishBatches, stored: () => storing };
}
