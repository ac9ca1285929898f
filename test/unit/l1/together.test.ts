/** Batches that wait, in one transaction: sent, replaced, refused, lost and found again. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { decodeFunctionData, type Hex, keccak256, parseTransaction, zeroHash } from "viem";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { batchesOf, decodeBatches, togetherCount } from "../../../sequencer/l1/batchCall.ts";
import { rollupAbi } from "../../../sequencer/l1/generated/abi.ts";
import type { SubmittedBatch } from "../../../sequencer/ports.ts";
import { createValues } from "../roles/ports.ts";
import { type Bench, honest, startBench, until } from "./bench.ts";
import { tradeBatch } from "./rollupNode.ts";

/** The accepting verifier's key has points at infinity only, of which these are a proof. */
const ZERO_PROOF: ProofWords = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n];

let bench: Bench;

before(async () => {
  bench = await startBench();
});
after(() => bench.stop());
beforeEach(() => bench.reset());

async function batches(count: number): Promise<SubmittedBatch[]> {
  const made: SubmittedBatch[] = [];
  for (let number = 1; number <= count; number++) {
    made.push(submitted(await tradeBatch(bench.node, number)));
  }
  return made;
}

function submitted(batch: SealedBatch): SubmittedBatch {
  return { batch, proof: ZERO_PROOF, attestations: [] };
}

const numbersOf = (raw: Hex): number[] => batchesOf(raw).map(({ words }) => Number(words[1]));

test("three batches that wait are one transaction, and each is told of", async () => {
  const start = await bench.nonce();
  const layer = bench.connect();
  const anchored = await layer.submitBatches!(await batches(3));
  assert.deepEqual(
    anchored.map(({ number }) => number),
    [1, 2, 3],
  );
  assert.equal(bench.sent.length, 1);
  const transaction = keccak256(bench.sent[0]!);
  assert.ok(anchored.every((one) => one.transaction === transaction));
  assert.equal((await layer.anchored()).number, 3);
  assert.equal(await bench.nonce(), start + 1);
  const { gas } = parseTransaction(bench.sent[0]!);
  const { gasUsed } = await bench.node.test.getTransactionReceipt({ hash: transaction });
  assert.ok(gas! > gasUsed && gas! < 2n * gasUsed, `${gas} for ${gasUsed}`);
});

test("one batch by itself has the call of its own, and none is sent for none", async () => {
  const layer = bench.connect();
  assert.deepEqual(await layer.submitBatches!([]), []);
  const [first] = await batches(1);
  await layer.submitBatches!([first!]);
  const { data = "0x" } = parseTransaction(bench.sent[0]!);
  const { functionName } = decodeFunctionData({ abi: rollupAbi, data });
  assert.equal(functionName, "submitBatch");
});

test("as many go together as are allowed, and fit", async () => {
  const five = await batches(5);
  assert.deepEqual(
    [undefined, 2, 17].map((most) => bench.connect({ batchesTogether: most }).batchesTogether),
    [8, 2, 16],
  );
  const layer = bench.connect({ batchesTogether: 2 });
  assert.equal((await layer.submitBatches!(five)).length, 2);
  assert.equal((await layer.submitBatches!(five.slice(2))).length, 2);
  const alone = bench.connect({ batchesTogether: 1 });
  assert.equal((await alone.submitBatches!(five.slice(4))).length, 1);
  assert.deepEqual(bench.sent.map(numbersOf), [[1, 2], [3, 4], [5]]);
  const sized = (words: number) => ({ words: Array<bigint>(words).fill(1n) });
  const table: readonly [number[], number, number][] = [
    [[10, 10, 10], 8, 3],
    [[10, 10, 10], 2, 2],
    [[3000, 72, 1], 8, 2],
    [[3000, 73, 1], 8, 1],
    [[9000, 1], 8, 1],
    [[10], 0, 1],
  ];
  for (const [words, most, expected] of table) {
    assert.equal(togetherCount(words.map(sized), most), expected, `${words} of ${most}`);
  }
});

test("a bad batch does not block those before it", async () => {
  const { node } = bench;
  const all = await batches(4);
  const wrong = { oracleSet: 78n };
  const spoiled = all.with(2, submitted(await tradeBatch(node, 3, wrong)));
  const warnings: unknown[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (text: string) => warnings.push(text) };
  const layer = bench.connect({ logger: logger as never });
  for (let done = 0; done < 2; ) {
    done += (await layer.submitBatches!(spoiled.slice(done))).length;
  }
  assert.deepEqual(bench.sent.map(numbersOf), [[1], [2]]);
  assert.equal(warnings.length, 2);
  const third = layer.submitBatches!(spoiled.slice(2));
  await assert.rejects(third, { name: "SettlementPausedError", message: /BatchOracleSetUnequal/ });
  assert.equal(bench.sent.length, 2);
  // Made good it goes, with what waits behind it.
  assert.equal((await layer.submitBatches!(all.slice(2))).length, 2);
  assert.deepEqual(bench.sent.map(numbersOf).at(-1), [3, 4]);
  assert.equal(layer.report().paused, null);
});

