/**
 * A node's own stores, set apart: whatever goes wrong in them is the trouble of this machine, and
 * says nothing about those whose log is being checked.
 */
import type { BatchStore, CheckpointStore, Log } from "../ports.ts";

/** The own disk has failed, or does not hold what was put there. */
export class OwnStoreError extends Error {
  override name = "OwnStoreError";
}

interface Stores {
  readonly log: Log;
  readonly checkpoints: CheckpointStore;
  readonly batches: BatchStore;
}

/** The same stores, whose failures are {@link OwnStoreError}s. */
export function ownStores<S extends Stores>(ports: S): S {
  const { log, checkpoints, batches } = ports;
  const { copy, read } = log;
  return {
    ...ports,
    // The rest is the log's own: head and failure are asked for when they are needed.
    log: Object.assign(Object.create(log) as Log, { copy: owned(copy), read: owned(read) }),
    checkpoints: ownedAll(checkpoints),
    batches: ownedAll(batches),
  };
}

function ownedAll<T extends object>(store: T): T {
  const parts = Object.entries(store).map(([name, part]) => [
    name,
    typeof part === "function" ? owned(part as Act) : part,
  ]);
  return Object.fromEntries(parts) as T;
}

type Act = (...given: never[]) => unknown;

function owned<A extends Act>(act: A): A {
  const wrapped = (...given: never[]): unknown => {
    const done = act(...given);
    if (done instanceof Promise) return done.catch(blame);
    return isIterable(done) ? iterated(done) : done;
  };
  return wrapped as A;
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* iterated(values: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const iterator = values[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await iterator.next().catch(blame);
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function blame(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new OwnStoreError(message, { cause: error });
}
