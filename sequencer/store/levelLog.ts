/**
 * The `embedded` engine: the order log on LevelDB, each group of records one synced write, the
 * log's head with them.
 */
import { setTimeout as sleep } from "node:timers/promises";
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
  /**
   * A head of this log that was executed before: what stands above it is verified before the log
   * opens, what stands below while the node runs. Absent: all of it before.
   */
  readonly executed?: LogHead | undefined;
}

/** Records that are read in one go behind the node's back, and the share of time that takes. */
const REST_RECORDS = 1024;
const REST_SHARE = 0.2;

const POLICY: LogPolicy = {
  engine: "embedded",
  durability: "synced to this machine's disk, in groups, before the acknowledgement",
  lossWindowMs: 0,
  lossWindow: "none when process or machine stops; everything with the disk",
};

/** A log that tells when all of it has been verified. */
export interface LevelLog extends Log {
  /** Resolves then, or when it is closed before; damage is the log's `failure`. */
  readonly verified: Promise<void>;
}

/** Reads the log and verifies it. Throws {@link LogCorruptionError}. */
export async function openLevelLog(options: LevelLogOptions): Promise<LevelLog> {
  const { database, headFile, origin } = options;
  const head = await storedHead(options);
  const executed = await foundAgain(options, head);
  await assertWhole(options, executed, head);
  const writer = createLogWriter({
    head,
    write: (records) => writeGroup(database, headFile, records),
  });
  const closing = new AbortController();
  const verified = verifyRest(options, executed, closing.signal).catch(writer.stop);
  return {
    ...writer,
    read: (from) => readVerified(database, origin, from, writer.head()),
    policy: () => POLICY,
    verified,
    close: async () => {
      closing.abort();
      await verified;
      await writer.close();
    },
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

async function storedHead({ database, origin }: LevelLogOptions): Promise<LogHead> {
  const stored = (await database.get(HEAD_KEY)) as string | undefined;
  return stored === undefined ? emptyHead(origin) : parseHead(stored);
}

/** The head up to which the log was executed, if its last record stands there as it did then. */
async function foundAgain(
  { database, origin, executed }: LevelLogOptions,
  head: LogHead,
): Promise<LogHead> {
  const none = emptyHead(origin);
  if (executed === undefined || executed.position < 1 || executed.position > head.position) {
    return none;
  }
  try {
    const { hash } = await headBefore(database, executed.position);
    return hash === executed.hash ? executed : none;
  } catch (error) {
    // The whole of it is verified then, and the damage told with its place.
    if (error instanceof LogCorruptionError) return none;
    throw error;
  }
}

/** Checks the log from `executed` on against both memories of its length. */
async function assertWhole(
  { database, headFile, origin }: LevelLogOptions,
  executed: LogHead,
  head: LogHead,
): Promise<void> {
  const { found } = headFile;
  let last = executed;
  for await (const record of readVerified(database, origin, executed.position, head)) {
    last = headAfter(record);
    assertSame(record, found);
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
}

function assertSame({ position, hash }: LogRecord, found: LogHead | undefined): void {
  if (position + 1 !== found?.position || hash === found.hash) return;
  throw new LogCorruptionError(position, "another one was written there before");
}

/** Verifies what was executed before, a little at a time: everybody else has work to do. */
async function verifyRest(
  { database, headFile, origin }: LevelLogOptions,
  executed: LogHead,
  signal: AbortSignal,
): Promise<void> {
  let last = emptyHead(origin);
  while (last.position < executed.position && !signal.aborted) {
    const began = performance.now();
    const to = Math.min(executed.position, last.position + REST_RECORDS);
    const part = readVerified(database, origin, last.position, { ...executed, position: to });
    for await (const record of part) {
      if (record.previous !== last.hash) {
        throw new LogCorruptionError(record.position, "its link to the record before is wrong");
      }
      assertSame(record, headFile.found);
      last = headAfter(record);
    }
    const pause = (performance.now() - began) * (1 / REST_SHARE - 1);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  if (last.position < executed.position || last.hash === executed.hash) return;
  throw new LogCorruptionError(last.position - 1, "its hash is not the one that was executed");
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
  const text = (await database.get(numberedKey("log", position)).catch((error: unknown) => {
    throw isDamage(error) ? new LogCorruptionError(position, String(error)) : error;
  })) as string | undefined;
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
