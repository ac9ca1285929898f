/** Takes proven batches to layer one, in order: those that wait together go together. */

import type { BatchStatus, Hex } from "../exchangeService.ts";
import type { BatchStore, Clock, Logger, SettlementLayer, SubmittedBatch } from "../ports.ts";
import { type BatchTracker, REORG_BATCHES } from "./batchTracker.ts";
import { messageOf } from "./loop.ts";

export interface AnchoringOptions {
  readonly settlement: SettlementLayer;
  readonly batches: BatchStore;
  readonly tracker: BatchTracker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a proven batch waits for its validators before it goes without them (ms). */
  readonly certificationWaitMs: number;
  onChange(changed: readonly BatchStatus[]): void;
}

/** Layer one has a batch that this node did not make: another sequencer, or another state. */
export class ForeignBatchError extends Error {
  override name = "ForeignBatchError";
}

/** Returns one run of the loop: submits every batch that is ready. */
export function createAnchoring(options: AnchoringOptions): () => Promise<void> {
  const { settlement, tracker } = options;
  const provenSince = new Map<number, number>();
  let everAnchored = 0;
  let told: string | undefined;
  /** Without an answer those count that counted before: the contract judges in the end. */
  const refreshValidators = async (): Promise<void> => {
    try {
      const set = await settlement.validators();
      if (set !== undefined) options.onChange(tracker.certifiedBy(set));
      told = undefined;
    } catch (cause) {
      const error = messageOf(cause);
      if (error !== told) options.logger.warn("reading the validators failed", { error });
      told = error;
    }
  };
  return async () => {
    const anchored = await settlement.anchored();
    const known = tracker.progress().anchored;
    everAnchored = Math.max(everAnchored, known);
    if (anchored.number > known) {
      // Sent before a restart, and mined without our hearing of it.
      options.onChange(tracker.anchored(anchored.number));
    } else if (anchored.number < known) {
      options.logger.warn("a reorg took batches: they are sent again", { known, ...anchored });
      options.onChange(tracker.unanchored(anchored.number));
    }
    assertOwn(tracker, anchored);
    await refreshValidators();
    // What a reorg took has waited for its validators before.
    const isNext = async (number: number): Promise<boolean> =>
      number <= everAnchored || isReady(options, number, provenSince);
    const { batchesTogether: most = 1 } = settlement;
    for (let number = anchored.number + 1; await isNext(number); ) {
      const waiting = [number];
      while (waiting.length < most && (await isNext(number + waiting.length))) {
        waiting.push(number + waiting.length);
      }
      const count = await submit(options, waiting);
      for (const done of waiting.slice(0, count)) provenSince.delete(done);
      number += count;
    }
  };
}

function assertOwn(tracker: BatchTracker, anchored: { number: number; root: bigint }): void {
  const own = tracker.status(anchored.number);
  if (anchored.number > tracker.progress().sealed) {
    const message = `layer one has batch \`${anchored.number}\`, the log ends before it`;
    throw new ForeignBatchError(message);
  }
  if (own !== undefined && own.root !== anchored.root) {
    const message = `layer one has another root for batch \`${anchored.number}\``;
    throw new ForeignBatchError(message);
  }
}

async function isReady(
  options: AnchoringOptions,
  number: number,
  provenSince: Map<number, number>,
): Promise<boolean> {
  const { batches, tracker, clock, certificationWaitMs } = options;
  if ((await batches.proof(number)) === undefined) return false;
  const since = provenSince.get(number) ?? clock.now();
  provenSince.set(number, since);
  if (tracker.isCertified(number)) return true;
  return clock.now() - since >= certificationWaitMs;
}

/** Submits these, or the first ones of them; returns how many layer one has now. */
async function submit(options: AnchoringOptions, numbers: readonly number[]): Promise<number> {
  const { settlement, batches, tracker, logger } = options;
  const waiting: SubmittedBatch[] = [];
  for (const number of numbers) waiting.push(await submissionOf(options, number));
  const [{ batch, proof, attestations }] = waiting as [SubmittedBatch];
  const anchored =
    waiting.length > 1 && settlement.submitBatches !== undefined
      ? await settlement.submitBatches(waiting)
      : [await settlement.submitBatch(batch, proof, attestations)];
  for (const { number, transaction } of anchored) {
    logger.info("batch anchored", { number, transaction });
    options.onChange(tracker.anchored(number, transaction as Hex));
    await batches.prune(number);
    await batches.pruneAttestations(number - REORG_BATCHES);
  }
  return anchored.length;
}

async function submissionOf(options: AnchoringOptions, number: number): Promise<SubmittedBatch> {
  const { batches, tracker, logger } = options;
  const [batch, proof] = await Promise.all([batches.sealed(number), batches.proof(number)]);
  if (batch === undefined || proof === undefined) {
    throw new Error(`batch \`${number}\` has a proof but is not stored`);
  }
  if (!tracker.isCertified(number)) {
    logger.warn("anchoring a batch that validators have not certified", { number });
  }
  return { batch, proof, attestations: tracker.attestations(number) };
}
