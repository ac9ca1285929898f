/**
 * The state of a node as checkpoint and log tell it. Sequencer and validator begin alike: from the
 * newest checkpoint, through every record after it, with the executor that both of them trust.
 */
import { createExecutor, type Executor } from "../batch/executor.ts";
import type { OrderingState } from "../batch/fairOrder.ts";
import type { DraftTaker, Keeping } from "../batch/keeper.ts";
import { LogCorruptionError, type LogEntry, type LogHead, type LogRecord } from "../batch/log.ts";
import { isTradingEntry, type TradingState } from "../batch/tradingMode.ts";
import type { Checkpoint, CheckpointChange, CheckpointStore, Log } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { Shape } from "../protocol/state.ts";
import { createMemoryState, type MemoryState } from "../state/memoryState.ts";
import { createStateTrees } from "../state/stateTrees.ts";
import { type Effect, type EffectBatch, movedAccounts } from "./effect.ts";

/** What a deployment fixes for every executor of it. */
export type Deployment = Pick<
  Parameters<typeof createExecutor>[0],
  "sizes" | "domain" | "oracles" | "quorum" | "fairOrder"
> & { readonly shape: Shape };

/** What every role keeps in its checkpoints of what the log has said besides the state. */
export interface ExecutorMemory {
  readonly trading: TradingState;
  readonly ordering: OrderingState;
  /** Of the last batch: what a node that begins anew goes by until the oracles answer. */
  readonly snapshot: Snapshot | null;
}

export function executorMemory(executor: Executor): ExecutorMemory {
  const snapshot = executor.snapshot() ?? null;
  return { trading: executor.trading(), ordering: executor.ordering(), snapshot };
}

/** A state and where in the log it stands; {@link NodeState.apply} moves it on. */
export interface NodeState {
  readonly state: MemoryState;
  readonly executor: Executor;
  /** Of the next record. */
  position(): number;
  /** Of the last record. */
  hash(): string;
  /** Where the log stands that the state is of. */
  head(): LogHead;
  /** The latest time in the log: the next batch's lies above it. */
  lastTime(): number;
  openBatch(): EffectBatch | undefined;
  /** Has ended and is not sealed. */
  endedBatch(): EffectBatch | undefined;
  snapshot(): Snapshot | undefined;
  /**
   * What has changed since the checkpoint that was drafted last, or the one that the node began
   * from; the next one goes on from `position`. Taken once for each checkpoint, and all are saved.
   */
  takeChange(position: number): Pick<CheckpointChange, "since" | "change">;
  /** Executes the next record. Throws InvalidEntryError, and the node must not go on then. */
  apply(record: LogRecord): Effect;
}

/**
 * `origin`: `previous` of the log's first record. `drafts`: who follows the state from the very
 * beginning and makes the inputs of proofs, where somebody is to. Without, the node follows it by
 * itself, and there are no inputs.
 */
