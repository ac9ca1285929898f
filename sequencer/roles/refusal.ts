/** Why a validator does not go on, and whose record it was that it did not take. */
import { LogCorruptionError } from "../batch/log.ts";
import { LayerOneStoppedError } from "./layerOneQueue.ts";
import { messageOf } from "./loop.ts";
import { OwnStoreError } from "./ownStores.ts";

interface Blame {
  readonly isAccusation?: boolean;
  readonly epoch?: number | undefined;
}

/** The log, or what hangs on it, is not what it must be. */
export class RefusalError extends Error {
  override name = "RefusalError";
  readonly position: number;
  /** False where layer one or the own log is the reason: that is nobody's lie. */
  readonly isAccusation: boolean;
  /** Of the record that is refused, as it says; undefined where it is none. */
  readonly epoch: number | undefined;
  constructor(position: number, reason: string, { isAccusation = true, epoch }: Blame = {}) {
    super(reason);
    this.position = position;
    this.isAccusation = isAccusation;
    this.epoch = epoch;
  }
}

/** `epoch`: of the record at which it failed. */
export function asRefusal(error: unknown, position: number, epoch?: number): RefusalError {
  if (error instanceof RefusalError) {
    const { message, isAccusation } = error;
    return new RefusalError(error.position, message, { isAccusation, epoch: error.epoch ?? epoch });
  }
  const at = error instanceof LogCorruptionError ? error.position : position;
  // Nor is its own disk the sequencer's lie.
  const isOwn = error instanceof LayerOneStoppedError || error instanceof OwnStoreError;
  return new RefusalError(at, messageOf(error), { isAccusation: !isOwn, epoch });
}
