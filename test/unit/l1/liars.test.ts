/** A first endpoint that lies at its newest block only, where the second is not asked each time. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { keccak256, numberToHex } from "viem";
import { createAnchoring } from "../../../sequencer/roles/anchoring.ts";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";
import { createBatches, createClock, silent } from "../roles/ports.ts";
import { type Bench, type Change, honest, startBench, until } from "./bench.ts";
import { operator, PROOF, tradeBatch } from "./rollupNode.ts";

let bench: Bench;

before(async () => {
  bench = await startBench();
  await bench.node.test.mine({ blocks: 70 });
});
after(() => bench.stop());
beforeEach(() => bench.reset());

/** Behind the proxy the first endpoint, and the chain itself as the second. */
const connect = (): ReturnType<Bench["connect"]> =>
  bench.connect({ witnessUrl: bench.node.rpcUrl, chainId: 31337, replaceMs: 300 });

/** The account's nonce is `nonce`, wherever the second endpoint is not asked in the same breath. */
const nonceIs =
  (nonce: number, except: `0x${string}`): Change =>
  ({ method, params }, answer) => {
    const at = params?.[1] as { blockHash?: string } | string | undefined;
    const where = typeof at === "object" ? at.blockHash : at;
    if (method === "eth_getTransactionCount" && where !== except) {
      answer.result = numberToHex(nonce);
    }
  };

async function stuckBatch() {
  const { node } = bench;
  const layer = connect();
  const start = await bench.nonce();
  const head = await node.test.getBlock();
  const common = await node.test.getBlock({ blockNumber: head.number - 1n });
  await node.test.setAutomine(false);
  const submitting = layer.submitBatch(await tradeBatch(node, 1), PROOF);
  submitting.catch(() => undefined);
  await until(() => bench.sent.length === 1);
  return { layer, start, submitting, nonceLie: nonceIs(start + 1, common.hash) };
}

test("E11 a lie about the nonce brings forth no second transaction", async () => {
  const { layer, start, submitting, nonceLie } = await stuckBatch();
  bench.change = (request, answer) => {
    nonceLie(request, answer);
    if (request.method === "eth_getTransactionReceipt") answer.result = null;
  };
  await assert.rejects(submitting, /endpoints disagree on batch `1`: `replaced` and `open`/);
  assert.match(layer.report().paused ?? "", /endpoints disagree on batch `1`/);
  const batch = await tradeBatch(bench.node, 1);
  await assert.rejects(layer.submitBatch(batch, PROOF), /endpoints disagree/);
  assert.equal(new Set(bench.sent).size, 1);
  bench.change = honest;
  await bench.node.test.mine({ blocks: 1 });
  await layer.submitBatch(batch, PROOF);
  assert.equal(await bench.nonce(), start + 1);
  assert.equal(layer.report().paused, null);
});

test("E11 a revert that only one endpoint tells of stops nobody", async () => {
  const { layer, submitting, nonceLie } = await stuckBatch();
  const [raw] = bench.sent;
  const hash = keccak256(raw!);
  const nothing = { logs: [], blockHash: hash, contractAddress: null, logsBloom: "0x" };
  bench.change = (request, answer) => {
    nonceLie(request, answer);
    if (request.method !== "eth_getTransactionReceipt") return;
    const numbers = { blockNumber: "0x1", transactionIndex: "0x0", gasUsed: "0x1", type: "0x2" };
    const { address: from } = operator;
    const more = { cumulativeGasUsed: "0x1", effectiveGasPrice: "0x1", status: "0x0" };
    answer.result = { transactionHash: hash, from, ...nothing, ...numbers, ...more };
  };
  await assert.rejects(submitting, /endpoints disagree on batch `1`: `reverted` and `open`/);
  assert.equal(layer.report().stopped, null);
  bench.change = honest;
  await bench.node.test.mine({ blocks: 1 });
  await layer.submitBatch(await tradeBatch(bench.node, 1), PROOF);
  assert.equal(layer.report().paused, null);
});

test("E11 a nonce that is too high at one endpoint is not signed", async () => {
  const { node } = bench;
  const head = await node.test.getBlock();
  const common = await node.test.getBlock({ blockNumber: head.number - 1n });
  bench.change = nonceIs((await bench.nonce()) + 1, common.hash);
  const layer = connect();
  const batch = await tradeBatch(node, 1);
  await assert.rejects(layer.submitBatch(batch, PROOF), /endpoints disagree on the nonce/);
  assert.deepEqual(bench.sent, []);
  bench.change = honest;
  await layer.submitBatch(batch, PROOF);
  assert.equal(layer.report().paused, null);
});

test("E11 a root that only one endpoint has at the head ends nobody", async () => {
  const { node } = bench;
  const layer = connect();
  const batch = await tradeBatch(node, 1);
  await layer.submitBatch(batch, PROOF);
  await node.test.mine({ blocks: 1 });
  await node.test.mine({ blocks: 1 });
  const batches = createBatches();
  const tracker = createBatchTracker({ validators: [], anchored: 0 });
  await batches.putSealed(batch);
  await batches.putProof(1, PROOF);
  const { kind, rootAfter: root } = batch;
  const hashes = { wordsHash: "", logHash: "" };
  tracker.sealed({ number: 1, kind, time: 0, root, logPosition: 1, ...hashes });
  tracker.proven(1);
  const run = createAnchoring({
    ...{ settlement: layer, batches, tracker, clock: createClock(0), logger: silent },
    ...{ certificationWaitMs: 0, onChange: () => undefined },
  });
  await run();
  const head = await node.test.getBlock();
  bench.change = ({ method, params }, answer) => {
    const at = params?.[1] as { blockHash?: string } | undefined;
    if (method !== "eth_call" || at?.blockHash !== head.hash) return;
    const isRoot = answer.result === numberToHex(root, { size: 32 });
    if (isRoot) answer.result = numberToHex(root + 1n, { size: 32 });
  };
  await assert.rejects(run(), { name: "SettlementPausedError", message: /the last batch: `1`/ });
  assert.match(layer.report().paused ?? "", /endpoints disagree on the last batch/);
  bench.change = honest;
  await run();
  assert.equal(layer.report().paused, null);
});

test("E11 fees of two markets are not offered, and of two offers the lower one is", async () => {
  const { node } = bench;
  const tip =
    (wei: bigint): Change =>
    (request, answer) => {
      if (request.method === "eth_maxPriorityFeePerGas") answer.result = numberToHex(wei);
    };
  const layer = connect();
  const batch = await tradeBatch(node, 1);
  bench.change = tip(400n * 10n ** 9n);
  await assert.rejects(layer.submitBatch(batch, PROOF), /endpoints disagree on fees/);
  assert.deepEqual(bench.sent, []);
  const honestTip = await node.test.estimateMaxPriorityFeePerGas();
  bench.change = tip(5n * honestTip);
  const { transaction } = await layer.submitBatch(batch, PROOF);
  const mined = await node.test.getTransaction({ hash: transaction as `0x${string}` });
  assert.equal(mined.maxPriorityFeePerGas, honestTip);
});
