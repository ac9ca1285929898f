/**
 * When batches end and when ledger operations run. Trade messages are executed as they come;
 * ledger operations wait for a boundary, so that a deposit does not cut every trade batch in two.
 */
import { isDeepStrictEqual } from "node:util";
import type { OperationEntry } from "../batch/log.ts";
import type { LedgerOperation, OperationRecord } from "../engine/records.ts";
import type { Logger, QueuedOperation } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher, Turn } from "./batcher.ts";
import { announcedSeries, dueOperation, isListing, type KeeperOptions } from "./keeper.ts";
import { LayerOneStoppedError } from "./layerOneQueue.ts";
import type { Liquidator } from "./liquidator.ts";
import type { PlannedSeries } from "./marketPlan.ts";
import { purgeSpare } from "./purging.ts";

/** All in ms. */
export interface SequencingLimits {
  /** A batch that is not full ends at this age while the prover is idle. */
  readonly batchAgeMs: number;
  /** And at this one even when the prover is busy: its batch would only wait. */
  readonly batchAgeMsMax: number;
  /** Ledger operations cut an unfinished trade batch after they have waited this long. */
  readonly ledgerDelayMs: number;
  /** A batch ends when its snapshot is this much older than the newest one. */
  readonly snapshotRenewMs: number;
  /** Sealed batches without proof below which the prover counts as idle. */
  readonly idleBacklog: number;
}

/** A signed ledger message: `run` checks it against the state of the moment and executes it. */
export interface LedgerRequest {
  readonly waitingSince: number;
  run(time: number): void;
}

/** Signed ledger messages that may wait at once. */
export const REQUESTS_MAX = 1024;
/** Layer-one operations of one group: who fills the queue must not keep everybody from trading. */
const QUEUE_OPERATIONS_MAX = 64;
/** Operator operations of one group; the next group takes the rest. */
const KEEPER_OPERATIONS_MAX = 256;
/**
 * But a ranking goes on to its end, the takeover that it is for: the next trade batch would undo
 * what it has counted.
 */
const RANK_OPERATIONS_MAX = 1 << 16;

export interface Sequencing {
  /** Ends batches and runs ledger groups that are due. */
  tick(now: number): void;
  /**
   * All layer-one operations that wait, in the order of the queue, without gaps. What waited before
   * and is not among them is not on layer one any more. Throws {@link LayerOneStoppedError} where
   * one was executed that has become another meanwhile.
   */
  enqueue(operations: readonly QueuedOperation[], now: number): void;
  /** False where too many wait already. */
  request(request: LedgerRequest): boolean;
  /**
   * Executes a ledger operation at the boundary that `tick` has made. Undefined: its batch was full
   * and has ended; what was judged by its snapshot must be judged anew.
   */
  operation(entry: OperationEntry, time: number): Turn<OperationRecord | undefined>;
  /** The next layer-one operation that has not been executed. */
  nextQueueId(): number;
  /** What would be listed at `now` if the oracles priced it. */
  announced(now: number): PlannedSeries[];
}

interface WaitingOperation extends QueuedOperation {
  readonly waitingSince: number;
}

interface Waiting {
  queued: WaitingOperation[];
  /** Executed since layer one was last read. */
  executed: WaitingOperation[];
  readonly requests: LedgerRequest[];
  /** Keys that the open ledger batch registered: they sign nothing in it. */
  readonly registered: Set<string>;
  registeredIn: number;
  /** The last batch with listings in it: the next ones wait for its proof. */
  listedIn: number;
  /** The batch in which fees were last collected. */
  collectedIn: number;
  nextQueueId: number;
}

export interface SequencingOptions {
  readonly batcher: Batcher;
  readonly state: MemoryState;
  readonly keeper: KeeperOptions;
  readonly liquidator: Liquidator;
  readonly limits: SequencingLimits;
  readonly logger: Logger;
  /** Sealed batches without proof. */
  backlog(): number;
  /** The newest batch that is proven, with all before it. */
  proven(): number;
  snapshot(): Snapshot | undefined;
  readonly nextQueueId: number;
}

