/** Keeps the newest snapshot at hand, so that opening a batch never waits for the oracles. */
import type { Logger, SnapshotSource } from "../ports.ts";
import type { PublicKey } from "../protocol/eddsa.ts";
import { isQuorumSignedOnce } from "../protocol/remembered.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { messageOf } from "./loop.ts";

export interface SnapshotWatch {
  newest(): Snapshot | undefined;
  /** Asks the source once. Never throws: a feed that fails shows by the snapshot's age. */
  poll(): Promise<void>;
}

export function createSnapshotWatch(options: {
  source: SnapshotSource;
  domain: bigint;
  oracles: readonly PublicKey[];
  quorum: number;
  slots: number;
  logger: Logger;
}): SnapshotWatch {
  const { source, domain, oracles, quorum, slots, logger } = options;
  let newest: Snapshot | undefined;
  let isFailing = false;

  async function poll(): Promise<void> {
    try {
      const snapshot = await source.latest();
      if (snapshot.time <= (newest?.time ?? 0)) return;
      const isGood = snapshot.slots.length === slots;
      if (!isGood || !isQuorumSignedOnce({ domain, snapshot, oracles, quorum })) {
        throw new Error(`the snapshot of time \`${snapshot.time}\` is not signed by a quorum`);
      }
      newest = snapshot;
      if (isFailing) logger.info("snapshots arrive again", { time: snapshot.time });
      isFailing = false;
    } catch (error) {
      // Said once: the sequencer polls many times while oracles are away.
      if (!isFailing) logger.warn("no new snapshot", { error: messageOf(error) });
      isFailing = true;
    }
  }

  return { newest: () => newest, poll };
}
