/** What of a store hangs on the end of its log, and goes with it when that is cut off. */
import type { Checkpoint, Log } from "../ports.ts";
import { type Change, type Database, encodeValue, readValue } from "./database.ts";
import {
  EXECUTED_KEY,
  KEY_PREFIXES,
  type NumberedPrefix,
  numberedKey,
  numberOfKey,
  rangeFrom,
} from "./keys.ts";

const OF_BATCHES = ["batch", "inputs", "proof", "attestation"] as const;

/** Checkpoints above `to`, and the batches that are sealed from there on. */
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
  await remove("checkpoint", to + 1);
  for (const prefix of OF_BATCHES) if (first !== undefined) await remove(prefix, first);
  return [...changes, await executedChange(database, to)];
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
async function executedChange(database: Database, to: number): Promise<Change> {
  let newest: number | undefined;
  for await (const key of database.keys(rangeFrom("checkpoint", 0))) {
    const position = numberOfKey("checkpoint", key);
    if (position <= to) newest = position;
  }
  if (newest === undefined) return { type: "del", key: EXECUTED_KEY };
  const stored = (await readValue(database, numberedKey("checkpoint", newest))) as Checkpoint;
  const { position, epoch, hash } = stored;
  return { type: "put", key: EXECUTED_KEY, value: encodeValue({ position, epoch, hash }) };
}
