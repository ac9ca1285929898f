/** Records of the log on a stream: one frame each, sent in groups. */
import type { Stream } from "@libp2p/interface";
import { encodeRecord, type LogRecord } from "../batch/log.ts";
import { sendFrames } from "./frames.ts";

/** Records are sent together up to this size. */
const SEND_BYTES = 64 * 2 ** 10;

/** Messages of records that are sent to several at once: as long as somebody has the record. */
const messages = new WeakMap<LogRecord, Uint8Array>();

function messageOf(record: LogRecord): Uint8Array {
  const known = messages.get(record);
  if (known !== undefined) return known;
  const message = Buffer.from(encodeRecord(record));
  messages.set(record, message);
  return message;
}

/** Sends the records before `to`, as fast as they are taken; how many. */
export async function sendRecords(
  stream: Stream,
  records: AsyncIterable<LogRecord>,
  signal: AbortSignal,
  to = Number.POSITIVE_INFINITY,
): Promise<number> {
  let count = 0;
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const record of records) {
    signal.throwIfAborted();
    const message = messageOf(record);
    waiting.push(message);
    size += message.length;
    count += 1;
    if (record.position >= to - 1) break;
    if (size < SEND_BYTES) continue;
    await sendFrames(stream, waiting, signal);
    waiting = [];
    size = 0;
  }
  if (waiting.length > 0) await sendFrames(stream, waiting, signal);
  return count;
}
