/** Reads the stream: where it ends, where a position stands in it, and what follows. */
import { DeliverPolicy } from "@nats-io/jetstream";
import type { LogHead, LogRecord } from "../batch/log.ts";
import { LogCorruptionError } from "../batch/log.ts";
import {
  type BatchMessage,
  decodeBatch,
  endOf,
  readBatch,
  type StreamPlace,
} from "./batchMessage.ts";
import type { Stream } from "./stream.ts";

export interface StreamEnd {
  readonly sequence: number;
  readonly batch: BatchMessage;
}

/** The last message; undefined: the stream is empty. `position`: up to where it is known. */
export async function readEnd(stream: Stream, position: number): Promise<StreamEnd | undefined> {
  const last = await stream.message();
  return last && { sequence: last.seq, batch: decodeBatch(last.data, position) };
}

/**
 * The place right after `head` in the stream, which has more records than that or as many. Throws
 * {@link LogCorruptionError} where the stream does not go through `head`.
 */
export async function findPlace(
  stream: Stream,
  head: LogHead,
  end: StreamEnd,
): Promise<StreamPlace> {
  // The last message that ends at or before the head: messages stand in the order of positions.
  let [low, high] = [0, end.sequence];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const batch = await batchAt(stream, middle, head.position);
    if (endOf(batch).position <= head.position) low = middle;
    else high = middle - 1;
  }
  if (low === 0) return { sequence: 0, epoch: 0, head };
  const batch = await batchAt(stream, low, head.position);
  const { position, hash } = endOf(batch);
  if (position !== head.position || hash !== head.hash) {
    throw new LogCorruptionError(position - 1, "the stream and this node's copy differ");
  }
  return { sequence: low, epoch: batch.epoch, head };
}

async function batchAt(stream: Stream, sequence: number, position: number): Promise<BatchMessage> {
  const found = await stream.message(sequence);
  if (found === undefined) {
    throw new LogCorruptionError(position, `the stream lacks its message \`${sequence}\``);
  }
  return decodeBatch(found.data, position);
}

export interface Read {
  readonly place: StreamPlace;
  readonly records: readonly LogRecord[];
}

/** What follows a place: checked messages, up to the sequence `last` or until the signal aborts. */
export async function* readFrom(
  stream: Stream,
  start: StreamPlace,
  { last, signal }: { readonly last?: number; readonly signal?: AbortSignal },
): AsyncGenerator<Read, undefined> {
  if (last !== undefined && start.sequence >= last) return;
  const consumer = await stream.client.consumers.get(stream.name, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start.sequence + 1,
  });
  const messages = await consumer.consume();
  let place = start;
  const end = () => void messages.close();
  signal?.addEventListener("abort", end, { once: true });
  try {
    for await (const message of messages) {
      if (message.seq !== place.sequence + 1) {
        const text = `the stream lacks its message \`${place.sequence + 1}\``;
        throw new LogCorruptionError(place.head.position, text);
      }
      const batch = decodeBatch(message.data, place.head.position);
      place = readBatch(place, message.seq, batch);
      yield { place, records: batch.records };
      if (place.sequence === last) return;
    }
  } finally {
    signal?.removeEventListener("abort", end);
    await messages.close();
  }
}
