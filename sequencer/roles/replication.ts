/**
 * Where a member takes the log from: the sequencer, as it comes; and, when the sequencer does not
 * send what a quorum has already vouched for, any other member. What members send is given on only
 * when its links lead from the own head to the hash in a certificate, so no member need be trusted:
 * at least one honest one has executed those very records.
 */
import {
  assertContinues,
  encodeRecord,
  headAfter,
  type LogHead,
  type LogRecord,
} from "../batch/log.ts";
import type { Log, LogEnd, LogFollower, Logger, MemberNetwork } from "../ports.ts";
import { messageOf, pause } from "./loop.ts";

/** Records that are held in memory until they are known to be right. */
const CHUNK_RECORDS = 2 ** 12;
/** As JSON they may take so many characters before the last of them: as many as usual by far. */
export const CHUNK_SIZE = 2 ** 22;
/** How long one member may take to send a range (ms). */
const RANGE_MS_MAX = 30_000;
/** Between two rounds of asking all members (ms). */
const RETRY_MS = 250;

export interface ReplicationOptions {
  readonly sequencer: LogFollower;
  readonly network: Pick<MemberNetwork, "connected" | "records" | "punish">;
  readonly log: Pick<Log, "head">;
  /** Where the sitting begins: a quorum of the one before has signed what leads there. */
  readonly base?: LogEnd;
  readonly logger: Logger;
  /** How long the sequencer may be silent while records are wanted (ms). */
  readonly patienceMs: number;
  /**
   * Told when the sequencer's log does not continue the own one, where that is no end: the
   * sequencer moves, and what members hold beyond what is final may differ. Nobody is blamed then.
   */
  readonly onContradiction?: (() => void) | undefined;
}

export interface Replication extends LogFollower {
  want(target: LogEnd): void;
  /** What was wanted may be of a log that nobody goes on with. */
  forget(): void;
  /** Whether the sequencer is a source at all. */
  trust(isTrusted: boolean): void;
}

/** A position whose hash is known. */
interface Stone {
  readonly to: number;
  readonly hash: string;
}

interface Parts {
  readonly options: ReplicationOptions;
  target: LogEnd | undefined;
  wake: () => void;
  isTrusted: boolean;
  /** Member that is asked next. */
  turn: number;
}

export function createReplication(options: ReplicationOptions): Replication {
  const parts: Parts = {
    ...{ options, target: options.base, wake: () => undefined, isTrusted: true, turn: 0 },
  };
  return {
    ...options.sequencer,
    forget: () => {
      parts.target = options.base;
    },
    trust: (isTrusted) => {
      parts.isTrusted = isTrusted;
      parts.wake();
    },
    want: (target) => {
      if (target.to <= (parts.target?.to ?? 0)) return;
      parts.target = target;
      parts.wake();
    },
    follow: (from, signal) => follow(parts, from, signal),
  };
}

async function* follow(parts: Parts, from: number, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const { log, base } = parts.options;
  let head = log.head();
  if (head.position !== from) throw new RangeError(`the log ends at \`${head.position}\``);
  while (!signal.aborted) {
    // What the sitting before made final, nobody in this one certifies again.
    const isBefore = head.position < (base?.to ?? 0);
    if (parts.isTrusted && !isBefore) {
      for await (const record of fromSequencer(parts, head, signal)) {
        // Whoever executes it checks that it follows.
        head = headAfter(record);
        yield record;
      }
    } else if (!isBefore) await somethingWanted(parts, head, signal);
    if (signal.aborted) return;
    for await (const record of fromMembers(parts, head, signal)) {
      head = headAfter(record);
      yield record;
    }
  }
}

/** Resolves once members are to be asked, or after a while. */
async function somethingWanted(parts: Parts, head: LogHead, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  parts.wake = () => {
    if (parts.isTrusted || (parts.target?.to ?? 0) > head.position) waiting.abort();
  };
  parts.wake();
  await pause(RETRY_MS, AbortSignal.any([signal, waiting.signal]));
  parts.wake = () => undefined;
}

/** What the sequencer sends, until it is silent though there must be more, or is another's. */
async function* fromSequencer(
  parts: Parts,
  from: LogHead,
  outer: AbortSignal,
): AsyncGenerator<LogRecord> {
  const { sequencer, onContradiction } = parts.options;
  let head = from;
  const leaving = new AbortController();
  const signal = AbortSignal.any([outer, leaving.signal]);
  const records = sequencer.follow(head.position, signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextOrSilence(parts, records.next(), head);
      if (next === undefined || next.done === true) return;
      if (onContradiction !== undefined && next.value.previous !== head.hash) {
        onContradiction();
        await pause(RETRY_MS, outer);
        return;
      }
      head = headAfter(next.value);
      yield next.value;
    }
  } finally {
    leaving.abort();
    // Left in the middle it would never end, nor let go of its stream.
    void records.return?.().catch(() => undefined);
  }
}

