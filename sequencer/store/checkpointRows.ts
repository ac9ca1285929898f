/**
 * Where a checkpoint's rows stand. Two layers: `base` is the state at the older one of the two
 * checkpoints that are kept, `newer` what has changed up to the newest; null: a row that has gone.
 */
import { setImmediate } from "node:timers/promises";
import { encodeJson } from "../batch/log.ts";
import {
  type ExportedChange,
  type ExportedRest,
  type Row,
  TABLE_NAMES,
} from "../state/exportedState.ts";
import {
  assertWhole,
  type Change,
  type Database,
  decodeValue,
  encodeText,
  encodeValue,
} from "./database.ts";
import { KEY_PREFIXES, type NumberedPrefix, numberedKey, numberOfKey, rangeFrom } from "./keys.ts";

export type Layer = "base" | "newer";

const TABLES = [...TABLE_NAMES, "own"] as const;
type Table = (typeof TABLES)[number];

const LAYERS: Readonly<Record<Layer, Readonly<Record<Table, NumberedPrefix>>>> = {
  base: {
    ...{ accounts: "baseAccounts", sessions: "baseSessions", books: "baseBooks" },
    own: "baseOwn",
  },
  newer: {
    ...{ accounts: "newerAccounts", sessions: "newerSessions", books: "newerBooks" },
    own: "newerOwn",
  },
};

const GONE = encodeValue(null);
/** Rows that are encoded without other work between them. */
const ROWS_IN_ONE_GO = 1024;
export const GROUP_ROWS = 8 * ROWS_IN_ONE_GO;

/** Everything of checkpoints, so that one iterator reads them as they are at one moment. */
export function checkpointRange(): { gte: string; lte: string } {
  return { gte: numberedKey(LAYERS.base.accounts, 0), lte: rangeFrom("checkpoint", 0).lte };
}

/** All rows of both layers. */
function rowRange(): { gte: string; lt: string } {
  return { gte: numberedKey(LAYERS.base.accounts, 0), lt: KEY_PREFIXES.checkpoint };
}

/** Of the state, and the role's own. */
export type ChangedRows = Omit<ExportedChange, keyof ExportedRest> & {
  readonly own: readonly Row<unknown>[];
};

/**
 * What a checkpoint puts into a layer, all groups but the last of {@link GROUP_ROWS}; in the base
 * nothing says that a row has gone.
 */
export async function* rowPuts(rows: ChangedRows, layer: Layer): AsyncGenerator<Change[]> {
  let group: Change[] = [];
  for (const name of TABLES) {
    const prefix = LAYERS[layer][name];
    for (const [id, row] of rows[name]) {
      if (row === null && layer === "base") continue;
      const value = row === null ? GONE : encodeText(encodeJson(row));
      group.push({ type: "put", key: numberedKey(prefix, id), value });
      if (group.length % ROWS_IN_ONE_GO === 0) await setImmediate();
      if (group.length < GROUP_ROWS) continue;
      yield group;
      group = [];
    }
  }
  yield group;
}

/**
 * The newer layer becomes part of the base: texts are copied as they are. Throws
 * StoreCorruptionError on a damaged one, which would else take the place of a good one.
 */
export async function foldChanges(database: Database): Promise<Change[]> {
  const changes: Change[] = [];
  for (const name of TABLES) {
    const { [name]: from } = LAYERS.newer;
    for await (const [key, value] of database.iterator(rangeFrom(from, 0))) {
      assertWhole(key, value);
      const base = numberedKey(LAYERS.base[name], numberOfKey(from, key));
      changes.push({ type: "del", key });
      changes.push(value === GONE ? { type: "del", key: base } : { type: "put", key: base, value });
    }
  }
  return changes;
}

/** Changes that leave nothing of the layer. */
export async function rowDeletes(database: Database, layer: Layer): Promise<Change[]> {
  const changes: Change[] = [];
  for (const name of TABLES) {
    for await (const key of database.keys(rangeFrom(LAYERS[layer][name], 0))) {
      changes.push({ type: "del", key });
    }
  }
  return changes;
}

export async function hasRows(database: Database): Promise<boolean> {
  for await (const _ of database.keys({ ...rowRange(), limit: 1 })) return true;
  return false;
}

/** Not in one piece: they must have no meaning any more. */
export async function clearRows(database: Database): Promise<void> {
  await database.clear(rowRange());
}

/** What an iterator over {@link checkpointRange} has found in a layer. */
export interface LayerReader {
  /** Whether the key is one of the layer's. Throws StoreCorruptionError. */
  take(key: string, value: string): boolean;
  readonly rows: ChangedRows;
}

export function createLayerReader(layer: Layer): LayerReader {
  const rows: Record<Table, Row<never>[]> = { accounts: [], sessions: [], books: [], own: [] };
  return {
    rows,
    take(key, value) {
      const name = TABLES.find((table) => key.startsWith(KEY_PREFIXES[LAYERS[layer][table]]));
      if (name === undefined) return false;
      rows[name].push([numberOfKey(LAYERS[layer][name], key), decodeValue(key, value) as never]);
      return true;
    },
  };
}
