/**
 * The layer-one queue, read from events of confirmed blocks. A provider that leaves out events
 * would make the sequencer skip money, so what was read is held against the contract's own count,
 * and against a second endpoint where there is one. When the chain has replaced blocks, what they
 * held is read anew; entries that the ledger has already taken must come back as they were, and
 * closes not in a later block than the marks that served them.
 */
import { BlockNotFoundError, type Hash } from "viem";
import type { DurableValues, QueuedOperation, ServedClose } from "../ports.ts";
import { type ChainHead, type ChainWatch, REORG_BLOCKS_MAX } from "./chainWatch.ts";
import type { Conditions } from "./conditions.ts";
import { type BlockRange, eventsWithin, firstPage } from "./eventPages.ts";
import { EMPTY_QUEUE, isPriced, type QueueEntry, queueEntryOf } from "./queueEntry.ts";
import { openQueueMarks, type QueueMark, type QueueMarks } from "./queueMarks.ts";
import { type RollupEvents, type RollupReader, readNumbers } from "./rollupReader.ts";
import { describeChainError, SettlementError, SettlementPausedError } from "./settlementError.ts";
import { openTakenEntries, type TakenEntries } from "./takenEntries.ts";

export interface QueueReader {
  /**
   * Confirmed entries from `fromQueueId` on, in order, as far as closes are deep enough. All before
   * it count as taken.
   */
  queued(fromQueueId: number, served?: readonly ServedClose[]): Promise<readonly QueuedOperation[]>;
  /** Throws where layer one lacks entries that were taken, as far as this process has asked. */
  assertEntries(): Promise<void>;
}

export interface QueueReaderOptions {
  readonly reader: RollupReader;
  readonly witness?: RollupReader | undefined;
  readonly watch: ChainWatch;
  readonly conditions: Conditions;
  readonly values: DurableValues;
  /** Blocks that must stand on a close before it is given out; absent: as on every entry. */
  readonly closeConfirmations?: number | undefined;
}

/**
 * A close is bound to its block: whoever serves it by marks from before that block's time has made
 * a batch that layer one never takes. So it waits until no reorg that is followed can move it,
 * which a deadline of days has time for.
 */
export const CLOSE_CONFIRMATIONS = REORG_BLOCKS_MAX;

const QUEUED = { eventName: "OperationQueued" } as const;

interface Progress {
  readonly options: QueueReaderOptions;
  readonly taken: TakenEntries;
  entries: Map<number, QueueEntry>;
  /** Digests of what the ledger has been given last. */
  given: ReadonlyMap<number, Hash>;
  /** Closes that the ledger has executed, by their places. */
  served: ReadonlyMap<number, ServedClose>;
  /** Entries below were forgotten: nobody asks for them any more. */
  forgotten: number;
  readonly marks: QueueMarks;
  /** Block at which taken entries were first found missing. */
  goneSince: bigint | undefined;
}

export function createQueueReader(options: QueueReaderOptions): QueueReader {
  let progress: Progress | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function queued(
    fromQueueId: number,
    served: readonly ServedClose[] = [],
  ): Promise<readonly QueuedOperation[]> {
    progress ??= await open(options, fromQueueId, served);
    progress.served = new Map(served.map((close) => [close.queueId, close]));
    if (fromQueueId < progress.forgotten) await startAnew(progress);
    // First what was given: a reorg may have put something else there since.
    const given = progress.given.get(fromQueueId - 1);
    if (given !== undefined) await progress.taken.take(fromQueueId, given);
    const head = await look(progress, fromQueueId);
    for (; progress.forgotten < fromQueueId; progress.forgotten++) {
      progress.entries.delete(progress.forgotten);
    }
    const entries = deepEnough(progress, head);
    progress.given = new Map(entries.map(({ queued, digest }) => [queued.queueId, digest]));
    return entries.map(({ queued }) => queued);
  }

  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    queued: (fromQueueId, served) => inTurn(() => queued(fromQueueId, served)),
    assertEntries: () => inTurn(async () => void (progress && (await look(progress, 0)))),
  };
}

/** Reads what is new. All entries below `fromQueueId`, and all that were taken, must be there. */
async function look(progress: Progress, fromQueueId: number): Promise<ChainHead> {
  const { watch, conditions } = progress.options;
  const head = await watch.check();
  try {
    await fallBack(progress);
    await readOn(progress, head.confirmed);
    conditions.resume("events");
  } catch (error) {
    // Whoever waits for an entry must know that its absence means nothing.
    const isTold = error instanceof SettlementPausedError || conditions.stopped() !== null;
    if (!isTold) {
      conditions.pause("events", `the queue cannot be read: ${describeChainError(error)}`);
    }
    throw error;
  }
  checkTaken(progress);
  checkServed(progress);
  await take(progress, fromQueueId);
  checkPresent(progress, fromQueueId, head);
  return head;
}

