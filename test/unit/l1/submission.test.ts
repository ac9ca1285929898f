/** Batch transactions that are stuck, lost, doubled or refused. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeFunctionData, type Hex, keccak256, parseTransaction } from "viem";
import { rollupAbi } from "../../../sequencer/l1/generated/abi.ts";
import {
  createSettlementLayer,
  type SettlementLayerOptions,
} from "../../../sequencer/l1/settlementLayer.ts";
import type { Submission } from "../../../sequencer/l1/submissions.ts";
import { createClock, createValues, silent } from "../roles/ports.ts";
import {
  CHAIN_ID,
  operator,
  PROOF,
  type RollupNode,
  type RpcMessage,
  type RpcRequest,
  startProxy,
  startRollupNode,
  tradeBatch,
  trader,
} from "./rollupNode.ts";

const SUBMISSION = `layerOne/submission/${operator.address}/1`;

let node: RollupNode;
let fresh: Hex;
let sent: Hex[] = [];
let proxy: Awaited<ReturnType<typeof startProxy>>;
let change: (request: RpcRequest, answer: RpcMessage) => void = () => undefined;

before(async () => {
  node = await startRollupNode();
  // Every transaction that leaves the client is seen here.
  proxy = await startProxy(node.rpcUrl, (request, answer) => {
    if (request.method === "eth_sendRawTransaction") sent.push(request.params?.[0] as Hex);
    change(request, answer);
  });
  fresh = await node.test.snapshot();
});
after(() => {
  proxy.stop();
  return node.stop();
});
beforeEach(async () => {
  change = () => undefined;
  sent = [];
  await node.test.setAutomine(true);
  await node.test.revert({ id: fresh });
  fresh = await node.test.snapshot();
});

function connect(overrides: Partial<SettlementLayerOptions> = {}) {
  const { rollup } = node;
  return createSettlementLayer({
    ...{ rpcUrl: proxy.url, rollup, account: operator, confirmations: 0, logger: silent },
    ...{ replaceMs: 200, pollMs: 20 },
    ...overrides,
  });
}

const nonce = () => node.test.getTransactionCount({ address: operator.address });

async function until(condition: () => boolean): Promise<void> {
  for (let count = 0; count < 500 && !condition(); count++) await sleep(20);
  assert.ok(condition(), "waited in vain");
}

/** What `aborted` leaves behind: the submission that was on disk when the process died. */
async function dieWhileSending(values: ReturnType<typeof createValues>): Promise<Submission> {
  const dead = new AbortController();
  const changeBefore = change;
  const onDisk: boolean[] = [];
  // The endpoint has it now; the client has no answer yet.
  change = (request, answer) => {
    changeBefore(request, answer);
    if (request.method !== "eth_sendRawTransaction") return;
    const submission = values.kept.get(SUBMISSION) as Submission | undefined;
    onDisk.push(submission?.raw === request.params?.[0]);
  };
  const dying = connect({ values, signal: dead.signal });
  const submitting = dying.submitBatch(await tradeBatch(node, 1), PROOF);
  await until(() => sent.length > 0);
  dead.abort();
  await assert.rejects(submitting, { name: "AbortError" });
  assert.ok(onDisk.length > 0 && onDisk.every(Boolean), "it was sent before it was on disk");
  change = changeBefore;
  return (await values.get(SUBMISSION)) as Submission;
}

test("E11 a stuck transaction: same nonce, both fees at least 10 % higher each time", async () => {
  const start = await nonce();
  await node.test.setAutomine(false);
  const layer = connect();
  const submitting = layer.submitBatch(await tradeBatch(node, 1), PROOF);
  await until(() => new Set(sent).size >= 4);
  await node.test.mine({ blocks: 1 });
  const { transaction } = await submitting;
  const offers = [...new Set(sent)].map((raw) => parseTransaction(raw));
  for (const [index, offer] of offers.entries()) {
    assert.equal(offer.nonce, start);
    const before = offers[index - 1];
    if (before === undefined) continue;
    assert.equal(offer.data, before.data);
    assert.ok(offer.maxFeePerGas! * 100n >= before.maxFeePerGas! * 110n);
    assert.ok(offer.maxPriorityFeePerGas! * 100n >= before.maxPriorityFeePerGas! * 110n);
  }
  assert.ok(sent.some((raw) => keccak256(raw) === transaction));
  assert.equal(await nonce(), start + 1);
  assert.ok(layer.report().replacements >= 3);
});

test("E11 a crash between signing and sending: the next process sends the signed", async () => {
  const values = createValues();
  const start = await nonce();
  change = (request, answer) => {
    if (request.method !== "eth_sendRawTransaction") return;
    delete answer.result;
    answer.error = { code: -32000, message: "the line is dead" };
  };
  await node.test.setAutomine(false);
  const { raw, nonce: signed } = await dieWhileSending(values);
  // The proxy had passed it on: it waits where this process does not know of it.
  await node.test.dropTransaction({ hash: keccak256(raw) });
  change = () => undefined;
  sent = [];
  await node.test.setAutomine(true);
  const { transaction } = await connect({ values }).submitBatch(await sameBatch(raw), PROOF);
  assert.deepEqual(sent, [raw]);
  assert.equal(transaction, keccak256(raw));
  assert.equal(signed, start);
  assert.equal(await nonce(), start + 1);
});

