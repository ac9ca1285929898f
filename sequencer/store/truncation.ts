/** What of a store hangs on the end of its log, and goes with it when that is cut off. */
import { headAfter } from "../batch/log.ts";
import type { Log } from "../ports.ts";
import { rowDeletes } from "./checkpointRows.ts";
import { checkpointBatch, checkpointPositions, createCheckpointStore } from "./checkpointStore.ts";
import { type Change, type Database, encodeValue } from "./database.ts";
import { EXECUTED_KEY, KEY_PREFIXES, type NumberedPrefix, numberedKey, rangeFrom } from "./keys.ts";

const OF_BATCHES = ["batch", "inputs", "proof", "attestation"] as const;

/** Batches that are sealed from `to` on, and their checkpoints, which may stand before it. */
export async function changesWithCut(
  database: Database,
  log: Pick<Log, "read">,
  to: number,
): Promise<Change[]> {
  const first = await firstSealed(log, to);
  const changes: Change[] = [];
  const remove = async (prefix: NumberedPrefix, from: number): Promise<void> => {
    const { gte } = rangeFrom(prefix, from);
    // Keys may go on after the number.
    for await (const key of database.keys({ gte, lt: afterAll(prefix) })) {
      changes.push({ type: "del", key });
    }
  };
  for (const prefix of OF_BATCHES) if (first !== undefined) await remove(prefix, first);
  const positions = await checkpointPositions(database);
  const gone = await goneWith(database, positions, { to, first });
  const kept = positions.filter((position) => !gone.includes(position)).at(-1);
  const checkpoints = await checkpointChanges(database, positions, gone);
  return [...changes, ...checkpoints, ...(await executedChange(database, log, kept))];
}

/** Of a batch that is sealed no more, or in another place: what it keeps would be untrue. */
async function goneWith(
  database: Database,
  positions: readonly number[],
  { to, first }: { readonly to: number; readonly first: number | undefined },
): Promise<number[]> {
  const gone: number[] = [];
  for (const position of positions) {
    const number = await checkpointBatch(database, position);
    const isUnsealed = first !== undefined && number !== undefined && number >= first;
    if (position > to || isUnsealed) gone.push(position);
  }
  return gone;
}

/** A checkpoint goes with the rows that are its own. Where none stays, rows mean nothing. */
async function checkpointChanges(
  database: Database,
  positions: readonly number[],
  gone: readonly number[],
): Promise<Change[]> {
  if (gone.length === 0) return [];
  const isAll = gone.length === positions.length;
  return [
    ...gone.map((at) => ({ type: "del" as const, key: numberedKey("checkpoint", at) })),
    ...(isAll ? [] : await rowDeletes(database, "newer")),
  ];
}

function afterAll(prefix: NumberedPrefix): string {
  const last = KEY_PREFIXES[prefix];
  return last.slice(0, -1) + String.fromCharCode(last.charCodeAt(last.length - 1) + 1);
}

async function firstSealed(log: Pick<Log, "read">, from: number): Promise<number | undefined> {
  for await (const { entry } of log.read(from)) if (entry.type === "seal") return entry.number;
  return undefined;
}

/** The newest checkpoint that stays is what the log need not be verified below. */
async function executedChange(
  database: Database,
  log: Pick<Log, "read">,
  newest: number | undefined,
): Promise<Change[]> {
  const executed = await createCheckpointStore(database).executed();
  if (executed === undefined || executed.position === newest) return [];
  if (newest !== undefined) {
    for await (const record of log.read(newest - 1)) {
      return [{ type: "put", key: EXECUTED_KEY, value: encodeValue(headAfter(record)) }];
    }
  }
  return [{ type: "del", key: EXECUTED_KEY }];
}
