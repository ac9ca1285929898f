/**
 * A second thread that hashes along: a seal is hundreds of hashes, most of which do not wait for
 * each other. Nothing waits for the thread. What it has taken and not hashed when all else is done
 * is hashed here as well, and as long as it is at that, rounds are this thread's alone.
 */
import { Worker } from "node:worker_threads";
import type { Logger } from "../ports.ts";
import { type HashAll, hashEach, hashVector } from "../protocol/hash.ts";
import { fitsWord } from "../protocol/wasm.ts";
import {
  COUNT,
  createHashMemory,
  DONE,
  type HashMemory,
  hashMemoryOf,
  NEXT,
  POSTED,
  readHash,
  VECTORS_MAX,
  WORDS_MAX,
  writeVectors,
} from "./hashMemory.ts";

/** Words below which waking the thread costs more than it brings. */
const WORDS_MIN = 48;

export interface HashDesk {
  readonly hashAll: HashAll;
  stop(): Promise<void>;
}

/** `thread`: another one, as tests have that fails. */
export function openHashWorker(
  logger: Logger,
  { thread = new URL("./hashThread.ts", import.meta.url) } = {},
): HashDesk {
  const shared = createHashMemory();
  const memory = hashMemoryOf(shared);
  const worker = new Worker(thread, { workerData: shared });
  worker.unref();
  let isOver = false;
  const end = (reason: unknown): void => {
    if (isOver) return;
    isOver = true;
    logger.error("the thread that hashes along has ended: hashed here", { reason });
  };
  worker.on("error", end);
  worker.on("exit", end);
  return {
    hashAll: (vectors) => (isOver ? hashEach(vectors) : hashInRounds(memory, vectors)),
    stop: async () => {
      isOver = true;
      await worker.terminate();
    },
  };
}

function hashInRounds(memory: HashMemory, vectors: readonly (readonly bigint[])[]): bigint[] {
  const hashes: bigint[] = [];
  for (let from = 0; from < vectors.length; ) {
    const round = roundFrom(vectors, from);
    hashes.push(...hashRound(memory, round.vectors, round.words));
    from += round.vectors.length;
  }
  return hashes;
}

/** As many as the memory has room for, and one at least. */
function roundFrom(vectors: readonly (readonly bigint[])[], from: number) {
  let words = vectors[from]!.length;
  let to = from + 1;
  for (; to < vectors.length && to - from < VECTORS_MAX; to++) {
    const more = words + vectors[to]!.length;
    if (more > WORDS_MAX) break;
    words = more;
  }
  return { vectors: vectors.slice(from, to), words };
}

function hashRound(
  memory: HashMemory,
  vectors: readonly (readonly bigint[])[],
  words: number,
): bigint[] {
  const { counters } = memory;
  const isBusy = Atomics.load(counters, DONE) !== Atomics.load(counters, POSTED);
  const isSmall = words < WORDS_MIN || vectors.length < 2;
  if (isBusy || isSmall || words > WORDS_MAX || !vectors.every(isPlain)) {
    return hashEach(vectors);
  }
  writeVectors(memory, vectors);
  return hashTogether(memory, vectors);
}

/** What the memory cannot hold as it is, `hashVector` alone judges. */
function isPlain(vector: readonly bigint[]): boolean {
  return vector.length > 0 && vector.every(fitsWord);
}

function hashTogether(memory: HashMemory, vectors: readonly (readonly bigint[])[]): bigint[] {
  const { counters, hashed } = memory;
  const round = (Atomics.load(counters, POSTED) + 1) | 0;
  Atomics.store(counters, COUNT, vectors.length);
  Atomics.store(counters, NEXT, 0);
  Atomics.store(counters, POSTED, round);
  Atomics.notify(counters, POSTED);
  const own = new Map<number, bigint>();
  for (;;) {
    const at = Atomics.add(counters, NEXT, 1);
    if (at >= vectors.length) break;
    own.set(at, hashVector(vectors[at]!));
  }
  return vectors.map((vector, at) => {
    const mine = own.get(at);
    if (mine !== undefined) return mine;
    return Atomics.load(hashed, at) === round ? readHash(memory, at) : hashVector(vector);
  });
}
