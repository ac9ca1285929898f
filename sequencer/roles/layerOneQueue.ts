/** Brings confirmed operations of the layer-one queue to the sequencer, in order. */
import type { Clock, SettlementLayer } from "../ports.ts";
import type { Sequencing } from "./sequencing.ts";

/** The client of layer one has stopped for good; the message is its reason. */
export class LayerOneStoppedError extends Error {
  override name = "LayerOneStoppedError";
}

/** One look at the queue; operations that are new wait for the next ledger group. */
export async function watchQueue(options: {
  settlement: Pick<SettlementLayer, "queued">;
  sequencing: Pick<Sequencing, "nextQueueId" | "enqueue">;
  clock: Clock;
}): Promise<void> {
  const { settlement, sequencing, clock } = options;
  const operations = await settlement.queued(sequencing.nextQueueId());
  if (operations.length > 0) sequencing.enqueue(operations, clock.now());
}