export function createSequencing(options: SequencingOptions): Sequencing {
  const { batcher } = options;
  const waiting: Waiting = {
    queued: [],
    executed: [],
    requests: [],
    registered: new Set(),
    registeredIn: 0,
    listedIn: 0,
    collectedIn: options.batcher.nextNumber(),
    nextQueueId: options.nextQueueId,
  };
  return {
    tick: (now) => {
      options.liquidator.watch();
      if (isBatchDue(options, now)) {
        purgeSpare(batcher, options.state);
        batcher.end();
      }
      // An interrupted order goes first: nothing of the ledger may come between its steps.
      if (batcher.isOrderCarried() && !batcher.canOpen("trade", now)) return;
      if (batcher.canOpen("ledger", now) && isGroupDue(options, waiting, now)) {
        runGroup(options, waiting, now);
      }
      if (batcher.current() === undefined && batcher.isOrderCarried()) batcher.proceed(now);
      options.liquidator.runBooks(now);
    },
    enqueue: (operations, now) => replaceQueued(waiting, operations, now),
    request: (request) => {
      if (waiting.requests.length >= REQUESTS_MAX) return false;
      waiting.requests.push(request);
      return true;
    },
    operation: (entry, time) => runOperation(options, waiting, entry, time),
    nextQueueId: () => waiting.nextQueueId,
    announced: (now) => {
      const { state, keeper, snapshot } = options;
      const time = batcher.timeAt(now);
      return announcedSeries(state, keeper, { time, snapshot: snapshot() });
    },
  };
}

function replaceQueued(
  waiting: Waiting,
  operations: readonly QueuedOperation[],
  now: number,
): void {
  const known = new Map(
    [...waiting.executed, ...waiting.queued].map((each) => [each.queueId, each]),
  );
  const first = operations[0]?.queueId ?? waiting.nextQueueId;
  if (first > waiting.nextQueueId) {
    const expected = `expected \`${waiting.nextQueueId}\``;
    throw new Error(`layer one's queue has a gap: got \`${first}\`, ${expected}`);
  }
  const next = operations.map((queued, place) => {
    const { queueId, operation } = queued;
    if (queueId !== first + place) throw new Error(`queue entry \`${first + place}\` is missing`);
    // Where closes need not be deep, a reorg may bring one back in a later block, but hardly in one
    // from after this moment.
    const pricedFrom = queued.pricedFrom === 0 ? 0 : Math.max(queued.pricedFrom, now);
    const before = known.get(queueId);
    if (before !== undefined && isDeepStrictEqual(before.operation, operation)) {
      return { ...before, pricedFrom: Math.max(before.pricedFrom, queued.pricedFrom) };
    }
    if (queueId >= waiting.nextQueueId)
      return { queueId, operation, pricedFrom, waitingSince: now };
    throw new LayerOneStoppedError(`layer one has replaced \`${queueId}\`, which was executed`);
  });
  waiting.queued = next.filter(({ queueId }) => queueId >= waiting.nextQueueId);
  waiting.executed = [];
}

function isBatchDue({ batcher, limits, ...options }: SequencingOptions, now: number): boolean {
  const batch = batcher.current();
  if (batch === undefined || batch.empty) return false;
  if (batch.used >= batch.capacity || options.liquidator.needsNewerBatch()) return true;
  const age = now - batch.time;
  if (age >= limits.batchAgeMsMax) return true;
  const newest = options.snapshot()?.time ?? 0;
  const used = batcher.batchSnapshot()?.time ?? newest;
  if (newest - used >= limits.snapshotRenewMs) return true;
  return age >= limits.batchAgeMs && options.backlog() < limits.idleBacklog;
}

/** Whether ledger operations wait, and nothing is gained by letting them wait longer. */
function isGroupDue(options: SequencingOptions, waiting: Waiting, now: number): boolean {
  const { batcher, limits } = options;
  const queued = waiting.queued.slice(0, 1).filter((next) => isPriced(next, options.snapshot()));
  const since = [queued[0]?.waitingSince, waiting.requests[0]?.waitingSince];
  const oldest = Math.min(...since.map((time) => time ?? Number.POSITIVE_INFINITY));
  const hasDue =
    oldest < Number.POSITIVE_INFINITY || keeperOperation(options, waiting, now) !== undefined;
  if (!hasDue) return false;
  const isBoundary = batcher.current()?.kind !== "trade" && !batcher.isOrderCarried();
  return isBoundary || now - oldest >= limits.ledgerDelayMs || oldest === Number.POSITIVE_INFINITY;
}

