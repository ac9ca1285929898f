// The thread that hashes along: whoever hashes, each vector has its own hash, in its place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import type { Logger } from "../../../sequencer/ports.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { hashEach } from "../../../sequencer/protocol/hash.ts";
import {
  createHashMemory,
  hashMemoryOf,
  readVector,
  VECTORS_MAX,
  WORDS_MAX,
  writeVectors,
} from "../../../sequencer/threads/hashMemory.ts";
import { openHashWorker } from "../../../sequencer/threads/hashWorker.ts";
import { runs } from "../../property/runs.ts";
import { silent } from "../roles/ports.ts";
import { hashesOf, isThrough, openRound } from "./hashRounds.ts";

const WAIT_MS = 60_000;
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  fc.constantFrom(0n, FIELD_MODULUS - 1n, FIELD_MODULUS, -1n, 2n ** 256n),
);
const vectors = fc.array(fc.array(word, { minLength: 1, maxLength: 40 }), { maxLength: 30 });

test("vectors come back out of the memory as they were written", () => {
  const memory = hashMemoryOf(createHashMemory());
  const plain = fc.array(fc.array(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), { maxLength: 9 }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(plain, (list) => {
      writeVectors(memory, list);
      assert.deepEqual(
        list.map((_, at) => readVector(memory, at)),
        list,
      );
    }),
  );
});

test("hashes are those of one thread, round after round", async () => {
  const desk = openHashWorker(silent);
  const property = fc.property(vectors, (list) => {
    assert.deepEqual(desk.hashAll(list), hashEach(list));
  });
  fc.assert(property, runs(20));
  assert.throws(() => desk.hashAll([new Array<bigint>(60).fill(1n), []]), RangeError);
  await desk.stop();
  fc.assert(property, runs(5));
});

test("more than the memory holds is hashed in parts", async () => {
  const desk = openHashWorker(silent);
  const many = Array.from({ length: VECTORS_MAX + 3 }, (_, at) => [BigInt(at)]);
  assert.deepEqual(desk.hashAll(many), hashEach(many));
  const long = [1n, 2n, 3n].map((first) => [first, ...new Array<bigint>(WORDS_MAX / 2).fill(7n)]);
  assert.deepEqual(desk.hashAll(long), hashEach(long));
  const longest = [new Array<bigint>(WORDS_MAX + 1).fill(7n), [1n]];
  assert.deepEqual(desk.hashAll(longest), hashEach(longest));
  await desk.stop();
});

test("the thread takes its part: its hashes are not made here", async () => {
  const shared = createHashMemory();
  const memory = hashMemoryOf(shared);
  const thread = new URL("../../../sequencer/threads/hashThread.ts", import.meta.url);
  const worker = new Worker(thread, { workerData: shared });
  const list = [[5n, 6n], [7n], new Array<bigint>(33).fill(8n)];
  for (const round of [1, 2]) {
    openRound(memory, list, round);
    const end = performance.now() + WAIT_MS;
    while (!isThrough(memory, round) && performance.now() < end) await sleep(1);
    assert.ok(isThrough(memory, round));
  }
  await worker.terminate();
  assert.deepEqual(hashesOf(memory, list.length, 2), hashEach(list));
});

test("a thread that is stuck with a vector keeps nobody waiting", async () => {
  const thread = new URL("./busyHasher.ts", import.meta.url);
  const desk = openHashWorker(silent, { thread });
  const list = Array.from({ length: 60 }, (_, at) => [BigInt(at), 9n]);
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(desk.hashAll(list), hashEach(list));
    await sleep(1);
  }
  await desk.stop();
});

test("after the thread's death this one hashes alone, and says so once", async () => {
  const errors: string[] = [];
  const logger: Logger = { ...silent, error: (text) => void errors.push(text) };
  const desk = openHashWorker(logger, { thread: new URL("./deadHasher.ts", import.meta.url) });
  const list = Array.from({ length: 60 }, (_, at) => [BigInt(at), 9n]);
  const end = performance.now() + WAIT_MS;
  while (errors.length === 0 && performance.now() < end) {
    assert.deepEqual(desk.hashAll(list), hashEach(list));
    await sleep(1);
  }
  assert.deepEqual(errors, ["the thread that hashes along has ended: hashed here"]);
  assert.deepEqual(desk.hashAll(list), hashEach(list));
  await desk.stop();
});
