/**
 * The order log on LevelDB. Appends are chained when they are called and written in groups: one
 * synced write at a time takes everything that has gathered meanwhile. The first failed write
 * stops the log for good, since what came after it would stand on records that do not exist. A
 * rejected append may yet be on disk: only opening the log anew tells.
 */
import {
  assertContinues,
  decodeRecord,
  encodeJson,
  LogCorruptionError,
  type LogEntry,
  type LogRecord,
  makeRecord,
} from "../batch/log.ts";
import type { Log } from "../ports.ts";
import type { Database } from "./database.ts";
import type { HeadFile, LogHead } from "./headFile.ts";
import { HEAD_KEY, numberedKey, rangeFrom } from "./keys.ts";

/** Appends that the log no longer takes: a write has failed, or it is closed. */
export class LogStoppedError extends Error {
  override name = "LogStoppedError";
}

/** Records of one write, and of all writes that wait. */
export const GROUP_RECORDS_MAX = 4096;
export const WAITING_RECORDS_MAX = 2 ** 18;

interface Append {
  readonly records: readonly LogRecord[];
  readonly resolve: (records: readonly LogRecord[]) => void;
  readonly reject: (error: Error) => void;
}

export interface LevelLogOptions {
  readonly database: Database;
  readonly headFile: HeadFile;
  /** `previous` of the first record. */
  readonly origin: string;
}

/** Reads the whole log and verifies it. Throws {@link LogCorruptionError}. */
export async function openLevelLog(options: LevelLogOptions): Promise<Log> {
  const { database, headFile, origin } = options;
  let durable = await verifiedHead(database, headFile, origin);
  let tip = durable;
  let waiting: Append[] = [];
  let waitingRecords = 0;
  let writing: Promise<void> | undefined;
  let stopped: LogStoppedError | undefined;

  // Nothing is awaited before the records have their places: calls are chained in their order.
  async function append(entries: readonly LogEntry[]): Promise<readonly LogRecord[]> {
    if (stopped !== undefined) throw stopped;
    if (waitingRecords + entries.length > WAITING_RECORDS_MAX) {
      const message = `the log has \`${waitingRecords}\` records waiting to be written`;
      throw new RangeError(`${message}; at most ${WAITING_RECORDS_MAX}`);
    }
    if (entries.length === 0) return [];
    const records = chainRecords(tip, entries);
    const last = records.at(-1)!;
    tip = { position: last.position + 1, hash: last.hash };
    waitingRecords += records.length;
    return new Promise((resolve, reject) => {
      waiting.push({ records, resolve, reject });
      writing ??= writeAll();
    });
  }

  async function writeAll(): Promise<void> {
    // One turn of the event loop, so that appends of the same turn share the first write too.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      try {
        durable = await writeGroup(database, headFile, group);
      } catch (error) {
        stop(new LogStoppedError("a write to the order log failed", { cause: error }), group);
        break;
      }
      for (const { records, resolve } of group) {
        waitingRecords -= records.length;
        resolve(records);
      }
    }
    writing = undefined;
  }

  function stop(error: LogStoppedError, group: readonly Append[]): void {
    stopped = error;
    const rejected = [...group, ...waiting];
    waiting = [];
    for (const { reject } of rejected) reject(error);
  }

  return {
    head: () => durable,
    append,
    read: (from) => readVerified(database, origin, from, durable),
    close: async () => {
      stopped ??= new LogStoppedError("the order log is closed");
      await writing;
    },
  };
}

function chainRecords(tip: LogHead, entries: readonly LogEntry[]): LogRecord[] {
  let { position, hash } = tip;
  return entries.map((entry) => {
    const record = makeRecord(position, hash, entry);
    position += 1;
    hash = record.hash;
    return record;
  });
}

/** Takes whole appends from the front of `waiting`, up to the size of one write. */
function takeGroup(waiting: Append[]): Append[] {
  let count = 0;
  let records = 0;
  for (const append of waiting) {
    if (count > 0 && records + append.records.length > GROUP_RECORDS_MAX) break;
    records += append.records.length;
    count += 1;
  }
  return waiting.splice(0, count);
}

async function writeGroup(
  database: Database,
  headFile: HeadFile,
  group: readonly Append[],
): Promise<LogHead> {
  const records = group.flatMap((append) => append.records);
  const last = records.at(-1)!;
  const head = { position: last.position + 1, hash: last.hash };
  const puts = records.map((record) => ({
    type: "put" as const,
    key: numberedKey("log", record.position),
    value: encodeJson(record),
  }));
  const headPut = { type: "put" as const, key: HEAD_KEY, value: encodeJson(head) };
  await database.batch([...puts, headPut], { sync: true });
  await headFile.write(head);
  return head;
}

/** Checks the log against both memories of its length, and gives its head. */
async function verifiedHead(
  database: Database,
  headFile: HeadFile,
  origin: string,
): Promise<LogHead> {
  const stored = (await database.get(HEAD_KEY)) as string | undefined;
  const head = stored === undefined ? { position: 0, hash: origin } : parseHead(stored);
  let last = origin;
  for await (const record of readVerified(database, origin, 0, head)) last = record.hash;
  if (last !== head.hash) {
    throw new LogCorruptionError(head.position - 1, "its hash is not the head's");
  }
  for await (const _ of database.keys({ ...rangeFrom("log", head.position), limit: 1 })) {
    throw new LogCorruptionError(head.position, "it stands above the head");
  }
  const { found } = headFile;
  if (found !== undefined && found.position > head.position) {
    const message = `it is missing; the log was written up to position \`${found.position - 1}\``;
    throw new LogCorruptionError(head.position, message);
  }
  return head;
}

function parseHead(stored: string): LogHead {
  try {
    return JSON.parse(stored) as LogHead;
  } catch {
    throw new LogCorruptionError(0, "the head is not readable");
  }
}

/** Records from `from` up to `head`, each checked against the one before. */
async function* readVerified(
  database: Database,
  origin: string,
  from: number,
  head: LogHead,
): AsyncGenerator<LogRecord> {
  if (from >= head.position) return;
  let previous = from === 0 ? origin : await hashAt(database, from - 1);
  let position = from;
  try {
    const bounds = { gte: numberedKey("log", from), lt: numberedKey("log", head.position) };
    for await (const text of database.values(bounds)) {
      const record = parseRecord(text, position);
      assertContinues(record, position, previous);
      yield record;
      previous = record.hash;
      position += 1;
    }
  } catch (error) {
    throw isDamage(error) ? new LogCorruptionError(position, String(error)) : error;
  }
  if (position < head.position) throw new LogCorruptionError(position, "it is missing");
}

/** LevelDB's own finding that a block is damaged. */
function isDamage(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "LEVEL_CORRUPTION" || code === "LEVEL_IO_ERROR";
}

async function hashAt(database: Database, position: number): Promise<string> {
  const text = (await database.get(numberedKey("log", position))) as string | undefined;
  if (text === undefined) throw new LogCorruptionError(position, "it is missing");
  const record = parseRecord(text, position);
  assertContinues(record, position, record.previous);
  return record.hash;
}

function parseRecord(text: string, position: number): LogRecord {
  let record: Partial<LogRecord> | null;
  try {
    record = decodeRecord(text);
  } catch {
    throw new LogCorruptionError(position, "it is not JSON");
  }
  if (typeof record !== "object" || record === null || typeof record.entry !== "object") {
    throw new LogCorruptionError(position, "it is not a record");
  }
  return record as LogRecord;
}
