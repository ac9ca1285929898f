/**
 * Closes of layer one that were executed, and by marks of which time: layer one must keep each in a
 * block from before them, or it takes no batch with it.
 */
import type { ServedClose } from "../ports.ts";
import { REORG_BATCHES } from "./batchTracker.ts";
import type { Effect } from "./effect.ts";

/** More than are open at once for all accounts that pay no premium. */
const CLOSES_KEPT = 1024;

export interface ExecutedClose extends Omit<ServedClose, "isAnchored"> {
  readonly batch: number;
}

export interface ServedCloses {
  /** `snapshotTime`: of the open batch. */
  observe(effect: Effect, snapshotTime: number): void;
  /** Those that a reorg could still matter to, when `anchored` is layer one's newest batch. */
  served(anchored: number): readonly ServedClose[];
  memory(): readonly ExecutedClose[];
}

export function createServedCloses(memory: readonly ExecutedClose[] = []): ServedCloses {
  const closes = [...memory];
  return {
    observe: ({ entry, batch }, snapshotTime) => {
      if (entry.type !== "operation" || entry.queueId === undefined) return;
      if (entry.operation.kind !== "forcedClose") return;
      closes.push({ queueId: entry.queueId, snapshotTime, batch: batch.number });
      if (closes.length > CLOSES_KEPT) closes.shift();
    },
    served: (anchored) =>
      closes
        .filter(({ batch }) => batch > anchored - REORG_BATCHES)
        .map(({ batch, ...close }) => ({ ...close, isAnchored: batch <= anchored })),
    memory: () => [...closes],
  };
}
