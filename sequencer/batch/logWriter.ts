/**
 * What every engine of the order log does before records reach its medium. Appends are chained
 * when they are called and written in groups: one write at a time takes everything that has
 * gathered meanwhile, and is acknowledged as a whole. The first failed write stops the log for
 * good, since what came after it would stand on records that do not exist, and a medium that has
 * failed once has kept nobody knows what. A rejected append may yet be durable: only opening the
 * log anew tells.
 */
import {
  assertContinues,
  headAfter,
  type LogEntry,
  type LogHead,
  type LogRecord,
  makeRecord,
} from "./log.ts";

/** Appends that the log no longer takes: a write has failed, or it is closed. */
export class LogStoppedError extends Error {
  override name = "LogStoppedError";
}

/** Another writer has taken a higher epoch: this one has been replaced and must end. */
export class LogFencedError extends LogStoppedError {
  override name = "LogFencedError";
  constructor(own: number, epoch: number) {
    super(`this writer of epoch \`${own}\` has been replaced: the order log is in epoch ${epoch}`);
  }
}

/** Records of one write, and of all writes that wait. */
export const GROUP_RECORDS_MAX = 4096;
export const WAITING_RECORDS_MAX = 2 ** 18;

export interface LogWriterOptions {
  /** Where the durable log ends. */
  readonly head: LogHead;
  /** Of this writer; absent: it goes on in that of the log. */
  readonly epoch?: number;
  /** Resolves when the records are durable. Never called again before that, nor after a failure. */
  write(records: readonly LogRecord[]): Promise<void>;
}

export interface LogWriter {
  /** Of the durable records. */
  head(): LogHead;
  append(entries: readonly LogEntry[]): Promise<readonly LogRecord[]>;
  /** Takes records of another's log as they are. Throws LogCorruptionError: they do not follow. */
  copy(records: readonly LogRecord[]): Promise<void>;
  /**
   * Goes on after `head`, which lies before what was written last, once `cut` has removed the rest.
   * Nobody may write meanwhile.
   */
  rewind(head: LogHead, cut: () => Promise<void>): Promise<void>;
  /** Refuses everything from now on, with the error. */
  stop(error: unknown): void;
  /** Takes nothing more; resolves when what waits has been written. */
  close(): Promise<void>;
  /** Aborted by the first failure, not by `close`. */
  readonly failure: AbortSignal;
}

interface Append {
  readonly records: readonly LogRecord[];
  readonly resolve: (records: readonly LogRecord[]) => void;
  readonly reject: (error: Error) => void;
}

interface Writing {
  readonly options: LogWriterOptions;
  readonly failure: AbortController;
  durable: LogHead;
  /** Of all records that have been given their places. */
  tip: LogHead;
  waiting: Append[];
  waitingRecords: number;
  running: Promise<void> | undefined;
  stopped: LogStoppedError | undefined;
}

export function createLogWriter(options: LogWriterOptions): LogWriter {
  const { head, epoch = head.epoch } = options;
  const writing: Writing = {
    options,
    failure: new AbortController(),
    ...{ durable: head, tip: head, waiting: [], waitingRecords: 0 },
    ...{ running: undefined, stopped: undefined },
  };
  return {
    head: () => writing.durable,
    append: (entries) => enqueue(writing, entries.length, (tip) => placed(tip, entries, epoch)),
    copy: async (records) => {
      await enqueue(writing, records.length, (tip) => following(tip, records));
    },
    rewind: (head, cut) => rewind(writing, head, cut),
    stop: (error) => stop(writing, asStopped(error, "the order log takes nothing more"), []),
    close: async () => {
      writing.stopped ??= new LogStoppedError("the order log is closed");
      await writing.running;
    },
    failure: writing.failure.signal,
  };
}

async function rewind(writing: Writing, head: LogHead, cut: () => Promise<void>): Promise<void> {
  await writing.running;
  if (writing.stopped !== undefined) throw writing.stopped;
  try {
    await cut();
  } catch (error) {
    // What of it is gone, only opening the log anew tells.
    stop(writing, asStopped(error, "cutting the order log off failed"), []);
    throw error;
  }
  writing.durable = head;
  writing.tip = head;
}

/** The entries as records in their places after the head. */
export function placed(tip: LogHead, entries: readonly LogEntry[], epoch: number): LogRecord[] {
  let head = tip;
  return entries.map((entry) => {
    const record = makeRecord(head, entry, epoch);
    head = headAfter(record);
    return record;
  });
}

function following(tip: LogHead, records: readonly LogRecord[]): readonly LogRecord[] {
  let head = tip;
  for (const record of records) {
    assertContinues(record, head);
    head = headAfter(record);
  }
  return records;
}

// Nothing is awaited before the records have their places: calls are chained in their order.
async function enqueue(
  writing: Writing,
  count: number,
  recordsAfter: (tip: LogHead) => readonly LogRecord[],
): Promise<readonly LogRecord[]> {
  const { stopped, waitingRecords } = writing;
  if (stopped !== undefined) throw stopped;
  if (waitingRecords + count > WAITING_RECORDS_MAX) {
    const message = `the log has \`${waitingRecords}\` records waiting to be written`;
    throw new RangeError(`${message}; at most ${WAITING_RECORDS_MAX}`);
  }
  if (count === 0) return [];
  const records = recordsAfter(writing.tip);
  writing.tip = headAfter(records.at(-1)!);
  writing.waitingRecords += count;
  return new Promise((resolve, reject) => {
    writing.waiting.push({ records, resolve, reject });
    writing.running ??= writeAll(writing);
  });
}

async function writeAll(writing: Writing): Promise<void> {
  // One turn of the event loop, so that appends of the same turn share the first write too.
  await new Promise((resolve) => setImmediate(resolve));
  while (writing.waiting.length > 0) {
    const group = takeGroup(writing.waiting);
    const records = group.flatMap((appended) => appended.records);
    try {
      await writing.options.write(records);
    } catch (error) {
      stop(writing, asStopped(error, "a write to the order log failed"), group);
      break;
    }
    // A write that ends after a failure elsewhere is not acknowledged: the node is ending.
    if (writing.failure.signal.aborted) {
      stop(writing, writing.stopped!, group);
      break;
    }
    writing.durable = headAfter(records.at(-1)!);
    writing.waitingRecords -= records.length;
    for (const { records: written, resolve } of group) resolve(written);
  }
  writing.running = undefined;
}

function asStopped(error: unknown, what: string): LogStoppedError {
  if (error instanceof LogStoppedError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LogStoppedError(`${what}: ${reason}`, { cause: error });
}

function stop(writing: Writing, error: LogStoppedError, group: readonly Append[]): void {
  writing.stopped = error;
  const rejected = [...group, ...writing.waiting];
  writing.waiting = [];
  for (const { reject } of rejected) reject(error);
  if (!writing.failure.signal.aborted) writing.failure.abort(error);
}

/** Takes whole appends from the front of `waiting`, up to the size of one write. */
function takeGroup(waiting: Append[]): Append[] {
  let count = 0;
  let records = 0;
  for (const { records: appended } of waiting) {
    if (count > 0 && records + appended.length > GROUP_RECORDS_MAX) break;
    records += appended.length;
    count += 1;
  }
  return waiting.splice(0, count);
}
