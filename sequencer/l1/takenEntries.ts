/**
 * Which queue entries have been taken out of the reader's hands, and what they were: once the
 * ledger has credited an entry, layer one must keep it. Kept on disk, so that a reorg during a
 * restart shows too; what is on disk may lag behind the ledger, never lead it.
 */
import type { Hash } from "viem";
import type { DurableValues } from "../ports.ts";

const NAME = "layerOne/taken";
const MARKS_KEPT = 64;

/** All entries below `next`, and the digest of the last of them. */
type Mark = readonly [next: number, digest: Hash];

export interface TakenEntries {
  /** Everything below `next` has been taken. */
  take(next: number, digest: Hash): Promise<void>;
  /** What a restart of the ledger has not got is not taken any more. */
  dropAbove(next: number): Promise<void>;
  /** All entries below this one have been taken. */
  next(): number;
  /** Digest that the entries below `next` had, where a mark was made there. */
  digestAt(next: number): Hash | undefined;
}

export async function openTakenEntries(values: DurableValues): Promise<TakenEntries> {
  let marks = ((await values.get(NAME)) ?? []) as readonly Mark[];
  const save = async (changed: readonly Mark[]): Promise<void> => {
    marks = changed;
    await values.set(NAME, marks);
  };
  const next = (): number => marks.at(-1)?.[0] ?? 0;
  return {
    take: async (to, digest) => {
      if (to > next()) await save([...marks, [to, digest] as const].slice(-MARKS_KEPT));
    },
    dropAbove: async (to) => {
      if (next() > to) await save(marks.filter(([mark]) => mark <= to));
    },
    next,
    digestAt: (to) => marks.find(([mark]) => mark === to)?.[1],
  };
}