export function createNodeState(
  deployment: Deployment,
  origin: string,
  checkpoint: Checkpoint | undefined,
  drafts?: DraftTaker,
): NodeState {
  const state = createMemoryState(deployment.shape);
  if (checkpoint !== undefined) {
    state.importState(checkpoint.state);
  }
  const { sizes, domain, oracles, quorum, fairOrder } = deployment;
  const { batchNumber: number = 0, time = 0 } = checkpoint ?? {};
  const lastBatch = { number, time };
  const { trading, ordering, snapshot } = (checkpoint?.extra ?? {}) as Partial<ExecutorMemory>;
  const keeping: Keeping =
    drafts === undefined
      ? { trees: createStateTrees(deployment.shape), hasInputs: false }
      : { drafts };
  const executor = createExecutor({
    ...{ state, keeping, sizes, domain, oracles, quorum, fairOrder },
    ...{ lastBatch, trading, ordering, unsealedFrom: checkpoint?.unsealed?.rootBefore },
  });
  state.forgetChanges();
  let drafted = checkpoint?.position ?? 0;
  if (checkpoint !== undefined && executor.endRoot() !== checkpoint.root) {
    const { position } = checkpoint;
    throw new LogCorruptionError(position, "the checkpoint before it has another root");
  }
  const at = {
    position: checkpoint?.position ?? 0,
    epoch: checkpoint?.epoch ?? 0,
    hash: checkpoint?.hash ?? origin,
    batch: undefined as EffectBatch | undefined,
    ended: endedAt(checkpoint),
    snapshot: snapshot ?? undefined,
  };
  return {
    state,
    executor,
    position: () => at.position,
    hash: () => at.hash,
    head: () => ({ position: at.position, epoch: at.epoch, hash: at.hash }),
    lastTime: () => executor.trading().time,
    openBatch: () => at.batch,
    endedBatch: () => at.ended,
    snapshot: () => at.snapshot,
    takeChange: (position) => {
      const since = drafted;
      drafted = position;
      return { since, change: state.exportChange() };
    },
    apply: (record) => {
      const { entry, position } = record;
      if (position !== at.position || record.previous !== at.hash) {
        throw new LogCorruptionError(at.position, "it does not continue the node's state");
      }
      const moved = movedAccounts(entry);
      const cashBefore = new Map(moved.map((id) => [id, state.account(id).cash]));
      if (entry.type === "open") {
        at.batch = { number: entry.number, kind: entry.kind, time: entry.time };
        at.snapshot = entry.snapshot;
      }
      const done = executor.apply(entry);
      const hasEnded = done.type === "end" || (done.type === "seal" && done.hasEnded);
      if (hasEnded) {
        at.ended = at.batch;
        at.batch = undefined;
      }
      const isOfEnded = hasEnded || done.type === "seal";
      const batch = isOfEnded ? at.ended : (at.batch ?? batchOf(executor, entry));
      if (batch === undefined) throw new Error("an entry was executed outside of any batch");
      if (done.type === "seal") at.ended = undefined;
      at.position += 1;
      at.epoch = record.epoch;
      at.hash = record.hash;
      return {
        ...{ position, entry, batch, cashBefore, hasEnded },
        steps: "steps" in done ? done.steps : [],
        operation: "record" in done ? done.record : undefined,
        sealed: done.type === "seal" ? done.batch : undefined,
      };
    },
  };
}

/** A checkpoint stands where a batch has ended, before its seal or behind it. */
function endedAt(checkpoint: Checkpoint | undefined): EffectBatch | undefined {
  if (checkpoint?.unsealed === undefined) return undefined;
  const { batchNumber: number, time, unsealed } = checkpoint;
  return { number, time, kind: unsealed.kind };
}

/** Between two batches the trading mode may change; that counts as the beginning of the next. */
export function batchOf(executor: Executor, entry: LogEntry): EffectBatch | undefined {
  if (!isTradingEntry(entry)) return;
  return { number: executor.nextNumber(), kind: "trade", time: entry.time };
}

/**
 * Loads the newest checkpoint that the log confirms. A log that does not reach its checkpoint, or
 * says something else there, is damaged.
 */
export async function loadCheckpoint(
  log: Log,
  checkpoints: CheckpointStore,
): Promise<Checkpoint | undefined> {
  const checkpoint = await checkpoints.latest();
  if (checkpoint === undefined) return undefined;
  const head = log.head();
  const { position, hash } = checkpoint;
  if (head.position < position) {
    throw new LogCorruptionError(head.position, `the checkpoint at \`${position}\` is ahead of it`);
  }
  const isAtHead = head.position === position;
  if (isAtHead && head.hash !== hash) {
    throw new LogCorruptionError(position - 1, "its hash is not the checkpoint's");
  }
  return checkpoint;
}

/** A checkpoint that waits for its batch's seal, and for what is the role's own. */
export type CheckpointDraft = Pick<
  CheckpointChange,
  "batchNumber" | "time" | "unsealed" | "since" | "change"
> & {
  readonly memory: ExecutorMemory;
};

/**
 * What a checkpoint says of the state right after the end of a batch: all are saved, in their
 * order, each when its batch is sealed.
 */
export function draftCheckpoint(
  { executor, takeChange }: Pick<NodeState, "executor" | "takeChange">,
  { batch, position, hasEnded, sealed }: Effect,
): CheckpointDraft {
  if (!hasEnded) throw new TypeError("checkpoints are made where batches end");
  const { number: batchNumber, time, kind } = batch;
  return {
    ...{ batchNumber, time },
    ...(sealed === undefined && { unsealed: { kind, rootBefore: executor.root() } }),
    ...takeChange(position + 1),
    memory: executorMemory(executor),
  };
}
