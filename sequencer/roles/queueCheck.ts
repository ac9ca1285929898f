/** Whether operations in the log that claim to come from layer one do. */
import type { OperationEntry } from "../batch/log.ts";
import type { LedgerOperation } from "../engine/records.ts";
import type { Clock, QueuedOperation, SettlementLayer } from "../ports.ts";
import { LayerOneStoppedError } from "./layerOneQueue.ts";
import { pause, unlessAborted } from "./loop.ts";

const FROM_QUEUE: ReadonlySet<LedgerOperation["kind"]> = new Set([
  "deposit",
  "registerKey",
  "forcedWithdraw",
  "forcedCancelAll",
  "forcedClose",
]);

/** How often layer one is asked again for an event that the log has before us (ms). */
const POLL_MS = 500;

export interface QueueCheck {
  /**
   * Why the operation must not be in the log at this place, in a batch with a snapshot of this time
   * (unix ms), or undefined. Waits for layer one.
   */
  refusal(
    entry: OperationEntry,
    snapshotTime: number,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** The operation has been executed. */
  passed(entry: OperationEntry): void;
  nextQueueId(): number;
}

/**
 * `waitMs`: how long layer one may take to show what the sequencer says it has seen there. Blocks
 * that have come by then may take as long as it takes to be confirmed here.
 */
export function createQueueCheck(options: {
  settlement: Pick<SettlementLayer, "queued" | "report">;
  clock: Clock;
  waitMs: number;
  nextQueueId: number;
}): QueueCheck {
  const { settlement, clock, waitMs } = options;
  let next = options.nextQueueId;
  let known: readonly QueuedOperation[] = [];

  async function find(queueId: number, signal: AbortSignal): Promise<QueuedOperation | undefined> {
    let end = clock.now() + waitMs;
    // The newest block when the time was up: what the queue up to there lacks, it lacks.
    let last: number | null | undefined;
    for (;;) {
      const entry = known.find((queued) => queued.queueId === queueId);
      if (entry !== undefined) return entry;
      const asked = clock.now();
      const { head, confirmed } = settlement.report();
      const isRead = await unlessAborted(settlement.queued(queueId), signal).then(
        (queued) => {
          known = queued;
          return true;
        },
        () => false,
      );
      if (known.some((queued) => queued.queueId === queueId)) continue;
      const { paused, stopped } = settlement.report();
      if (stopped !== null) throw new LayerOneStoppedError(stopped);
      if (isRead && asked > end) {
        if (last === undefined) last = head;
        if (last === null || confirmed === null || confirmed >= last) return undefined;
      }
      await pause(POLL_MS, signal);
      // An endpoint that is not to be believed now is no reason to accuse the sequencer.
      if (paused !== null) end += clock.now() - asked;
      signal.throwIfAborted();
    }
  }

  return {
    refusal: async ({ operation, queueId }, snapshotTime, signal) => {
      if (!FROM_QUEUE.has(operation.kind)) {
        return queueId === undefined ? undefined : `\`${operation.kind}\` is not for the queue`;
      }
      if (queueId === undefined) return `\`${operation.kind}\` without a place in the queue`;
      if (queueId !== next) return `queue entry \`${queueId}\` out of order, expected \`${next}\``;
      const queued = await find(queueId, signal);
      if (queued === undefined) return `layer one has no queue entry \`${queueId}\``;
      if (snapshotTime < queued.pricedFrom) {
        // Old marks and a reorg that moved the order look alike from here. Layer one takes neither,
        // so nothing is gained by accusing an honest sequencer.
        const { pricedFrom } = queued;
        const place = `in a block of \`${pricedFrom}\`, after the marks of \`${snapshotTime}\``;
        const cause = "that served it: by a reorg, or the sequencer took old marks";
        throw new LayerOneStoppedError(`layer one has the close \`${queueId}\` ${place} ${cause}`);
      }
      const difference = firstDifference(queued.operation, operation);
      if (difference === undefined) return undefined;
      return `queue entry \`${queueId}\` differs from layer one's in \`${difference}\``;
    },
    passed: ({ queueId }) => {
      if (queueId !== undefined) next = queueId + 1;
    },
    nextQueueId: () => next,
  };
}

/** Name of a field in which the two differ. Both are plain data of one level of nesting. */
function firstDifference(expected: object, actual: object, prefix = ""): string | undefined {
  const left = new Map(Object.entries(expected));
  const right = new Map(Object.entries(actual));
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(name), right.get(name)];
    if (a === b) continue;
    const areObjects = [a, b].every((value) => typeof value === "object" && value !== null);
    if (!areObjects) return prefix + name;
    const nested = firstDifference(a as object, b as object, `${prefix}${name}.`);
    if (nested !== undefined) return nested;
  }
  return undefined;
}
