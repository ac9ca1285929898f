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
import type { Change, Database } from "./database.ts";
import type { HeadFile } from "./headFile.ts";
import { HEAD_KEY, numberedKey, rangeFrom } from "./keys.ts";
import { createLogTail, type LogTail } from "./logTail.ts";

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

/** A log that tells when all of it has been verified, and can be cut off. */
export interface LevelLog extends Log {
  /** Resolves then, or when it is closed before; damage is the log's `failure`. */
  readonly verified: Promise<void>;
  /**
   * Removes the records from `to` on, `changes` in the same write. Nobody may write meanwhile.
   * Throws RangeError where the log is shorter.
   */
  truncate(to: number, changes: readonly Change[]): Promise<void>;
}

/** Up to where the log is verified behind the node's back; a cut moves it down. */
interface Rest {
  readonly executed: LogHead;
  to: number;
}

/** Reads the log and verifies it. Throws {@link LogCorruptionError}. */
export async function openLevelLog(options: LevelLogOptions): Promise<LevelLog> {
  const { database, headFile } = options;
  const head = await storedHead(options);
  const executed = await foundAgain(options, head);
  await assertWhole(options, executed, head);
  const tail = createLogTail();
  const writer = createLogWriter({
    head,
    write: async (records) => {
      await writeGroup(database, headFile, records);
      tail.push(records);
    },
  });
  const closing = new AbortController();
  const rest: Rest = { executed, to: executed.position };
  const verified = verifyRest(options, rest, closing.signal).catch(writer.stop);
  return {
    ...writer,
    read: (from) => readNewest(options, tail, from, writer.head()),
    policy: () => POLICY,
    verified,
    truncate: async (to, changes) => {
      const cutHead = await headAt(options, to, writer.head());
      rest.to = Math.min(rest.to, to);
      await writer.rewind(cutHead, () => {
        tail.cut(to);
        return cutOff(options, cutHead, changes);
      });
    },
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

async function headAt({ database, origin }: LevelLogOptions, to: number, head: LogHead) {
  if (to > head.position) throw new RangeError(`the log ends at \`${head.position}\``);
  return to === 0 ? emptyHead(origin) : headBefore(database, to);
}

async function cutOff(
  { database, headFile }: LevelLogOptions,
  head: LogHead,
  changes: readonly Change[],
): Promise<void> {
  // First the file: it may say less than the log has, never more, nor what was cut off.
  await headFile.write(head);
  await headFile.sync();
  const removed: Change[] = [];
  for await (const key of database.keys(rangeFrom("log", head.position))) {
    removed.push({ type: "del", key });
  }
  const headPut = { type: "put" as const, key: HEAD_KEY, value: encodeJson(head) };
  await database.batch([...removed, headPut, ...changes], { sync: true });
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
  options: LevelLogOptions,
  rest: Rest,
  signal: AbortSignal,
): Promise<void> {
  let last = emptyHead(options.origin);
  while (last.position < rest.to && !signal.aborted) {
    const began = performance.now();
    const { to } = rest;
    try {
      last = await verifyPart(options, rest, last);
    } catch (error) {
      // Cut off while it was read: what is missing there is no damage.
      if (rest.to === to) throw error;
    }
    const pause = (performance.now() - began) * (1 / REST_SHARE - 1);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  const { executed } = rest;
  if (last.position < executed.position || last.hash === executed.hash) return;
  throw new LogCorruptionError(last.position - 1, "its hash is not the one that was executed");
}

async function verifyPart(
  { database, headFile, origin }: LevelLogOptions,
  { executed, to }: Rest,
  from: LogHead,
): Promise<LogHead> {
  const end = Math.min(to, from.position + REST_RECORDS);
  let last = from;
  const part = readVerified(database, origin, last.position, { ...executed, position: end });
  for await (const record of part) {
    if (record.previous !== last.hash) {
      throw new LogCorruptionError(record.position, "its link to the record before is wrong");
    }
    assertSame(record, headFile.found);
    last = headAfter(record);
  }
  return last;
}

function parseHead(stored: string): LogHead {
  try {
    return JSON.parse(stored) as LogHead;
  } catch {
    throw new LogCorruptionError(0, "the head is not readable");
  }
}

/** Records from `from` up to `head`: what was written by this very node, as it was written. */
async function* readNewest(
  { database, origin }: LevelLogOptions,
  tail: LogTail,
  from: number,
  head: LogHead,
): AsyncGenerator<LogRecord> {
  yield* tail.between(from, head.position) ?? readVerified(database, origin, from, head);
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
