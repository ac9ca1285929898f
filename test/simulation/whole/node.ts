/** What sequencer and validators have alike: a machine with a disk, and a store on it. */
import type {
  BatchStore,
  CertificationStore,
  CheckpointStore,
  Log,
  Logger,
} from "../../../sequencer/ports.ts";
import { createBatchStore } from "../../../sequencer/store/batchStore.ts";
import { createCertificationStore } from "../../../sequencer/store/certificationStore.ts";
import { createCheckpointStore } from "../../../sequencer/store/checkpointStore.ts";
import { openLevelLog } from "../../../sequencer/store/levelLog.ts";
import { ORIGIN, sitting } from "./deployment.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./virtualTime.ts";

export interface Node {
  readonly machine: Machine;
  readonly disk: Disk;
  /** Begins a new life on what the disk has. */
  start(): void;
}

export interface Store {
  readonly log: Log;
  readonly batches: BatchStore;
  readonly checkpoints: CheckpointStore;
  readonly certification: CertificationStore;
}

/** The stores that nodes really use. Throws LogCorruptionError. */
export async function openStore({ database, openHeadFile }: Disk): Promise<Store> {
  const checkpoints = createCheckpointStore(database);
  const executed = await checkpoints.latest();
  const headFile = openHeadFile();
  return {
    log: await openLevelLog({ database, headFile, origin: ORIGIN, executed }),
    batches: createBatchStore(database),
    checkpoints,
    certification: createCertificationStore(database, sitting.validators.session),
  };
}

/** Everything that a node says, into one list; or nowhere. */
export function createLogger(name: string, lines: string[] | undefined): Logger {
  const say =
    (level: string) =>
    (message: string, context: Record<string, unknown> = {}): void => {
      const told = Object.entries(context).map(([key, value]) => `${key}=${String(value)}`);
      lines?.push([name, level, message, ...told].join(" "));
    };
  return { debug: () => undefined, info: say("info"), warn: say("warn"), error: say("error") };
}
