import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import { hashVector } from "../../../sequencer/protocol/hash.ts";
import { hashVectors } from "../../../sequencer/protocol/hashVectors.ts";
import { blocksOf, type RowJob } from "../../../sequencer/protocol/rowBoard.ts";
import { createMerkleTree } from "../../../sequencer/state/merkleTree.ts";
import { openRowHelper } from "../../../sequencer/threads/rowHelper.ts";
import {
  createShareMemory,
  isHelped,
  postedJob,
  postJob,
  shareOf,
} from "../../../sequencer/threads/rowShare.ts";

const REAL = new URL("../../../sequencer/threads/rowThread.ts", import.meta.url);
const named = (name: string): URL => new URL(`./${name}.ts`, import.meta.url);
const LEVELS = 8;
const LEAVES = 600;

const vectorsOf = (count: number, length: number): bigint[][] =>
  Array.from({ length: count }, (_, row) =>
    Array.from({ length }, (_, at) => BigInt(1 + row * length + at) ** 29n % FIELD_MODULUS),
  );

function rootOf(round: number): bigint {
  const tree = createMerkleTree({ levels: LEVELS, emptyLeaf: 0n });
  const leaf = (at: number) => [(at * 97 + round) % 4 ** LEVELS, BigInt(at + round)] as const;
  tree.setMany(Array.from({ length: LEAVES }, (_, at) => leaf(at)));
  return tree.root();
}

/** Threads that help, that bring nothing, nonsense too late, or that are not there at all. */
const THREADS = {
  helpful: REAL,
  greedy: named("greedyRowThread"),
  late: named("lateRowThread"),
  dead: named("deadThread"),
};

for (const [name, thread] of Object.entries(THREADS)) {
  test(`hashes are the same with a ${name} thread as without`, async () => {
    const sizes = [1, 7, 8, 31, 32, 33, 255, 256, 257, 520];
    const wanted = sizes.map((count) => vectorsOf(count, 5).map(hashVector));
    const roots = [0, 1, 2].map(rootOf);
    const helper = openRowHelper({ thread });
    try {
      // Once at first, and once when the thread is surely there.
      for (const pause of [0, 300]) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        for (const [index, count] of sizes.entries()) {
          assert.deepEqual(hashVectors(vectorsOf(count, 5)), wanted[index]);
        }
        assert.deepEqual([0, 1, 2].map(rootOf), roots);
      }
    } finally {
      await helper.stop();
    }
    assert.deepEqual([0, 1, 2].map(rootOf), roots);
  });
}

test("the thread takes blocks by itself and says so for each", async () => {
  const memory = createShareMemory();
  const share = shareOf(memory);
  const worker = new Worker(REAL, { workerData: memory });
  try {
    for (const rows of [1, 8, 20, 256]) {
      const vectors = vectorsOf(rows, 3);
      const words = new BigUint64Array(share.board.inputs.buffer, share.board.inputs.byteOffset);
      for (const [at, value] of vectors.flat().entries()) {
        for (let part = 0; part < 4; part++) words[4 * at + part] = value >> BigInt(64 * part);
      }
      const job: RowJob = { kind: "vectors", width: 3, rows };
      const number = postJob(share, job);
      assert.deepEqual(postedJob(share), job);
      for (let block = 0; block < blocksOf(job); block++) {
        assert.ok(isHelped(share, block, number, 10_000), `block ${block} of ${rows} rows`);
      }
      const { results } = share.helped;
      const hashes = new BigUint64Array(results.buffer, results.byteOffset);
      for (const [row, vector] of vectors.entries()) {
        const [a, b, c, d] = hashes.subarray(4 * row, 4 * row + 4);
        assert.equal((d! << 192n) | (c! << 128n) | (b! << 64n) | a!, hashVector(vector));
      }
    }
  } finally {
    await worker.terminate();
  }
});
