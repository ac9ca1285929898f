/**
 * The `embedded` engine: the order log on LevelDB, each group of records one synced write, the
 * log's head with them.
 */
import {
  assertContinues,
  decodeRecord,
  emptyHead,
  encodeJson,
  encodeRecord,
  headAfter,
  LogCorruptionError,
  type LogHead,
  type LogRecord,
} from "../batch/log.ts";
import { createLogWriter } from "../batch/logWriter.ts";
import type { Log } from "../ports.ts";
import type { LogPolicy } from "../protocol/status.ts";
import type { Database } from "./database.ts";
import type { HeadFile } from "./headFile.ts";
import { HEAD_KEY, numberedKey, rangeFrom } from "./keys.ts";

export interface LevelLogOptions {
  readonly database: Database;
  readonly headFile: HeadFile;
  /** `previous` of the first record. */
  readonly origin: string;
}

const POLICY: LogPolicy = {
  engine: "embedded",
  durability: "synced to this machine's disk, in groups, before the acknowledgement",
  lossWindowMs: 0,
  lossWindow: "none when process or machine stops; everything with the disk",
};

/** Reads the whole log and verifies it. Throws {@link LogCorruptionError}. */
export async function openLevelLog(options: LevelLogOptions): Promise<Log> {
  const { database, headFile, origin } = options;
  const writer = createLogWriter({
    head: await verifiedHead(database, headFile, origin),
    write: (records) => writeGroup(database, headFile, records),
  });
  return {
    ...writer,
    read: (from) => readVerified(database, origin, from, writer.head()),
    policy: () => POLICY,
  };
}

async function writeGroup(
  database: Database,
  headFile: HeadFile,
  records: readonly LogRecord[],
): Promise<void> {
  const head = headAfter(records.at(-1)!);
  const puts = records.map((record) => ({
    type: "put" as const,
    key: numberedKey("log", record.position),
    value: encodeRecord(record),
  }));
  const headPut = { type: "put" as const, key: HEAD_KEY, value: encodeJson(head) };
  await database.batch([...puts, headPut], { sync: true });
  await headFile.write(head);
}

/** Checks the log against both memories of its length, and gives its head. */
async function verifiedHead(
  database: Database,
  headFile: HeadFile,
  origin: string,
): Promise<LogHead> {
  const stored = (await database.get(HEAD_KEY)) as string | undefined;
  const head = stored === undefined ? emptyHead(origin) : parseHead(stored);
  const { found } = headFile;
  let last = emptyHead(origin);
  for await (const record of readVerified(database, origin, 0, head)) {
    last = headAfter(record);
    if (last.position === found?.position && last.hash !== found.hash) {
      throw new LogCorruptionError(record.position, "another one was written there before");
    }
  }
  if (last.hash !== head.hash || last.epoch !== head.epoch) {
    throw new LogCorruptionError(head.position - 1, "its hash is not the head's");
  }
  for await (const _ of database.keys({ ...rangeFrom("log", head.position), limit: 1 })) {
    throw new LogCorruptionError(head.position, "it stands above the head");
  }
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
  let at = from === 0 ? emptyHead(origin) : await headBefore(database, from);
  try {
    const bounds = { gte: numberedKey("log", from), lt: numberedKey("log", head.position) };
    for await (const text of database.values(bounds)) {
      const record = parseRecord(text, at.position);
      assertContinues(record, at);
      yield record;
      at = headAfter(record);
    }
  } catch (error) {
    throw isDamage(error) ? new LogCorruptionError(at.position, String(error)) : error;
  }
  if (at.position < head.position) throw new LogCorruptionError(at.position, "it is missing");
}

/** LevelDB's own finding that a block is damaged. */
function isDamage(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "LEVEL_CORRUPTION" || code === "LEVEL_IO_ERROR";
}

/** The head of the log up to the record before `from`, which is checked by itself. */
async function headBefore(database: Database, from: number): Promise<LogHead> {
  const position = from - 1;
  const text = (await database.get(numberedKey("log", position))) as string | undefined;
  if (text === undefined) throw new LogCorruptionError(position, "it is missing");
  const record = parseRecord(text, position);
  assertContinues(record, { position, epoch: record.epoch, hash: record.previous });
  return headAfter(record);
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
