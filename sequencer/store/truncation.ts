/** What of a store hangs on the end of its log, and goes with it when that is cut off. */
import { headAfter } from "../batch/log.ts";
import type { Log } from "../ports.ts";
import { createCheckpointStore } from "./checkpointStore.ts";
import { type Change, type Database, encodeValue } from "./database.ts";
import { EXECUTED_KEY, KEY_PREFIXES, type NumberedPrefix, numberOfKey, rangeFrom } from "./keys.ts";

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
  return [...changes, ...(await executedChange(database, log, to))];
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
  to: number,
): Promise<Change[]> {
  const executed = await createCheckpointStore(database).executed();
  if (executed === undefined || executed.position <= to) return [];
  let newest: number | undefined;
  for await (const key of database.keys(rangeFrom("checkpoint", 0))) {
    const position = numberOfKey("checkpoint", key);
    if (position <= to) newest = position;
  }
  if (newest !== undefined) {
    for await (const record of log.read(newest - 1)) {
      return [{ type: "put", key: EXECUTED_KEY, value: encodeValue(headAfter(record)) }];
    }
  }
  return [{ type: "del", key: EXECUTED_KEY }];
}