function runGroup(options: SequencingOptions, waiting: Waiting, now: number): void {
  const { batcher, logger } = options;
  // What follows is judged by the snapshot of the ledger batch: no trade batch may be left open.
  if (batcher.current()?.kind !== "ledger") batcher.finishTrades(now);
  for (let count = 0; count < QUEUE_OPERATIONS_MAX; count++) {
    const next = waiting.queued[0];
    if (next === undefined || !isPriced(next, options.snapshot())) break;
    // Layer one refuses a close by marks from before it was ordered: the open batch may have them.
    const isOpen = batcher.current() !== undefined;
    if (isOpen && !isPriced(next, batcher.batchSnapshot())) batcher.end();
    const { queueId, operation } = next;
    const entry = { type: "operation", operation, queueId } as const;
    const record = runOperation(options, waiting, entry, now).value;
    if (record === undefined) continue;
    const { outcome } = record;
    // Taken off only when it is executed: a snapshot that has run out leaves it first in line.
    waiting.executed.push(...waiting.queued.splice(0, 1));
    waiting.nextQueueId = queueId + 1;
    logger.info("layer-one operation", { queueId, kind: operation.kind, outcome });
  }
  for (const request of waiting.requests.splice(0)) request.run(now);
  for (let count = 0; count < RANK_OPERATIONS_MAX; count++) {
    const operation = keeperOperation(options, waiting, now);
    if (operation === undefined) return;
    if (count >= KEEPER_OPERATIONS_MAX && !isOfRanking(operation)) return;
    const { value } = runOperation(options, waiting, { type: "operation", operation }, now);
    if (value === undefined) continue;
    const number = batcher.current()?.number ?? 0;
    if (isListing(operation)) waiting.listedIn = number;
    if (operation.kind === "collectFees") waiting.collectedIn = number;
  }
}

/** Whether a batch with this snapshot may serve the operation. */
function isPriced({ pricedFrom }: QueuedOperation, snapshot: Snapshot | undefined): boolean {
  return pricedFrom <= (snapshot?.time ?? 0);
}

function isOfRanking({ kind }: LedgerOperation): boolean {
  return kind === "rank" || kind === "deleverage";
}

/**
 * What the operator owes, judged by the batch that would take it. Listings come a batch at a time,
 * each after the proof of the last: a long plan must not keep the first orders from their proofs.
 */
function keeperOperation(options: SequencingOptions, waiting: Waiting, now: number) {
  const { batcher, state, keeper, liquidator } = options;
  const batch = batcher.current();
  const isOpen = batch?.kind === "ledger";
  const snapshot = isOpen ? batcher.batchSnapshot() : options.snapshot();
  if (snapshot === undefined) return undefined;
  const time = isOpen ? batch.time : batcher.timeAt(now);
  const due = dueOperation(state, keeper, {
    ...{ time, snapshot },
    batchesSinceCollection: batcher.nextNumber() - waiting.collectedIn,
    liquidation: () => liquidator.dueOperation(time, snapshot),
  });
  if (due === undefined || !isListing(due)) return due;
  const hasRoom = isOpen && batch.number === waiting.listedIn && batch.used < batch.capacity;
  return hasRoom || options.proven() >= waiting.listedIn ? due : undefined;
}

function runOperation(
  { batcher }: SequencingOptions,
  waiting: Waiting,
  entry: OperationEntry,
  time: number,
): Turn<OperationRecord | undefined> {
  const { operation } = entry;
  const batch = batcher.current();
  if (batch?.number !== waiting.registeredIn) waiting.registered.clear();
  if ("author" in operation) {
    const { account, keyIndex } = operation.author;
    if (waiting.registered.has(`${account}/${keyIndex}`)) {
      return { value: undefined, durable: batcher.end().durable };
    }
  }
  const turn = batcher.operation(entry, time);
  if (turn.value === undefined) return turn;
  if (operation.kind === "deposit" || operation.kind === "registerKey") {
    const number = batcher.current()?.number ?? 0;
    if (number !== waiting.registeredIn) waiting.registered.clear();
    waiting.registeredIn = number;
    waiting.registered.add(`${operation.account}/${operation.keyIndex}`);
  }
  return turn;
}
