/** Load on an order log: as much as it takes, or a rate that does not wait for answers. */
import type { MessageEntry } from "../../../sequencer/batch/log.ts";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import { percentile } from "../percentile.ts";

/** What an append is here: it resolves when so many records are durable. */
export type Append = (entries: readonly MessageEntry[]) => Promise<unknown>;

export interface Latencies {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const ENTRY_BYTES = 250;
const SECONDS = 3;
/** Records that wait for their acknowledgement at once when as much is written as is taken. */
const WAITING_MAX = 8192;
const RECORDS_PER_APPEND = 16;
/** Signatures of this many bits give entries of 250 bytes. */
const BITS = entryBits();

function entryOf(number: number, bits: number): MessageEntry {
  const big = (1n << BigInt(bits - 1)) + BigInt(number % 1000);
  return {
    type: "message",
    author: { account: 1000 + (number % 1000), keyIndex: 0 },
    word: (1n << 60n) + BigInt(number),
    signature: { r8x: big, r8y: big, s: big },
    arrived: 1_800_000_000_000 + number,
  };
}

function entryBits(): number {
  let bits = 4;
  while (encodeJson(entryOf(0, bits)).length < ENTRY_BYTES) bits += 4;
  return bits;
}

const ENTRIES = Array.from({ length: 1000 }, (_, number) => entryOf(number, BITS));

export function sampleEntry(number: number): MessageEntry {
  return ENTRIES[number % ENTRIES.length]!;
}

/** Records a second while the log is never left waiting. */
export async function mostPerSecond(append: Append): Promise<number> {
  const start = performance.now();
  const isOn = () => performance.now() - start < SECONDS * 1000;
  let number = 0;
  const writers = Array.from({ length: WAITING_MAX / RECORDS_PER_APPEND }, async () => {
    while (isOn()) {
      const first = number;
      number += RECORDS_PER_APPEND;
      await append(Array.from({ length: RECORDS_PER_APPEND }, (_, at) => sampleEntry(first + at)));
    }
  });
  await Promise.all(writers);
  return number / ((performance.now() - start) / 1000);
}

/** One record an append, at `rate` a second whether or not the log keeps up. */
export async function latenciesAt(append: Append, rate: number): Promise<Latencies> {
  const taken: number[] = [];
  const waiting: Promise<void>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < rate * SECONDS; ) {
    const due = Math.min(rate * SECONDS, ((performance.now() - start) / 1000) * rate);
    for (; sent < due; sent++) {
      // From when it was due: a load that falls behind must not hide the wait.
      const at = start + (sent / rate) * 1000;
      const done = append([sampleEntry(sent)]).then(() => void taken.push(performance.now() - at));
      waiting.push(done);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(waiting);
  const seconds = (performance.now() - start) / 1000;
  const [p50Ms, p99Ms] = [percentile(taken, 50), percentile(taken, 99)];
  return { perSecond: taken.length / seconds, p50Ms, p99Ms };
}
