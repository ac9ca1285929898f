/**
 * One message of the stream: records that were published together, and the epoch of their writer.
 * A message without records takes an epoch, or shows that the writer's epoch is still in use.
 */
import {
  assertContinues,
  decodeJson,
  encodeJson,
  encodeRecord,
  headAfter,
  LogCorruptionError,
  type LogHead,
  type LogRecord,
} from "../batch/log.ts";

export interface BatchMessage {
  readonly epoch: number;
  /** Tells writers of one epoch apart, should there ever be two. */
  readonly writer: string;
  /** The log's head before the records. */
  readonly position: number;
  readonly previous: string;
  readonly records: readonly LogRecord[];
}

/** How far the stream has been read. */
export interface StreamPlace {
  /** Of the last message that was read; 0: none. */
  readonly sequence: number;
  readonly epoch: number;
  readonly head: LogHead;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeBatch(batch: BatchMessage): Uint8Array {
  const { records, ...place } = batch;
  const head = encodeJson(place).slice(0, -1);
  return encoder.encode(`${head},"records":[${records.map(encodeRecord).join(",")}]}`);
}

/** Throws {@link LogCorruptionError} at `position`, where the message was expected. */
export function decodeBatch(data: Uint8Array, position: number): BatchMessage {
  let batch: Partial<BatchMessage> | null = null;
  try {
    batch = decodeJson(decoder.decode(data)) as Partial<BatchMessage> | null;
  } catch {
    // Told below, with its position.
  }
  const isBatch =
    typeof batch === "object" &&
    batch !== null &&
    [batch.epoch, batch.position].every((count) => Number.isSafeInteger(count)) &&
    [batch.previous, batch.writer].every((text) => typeof text === "string") &&
    Array.isArray(batch.records) &&
    batch.records.every((record) => typeof record?.entry === "object");
  if (!isBatch) throw new LogCorruptionError(position, "the stream's message is no batch");
  return batch as BatchMessage;
}

/** The log's head after the message, as the message itself says. */
export function endOf({ epoch, position, previous, records }: BatchMessage): LogHead {
  const last = records.at(-1);
  return last === undefined ? { position, epoch, hash: previous } : headAfter(last);
}

/** Checks the next message of the stream. Throws {@link LogCorruptionError}. */
export function readBatch(place: StreamPlace, sequence: number, batch: BatchMessage): StreamPlace {
  const { position } = place.head;
  if (batch.epoch < place.epoch) {
    const message = `the stream's epoch falls from ${place.epoch} to ${batch.epoch}`;
    throw new LogCorruptionError(position, message);
  }
  if (batch.position !== position || batch.previous !== place.head.hash) {
    const message = `the stream goes on from another record, of position ${batch.position}`;
    throw new LogCorruptionError(position, message);
  }
  let { head } = place;
  for (const record of batch.records) {
    assertContinues(record, head);
    head = headAfter(record);
  }
  return { sequence, epoch: batch.epoch, head };
}
