/**
 * Places in the chain up to which the queue has been read, and to which reading can fall back. Some
 * are kept on disk: neither a restart nor an endpoint that gives little at once begins anew.
 */
import type { Hash } from "viem";
import type { DurableValues } from "../ports.ts";
import { REORG_BLOCKS_MAX } from "./chainWatch.ts";

const NAME = "layerOne/queueMarks";
const MARKS_KEPT = 2 * REORG_BLOCKS_MAX;
/** On disk, each deeper than reorgs go below the next. */
const MARKS_ON_DISK = 8;

/** The queue after a block. */
export interface QueueMark {
  readonly block: bigint;
  /** Absent: the chain before the rollup. */
  readonly hash: Hash | undefined;
  readonly end: number;
  readonly digest: Hash;
  /** The contract has as many entries there. */
  readonly isCounted: boolean;
}

export interface QueueMarks {
  last(): QueueMark;
  /** Digest that the entries below `end` had, where a mark was made there. */
  digestAt(end: number): Hash | undefined;
  push(mark: QueueMark): Promise<void>;
  countLast(): void;
  /** Drops the newest ones while `isWrong`, but never the first. */
  dropWhile(isWrong: (mark: QueueMark) => boolean | Promise<boolean>): Promise<void>;
}

export async function openQueueMarks(
  values: DurableValues,
  origin: QueueMark,
): Promise<QueueMarks> {
  let saved = ((await values.get(NAME)) ?? []) as readonly QueueMark[];
  const marks = [origin, ...saved];
  const last = (): QueueMark => marks.at(-1)!;
  const save = async (): Promise<void> => {
    saved = spaced(marks.slice(1));
    await values.set(NAME, saved);
  };
  return {
    last,
    digestAt: (end) => marks.findLast((mark) => mark.end === end)?.digest,
    push: async (mark) => {
      marks.push(mark);
      // The first one stays: from there everything can be read.
      if (marks.length > MARKS_KEPT) marks.splice(1, marks.length - MARKS_KEPT);
      const { block } = saved.at(-1) ?? origin;
      if (mark.block - block >= REORG_BLOCKS_MAX) await save();
    },
    countLast: () => {
      marks.push({ ...marks.pop()!, isCounted: true });
    },
    dropWhile: async (isWrong) => {
      const { length } = marks;
      while (marks.length > 1 && (await isWrong(last()))) marks.pop();
      if (marks.length < length) await save();
    },
  };
}

function spaced(marks: readonly QueueMark[]): QueueMark[] {
  const kept: QueueMark[] = [];
  for (const mark of marks.toReversed()) {
    const above = kept[0];
    const isFar = above === undefined || above.block - mark.block >= REORG_BLOCKS_MAX;
    if (isFar && kept.length < MARKS_ON_DISK) kept.unshift(mark);
  }
  return kept;
}
