// Proven batches on their way to layer one: what waits together is offered together, and what
// layer one takes less of is offered again.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { BatchStore, SubmittedBatch } from "../../../sequencer/ports.ts";
import { createAnchoring } from "../../../sequencer/roles/anchoring.ts";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";
import { createClock, createSettlement, silent } from "./ports.ts";

const PROOF = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n] as const;

function sealed(number: number): SealedBatch {
  const roots = { rootBefore: BigInt(number - 1), rootAfter: BigInt(number) };
  return { number, kind: "trade", ...roots, words: [], commitment: 1n, inputs: {} };
}

/** `proven`: of the batches 1 to `count`. `takes`: how many of those offered layer one anchors. */
function createWorld(count: number, proven: (number: number) => boolean) {
  const tracker = createBatchTracker({ validators: [], anchored: 0 });
  for (let number = 1; number <= count; number++) {
    const hashes = { wordsHash: "ab".repeat(32), logHash: "cd".repeat(32) };
    const place = { time: number, logPosition: number };
    tracker.sealed({ number, kind: "trade", root: BigInt(number), ...hashes, ...place });
  }
  const pruned: number[] = [];
  const read: number[] = [];
  const batches = {
    sealed: async (number: number) => {
      read.push(number);
      return sealed(number);
    },
    proof: async (number: number) => (number <= count && proven(number) ? PROOF : undefined),
    prune: async (number: number) => void pruned.push(number),
    pruneAttestations: async () => {},
  } as unknown as BatchStore;
  const settlement = createSettlement(1n);
  const offered: number[][] = [];
  const world = { takes: 99, offered, pruned, read, tracker, settlement, single: [] as number[] };
  const { submitBatch } = settlement;
  settlement.submitBatch = (batch, ...rest) => {
    world.single.push(batch.number);
    return submitBatch(batch, ...rest);
  };
  const together = async (waiting: readonly SubmittedBatch[]) => {
    offered.push(waiting.map(({ batch }) => batch.number));
    const anchored = [];
    for (const { batch, proof } of waiting.slice(0, world.takes)) {
      anchored.push(await submitBatch(batch, proof));
    }
    return anchored;
  };
  const changed: number[] = [];
  const run = createAnchoring({
    ...{ settlement, batches, tracker, clock: createClock(1), logger: silent },
    ...{ certificationWaitMs: 0, onChange: (all) => changed.push(...all.map((one) => one.number)) },
  });
  return Object.assign(world, { together, changed, run });
}

type World = ReturnType<typeof createWorld>;

/** Layer one takes up to so many in one transaction from now on. */
function takeTogether({ settlement, together }: World, most = 16): void {
  Object.assign(settlement, { submitBatches: together, batchesTogether: most });
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test("what waits is offered together, and each batch is told of", async () => {
  const world = createWorld(5, () => true);
  takeTogether(world);
  await world.run();
  assert.deepEqual(world.offered, [upTo(5)]);
  assert.deepEqual(world.single, []);
  assert.equal(world.tracker.progress().anchored, 5);
  assert.deepEqual(world.pruned, upTo(5));
  assert.deepEqual(world.changed.slice(-5), upTo(5));
});

test("what layer one takes less of is offered again, without what it has", async () => {
  const world = createWorld(5, () => true);
  takeTogether(world);
  world.takes = 2;
  await world.run();
  // The last one waits alone: it has a call of its own.
  assert.deepEqual(world.offered, [
    [1, 2, 3, 4, 5],
    [3, 4, 5],
  ]);
  assert.deepEqual(world.single, [5]);
  assert.equal(world.tracker.progress().anchored, 5);
});

test("a batch that is not proven ends what goes together", async () => {
  const world = createWorld(5, (number) => number !== 3);
  takeTogether(world);
  await world.run();
  assert.deepEqual(world.offered, [[1, 2]]);
  assert.equal(world.tracker.progress().anchored, 2);
});

test("no more than a transaction can have are offered at once", async () => {
  const world = createWorld(20, () => true);
  takeTogether(world, 8);
  await world.run();
  assert.deepEqual(
    world.offered.map(({ length }) => length),
    [8, 8, 4],
  );
  // Whatever is read is offered: nothing is read, or complained of, twice.
  assert.deepEqual(world.read, upTo(20));
});

test("a layer one that takes batches one by one gets them so", async () => {
  const world = createWorld(3, () => true);
  await world.run();
  assert.deepEqual([world.offered, world.single], [[], [1, 2, 3]]);
  assert.equal(world.tracker.progress().anchored, 3);
});

test("what fails is offered again in the next run", async () => {
  const world = createWorld(3, () => true);
  const submitBatches = async () => {
    throw new Error("not now");
  };
  Object.assign(world.settlement, { submitBatches, batchesTogether: 16 });
  await assert.rejects(world.run(), /not now/);
  assert.equal(world.tracker.progress().anchored, 0);
  takeTogether(world);
  await world.run();
  assert.deepEqual(world.offered, [[1, 2, 3]]);
});