test("E11 a crash between sending and the receipt: one transaction, found again", async () => {
  const values = createValues();
  const start = await nonce();
  await node.test.setAutomine(false);
  const { raw } = await dieWhileSending(values);
  const submitting = connect({ values, replaceMs: 60_000 }).submitBatch(
    await sameBatch(raw),
    PROOF,
  );
  await until(() => sent.length >= 2);
  await node.test.mine({ blocks: 2 });
  assert.equal((await submitting).transaction, keccak256(raw));
  assert.deepEqual(new Set(sent), new Set([raw]));
  assert.equal(await nonce(), start + 1);
  // And again once it is mined: nothing more is sent.
  const count = sent.length;
  await connect({ values }).submitBatch(await sameBatch(raw), PROOF);
  assert.equal(sent.length, count);
});

test("E11 a node with a stale nonce gets no transaction out of the client", async () => {
  const values = createValues();
  const start = await nonce();
  const layer = connect({ values });
  await layer.submitBatch(await tradeBatch(node, 1), PROOF);
  change = (request, answer) => {
    if (request.method === "eth_getTransactionCount") answer.result = `0x${start.toString(16)}`;
  };
  sent = [];
  const second = await tradeBatch(node, 2);
  await assert.rejects(layer.submitBatch(second, PROOF), /but batch `1` has used it/);
  assert.match(layer.report().paused ?? "", /is the next nonce/);
  assert.deepEqual(sent, []);
  change = () => undefined;
  await layer.submitBatch(second, PROOF);
  assert.equal(layer.report().paused, null);
  assert.equal(await nonce(), start + 2);
});

test("E11 another batch under a number that was signed is not sent", async () => {
  const values = createValues();
  await node.test.setAutomine(false);
  const { raw } = await dieWhileSending(values);
  const batch = await sameBatch(raw);
  const other = { ...batch, commitment: batch.commitment + 1n };
  sent = [];
  await assert.rejects(connect({ values }).submitBatch(other, PROOF), /another batch `1`/);
  assert.deepEqual(sent, []);
});

test("E11 a nonce that a stranger used is replaced only beyond the reach of reorgs", async () => {
  const values = createValues();
  const start = await nonce();
  await node.test.setAutomine(false);
  const { raw } = await dieWhileSending(values);
  await node.test.dropTransaction({ hash: keccak256(raw) });
  const serializedTransaction = await operator.signTransaction({
    ...{ chainId: CHAIN_ID, type: "eip1559", nonce: start, to: operator.address, gas: 21_000n },
    ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n },
  });
  await node.test.sendRawTransaction({ serializedTransaction });
  await node.test.setAutomine(true);
  await node.test.mine({ blocks: 1 });
  assert.equal(await nonce(), start + 1);
  sent = [];
  const batch = await sameBatch(raw);
  await assert.rejects(connect({ values }).submitBatch(batch, PROOF), /nonce .* was used/);
  await node.test.mine({ blocks: 62 });
  await assert.rejects(connect({ values }).submitBatch(batch, PROOF), /nonce .* was used/);
  assert.deepEqual(sent, []);
  await node.test.mine({ blocks: 2 });
  await connect({ values }).submitBatch(batch, PROOF);
  assert.equal(await nonce(), start + 2);
});

