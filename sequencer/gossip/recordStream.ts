/** Records of the log on a stream: one frame each, sent in groups. */
import type { Stream } from "@libp2p/interface";
import { encodeRecord, type LogRecord } from "../batch/log.ts";
import { sendFrames } from "./frames.ts";

/** Records are sent together up to this size. */
const SEND_BYTES = 64 * 2 ** 10;

/** Sends the records before `to`, as fast as they are taken; how many. */
export async function sendRecords(
  stream: Stream,
  records: AsyncIterable<LogRecord>,
  signal: AbortSignal,
  to = Number.POSITIVE_INFINITY,
): Promise<number> {
  const encoder = new TextEncoder();
  let count = 0;
  let messages: Uint8Array[] = [];
  let size = 0;
  for await (const record of records) {
    signal.throwIfAborted();
    const message = encoder.encode(encodeRecord(record));
    messages.push(message);
    size += message.length;
    count += 1;
    if (record.position >= to - 1) break;
    if (size < SEND_BYTES) continue;
    await sendFrames(stream, messages, signal);
    messages = [];
    size = 0;
  }
  if (messages.length > 0) await sendFrames(stream, messages, signal);
  return count;
}
