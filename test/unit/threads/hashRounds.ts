// The asker's side of a round, without the asker's own share of the work.
import {
  COUNT,
  DONE,
  type HashMemory,
  NEXT,
  POSTED,
  readHash,
  writeVectors,
} from "../../../sequencer/threads/hashMemory.ts";

export function openRound(
  memory: HashMemory,
  vectors: readonly (readonly bigint[])[],
  round: number,
): void {
  const { counters } = memory;
  writeVectors(memory, vectors);
  Atomics.store(counters, COUNT, vectors.length);
  Atomics.store(counters, NEXT, 0);
  Atomics.store(counters, POSTED, round);
  Atomics.notify(counters, POSTED);
}

export function isThrough({ counters }: HashMemory, round: number): boolean {
  return Atomics.load(counters, DONE) === round;
}

/** Throws where the thread has left one out. */
export function hashesOf(memory: HashMemory, count: number, round: number): bigint[] {
  return Array.from({ length: count }, (_, at) => {
    if (Atomics.load(memory.hashed, at) !== round) throw new Error(`vector ${at} was not hashed`);
    return readHash(memory, at);
  });
}
