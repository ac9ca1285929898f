/**
 * The `jetstream` engine: the order log in a stream that several NATS servers replicate. Whoever
 * opens it takes the next epoch by a message that must be the stream's very next one; from then on
 * no message of an older writer can be, and that one halts. This node's own copy (`copy`, the
 * embedded engine) is written behind: it serves reads, may lag, and never leads.
 *
 * JetStream tolerates crashes, not lies, and has lost acknowledged writes in tests by others; so
 * the records are linked, and every node checks each link (DECISIONS 63).
 */
import { randomUUID } from "node:crypto";
import { LogCorruptionError, type LogHead, type LogRecord } from "../batch/log.ts";
import { createLogWriter, LogFencedError } from "../batch/logWriter.ts";
import type { Log, Logger } from "../ports.ts";
import type { LogPolicy } from "../protocol/status.ts";
import { endOf, type StreamPlace } from "./batchMessage.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { openStream, type Stream, type StreamOptions } from "./stream.ts";
import { findPlace, readEnd, readFrom } from "./streamReader.ts";

export interface JetstreamLogOptions extends StreamOptions {
  /** This node's copy of the log. */
  readonly copy: Log;
  readonly logger: Logger;
  /** How long the outcome of a write may stay unknown before the node stops. */
  readonly patienceMs: number;
  /** After so long without a write an empty one shows that the log can be written. */
  readonly probeMs: number;
}

/** Claims that another writer came before, in a row. */
const CLAIMS_MAX = 16;

/** Throws LogCorruptionError, StreamSettingsError, or what the connection says. */
export async function openJetstreamLog(options: JetstreamLogOptions): Promise<Log> {
  const stream = await openStream(options);
  try {
    const { publisher, epoch } = await takeEpoch(stream, options);
    options.logger.info("the order log is this node's to write", { stream: stream.name, epoch });
    return createLog(stream, publisher, { ...options, epoch });
  } catch (error) {
    await stream.close();
    throw error;
  }
}

/**
 * Catches up, and appends a claim; whoever was faster is caught up with too, and replaced, unless
 * there is but one try: then the error is LogFencedError.
 */
export async function takeEpoch(
  stream: Stream,
  { copy, patienceMs, logger }: JetstreamLogOptions,
  claimsMax = CLAIMS_MAX,
): Promise<{ publisher: Publisher; epoch: number }> {
  const writer = randomUUID();
  let replaced: LogFencedError | undefined;
  for (let claims = 0; claims < claimsMax; claims++) {
    const { sequence, epoch: last, head } = await catchUp(stream, copy, logger);
    const epoch = Math.max(last, head.epoch) + 1;
    const options = { stream, writer: `${writer}/${claims}`, epoch, sequence, head, patienceMs };
    const publisher = createPublisher(options);
    try {
      await publisher.publish([]);
      return { publisher, epoch };
    } catch (error) {
      if (!(error instanceof LogFencedError)) throw error;
      replaced = error;
    }
  }
  throw replaced ?? new RangeError("at least one claim must be made");
}

/** Copies what this node lacks. A copy that leads, or differs, must not be written to. */
export async function catchUp(stream: Stream, copy: Log, logger: Logger): Promise<StreamPlace> {
  const from = copy.head();
  const end = await readEnd(stream, from.position);
  const reaches = end === undefined ? 0 : endOf(end.batch).position;
  if (reaches < from.position) {
    const message = `the stream ends there, and this node's copy at \`${from.position}\``;
    throw new LogCorruptionError(reaches, message);
  }
  if (end === undefined) return { sequence: 0, epoch: 0, head: from };
  let place = await findPlace(stream, from, end);
  for await (const read of readFrom(stream, place, { last: end.sequence })) {
    await copy.copy(read.records);
    place = read.place;
  }
  const { position } = place.head;
  if (position > from.position) logger.info("log copied", { from: from.position, position });
  return place;
}

interface Opened extends JetstreamLogOptions {
  readonly epoch: number;
}

export function createLog(stream: Stream, publisher: Publisher, options: Opened): Log {
  const { copy, epoch, probeMs } = options;
  let turn: Promise<unknown> = Promise.resolve();
  let turnsPending = 0;
  let copied: Promise<void> = Promise.resolve();
  // Writes and probes, one after the other: the next may only begin where the last one ended.
  const inTurn = (records: readonly LogRecord[]): Promise<void> => {
    turnsPending += 1;
    const done = turn.then(() => publisher.publish(records));
    turn = done
      .catch(() => undefined)
      .then(() => {
        turnsPending -= 1;
      });
    return done;
  };
  const writer = createLogWriter({
    head: copy.head(),
    epoch,
    write: async (records) => {
      await inTurn(records);
      // At most one group is on its way to the copy while the next is on its way to the stream.
      await copied;
      copied = copy.copy(records);
      copied.catch(writer.stop);
    },
  });
  copy.failure.addEventListener("abort", () => writer.stop(copy.failure.reason), { once: true });
  const probing = setInterval(() => {
    // What is under way already shows whether the log can be written.
    if (writer.failure.aborted || turnsPending > 0) return;
    if (performance.now() - publisher.lastAt() < probeMs) return;
    inTurn([]).catch(writer.stop);
  }, probeMs);
  return {
    ...writer,
    policy: () => policyOf(options, stream),
    read: (from) => readCopy(copy, from, writer.head(), () => copied),
    close: async () => {
      clearInterval(probing);
      await writer.close();
      await turn;
      await copied.catch(() => undefined);
      await stream.close();
    },
  };
}

async function* readCopy(
  copy: Log,
  from: number,
  end: LogHead,
  copied: () => Promise<void>,
): AsyncGenerator<LogRecord> {
  if (from >= end.position) return;
  await copied();
  for await (const record of copy.read(from)) {
    if (record.position >= end.position) return;
    yield record;
  }
}

export function policyOf({ replicas }: JetstreamLogOptions, { syncsAlways }: Stream): LogPolicy {
  const majority = `${Math.floor(replicas / 2) + 1} of ${replicas} servers`;
  if (syncsAlways === true) {
    const durability = `synced to disk by ${majority} before the acknowledgement`;
    const lossWindow = `none while the disks of ${majority} survive`;
    return { engine: "jetstream", durability, lossWindowMs: 0, lossWindow };
  }
  return {
    engine: "jetstream",
    durability: `stored by ${majority}; whether they have synced it is not known`,
    lossWindowMs: null,
    lossWindow:
      "two minutes without `sync_interval: always`; name the servers' `monitors` to check",
  };
}