/** All entries, up to the first close that a reorg might still put into a later block. */
function deepEnough({ options, entries }: Progress, { number }: ChainHead): QueueEntry[] {
  const all = [...entries.values()];
  const deep = number - BigInt(options.closeConfirmations ?? 0);
  const end = all.findIndex(({ queued, block }) => queued.pricedFrom > 0 && block > deep);
  return end < 0 ? all : all.slice(0, end);
}

async function open(
  options: QueueReaderOptions,
  fromQueueId: number,
  served: readonly ServedClose[],
): Promise<Progress> {
  const taken = await openTakenEntries(options.values);
  await taken.dropAbove(fromQueueId);
  const block = options.reader.firstBlock - 1n;
  const origin = { block, hash: undefined, end: 0, digest: EMPTY_QUEUE, isCounted: true };
  const marks = await openQueueMarks(options.values, origin);
  // What a batch that is not anchored stands on is looked at again: it may have moved unseen.
  const waiting = served.filter(({ isAnchored }) => !isAnchored).map(({ queueId }) => queueId);
  const needed = Math.min(fromQueueId, ...waiting);
  await marks.dropWhile(({ end }) => end > needed);
  const nothing = { entries: new Map(), given: new Map(), served: new Map(), goneSince: undefined };
  return { options, taken, ...nothing, marks, forgotten: marks.last().end };
}

async function startAnew(progress: Progress): Promise<void> {
  progress.entries.clear();
  progress.forgotten = 0;
  await progress.marks.dropWhile(() => true);
}

async function take({ taken, entries, marks }: Progress, fromQueueId: number): Promise<void> {
  const digest = entries.get(fromQueueId - 1)?.digest ?? marks.digestAt(fromQueueId);
  if (digest !== undefined) await taken.take(fromQueueId, digest);
}

/** Goes back to the newest mark that the chain still has. */
async function fallBack(progress: Progress): Promise<void> {
  const { client } = progress.options.reader;
  await progress.marks.dropWhile(async ({ block: blockNumber, hash }) => {
    const block = await client.getBlock({ blockNumber }).catch((error: unknown) => {
      // The chain may be shorter now; anything else says nothing of it.
      if (!(error instanceof BlockNotFoundError)) throw error;
    });
    return block?.hash !== hash;
  });
  forgetAfter(progress);
}

/** Entries after the last mark. */
function forgetAfter(progress: Progress): void {
  const { entries, marks } = progress;
  const { end } = marks.last();
  for (const id of entries.keys()) if (id >= end) entries.delete(id);
  progress.forgotten = Math.min(progress.forgotten, end);
}

async function readOn(progress: Progress, toBlock: bigint): Promise<void> {
  const { marks } = progress;
  try {
    while (marks.last().block < toBlock) {
      await readPage(progress, { fromBlock: marks.last().block + 1n, toBlock });
    }
    await countEntries(progress);
  } catch (error) {
    if (!(error instanceof SettlementError)) throw error;
    // Something was left out, on one of the pages that nobody has counted yet.
    await marks.dropWhile(({ isCounted }) => !isCounted);
    forgetAfter(progress);
    throw error;
  }
}

/** As many blocks as the endpoint gives at once. */
async function readPage(progress: Progress, range: BlockRange): Promise<void> {
  const { options, marks, entries } = progress;
  const { reader, witness, conditions } = options;
  const last = marks.last();
  const hashOf = async (blockNumber: bigint): Promise<Hash> =>
    (await reader.client.getBlock({ blockNumber })).hash;
  const newest = await hashOf(range.toBlock);
  const { events, toBlock } = await firstPage(reader, QUEUED, range);
  const found = entriesOf(events, last, await minedAt(reader, events));
  const digest = digestOf(found, last);
  if (witness !== undefined) {
    const { fromBlock } = range;
    const its = await eventsWithin(witness, QUEUED, { fromBlock, toBlock });
    const theirs = entriesOf(its, last, await minedAt(witness, its));
    if (digestOf(theirs, last) !== digest || !arePricedAlike(theirs, found)) {
      const blocks = `\`${fromBlock}\` to \`${toBlock}\``;
      throw conditions.pause("queue", `the endpoints disagree on queue events, blocks ${blocks}`);
    }
  }
  const hash = await hashOf(toBlock);
  const again = await hashOf(range.toBlock);
  if (again !== newest) throw new SettlementPausedError("layer one changed while it was read");
  for (const entry of found) entries.set(entry.queued.queueId, entry);
  const end = last.end + found.length;
  await marks.push({ block: toBlock, hash, end, digest, isCounted: false });
}

