/**
 * The log of a node that stands by. Reading it goes on for as long as another node writes: whoever
 * executes what it yields is as far as the writer is. When the stream has been silent for too long,
 * this node takes the next epoch, and reading ends with the last record before it: from then on the
 * log is its own to write. A writer that was only slow finds itself fenced.
 */
import { setTimeout as pause } from "node:timers/promises";
import { LogCorruptionError, type LogRecord } from "../batch/log.ts";
import { LogStoppedError } from "../batch/logWriter.ts";
import type { Log } from "../ports.ts";
import type { StreamPlace } from "./batchMessage.ts";
import {
  catchUp,
  createLog,
  type JetstreamLogOptions,
  policyOf,
  takeEpoch,
} from "./jetstreamLog.ts";
import { isAway, openStream, type Stream } from "./stream.ts";
import { readFrom } from "./streamReader.ts";

export interface StandbyOptions extends JetstreamLogOptions {
  /** Silence after which this node writes; some times as long as the writer's `probeMs`. */
  readonly takeoverMs: number;
  /** Ends the wait; reading then throws its reason. */
  readonly signal: AbortSignal;
  /** Awaited when the log has become this node's, before reading ends. */
  onTakeover(): Promise<void>;
}

const RETRY_MS = 250;

interface Standby extends StandbyOptions {
  readonly opened: Stream;
  readonly failure: AbortController;
  own: Log | undefined;
}

export async function openStandbyLog(options: StandbyOptions): Promise<Log> {
  const { copy, logger } = options;
  const stream = await openStream(options);
  const standby: Standby = {
    ...options,
    ...{ opened: stream, failure: new AbortController(), own: undefined },
  };
  try {
    await catchUp(stream, copy, logger);
  } catch (error) {
    await stream.close();
    throw error;
  }
  logger.info("standing by", { stream: stream.name, position: copy.head().position });
  return {
    head: () => (standby.own ?? copy).head(),
    append: async (entries) => ownLog(standby).append(entries),
    copy: async (records) => ownLog(standby).copy(records),
    read: (from) => (standby.own === undefined ? follow(standby, from) : standby.own.read(from)),
    policy: () => policyOf(options, stream),
    failure: standby.failure.signal,
    close: () => (standby.own ?? stream).close(),
  };
}

function ownLog({ own }: Standby): Log {
  if (own === undefined) throw new LogStoppedError("this node only stands by");
  return own;
}

async function* follow(standby: Standby, from: number): AsyncGenerator<LogRecord> {
  const { opened, copy, logger, onTakeover } = standby;
  let next = from;
  while (standby.own === undefined) {
    const place = await patiently(standby, () => catchUp(opened, copy, logger));
    for await (const record of copy.read(next)) {
      yield record;
      next = record.position + 1;
    }
    for await (const records of untilSilence(standby, place)) {
      await copy.copy(records);
      for (const record of records) if (record.position >= next) yield record;
      next = Math.max(next, copy.head().position);
    }
    standby.signal.throwIfAborted();
    standby.own = await takeOver(standby);
  }
  await onTakeover();
  yield* copy.read(next);
}

/** Again and again while the servers are away: a node that stands by has nothing else to do. */
async function patiently<T>({ signal, logger }: Standby, act: () => Promise<T>): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      if (!isAway(error)) throw error;
      logger.info("the stream is away", { reason: error.message });
    }
    await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Undefined: another node has written meanwhile, or nobody can. */
async function takeOver(standby: Standby): Promise<Log | undefined> {
  const { opened: stream, logger, failure } = standby;
  try {
    const { publisher, epoch } = await takeEpoch(stream, standby, 1);
    logger.warn("the writer of the order log is silent: this node takes over", { epoch });
    const own = createLog(stream, publisher, { ...standby, epoch });
    const tell = (): void => failure.abort(own.failure.reason);
    own.failure.addEventListener("abort", tell, { once: true });
    return own;
  } catch (error) {
    // Between two leaders of the stream nobody can write; the next silence tries again.
    if (error instanceof LogCorruptionError || !isPassing(error)) throw error;
    logger.info("no takeover", { reason: error.message });
    return undefined;
  }
}

function isPassing(error: unknown): error is Error {
  return error instanceof LogStoppedError || isAway(error);
}

/** What is written from now on, until nothing has been for a while. */
async function* untilSilence(
  { opened, takeoverMs, signal }: Standby,
  place: StreamPlace,
): AsyncGenerator<readonly LogRecord[]> {
  const ending = new AbortController();
  const outer = AbortSignal.any([ending.signal, signal]);
  const reading = readFrom(opened, place, { signal: outer });
  try {
    for (;;) {
      const next = reading.next();
      const silence = new AbortController();
      const wait = pause(takeoverMs, undefined, {
        signal: AbortSignal.any([outer, silence.signal]),
      }).catch(() => undefined);
      const read = await Promise.race([next, wait]);
      silence.abort();
      if (read === undefined || read.done === true) return;
      yield read.value.records;
    }
  } finally {
    ending.abort();
  }
}