test("E11 fees above the bound and beyond the budget pause; they go on when they fit", async () => {
  const clock = createClock(Date.now());
  await setBaseFee(10n ** 9n);
  const bounded = connect({ feePerGasMax: 10n ** 8n });
  const first = await tradeBatch(node, 1);
  await assert.rejects(bounded.submitBatch(first, PROOF), /wei per gas are wanted, at most/);
  assert.match(bounded.report().paused ?? "", /at most 100000000/);
  const values = createValues();
  // Room for four batches when base fees are high, and for one more when they are low.
  const limits = { weiPerHour: 70n * 10n ** 13n, weiPerDay: 10n ** 17n };
  const layer = connect({ values, clock, feeLimits: limits });
  let [number, refused] = [1, false];
  for (; number <= 20 && !refused; number++) {
    const batch = number === 1 ? first : await tradeBatch(node, number);
    await setBaseFee(10n ** 9n);
    await layer.submitBatch(batch, PROOF).catch((error: Error) => {
      assert.match(error.message, /the hour's fee budget/);
      refused = true;
    });
  }
  const { spentHour, paused } = layer.report();
  assert.ok(refused && number > 3, `${number} batches`);
  assert.ok(spentHour > 0n && spentHour <= limits.weiPerHour);
  assert.match(paused ?? "", /the hour's fee budget/);
  const stuck = await tradeBatch(node, number - 1);
  // A new process knows of it too.
  await assert.rejects(connect({ values, clock, feeLimits: limits }).submitBatch(stuck, PROOF));
  await setBaseFee(10n ** 6n);
  await layer.submitBatch(stuck, PROOF);
  assert.equal(layer.report().paused, null);
  clock.advance(3_700_000);
  assert.equal(layer.report().spentHour, 0n);
  assert.ok(layer.report().spentDay > spentHour);
});

test("E11 after a stranger has anchored a batch, what waits for it is outbid", async () => {
  const values = createValues();
  const start = await nonce();
  await letStrangersIn();
  await node.test.setAutomine(false);
  const { raw } = await dieWhileSending(values);
  const own = parseTransaction(raw);
  await node.test.dropTransaction({ hash: keccak256(raw) });
  await node.test.setAutomine(true);
  const stranger = connect({ account: trader });
  const first = await sameBatch(raw);
  const { transaction } = await stranger.submitBatch(first, PROOF);
  const layer = connect({ values });
  assert.equal((await layer.submitBatch(first, PROOF)).transaction, transaction);
  sent = [];
  await layer.submitBatch(await tradeBatch(node, 2), PROOF);
  const [second] = sent.map((signed) => parseTransaction(signed));
  assert.equal(second?.nonce, start);
  assert.ok(second.maxFeePerGas! * 100n >= own.maxFeePerGas! * 110n);
  assert.equal(await nonce(), start + 1);
});

test("E11 a nonce that a stranger's batch left open is filled before the next one", async () => {
  const values = createValues();
  const start = await nonce();
  await letStrangersIn();
  const before = await node.test.snapshot();
  const layer = connect({ values });
  const [first, second] = [await tradeBatch(node, 1), await tradeBatch(node, 2)];
  await layer.submitBatch(first, PROOF);
  await layer.submitBatch(second, PROOF);
  // A reorg takes both, and a stranger is the first to anchor again.
  await node.test.revert({ id: before });
  await node.test.mine({ blocks: 3 });
  await connect({ account: trader }).submitBatch(first, PROOF);
  const raws = [...new Set(sent)].slice(0, 2);
  sent = [];
  const again = connect({ values });
  await again.submitBatch(first, PROOF);
  assert.deepEqual(sent, []);
  await again.submitBatch(second, PROOF);
  assert.deepEqual([...new Set(sent)], raws);
  assert.equal(await nonce(), start + 2);
  assert.deepEqual(await again.anchored(), { number: 2, root: second.rootAfter });
  assert.equal(again.report().stopped, null);
});

test("E12 a transaction that reverts stops and alarms, in the next process too", async () => {
  const values = createValues();
  const alarms: string[] = [];
  const logger = { ...silent, error: (message: string) => void alarms.push(message) };
  const start = await nonce();
  await node.test.setAutomine(false);
  const layer = connect({ values, logger, replaceMs: 60_000 });
  const batch = await tradeBatch(node, 1);
  const submitting = layer.submitBatch(batch, PROOF);
  await until(() => sent.length > 0);
  // A verifier that reverts, once the estimate has passed.
  await node.test.setCode({ address: node.verifier, bytecode: "0x5f5ffd" });
  await node.test.mine({ blocks: 1 });
  await assert.rejects(submitting, /batch `1` reverted in transaction/);
  assert.match(layer.report().stopped ?? "", /reverted/);
  assert.deepEqual(alarms, ["layer one stopped: somebody must look"]);
  await assert.rejects(layer.submitBatch(batch, PROOF), /reverted/);
  await assert.rejects(layer.queued(0), /reverted/);
  const next = connect({ values, logger });
  await assert.rejects(next.submitBatch(batch, PROOF), /reverted/);
  assert.equal(sent.length, 1);
  assert.equal(await nonce(), start + 1);
});

test("E12 a batch that the contract refuses is alarmed once and costs nothing", async () => {
  const alarms: unknown[] = [];
  const error = (_message: string, context = {}) => void alarms.push({ ...context });
  const layer = connect({ logger: { ...silent, error } });
  const wrong = await tradeBatch(node, 1, { oracleSet: 78n });
  for (let count = 0; count < 3; count++) {
    await assert.rejects(layer.submitBatch(wrong, PROOF), /BatchOracleSetUnequal/);
  }
  assert.equal(alarms.length, 1);
  assert.match(layer.report().paused ?? "", /batch `1` was refused/);
  assert.deepEqual(sent, []);
  await layer.submitBatch(await tradeBatch(node, 1), PROOF);
  assert.equal(layer.report().paused, null);
});

/** Anybody may submit when an entry of the queue has waited for a day. */
async function letStrangersIn(): Promise<void> {
  await node.queue.deposit(1n);
  await node.test.increaseTime({ seconds: 86_401 });
  await node.test.mine({ blocks: 1 });
}

async function setBaseFee(baseFeePerGas: bigint): Promise<void> {
  await node.test.setNextBlockBaseFeePerGas({ baseFeePerGas });
  await node.test.mine({ blocks: 1 });
}

/** The batch of a transaction: its time was the chain's when it was made. */
async function sameBatch(raw: Hex) {
  const batch = await tradeBatch(node, 1);
  const { data = "0x" } = parseTransaction(raw);
  const { args } = decodeFunctionData({ abi: rollupAbi, data });
  return { ...batch, words: args![0] as readonly bigint[] };
}
