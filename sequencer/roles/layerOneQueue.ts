/** Brings confirmed operations of the layer-one queue to the sequencer, in order. */
import type { Clock, ServedClose, SettlementLayer } from "../ports.ts";
import type { Sequencing } from "./sequencing.ts";

/** The client of layer one has stopped for good; the message is its reason. */
export class LayerOneStoppedError extends Error {
  override name = "LayerOneStoppedError";
}

/**
 * One look at the queue; operations that wait do so for the next ledger group. While it cannot be
 * read none waits: what was read before may be gone.
 */
export async function watchQueue(options: {
  settlement: Pick<SettlementLayer, "queued">;
  sequencing: Pick<Sequencing, "nextQueueId" | "enqueue">;
  clock: Clock;
  /** Closes that were executed. */
  served: readonly ServedClose[];
}): Promise<void> {
  const { settlement, sequencing, clock, served } = options;
  const from = sequencing.nextQueueId();
  const operations = await settlement.queued(from, served).catch((error: unknown) => {
    sequencing.enqueue([], clock.now());
    throw error;
  });
  sequencing.enqueue(operations, clock.now());
}