/** The sequencer's next record; undefined when it is silent though there must be one. */
function nextOrSilence(
  parts: Parts,
  next: Promise<IteratorResult<LogRecord>>,
  head: LogHead,
): Promise<IteratorResult<LogRecord> | undefined> {
  const { patienceMs } = parts.options;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      if (timer !== undefined || (parts.target?.to ?? 0) <= head.position) return;
      timer = setTimeout(() => end(() => resolve(undefined)), patienceMs);
    };
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      parts.wake = () => undefined;
      settle();
    };
    parts.wake = watch;
    watch();
    next.then(
      (item) => end(() => resolve(item)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}

/** Records up to the target, from whichever member has them; what it can get, at the end. */
async function* fromMembers(
  parts: Parts,
  from: LogHead,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const { network, logger } = parts.options;
  const { target } = parts;
  let head = from;
  if (target === undefined) return;
  const members = network.connected();
  for (let asked = 0; asked < members.length && head.position < target.to; asked++) {
    parts.turn += 1;
    const member = members[parts.turn % members.length]!;
    try {
      for await (const record of checkedRange(parts, member, { head, target }, signal)) {
        head = headAfter(record);
        yield record;
      }
      const { to } = target;
      logger.info("took records from a member", { member, from: from.position, to });
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("a member did not give its records", { member, error: messageOf(error) });
      const isToBlame = error instanceof WrongRangeError && !parts.options.onContradiction;
      if (isToBlame) network.punish(member, error.message);
    }
  }
  if (head.position < target.to) await pause(RETRY_MS, signal);
}

/** The member has sent records that do not lead to the hash that a quorum has signed. */
class WrongRangeError extends Error {
  override name = "WrongRangeError";
}

/** Part of a range that is held until its end has the right hash. */
interface Chunk {
  readonly records: LogRecord[];
  /** Characters of JSON. */
  size: number;
}

const isFull = ({ records, size }: Chunk): boolean =>
  records.length >= CHUNK_RECORDS || size >= CHUNK_SIZE;

function hold(chunk: Chunk, record: LogRecord): void {
  chunk.records.push(record);
  chunk.size += encodeRecord(record).length;
}

/**
 * What does not fit into a chunk is read twice: the first time to see that it leads to the target
 * and to learn the hashes on the way, so that the second time a chunk at a time can be held and
 * given on.
 */
async function* checkedRange(
  parts: Parts,
  member: number,
  { head, target }: { head: LogHead; target: LogEnd },
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const last = { to: target.to, hash: target.logHash };
  const { stones, records } = await firstReading(parts, member, { head, last }, signal);
  if (records !== undefined) {
    yield* records;
    return;
  }
  let at = head;
  for (const stone of stones) {
    const chunk: Chunk = { records: [], size: 0 };
    const end = await walk(parts, member, { head: at, to: stone.to }, signal, (record) => {
      if (isFull(chunk)) throw new WrongRangeError("its records are others than before");
      hold(chunk, record);
    });
    if (end.hash !== stone.hash) throw new WrongRangeError("its records lead to another hash");
    yield* chunk.records;
    at = end;
  }
}

/** Where chunks of the range end; the records themselves, where one chunk holds them all. */
async function firstReading(
  parts: Parts,
  member: number,
  { head, last }: { head: LogHead; last: Stone },
  signal: AbortSignal,
): Promise<{ stones: readonly Stone[]; records: readonly LogRecord[] | undefined }> {
  const stones: Stone[] = [];
  let chunk: Chunk = { records: [], size: 0 };
  const range = { head, to: last.to };
  const end = await walk(parts, member, range, signal, (record) => {
    hold(chunk, record);
    const to = record.position + 1;
    if (!isFull(chunk) || to === last.to) return;
    stones.push({ to, hash: record.hash });
    chunk = { records: [], size: 0 };
  });
  if (end.hash !== last.hash) throw new WrongRangeError("its records lead to another hash");
  return {
    stones: [...stones, last],
    records: stones.length === 0 ? chunk.records : undefined,
  };
}

/** Reads the whole range, checking each link; the head that it leads to. */
async function walk(
  { options }: Parts,
  member: number,
  { head, to }: { head: LogHead; to: number },
  signal: AbortSignal,
  visit: (record: LogRecord) => void,
): Promise<LogHead> {
  let at = head;
  const range = { from: head.position, to };
  const ask = AbortSignal.any([signal, AbortSignal.timeout(RANGE_MS_MAX)]);
  for await (const record of options.network.records(member, range, ask)) {
    if (at === head && record.previous !== head.hash) {
      // Theirs or ours is the wrong one: nothing here tells.
      throw new Error(`its log is another than the own at \`${head.position}\``);
    }
    try {
      assertContinues(record, at);
    } catch (error) {
      throw new WrongRangeError(messageOf(error));
    }
    visit(record);
    at = headAfter(record);
    if (at.position === to) return at;
  }
  throw new Error(`it has no more than \`${at.position}\` of \`${to}\` records`);
}
