/**
 * The `simplex` engine: the order log of a sequencer that belongs to a member of the validator set,
 * and writes in the terms that its member leads. Until then it stands by: reading goes on for as
 * long as others write, a record at a time as it becomes final. When the member leads, reading
 * ends, and the log is this node's to write in the epoch that is the term's number. A record is
 * written to the own disk and shown to validators at once, and acknowledged when they have made it
 * final: what is acknowledged no change of term can take. When the turn is over the log has failed
 * for good, as that of any writer that has been replaced.
 */
import { headAfter, type LogEntry, type LogHead, type LogRecord } from "../batch/log.ts";
import { LogStoppedError, placed } from "../batch/logWriter.ts";
import type { LeadDesk, LeadSession, Log, Logger, Turn } from "../ports.ts";
import type { LogPolicy } from "../protocol/status.ts";

/** The member leads no more, or is gone: the node stands by again. */
export class TurnOverError extends LogStoppedError {
  override name = "TurnOverError";
  constructor(term: number, reason = "is over") {
    super(`the turn to write the order log in term \`${term}\` ${reason}`);
  }
}

/** Records that wait to become final. */
const WAITING_RECORDS_MAX = 2 ** 18;

export interface TermLogOptions {
  /** This node's own log: the log itself, of which the end may not be final. */
  readonly copy: Log;
  readonly desk: LeadDesk;
  readonly logger: Logger;
  /** Ends the wait; reading then throws its reason. */
  readonly signal: AbortSignal;
  /** Cuts the own log off: what this node wrote in an earlier turn, and nobody took. */
  truncate(to: number): Promise<void>;
  /** Awaited when the log has become this node's, before reading ends. */
  onTurn(): Promise<void>;
  /** Records up to `position` are on the own disk: validators may have them. */
  announce(position: number): void;
}

export interface TermLog extends Log {
  /** Records before `position` are final. */
  certified(position: number): void;
  /**
   * Resolves when all that stood in the log when the turn began is final: a quorum has executed it,
   * but another turn may begin before it. Rejects when this one is over.
   */
  begun(): Promise<void>;
  /** What waits to become final never will: it is rejected, and the log takes nothing more. */
  contradicted(error: Error): void;
}

const POLICY: LogPolicy = {
  engine: "simplex",
  durability: "executed and synced to disk by two thirds of the validators, who agree on the order",
  lossWindowMs: 0,
  lossWindow: "none while fewer than a third of the validators lie or lose their disks",
};

interface Waiting {
  readonly to: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Parts {
  readonly options: TermLogOptions;
  readonly failure: AbortController;
  session: LeadSession;
  /** This node's turn, and the head of what it has written in it. */
  turn: Turn | undefined;
  tip: LogHead;
  begun: Promise<void>;
  /** What is acknowledged. */
  final: LogHead;
  waiting: Waiting[];
  /** Heads of records that are not final yet, by the position after them. */
  readonly heads: Map<number, LogHead>;
  certified: number;
}

/** Waits for the member's call. */
export async function openTermLog(options: TermLogOptions): Promise<TermLog> {
  const { copy, logger } = options;
  const session = await openSession(options);
  copy.failure.throwIfAborted();
  const parts: Parts = {
    ...{ options, failure: new AbortController(), session, turn: undefined },
    ...{ tip: copy.head(), final: copy.head(), waiting: [], heads: new Map(), certified: 0 },
    begun: Promise.reject(new LogStoppedError("this node only stands by")),
  };
  parts.begun.catch(() => undefined);
  copy.failure.addEventListener("abort", () => stop(parts, copy.failure.reason), { once: true });
  logger.info("standing by", { position: copy.head().position });
  return {
    head: () => parts.final,
    append: (entries) => append(parts, entries),
    copy: async () => {
      throw new LogStoppedError("only what the member sends is copied here");
    },
    read: (from) => (parts.turn === undefined ? follow(parts, from) : readFinal(parts, from)),
    policy: () => POLICY,
    failure: parts.failure.signal,
    certified: (position) => certify(parts, position),
    begun: () => parts.begun,
    contradicted: (error) => stop(parts, error),
    close: async () => stop(parts, new LogStoppedError("the order log is closed")),
  };
}

/** The member's call, and the own log brought to what it says; the next where the line breaks. */
async function openSession(options: TermLogOptions): Promise<LeadSession> {
  for (;;) {
    const session = await options.desk.session(options.signal);
    try {
      await cutTo(options, session);
      return session;
    } catch (error) {
      if (!session.over.aborted) throw error;
    }
  }
}

/** What the member does not have as final was never acknowledged, and may not be what follows. */
async function cutTo(
  { copy, truncate, logger }: TermLogOptions,
  session: LeadSession,
): Promise<void> {
  const { position } = copy.head();
  const to = await commonPart(copy, session, Math.min(position, session.final.to));
  if (to === position) return;
  logger.warn("the end of the log is not final: it is cut off", { from: to, to: position });
  await truncate(to);
}

/** The last position up to which both logs are one, by halves: records are linked. */
async function commonPart(copy: Log, session: LeadSession, end: number): Promise<number> {
  const isCommon = async (to: number): Promise<boolean> =>
    to === 0 || (await hashBefore(copy, to)) === (await session.hashAt(to));
  if (await isCommon(end)) return end;
  let [low, high] = [0, end];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await isCommon(middle)) low = middle;
    else high = middle;
  }
  return low;
}

