// Cutting the log off: what hangs on the rest goes with it, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  headAfter,
  type LogHead,
  type LogRecord,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { CheckpointChange } from "../../../sequencer/ports.ts";
import { createCheckpointStore } from "../../../sequencer/store/checkpointStore.ts";
import { createDatabase } from "../../../sequencer/store/database.ts";
import { openStore, type Store } from "../../../sequencer/store/store.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "./sampleEntries.ts";
import { beginFrom } from "./sampleStates.ts";

const seal = (number: number) => ({ type: "seal" as const, number, root: BigInt(number) });

/** Batches 1, 2 and 3, sealed at positions 2, 5 and 8; checkpoints after the first two. */
async function fill(store: Store): Promise<void> {
  let since = 0;
  for (const number of [1, 2, 3]) {
    await store.log.append([sampleEntry(number), sampleEntry(number + 10), seal(number)]);
    const rest = { rootBefore: 0n, rootAfter: BigInt(number), words: [1n], commitment: 1n };
    await store.batches.putSealed({ number, kind: "trade", ...rest, inputs: {} }, '{"a":"1"}');
    await store.batches.putProof(number, [1n, 2n, 3n, 4n, 5n, 6n, 7n, BigInt(number)]);
    await store.batches.putAttestation({
      ...{ validator: "0xAb", number, root: "1", wordsHash: "2", logHash: "3", signature: "4" },
    });
    if (number === 3) continue;
    await store.checkpoints.save(checkpointAt(store, number, since));
    since = store.log.head().position;
  }
}

function checkpointAt({ log }: Store, batchNumber: number, since: number): CheckpointChange {
  const { position, epoch, hash } = log.head();
  const state = beginFrom(undefined);
  state.setCash(batchNumber, 1);
  const made = { batchNumber, time: 5, root: BigInt(batchNumber), extra: {} };
  return { position, epoch, hash, ...made, since, change: state.exportChange() };
}

async function recordsOf({ log }: Store, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read(from)) records.push(record);
  return records;
}

async function contents(store: Store) {
  const attested: number[] = [];
  for await (const { number } of store.batches.attestations()) attested.push(number);
  const inputs = await Promise.all([1, 2, 3].map((number) => store.batches.inputs(number)));
  const stored: (SealedBatch | undefined)[] = [];
  for (const number of [1, 2, 3]) stored.push(await store.batches.sealed(number));
  const proofs = await Promise.all([1, 2, 3].map((number) => store.batches.proof(number)));
  return {
    attested,
    sealed: stored.flatMap((batch) => batch?.number ?? []),
    provable: inputs.flatMap((text, index) => (text === undefined ? [] : [index + 1])),
    proven: proofs.flatMap((proof, index) => (proof === undefined ? [] : [index + 1])),
    checkpoint: (await store.checkpoints.latest())?.position,
  };
}

async function executedIn(folder: string): Promise<LogHead | undefined> {
  const database = createDatabase(folder);
  try {
    return await createCheckpointStore(database).executed();
  } finally {
    await database.close();
  }
}

const CASES = [
  { to: 9, left: [1, 2, 3], checkpoint: 6 },
  { to: 8, left: [1, 2], checkpoint: 6 },
  { to: 6, left: [1, 2], checkpoint: 6 },
  { to: 5, left: [1], checkpoint: 3 },
  { to: 1, left: [], checkpoint: undefined },
  { to: 0, left: [], checkpoint: undefined },
] as const;

for (const { to, left, checkpoint } of CASES) {
  test(`cut off at ${to}, batches ${left.join(", ") || "none"} stay`, async (context) => {
    const folder = await temporaryFolder(context);
    const store = await openStore(folder, DOMAIN);
    await fill(store);
    const before = await recordsOf(store);
    await store.truncate(to);
    const expected = { attested: left, sealed: left, proven: left, provable: left, checkpoint };
    const check = async (opened: Store): Promise<void> => {
      assert.deepEqual(await recordsOf(opened), before.slice(0, to));
      assert.equal(opened.log.head().position, to);
      assert.deepEqual(await contents(opened), expected);
    };
    await check(store);
    // Another history goes on from there, and a restart finds it whole.
    const next = makeRecord(store.log.head(), sampleEntry(99), 7);
    await store.log.copy([next]);
    assert.deepEqual(await recordsOf(store, to), [next]);
    await store.close();
    const head = checkpoint === undefined ? undefined : headAfter(before[checkpoint - 1]!);
    assert.deepEqual(await executedIn(folder), head, "what need not be verified at once");
    const again = await openStore(folder, DOMAIN);
    context.after(again.close);
    await again.log.verified;
    assert.equal(again.log.failure.aborted, false);
    assert.deepEqual(await recordsOf(again), [...before.slice(0, to), next]);
    assert.deepEqual(await contents(again), expected);
  });
}

test("a checkpoint goes with its batch's seal, also where it stands before it", async (context) => {
  for (const [to, left] of [
    [7, 5],
    [6, 2],
    [5, 2],
    [2, undefined],
  ] as const) {
    const folder = await temporaryFolder(context);
    const store = await openStore(folder, DOMAIN);
    // Batches end at positions 1 and 4, and are sealed at 2 and 6.
    for (const [number, since] of [
      [1, 0],
      [2, 2],
    ] as const) {
      await store.log.append([sampleEntry(number), { type: "end", number }]);
      const checkpoint = checkpointAt(store, number, since);
      if (number === 2) await store.log.append([sampleEntry(5)]);
      await store.log.append([seal(number)]);
      await store.checkpoints.save(checkpoint);
    }
    await store.truncate(to);
    assert.equal((await store.checkpoints.latest())?.position, left, `cut off at ${to}`);
    await store.close();
    assert.equal((await executedIn(folder))?.position, left);
  }
});

test("a log is not cut off where it does not reach", async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  context.after(store.close);
  await fill(store);
  await assert.rejects(store.truncate(10), RangeError);
  assert.equal((await recordsOf(store)).length, 9);
});

test("what is verified behind the node's back stops where the log is cut off", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  for (let count = 0; count < 30; count++) {
    await first.log.append(Array.from({ length: 100 }, (_, place) => sampleEntry(place)));
  }
  await first.checkpoints.save(checkpointAt(first, 1, 0));
  await first.close();
  // 3,000 records are verified in three parts, with pauses between them.
  const store = await openStore(folder, DOMAIN);
  context.after(store.close);
  await store.truncate(1500);
  await store.log.append([sampleEntry(1)]);
  await store.log.verified;
  assert.equal(store.log.failure.aborted, false, String(store.log.failure.reason));
  assert.equal((await recordsOf(store)).length, 1501);
});