test("E11 stuck, a group is replaced whole: same nonce, same batches, higher fees", async () => {
  const { node } = bench;
  const start = await bench.nonce();
  await node.test.setAutomine(false);
  const layer = bench.connect({ replaceMs: 200 });
  const submitting = layer.submitBatches!(await batches(3));
  await until(() => new Set(bench.sent).size >= 3);
  await node.test.mine({ blocks: 1 });
  assert.equal((await submitting).length, 3);
  const offers = [...new Set(bench.sent)].map((raw) => parseTransaction(raw));
  assert.ok(offers.every(({ nonce, data }) => nonce === start && data === offers[0]!.data));
  assert.ok(offers[1]!.maxFeePerGas! * 100n >= offers[0]!.maxFeePerGas! * 110n);
  assert.equal(await bench.nonce(), start + 1);
});

/** Sends three batches together and dies before it hears of them. */
async function dieWhileSending(values: ReturnType<typeof createValues>) {
  const all = await batches(3);
  const dead = new AbortController();
  const submitting = bench.connect({ values, signal: dead.signal }).submitBatches!(all);
  await until(() => bench.sent.length > 0);
  dead.abort();
  await assert.rejects(submitting, { name: "AbortError" });
  return all;
}

test("E11 after a restart the signed group is found again, by its first batch too", async () => {
  const { node } = bench;
  const values = createValues();
  const start = await bench.nonce();
  await node.test.setAutomine(false);
  const all = await dieWhileSending(values);
  const raw = bench.sent[0]!;
  await node.test.dropTransaction({ hash: keccak256(raw) });
  bench.sent = [];
  await node.test.setAutomine(true);
  // The next process has heard of one proof so far.
  const layer = bench.connect({ values });
  const [first, ...none] = await layer.submitBatches!(all.slice(0, 1));
  assert.deepEqual([first!.transaction, none], [keccak256(raw), []]);
  assert.deepEqual(bench.sent, [raw]);
  const rest = await layer.submitBatches!(all.slice(1));
  assert.deepEqual(
    rest.map(({ number, transaction }) => [number, transaction]),
    [2, 3].map((number) => [number, keccak256(raw)]),
  );
  assert.equal(await bench.nonce(), start + 1);
});

test("E11 other batches under numbers that were signed together are not sent", async () => {
  const { node } = bench;
  const values = createValues();
  await node.test.setAutomine(false);
  const all = await dieWhileSending(values);
  await node.test.dropTransaction({ hash: keccak256(bench.sent[0]!) });
  await node.test.setAutomine(true);
  for (const place of [0, 1, 2]) {
    const { batch, ...rest } = all[place]!;
    const other = all.with(place, { ...rest, batch: { ...batch, commitment: 1n } });
    const call = bench.connect({ values }).submitBatches!(other);
    await assert.rejects(call, new RegExp(`another batch \`${place + 1}\` has been signed`));
  }
});

test("E10 a group that a reorg took goes out again, the same transaction", async () => {
  const { node } = bench;
  const values = createValues();
  const all = await batches(3);
  const before = await node.test.snapshot();
  await bench.connect({ values }).submitBatches!(all);
  await node.test.revert({ id: before });
  const [raw] = bench.sent;
  bench.sent = [];
  assert.equal((await bench.connect({ values }).submitBatches!(all)).length, 3);
  assert.deepEqual(bench.sent, [raw]);
});

test("E11 a group that the chain no longer takes gives its nonce to its first batch", async () => {
  const { node } = bench;
  const start = await bench.nonce();
  await node.test.setAutomine(false);
  const layer = bench.connect({ replaceMs: 100 });
  const submitting = layer.submitBatches!(await batches(3));
  await until(() => bench.sent.length > 0);
  const [group] = bench.sent;
  await onlyVerifiesAlone();
  await until(() => bench.sent.some((raw) => numbersOf(raw).length === 1));
  await node.test.mine({ blocks: 1 });
  const anchored = await submitting;
  assert.deepEqual(
    anchored.map(({ number }) => number),
    [1],
  );
  const alone = bench.sent.findLast((raw) => numbersOf(raw).length === 1)!;
  const [old, next] = [parseTransaction(group!), parseTransaction(alone)];
  assert.deepEqual([old.nonce, next.nonce], [start, start]);
  assert.ok(next.maxFeePerGas! * 100n >= old.maxFeePerGas! * 110n);
  assert.ok(next.gas! < old.gas!);
});

/** A verifier that answers `verifyProof` with true and has no key: 32 bytes of 1 for every call. */
async function onlyVerifiesAlone(): Promise<void> {
  const bytecode = "0x60015f5260205ff3";
  await bench.node.test.setCode({ address: bench.node.verifier, bytecode });
}

test("E12 a group that reverts stops nothing: its first batch goes alone in time", async () => {
  const { node } = bench;
  const values = createValues();
  const all = await batches(2);
  await node.test.setAutomine(false);
  const layer = bench.connect({ values });
  const submitting = layer.submitBatches!(all);
  await until(() => bench.sent.length > 0);
  bench.change = (_request, answer) => {
    delete answer.result;
    answer.error = { code: -32603, message: "busy" };
  };
  await onlyVerifiesAlone();
  await node.test.mine({ blocks: 1 });
  bench.change = honest;
  await assert.rejects(submitting, { name: "SettlementPausedError", message: /it reverted/ });
  assert.equal(layer.report().stopped, null);
  await node.test.mine({ blocks: 64 });
  await node.test.setAutomine(true);
  const again = bench.connect({ values });
  assert.equal((await again.submitBatches!(all)).length, 1);
  assert.equal((await again.submitBatches!(all.slice(1))).length, 1);
  assert.deepEqual(bench.sent.map(numbersOf), [[1, 2], [1], [2]]);
});

test("what is no call that anchors batches is not taken for one", () => {
  assert.throws(() => decodeBatches(zeroHash));
});
