/** What sequencer and validators have alike: a machine with a disk, and a store on it. */
import type {
  AccountStore,
  BatchStore,
  CertificationStore,
  CheckpointStore,
  Logger,
} from "../../../sequencer/ports.ts";
import { createAccountStore } from "../../../sequencer/store/accountStore.ts";
import { createBatchStore } from "../../../sequencer/store/batchStore.ts";
import { createCertificationStore } from "../../../sequencer/store/certificationStore.ts";
import { createCheckpointStore } from "../../../sequencer/store/checkpointStore.ts";
import type { Database } from "../../../sequencer/store/database.ts";
import { type LevelLog, openLevelLog } from "../../../sequencer/store/levelLog.ts";
import { changesWithCut } from "../../../sequencer/store/truncation.ts";
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
  readonly log: LevelLog;
  readonly batches: BatchStore;
  readonly checkpoints: CheckpointStore;
  readonly certification: CertificationStore;
  readonly accounts: AccountStore;
  truncate(to: number): Promise<void>;
  /** Waits for what is being written; whoever still has the store can write no more. */
  close(): Promise<void>;
}

/** The stores that nodes really use. Throws LogCorruptionError. */
export async function openStore({ database: medium, openHeadFile }: Disk): Promise<Store> {
  const { database, close } = opened(medium);
  const checkpoints = createCheckpointStore(database);
  const executed = await checkpoints.executed();
  const headFile = openHeadFile();
  const log = await openLevelLog({ database, headFile, origin: ORIGIN, executed });
  return {
    log,
    batches: createBatchStore(database),
    checkpoints,
    accounts: createAccountStore(database),
    certification: createCertificationStore(database, sitting.validators.session),
    truncate: async (to) => log.truncate(to, await changesWithCut(database, log, to)),
    close: async () => {
      await log.close();
      await close();
    },
  };
}

/** The database until it is closed, which lasts as long as writes are under way. */
function opened(medium: Database): { database: Database; close(): Promise<void> } {
  let isClosed = false;
  const writing = new Set<Promise<void>>();
  const use = <A extends unknown[]>(write: (...words: A) => Promise<void>) => {
    return (...words: A): Promise<void> => {
      if (isClosed) return Promise.reject(new Error("the database is closed"));
      const written = write(...words).finally(() => writing.delete(written));
      writing.add(written);
      return written;
    };
  };
  const { batch, del, clear } = medium as unknown as Record<string, () => Promise<void>>;
  const writes = { batch: use(batch!), del: use(del!), clear: use(clear!) };
  return {
    database: { ...medium, ...writes } as unknown as Database,
    close: async () => {
      isClosed = true;
      await Promise.allSettled(writing);
    },
  };
}

/** Everything that a node says, into one list; or nowhere. */
export function createLogger(name: string, lines: string[] | undefined): Logger {
  const say =
    (level: string) =>
    (message: string, context: Record<string, unknown> = {}): void => {
      const told = Object.entries(context).map(([key, value]) => `${key}=${String(value)}`);
      // Virtual time, as long as that is installed.
      lines?.push([Math.round(performance.now()), name, level, message, ...told].join(" "));
    };
  return { debug: () => undefined, info: say("info"), warn: say("warn"), error: say("error") };
}