async function hashBefore(copy: Log, position: number): Promise<string | undefined> {
  for await (const { hash } of copy.read(position - 1)) return hash;
  return undefined;
}

/** What others write; ends when the log is this node's to write. */
async function* follow(parts: Parts, from: number): AsyncGenerator<LogRecord> {
  const { copy } = parts.options;
  for await (const record of copy.read(from)) yield record;
  for (;;) {
    const turn = yield* followSession(parts);
    if (turn !== undefined) return takeTurn(parts, turn);
    parts.session = await parts.options.desk.session(parts.options.signal);
  }
}

async function* followSession(parts: Parts): AsyncGenerator<LogRecord, Turn | undefined> {
  const { copy, logger, signal } = parts.options;
  const { session } = parts;
  let written: Promise<void> = Promise.resolve();
  const { position, hash: first } = copy.head();
  let hash = first;
  try {
    for await (const item of session.follow(position)) {
      if ("term" in item) {
        await written;
        return item;
      }
      if (item.previous !== hash) {
        // What came for a turn that never began was not final: whoever begins again cuts it off.
        await written;
        throw new TurnOverError(item.epoch, "goes on otherwise than this node's log");
      }
      hash = item.hash;
      written = copy.copy([item]);
      // Groups form by themselves: whoever reads on does not wait for the disk.
      written.catch((error: unknown) => stop(parts, error));
      // A checkpoint may be made there, and must not be ahead of the log.
      if (item.entry.type === "seal") await written;
      yield item;
    }
  } catch (error) {
    if (!session.over.aborted || parts.failure.signal.aborted) throw error;
    logger.info("the member is away", { reason: String(session.over.reason) });
  }
  await written;
  signal.throwIfAborted();
  return undefined;
}

async function takeTurn(parts: Parts, turn: Turn): Promise<void> {
  const { copy, logger, onTurn } = parts.options;
  const head = copy.head();
  if (head.position !== turn.to || (turn.to > 0 && head.hash !== turn.logHash)) {
    throw new TurnOverError(turn.term, "does not begin where the log ends");
  }
  const { over } = parts.session;
  const end = (): void => stop(parts, new TurnOverError(turn.term));
  over.addEventListener("abort", end, { once: true });
  if (over.aborted) throw new TurnOverError(turn.term);
  Object.assign(parts, { turn, tip: head, final: head, begun: untilFinal(parts, turn.to) });
  parts.begun.catch(() => undefined);
  logger.info("the order log is this node's to write", { ...turn });
  await onTurn();
  certify(parts, parts.certified);
  parts.session.leading(turn.term);
}

async function append(parts: Parts, entries: readonly LogEntry[]): Promise<readonly LogRecord[]> {
  const { turn, tip, final, failure, options } = parts;
  if (failure.signal.aborted) throw failure.signal.reason;
  if (turn === undefined) throw new LogStoppedError("this node only stands by");
  if (entries.length === 0) return [];
  if (tip.position - final.position + entries.length > WAITING_RECORDS_MAX) {
    throw new RangeError(`more than ${WAITING_RECORDS_MAX} records wait to become final`);
  }
  const records = placed(tip, entries, turn.term);
  const head = headAfter(records.at(-1)!);
  parts.tip = head;
  parts.heads.set(head.position, head);
  const certified = untilFinal(parts, head.position);
  options.copy.copy(records).then(
    () => options.announce(head.position - 1),
    (error: unknown) => stop(parts, error),
  );
  await certified;
  return records;
}

function untilFinal({ waiting }: Parts, to: number): Promise<void> {
  return new Promise((resolve, reject) => waiting.push({ to, resolve, reject }));
}

/** Acknowledges what lies before `position`. */
function certify(parts: Parts, position: number): void {
  parts.certified = Math.max(parts.certified, position);
  if (parts.turn === undefined || parts.failure.signal.aborted) return;
  while (parts.waiting[0] !== undefined && parts.waiting[0].to <= parts.certified) {
    const { to, resolve } = parts.waiting.shift()!;
    parts.final = parts.heads.get(to) ?? parts.final;
    parts.heads.delete(to);
    resolve();
  }
}

function stop(parts: Parts, error: unknown): void {
  const { failure, waiting } = parts;
  if (failure.signal.aborted) return;
  const reason = error instanceof Error ? error : new LogStoppedError(String(error));
  failure.abort(reason);
  parts.waiting = [];
  for (const { reject } of waiting) reject(reason);
}

async function* readFinal(parts: Parts, from: number): AsyncGenerator<LogRecord> {
  const { position } = parts.final;
  if (from >= position) return;
  for await (const record of parts.options.copy.read(from)) {
    if (record.position >= position) return;
    yield record;
  }
}
