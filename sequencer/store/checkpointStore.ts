/**
 * Checkpoints of the state. They save time only: the log alone would do.
 *
 * Two are kept, in case that the newest is damaged, and their rows once: see `checkpointRows.ts`.
 * A save writes what has changed since the newest one, and moves what that one had changed into the
 * base, whose checkpoint it replaces; all in one synced batch, so that rows and records always fit
 * together. Only the first one's rows may be too many for that: they come before its record, and
 * without one they mean nothing. Whatever damage leaves only the older one falls back to it; damage
 * in the base leaves none. A record with the whole state in it, as they once were, counts as
 * absent, and goes with the next save.
 */
import type { LogHead } from "../batch/log.ts";
import { encodeUnchanging } from "../batch/unchangingJson.ts";
import type { Checkpoint, CheckpointChange, CheckpointStore } from "../ports.ts";
import { type ExportedRest, mergeRows, withChange } from "../state/exportedState.ts";
import {
  checkpointRange,
  clearRows,
  createLayerReader,
  foldChanges,
  GROUP_ROWS,
  hasRows,
  type LayerReader,
  rowDeletes,
  rowPuts,
} from "./checkpointRows.ts";
import {
  type Change,
  type Database,
  decodeValue,
  encodeText,
  encodeValue,
  readValue,
  StoreCorruptionError,
} from "./database.ts";
import { EXECUTED_KEY, KEY_PREFIXES, numberedKey, numberOfKey, rangeFrom } from "./keys.ts";

export interface LevelCheckpoints extends CheckpointStore {
  /** The log's head at the newest checkpoint, without reading the state there, which is large. */
  executed(): Promise<LogHead | undefined>;
}

/** What stands under a checkpoint's own key: all of it but its rows. */
interface Stored extends Omit<CheckpointChange, "change" | "ownRows"> {
  readonly change: ExportedRest;
}

/** What one look at the database has found; undefined in place of what is damaged. */
interface Found {
  readonly base: LayerReader | undefined;
  readonly newer: LayerReader | undefined;
  /** Ascending. */
  readonly stored: readonly (Stored | undefined)[];
}

export function createCheckpointStore(database: Database): LevelCheckpoints {
  async function save(checkpoint: CheckpointChange): Promise<void> {
    const { ownRows: own = [], ...place } = checkpoint;
    const { position, epoch, hash, since } = place;
    const { accounts, sessions, books, ...rest } = place.change;
    const stored: Stored = { ...place, change: rest };
    // Deletions first: what is written again then stays.
    const changes = await makeRoom(database, checkpoint);
    // The first one is the base itself: it would be moved there as a whole.
    const layer = since === 0 ? "base" : "newer";
    for await (const group of rowPuts({ accounts, sessions, books, own }, layer)) {
      // No checkpoint is there yet, so that these may come before theirs.
      if (since === 0 && group.length === GROUP_ROWS) await database.batch(group, { sync: true });
      else for (const put of group) changes.push(put);
    }
    changes.push(
      {
        type: "put",
        key: numberedKey("checkpoint", position),
        value: encodeText(encodeUnchanging(stored)),
      },
      { type: "put", key: EXECUTED_KEY, value: encodeValue({ position, epoch, hash }) },
    );
    await database.batch(changes, { sync: true });
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

  return { save, latest: async () => newestOf(await find(database)), executed };
}

/** Positions of the checkpoints that are stored, ascending. */
export async function checkpointPositions(database: Database): Promise<number[]> {
  const positions: number[] = [];
  for await (const key of database.keys(rangeFrom("checkpoint", 0))) {
    positions.push(numberOfKey("checkpoint", key));
  }
  return positions;
}

/** Number of the batch that a stored checkpoint is of; undefined where it is damaged. */
export async function checkpointBatch(
  database: Database,
  position: number,
): Promise<number | undefined> {
  const key = numberedKey("checkpoint", position);
  const value = (await database.get(key)) as string | undefined;
  return value === undefined ? undefined : readStored(key, value)?.batchNumber;
}

/** What goes, or moves, when a checkpoint is saved. */
async function makeRoom(
  database: Database,
  { position, since }: CheckpointChange,
): Promise<Change[]> {
  const positions = await checkpointPositions(database);
  const drop = (gone: readonly number[]): Change[] =>
    gone.map((at) => ({ type: "del", key: numberedKey("checkpoint", at) }));
  if (since === 0) {
    // Rows without a checkpoint mean nothing, however many of them a crash leaves.
    if (positions.length > 0) await database.batch(drop(positions), { sync: true });
    if (await hasRows(database)) await clearRows(database);
    return [];
  }
  const newest = positions.at(-1);
  if (since < position && since === newest) {
    return [...drop(positions.slice(0, -1)), ...(await foldChanges(database))];
  }
  // The newest was found damaged, and the node began from the one before it.
  if (since < position && since === positions.at(-2)) {
    return [...drop(positions.slice(-1)), ...(await rowDeletes(database, "newer"))];
  }
  const there = positions.join(", ") || "none";
  throw new RangeError(
    `\`since\` must be 0 or the position of a stored checkpoint (${there}) below ` +
      `\`${position}\`. Got \`${since}\`.`,
  );
}

async function find(database: Database): Promise<Found> {
  const layers = { base: createLayerReader("base"), newer: createLayerReader("newer") };
  const damaged = new Set<keyof typeof layers>();
  const stored: (Stored | undefined)[] = [];
  const take = (key: string, value: string): void => {
    for (const layer of ["base", "newer"] as const) {
      try {
        if (layers[layer].take(key, value)) return;
      } catch (error) {
        if (!(error instanceof StoreCorruptionError)) throw error;
        damaged.add(layer);
        return;
      }
    }
    if (key.startsWith(KEY_PREFIXES.checkpoint)) stored.push(readStored(key, value));
  };
  for await (const [key, value] of database.iterator(checkpointRange())) take(key, value);
  const whole = (layer: keyof typeof layers) => (damaged.has(layer) ? undefined : layers[layer]);
  return { base: whole("base"), newer: whole("newer"), stored };
}

/** Undefined: damaged, or of another format. */
function readStored(key: string, value: string): Stored | undefined {
  try {
    const stored = decodeValue(key, value) as Partial<Stored>;
    return stored.change === undefined ? undefined : (stored as Stored);
  } catch (error) {
    // A damaged checkpoint costs nothing but the time to replay from an older one.
    if (!(error instanceof StoreCorruptionError)) throw error;
    return undefined;
  }
}

function newestOf({ base, newer, stored }: Found): Checkpoint | undefined {
  const [last, before] = [stored.at(-1), stored.at(-2)];
  if (base === undefined) return undefined;
  if (last !== undefined && newer !== undefined) return checkpointOf(last, base, newer);
  return before === undefined ? undefined : checkpointOf(before, base, undefined);
}

function checkpointOf(
  { since: _, change: rest, ...place }: Stored,
  base: LayerReader,
  newer: LayerReader | undefined,
): Checkpoint {
  const { own: ownBefore, ...rowsBefore } = base.rows;
  const { own, ...rows } = newer?.rows ?? createLayerReader("newer").rows;
  const before = withChange(undefined, { ...rest, ...rowsBefore });
  const ownRows = mergeRows<unknown>(ownBefore, own);
  const state = withChange(before, { ...rest, ...rows });
  return { ...place, state, ...(ownRows.length > 0 && { ownRows }) };
}