function digestOf(found: readonly QueueEntry[], last: QueueMark): Hash {
  return found.at(-1)?.digest ?? last.digest;
}

/** When the blocks of priced entries were made, by hash (unix ms): the contract's own clock. */
async function minedAt(
  { client }: RollupReader,
  events: RollupEvents<"OperationQueued">,
): Promise<ReadonlyMap<Hash, number>> {
  const times = new Map<Hash, number>();
  for (const { blockHash } of events.filter(isPriced)) {
    if (times.has(blockHash)) continue;
    const { timestamp } = await client.getBlock({ blockHash });
    times.set(blockHash, Number(timestamp) * 1000);
  }
  return times;
}

function arePricedAlike(one: readonly QueueEntry[], other: readonly QueueEntry[]): boolean {
  return one.every(({ queued }, place) => queued.pricedFrom === other[place]?.queued.pricedFrom);
}

function entriesOf(
  events: RollupEvents<"OperationQueued">,
  last: QueueMark,
  times: ReadonlyMap<Hash, number>,
): QueueEntry[] {
  const found: QueueEntry[] = [];
  for (const event of events) {
    const expected = last.end + found.length;
    if (Number(event.args.queueId) !== expected) {
      const message = `expected queue entry \`${expected}\`, found \`${event.args.queueId}\``;
      throw new SettlementError(message);
    }
    const at = isPriced(event) ? times.get(event.blockHash) : 0;
    found.push(queueEntryOf(event, digestOf(found, last), at));
  }
  return found;
}

/** Only at the last page: endpoints need not know the contract's older numbers. */
async function countEntries({ options, marks }: Progress): Promise<void> {
  const { hash, end, isCounted } = marks.last();
  if (isCounted || hash === undefined) return;
  const { queueEnd } = await readNumbers(options.reader, hash);
  if (queueEnd !== end) {
    const counts = `\`${end}\` entries found, the contract counts \`${queueEnd}\``;
    throw new SettlementError(`the provider left out queue events: ${counts}`);
  }
  marks.countLast();
}

/** Entries that were taken must be what they were: the log has them, and the log cannot change. */
function checkTaken({ taken, options, entries }: Progress): void {
  for (const { queued, digest } of entries.values()) {
    const was = taken.digestAt(queued.queueId + 1);
    if (was === undefined || was === digest) continue;
    const which = `queue entry \`${queued.queueId}\` or one before it`;
    throw options.conditions.stop(
      `a reorg of layer one has replaced ${which}, which the ledger had already credited`,
    );
  }
}

/** Layer one takes no batch that serves a close by marks from before the close's block. */
function checkServed({ options, entries, served }: Progress): void {
  for (const { queued } of entries.values()) {
    const { snapshotTime } = served.get(queued.queueId) ?? {};
    if (snapshotTime === undefined || queued.pricedFrom <= snapshotTime) continue;
    const moved = `a reorg of layer one has put the close \`${queued.queueId}\` into a block of`;
    const times = `\`${queued.pricedFrom}\`, after the marks of \`${snapshotTime}\` that served it`;
    throw options.conditions.stop(`${moved} ${times}: no batch with it can be anchored`);
  }
}

/**
 * Taken entries that are not there will mostly be mined again, being valid transactions: worth
 * waiting for, since no batch with them can be anchored meanwhile. Not for ever, though.
 */
function checkPresent(progress: Progress, fromQueueId: number, { number }: ChainHead): void {
  const { options, taken, marks } = progress;
  const { conditions } = options;
  const needed = Math.max(fromQueueId, taken.next());
  const { end } = marks.last();
  if (end >= needed) {
    progress.goneSince = undefined;
    conditions.resume("queue");
    return;
  }
  progress.goneSince ??= number;
  const which = `queue entries \`${end}\` to \`${needed - 1}\``;
  if (number - progress.goneSince > REORG_BLOCKS_MAX) {
    throw conditions.stop(`a reorg of layer one took ${which}, already credited, and kept them`);
  }
  throw conditions.pause("queue", `a reorg of layer one took ${which}, already credited`);
}
