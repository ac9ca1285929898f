/** Checkpoints of the state. They save time only: the log alone would do. */
import type { LogHead } from "../batch/log.ts";
import type { Checkpoint, CheckpointStore } from "../ports.ts";
import {
  type Database,
  decodeValue,
  encodeValue,
  readValue,
  StoreCorruptionError,
} from "./database.ts";
import { EXECUTED_KEY, numberedKey, numberOfKey, rangeFrom } from "./keys.ts";

/** Older ones are deleted; one besides the newest stays in case that the newest is damaged. */
const CHECKPOINTS_KEPT = 2;

export interface LevelCheckpoints extends CheckpointStore {
  /** The log's head at the newest checkpoint, without reading the state there, which is large. */
  executed(): Promise<LogHead | undefined>;
}

export function createCheckpointStore(database: Database): LevelCheckpoints {
  async function save(checkpoint: Checkpoint): Promise<void> {
    const key = numberedKey("checkpoint", checkpoint.position);
    const { position, epoch, hash } = checkpoint;
    const positions = new Set([position]);
    for await (const stored of database.keys(rangeFrom("checkpoint", 0))) {
      positions.add(numberOfKey("checkpoint", stored));
    }
    const old = [...positions].sort((a, b) => b - a).slice(CHECKPOINTS_KEPT);
    await database.batch(
      [
        { type: "put" as const, key, value: encodeValue(checkpoint) },
        { type: "put" as const, key: EXECUTED_KEY, value: encodeValue({ position, epoch, hash }) },
        ...old.map((at) => ({ type: "del" as const, key: numberedKey("checkpoint", at) })),
      ],
      { sync: true },
    );
  }

  async function latest(): Promise<Checkpoint | undefined> {
    const newestFirst = { ...rangeFrom("checkpoint", 0), reverse: true };
    for await (const [key, value] of database.iterator(newestFirst)) {
      try {
        return decodeValue(key, value) as Checkpoint;
      } catch (error) {
        // A damaged checkpoint costs nothing but the time to replay from an older one.
        if (!(error instanceof StoreCorruptionError)) throw error;
      }
    }
    return undefined;
  }

  async function executed(): Promise<LogHead | undefined> {
    try {
      return (await readValue(database, EXECUTED_KEY)) as LogHead | undefined;
    } catch (error) {
      // Nor does this: then all of the log is verified before it opens.
      if (!(error instanceof StoreCorruptionError)) throw error;
      return undefined;
    }
  }

  return { save, latest, executed };
}
