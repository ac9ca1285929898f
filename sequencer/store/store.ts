/** What a node keeps on disk: one LevelDB folder, and beside it the file of the log's head. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { logOrigin } from "../batch/log.ts";
import type {
  AccountStore,
  BatchStore,
  CertificationStore,
  CheckpointStore,
  DurableValues,
} from "../ports.ts";
import { createAccountStore } from "./accountStore.ts";
import { createBatchStore } from "./batchStore.ts";
import { createCertificationStore } from "./certificationStore.ts";
import { createCheckpointStore } from "./checkpointStore.ts";
import { createDatabase, type Database, readValue, writeValue } from "./database.ts";
import { openHeadFile } from "./headFile.ts";
import { ORIGIN_KEY, valueKey } from "./keys.ts";
import { type LevelLog, openLevelLog } from "./levelLog.ts";
import { changesWithCut } from "./truncation.ts";

export interface Store {
  readonly log: LevelLog;
  readonly checkpoints: CheckpointStore;
  readonly batches: BatchStore;
  readonly values: DurableValues;
  readonly accounts: AccountStore;
  /** Of a session of the validator set. */
  certification(session: string): CertificationStore;
  /**
   * Cuts the log off at `to`, with the checkpoints and batches that hang on the rest, in one synced
   * write. Nobody may write meanwhile. Throws RangeError where the log is shorter.
   */
  truncate(to: number): Promise<void>;
  close(): Promise<void>;
}

/** The folder belongs to another deployment. */
export class StoreDomainError extends Error {
  override name = "StoreDomainError";
}

/**
 * Opens or creates the store of a deployment in `directory`, and verifies its log from the newest
 * checkpoint on; the rest is verified while the node runs.
 */
export async function openStore(directory: string, domain: bigint): Promise<Store> {
  await mkdir(directory, { recursive: true });
  const database = createDatabase(directory);
  await database.open();
  const headFile = await openHeadFile(path.join(directory, "log-head"));
  const closeFiles = async (): Promise<void> => {
    await headFile.close();
    await database.close();
  };
  try {
    const origin = logOrigin(domain);
    await claim(database, origin);
    const checkpoints = createCheckpointStore(database);
    const executed = await checkpoints.executed();
    const log = await openLevelLog({ database, headFile, origin, executed });
    return {
      log,
      checkpoints,
      batches: createBatchStore(database),
      values: createValueStore(database),
      accounts: createAccountStore(database),
      certification: (session) => createCertificationStore(database, session),
      truncate: async (to) => log.truncate(to, await changesWithCut(database, log, to)),
      close: async () => {
        await log.close();
        await closeFiles();
      },
    };
  } catch (error) {
    await closeFiles();
    throw error;
  }
}

async function claim(database: Database, origin: string): Promise<void> {
  const stored = await readValue(database, ORIGIN_KEY);
  if (stored === undefined) await writeValue(database, ORIGIN_KEY, origin);
  else if (stored !== origin) throw new StoreDomainError("the store is of another deployment");
}

function createValueStore(database: Database): DurableValues {
  return {
    get: (name) => readValue(database, valueKey(name)),
    set: (name, value) => writeValue(database, valueKey(name), value),
    delete: (name) => database.del(valueKey(name), { sync: true }),
  };
}
