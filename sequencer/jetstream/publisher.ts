/**
 * Publishes one message at a time, each only if it becomes the very next one of the stream. When
 * an answer stays away its outcome is unknown: the stream's end is read, and the same message is
 * sent again under the same id until either shows what has become of it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { JetStreamApiError } from "@nats-io/jetstream";
import { encodeRecord, headAfter, type LogHead, type LogRecord } from "../batch/log.ts";
import { LogFencedError, LogStoppedError } from "../batch/logWriter.ts";
import { decodeBatch, encodeBatch } from "./batchMessage.ts";
import { PASSING_STATUS, type Stream } from "./stream.ts";

export interface PublisherOptions {
  readonly stream: Stream;
  readonly writer: string;
  readonly epoch: number;
  /** Of the last message of the stream. */
  readonly sequence: number;
  readonly head: LogHead;
  /** How long the outcome of a write may stay unknown; a new leader takes 4 to 9 s. */
  readonly patienceMs: number;
}

export interface Publisher {
  /** Resolves when the records are stored. Rejects for good: the log must then stop. */
  publish(records: readonly LogRecord[]): Promise<void>;
  /** When the last message was stored, by `performance.now()`. */
  lastAt(): number;
}

const ANSWER_MS = 2000;
const RETRY_MS = 100;
/** "wrong last sequence", with and without the stream's own number. */
const MISMATCHES: readonly number[] = [10071, 10164];

interface Publishing extends PublisherOptions {
  sequence: number;
  head: LogHead;
  published: number;
  lastAt: number;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const state: Publishing = { ...options, published: 0, lastAt: performance.now() };
  return {
    lastAt: () => state.lastAt,
    publish: async (records) => {
      for (const part of partsOf(records, options.stream.bytesMax)) await publishPart(state, part);
    },
  };
}

/** Runs of records that fit one message each; no records are one empty message. */
function* partsOf(
  records: readonly LogRecord[],
  bytesMax: number,
): Generator<readonly LogRecord[]> {
  let part: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(encodeRecord(record)) + 1;
    if (part.length > 0 && bytes + size > bytesMax) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  yield part;
}

async function publishPart(state: Publishing, records: readonly LogRecord[]): Promise<void> {
  const { epoch, writer, head } = state;
  const place = { position: head.position, previous: head.hash };
  const data = encodeBatch({ epoch, writer, ...place, records });
  state.published += 1;
  const id = `${writer}/${state.published}`;
  const deadline = performance.now() + state.patienceMs;
  for (;;) {
    const failure = await failureOf(state, data, id);
    if (failure === undefined) break;
    await pause(RETRY_MS);
    if (performance.now() > deadline) {
      const message = `the outcome of a write is unknown after \`${state.patienceMs}\` ms`;
      throw new LogStoppedError(`${message}: ${failure}`);
    }
  }
  state.sequence += 1;
  state.lastAt = performance.now();
  const last = records.at(-1);
  if (last !== undefined) state.head = headAfter(last);
}

/** Undefined: the message is stored. Else why that is not known. */
async function failureOf(
  state: Publishing,
  data: Uint8Array,
  id: string,
): Promise<string | undefined> {
  try {
    await attempt(state, data, id);
    return undefined;
  } catch (error) {
    if (error instanceof LogStoppedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (isRefusal(error)) throw new LogStoppedError(`the stream refuses a write: ${reason}`);
    return (await isStored(state, id)) ? undefined : reason;
  }
}

async function attempt({ stream, sequence }: Publishing, data: Uint8Array, msgID: string) {
  const expect = { lastSequence: sequence };
  const answer = await stream.client.publish(stream.subject, data, {
    ...{ msgID, expect, timeout: ANSWER_MS },
  });
  if (answer.seq !== sequence + 1) {
    const message = `the stream stored a message at \`${answer.seq}\``;
    throw new LogStoppedError(`${message}, not after \`${sequence}\` as was asked`);
  }
}

/** An answer that will not change when it is asked for again. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  return !MISMATCHES.includes(error.code) && error.status !== PASSING_STATUS;
}

/**
 * Whether the message has come into the stream after all. Throws LogFencedError if another stands
 * in its place. The answer "no" may be stale: only the next attempt's comparison decides.
 */
async function isStored(state: Publishing, id: string): Promise<boolean> {
  const { stream, sequence, epoch, head } = state;
  let found: Awaited<ReturnType<Stream["message"]>>;
  try {
    found = await stream.message(sequence + 1);
  } catch {
    return false;
  }
  if (found === undefined) return false;
  if (found.header.get("Nats-Msg-Id") === id) return true;
  throw new LogFencedError(epoch, decodeBatch(found.data, head.position).epoch);
}
