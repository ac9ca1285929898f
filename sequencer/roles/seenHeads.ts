/**
 * What authors say they have seen of the log. A message may name a record of it, signed: so the log
 * itself shows that its author saw this history and no other, and whoever orders cannot show two.
 */
import type { LogRecord, MessageEntry, OperationEntry } from "../batch/log.ts";
import type { Refused } from "../exchangeService.ts";
import type { Log } from "../ports.ts";
import { type PublicKey, verify } from "../protocol/eddsa.ts";
import { nextHead } from "../protocol/messages.ts";
import { type SeenHead, seenHash } from "../protocol/seenHead.ts";
import type { MemoryState } from "../state/memoryState.ts";

const HASH_BYTES = 32;
/** Newest records whose hashes the door knows: 8 MiB, and 26 s at 10,000 messages a second. */
export const SEEN_RECORDS_MAX = 2 ** 18;
/** Of them, how many are read again at the start. */
const READ_RECORDS_MAX = 2 ** 12;

/** Hashes of the newest durable records. */
export interface SeenHeads {
  /** In the log's order, without a gap. */
  note(records: readonly LogRecord[]): void;
  /** Undefined: not known here, or not there yet. */
  hashAt(position: number): string | undefined;
  /** Of the oldest record that is known. */
  oldest(): number;
}

export function createSeenHeads(recordsMax = SEEN_RECORDS_MAX): SeenHeads {
  const hashes = Buffer.alloc(recordsMax * HASH_BYTES);
  let [oldest, end] = [0, 0];
  const offset = (position: number): number => (position % recordsMax) * HASH_BYTES;
  return {
    note: (records) => {
      for (const { position, hash } of records) {
        if (position !== end) oldest = position;
        end = position + 1;
        oldest = Math.max(oldest, end - recordsMax);
        hashes.write(hash, offset(position), "hex");
      }
    },
    hashAt: (position) => {
      if (position < oldest || position >= end) return undefined;
      const from = offset(position);
      return hashes.toString("hex", from, from + HASH_BYTES);
    },
    oldest: () => oldest,
  };
}

/** As the log has them now: a restart does not make everything that was seen before it unknown. */
export async function readSeenHeads(log: Log, recordsMax = SEEN_RECORDS_MAX): Promise<SeenHeads> {
  const heads = createSeenHeads(recordsMax);
  const from = Math.max(0, log.head().position - Math.min(READ_RECORDS_MAX, recordsMax));
  for await (const record of log.read(from)) heads.note([record]);
  return heads;
}

/** A signed message that names what its author saw. */
interface SeenBy {
  readonly key: PublicKey;
  /** The chain's head before the message, and after it. */
  readonly before: bigint;
  readonly after: bigint;
  readonly seen: SeenHead;
}

function isSigned({ key, after, seen }: Pick<SeenBy, "key" | "after" | "seen">): boolean {
  return verify(key, seenHash(after, seen), seen.signature);
}

/** Why the door does not take the head that the message names, or undefined. */
export function seenRefusal(heads: SeenHeads, by: SeenBy): Refused | undefined {
  const { position, hash } = by.seen;
  const refuse = (code: Refused["code"], reason: string, data: Refused["data"]): Refused => {
    return { accepted: false, code, reason, data };
  };
  const oldest = heads.oldest();
  if (position < oldest) {
    return refuse("staleView", "what the message has seen is too old", { position, oldest });
  }
  const known = heads.hashAt(position);
  if (known !== hash) {
    const reason = "the log has no such record as the message has seen";
    return refuse("unknownHead", reason, { position, hash, ...(known && { known }) });
  }
  if (isSigned(by)) return undefined;
  return refuse("badSignature", "the signature of what was seen is wrong", { head: by.before });
}

/** Whether a validator may take the entry at its place: why not, or undefined. */
export async function seenFault(options: {
  readonly state: MemoryState;
  readonly log: Log;
  readonly heads: SeenHeads;
  readonly record: LogRecord;
}): Promise<string | undefined> {
  const { state, log, heads, record } = options;
  const { entry } = record;
  if (entry.type !== "message" && entry.type !== "operation") return undefined;
  const { seen } = entry;
  if (seen === undefined) return undefined;
  const signed = signedOf(entry);
  const key = signed && state.session(signed.author.account).keys[signed.author.keyIndex];
  if (key === undefined) return "an entry without author has seen a head";
  const { position, hash } = seen;
  const isBefore = Number.isSafeInteger(position) && position >= 0 && position < record.position;
  const known = isBefore ? (heads.hashAt(position) ?? (await hashInLog(log, position))) : undefined;
  if (known !== hash) {
    return `its author has seen \`${hash}\` at position \`${position}\`, which is not this log`;
  }
  if (isSigned({ key, after: nextHead(key.head, signed!.word), seen })) return undefined;
  return "what its author is said to have seen is not signed by the author";
}

function signedOf(entry: MessageEntry | OperationEntry) {
  if (entry.type === "message") return entry;
  const { operation } = entry;
  return "author" in operation && "word" in operation ? operation : undefined;
}

/** Of records that are no longer in memory. */
async function hashInLog(log: Log, position: number): Promise<string | undefined> {
  for await (const record of log.read(position)) return record.hash;
  return undefined;
}
