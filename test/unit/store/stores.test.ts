import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { Attestation } from "../../../sequencer/ports.ts";
import { BatchConflictError } from "../../../sequencer/store/batchStore.ts";
import { createCertificationStore } from "../../../sequencer/store/certificationStore.ts";
import {
  createDatabase,
  readValue,
  StoreCorruptionError,
} from "../../../sequencer/store/database.ts";
import { numberedKey, valueKey } from "../../../sequencer/store/keys.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import * as sitting from "../consensus/sitting.ts";
import { DOMAIN, temporaryFolder } from "./sampleEntries.ts";
import { beginFrom, changeAt, placeAt } from "./sampleStates.ts";

const PROOF: ProofWords = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];

const INPUTS = JSON.stringify({ a: "1", b: [["2", "3"], ["4"]] });

function sampleBatch(number: number): SealedBatch {
  return {
    number,
    kind: number % 2 === 0 ? "ledger" : "trade",
    rootBefore: BigInt(number),
    rootAfter: BigInt(number + 1),
    words: [1n, BigInt(number), 2n ** 253n],
    commitment: 99n,
    inputs: {},
  };
}

test("batches and proofs survive a restart, in the order of their numbers", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  for (const number of [1, 2, 10]) await first.batches.putSealed(sampleBatch(number), INPUTS);
  await first.batches.putSealed(sampleBatch(9));
  await first.batches.putProof(2, PROOF);
  await first.close();

  const { batches, close } = await openStore(folder, DOMAIN);
  context.after(close);
  assert.deepEqual(await batches.sealed(10), sampleBatch(10));
  assert.equal(await batches.inputs(10), INPUTS);
  assert.equal(await batches.inputs(9), undefined);
  assert.equal(await batches.sealed(3), undefined);
  assert.deepEqual(await batches.proof(2), PROOF);
  assert.equal(await batches.proof(1), undefined);
  const numbers: number[] = [];
  for await (const batch of batches.sealedAfter(1)) numbers.push(batch.number);
  assert.deepEqual(numbers, [2, 9, 10]);
});

test("pruning forgets inputs only", async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  context.after(store.close);
  for (const number of [1, 2, 3]) await store.batches.putSealed(sampleBatch(number), INPUTS);
  await store.batches.putProof(1, PROOF);
  await store.batches.prune(2);
  assert.deepEqual(await store.batches.sealed(2), sampleBatch(2));
  assert.equal(await store.batches.inputs(2), undefined);
  assert.equal(await store.batches.inputs(3), INPUTS);
  assert.deepEqual(await store.batches.proof(1), PROOF);
});

test("inputs that have changed on disk are given to no prover", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  await first.batches.putSealed(sampleBatch(1), INPUTS);
  await first.close();

  const database = createDatabase(folder);
  const key = numberedKey("inputs", 1);
  await database.put(key, (await database.get(key)).replace("3", "5"));
  await database.close();

  const { batches, close } = await openStore(folder, DOMAIN);
  context.after(close);
  await assert.rejects(batches.inputs(1), StoreCorruptionError);
});

test("attestations survive a restart until their batches are pruned", async (context) => {
  const folder = await temporaryFolder(context);
  const word = (number: number, validator: string) => ({
    ...{ number, validator, root: "0x1", wordsHash: "22", logHash: "33", signature: "0x44" },
  });
  const words = [word(2, "0xAb"), word(2, "0xCd"), word(3, "0xAb"), word(10, "0xAb")];
  const first = await openStore(folder, DOMAIN);
  for (const each of words.toReversed()) await first.batches.putAttestation(each);
  await first.batches.putAttestation(words[0]!);
  await first.close();

  const { batches, close } = await openStore(folder, DOMAIN);
  context.after(close);
  const all = async () => {
    const found: Attestation[] = [];
    for await (const each of batches.attestations()) found.push(each);
    return found;
  };
  assert.deepEqual(await all(), words);
  await batches.pruneAttestations(-1);
  await batches.pruneAttestations(1);
  assert.equal((await all()).length, 4);
  await batches.pruneAttestations(2);
  assert.deepEqual(await all(), words.slice(2));
});

test("a batch may be stored twice, but not with other contents", async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  context.after(store.close);
  await store.batches.putSealed(sampleBatch(1));
  await store.batches.putSealed(sampleBatch(1));
  const other = { ...sampleBatch(1), commitment: 100n };
  await assert.rejects(store.batches.putSealed(other), BatchConflictError);
});

test("the first proof of a batch stays", async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  context.after(store.close);
  await store.batches.putProof(1, PROOF);
  await store.batches.putProof(1, [9n, 9n, 9n, 9n, 9n, 9n, 9n, 9n]);
  assert.deepEqual(await store.batches.proof(1), PROOF);
});

test("the newest checkpoint outlives a restart", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  assert.equal(await first.checkpoints.latest(), undefined);
  const state = beginFrom(undefined);
  for (const [since, position] of [
    [0, 10],
    [10, 200],
    [200, 3000],
  ] as const) {
    state.setCash(position % 7, -position);
    await first.checkpoints.save(changeAt(state, since, position));
  }
  await first.close();

  const second = await openStore(folder, DOMAIN);
  context.after(second.close);
  const whole = { ...placeAt(3000), state: state.exportState() };
  assert.deepEqual(await second.checkpoints.latest(), whole);
});

test("values are kept by name, and a changed one is noticed", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  await first.values.set("queue", { next: 5, owner: 2n ** 159n });
  await first.values.set("seed", "ab".repeat(32));
  await first.values.delete("seed");
  await first.close();

  const database = createDatabase(folder);
  const stored = await database.get("value/queue");
  await database.put("value/other", stored.replace(":5,", ":6,"));
  await database.close();

  const { values, close } = await openStore(folder, DOMAIN);
  context.after(close);
  assert.deepEqual(await values.get("queue"), { next: 5, owner: 2n ** 159n });
  assert.equal(await values.get("seed"), undefined);
  await assert.rejects(values.get("other"), StoreCorruptionError);
});

test("of each validator and offence one piece of evidence is kept", async (context) => {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  const store = createCertificationStore(database, "ab");
  const doubled = (validator: number, kind: "notarize" | "finalize", index: number) => {
    const [first, second] = [1, 2].map((salt) =>
      sitting.voteFor(validator, kind, sitting.child(sitting.genesis, { term: 1, index }, salt)),
    );
    return { first: first!, second: second! };
  };
  const flood = Array.from({ length: 100 }, (_, index) => doubled(0, "notarize", index));
  const late = [doubled(0, "finalize", 3), doubled(3, "notarize", 5)];
  await Promise.all([...flood, ...late].map((evidence) => store.accuse(evidence)));
  const found: unknown[] = [];
  for await (const key of database.keys({ gte: valueKey("certification/ab/evidence/") })) {
    found.push(await readValue(database, key));
  }
  assert.equal(found.length, 3);
  for (const evidence of late) assert.ok(found.some((kept) => isDeepStrictEqual(kept, evidence)));
});
