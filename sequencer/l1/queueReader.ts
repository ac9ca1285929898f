/**
 * The layer-one queue, read from events of confirmed blocks. A provider that leaves out events
 * would make the sequencer skip money, so what was read is held against the contract's own count,
 * and against a second endpoint where there is one. When the chain has replaced blocks, what they
 * held is read anew; entries that the ledger has already taken must come back as they were.
 */
import { BlockNotFoundError, type Hash } from "viem";
import type { DurableValues, QueuedOperation } from "../ports.ts";
import { type ChainHead, type ChainWatch, REORG_BLOCKS_MAX } from "./chainWatch.ts";
import type { Conditions } from "./conditions.ts";
import { EMPTY_QUEUE, type QueueEntry, queueEntryOf } from "./queueEntry.ts";
import { queueEvents, type RollupReader, readNumbers } from "./rollupReader.ts";
import { SettlementError, SettlementPausedError } from "./settlementError.ts";
import { openTakenEntries, type TakenEntries } from "./takenEntries.ts";

export interface QueueReader {
  /** Confirmed entries from `fromQueueId` on, in order. All before it count as taken. */
  queued(fromQueueId: number): Promise<readonly QueuedOperation[]>;
}

export interface QueueReaderOptions {
  readonly reader: RollupReader;
  readonly witness?: RollupReader | undefined;
  readonly watch: ChainWatch;
  readonly conditions: Conditions;
  readonly confirmations: number;
  readonly values: DurableValues;
}

/** Places in the chain to which reading can fall back. */
const MARKS_KEPT = 2 * REORG_BLOCKS_MAX;

/** The queue after a block. */
interface Mark {
  readonly block: bigint;
  readonly hash: Hash | undefined;
  readonly end: number;
  readonly digest: Hash;
}

interface Progress {
  readonly options: QueueReaderOptions;
  readonly taken: TakenEntries;
  entries: Map<number, QueueEntry>;
  /** Entries below were forgotten: nobody asks for them any more. */
  forgotten: number;
  /** Ascending; the first is the chain before the rollup. */
  marks: Mark[];
  /** Block at which taken entries were first found missing. */
  goneSince: bigint | undefined;
}

export function createQueueReader(options: QueueReaderOptions): QueueReader {
  let progress: Progress | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function queued(fromQueueId: number): Promise<readonly QueuedOperation[]> {
    progress ??= await open(options, fromQueueId);
    if (fromQueueId < progress.forgotten) startAnew(progress);
    await take(progress, fromQueueId);
    const head = await options.watch.check();
    await fallBack(progress);
    await readOn(progress, head);
    await take(progress, fromQueueId);
    checkPresent(progress, fromQueueId, head);
    for (; progress.forgotten < fromQueueId; progress.forgotten++) {
      progress.entries.delete(progress.forgotten);
    }
    return [...progress.entries.values()].map((entry) => entry.queued);
  }

  return {
    queued: (fromQueueId) => {
      const result = turn.then(() => queued(fromQueueId));
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

async function open(options: QueueReaderOptions, fromQueueId: number): Promise<Progress> {
  const taken = await openTakenEntries(options.values);
  await taken.dropAbove(fromQueueId);
  const block = options.reader.firstBlock - 1n;
  const origin = { block, hash: undefined, end: 0, digest: EMPTY_QUEUE };
  const nothing = { entries: new Map(), forgotten: 0, goneSince: undefined };
  return { options, taken, ...nothing, marks: [origin] };
}

function startAnew(progress: Progress): void {
  progress.entries.clear();
  progress.forgotten = 0;
  progress.marks.splice(1);
}

async function take({ taken, entries }: Progress, fromQueueId: number): Promise<void> {
  const last = entries.get(fromQueueId - 1);
  if (last !== undefined) await taken.take(fromQueueId, last.digest);
}

/** Goes back to the newest mark that the chain still has. */
async function fallBack(progress: Progress): Promise<void> {
  const { options, marks, entries } = progress;
  const { client } = options.reader;
  for (let last = marks.at(-1)!; last.hash !== undefined; last = marks.at(-1)!) {
    const block = await client.getBlock({ blockNumber: last.block }).catch((error: unknown) => {
      // The chain may be shorter now; anything else says nothing of it.
      if (!(error instanceof BlockNotFoundError)) throw error;
    });
    if (block?.hash === last.hash) break;
    marks.pop();
  }
  const { end } = marks.at(-1)!;
  for (const id of entries.keys()) if (id >= end) entries.delete(id);
  progress.forgotten = Math.min(progress.forgotten, end);
}

async function readOn(progress: Progress, head: ChainHead): Promise<void> {
  const { options, marks, entries } = progress;
  const { reader, witness, conditions } = options;
  const last = marks.at(-1)!;
  const toBlock = head.number - BigInt(options.confirmations);
  if (toBlock <= last.block) return;
  const { hash } = await reader.client.getBlock({ blockNumber: toBlock });
  const range = { fromBlock: last.block + 1n, toBlock };
  const found = await readEntries(reader, range, last);
  if (witness !== undefined) {
    const its = await readEntries(witness, range, last);
    if (digestOf(its, last) !== digestOf(found, last)) {
      const blocks = `\`${range.fromBlock}\` to \`${toBlock}\``;
      throw conditions.pause("queue", `the endpoints disagree on queue events, blocks ${blocks}`);
    }
  }
  const again = await reader.client.getBlock({ blockNumber: toBlock });
  if (again.hash !== hash) throw new SettlementPausedError("layer one changed while it was read");
  checkTaken(progress, found);
  for (const entry of found) entries.set(entry.queued.queueId, entry);
  const end = last.end + found.length;
  marks.push({ block: toBlock, hash, end, digest: digestOf(found, last) });
  // The first one stays: from there everything can be read.
  if (marks.length > MARKS_KEPT) marks.splice(1, marks.length - MARKS_KEPT);
}

function digestOf(found: readonly QueueEntry[], last: Mark): Hash {
  return found.at(-1)?.digest ?? last.digest;
}

async function readEntries(
  reader: RollupReader,
  range: { readonly fromBlock: bigint; readonly toBlock: bigint },
  last: Mark,
): Promise<QueueEntry[]> {
  const found: QueueEntry[] = [];
  for await (const event of queueEvents(reader, range)) {
    const expected = last.end + found.length;
    if (Number(event.args.queueId) !== expected) {
      const message = `expected queue entry \`${expected}\`, found \`${event.args.queueId}\``;
      throw new SettlementError(message);
    }
    found.push(queueEntryOf(event, digestOf(found, last)));
  }
  const { queueEnd } = await readNumbers(reader, range.toBlock);
  if (queueEnd !== last.end + found.length) {
    const counts = `\`${last.end + found.length}\` entries found, the contract counts`;
    throw new SettlementError(`the provider left out queue events: ${counts} \`${queueEnd}\``);
  }
  return found;
}

/** Entries that were taken must be what they were: the log has them, and the log cannot change. */
function checkTaken({ taken, options }: Progress, found: readonly QueueEntry[]): void {
  for (const { queued, digest } of found) {
    const was = taken.digestAt(queued.queueId + 1);
    if (was === undefined || was === digest) continue;
    const which = `queue entry \`${queued.queueId}\` or one before it`;
    throw options.conditions.stop(
      `a reorg of layer one has replaced ${which}, which the ledger had already credited`,
    );
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
  const { end } = marks.at(-1)!;
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
