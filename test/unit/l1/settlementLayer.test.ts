import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SettlementError, SettlementPausedError } from "../../../sequencer/l1/settlementError.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import type { Logger } from "../../../sequencer/ports.ts";
import {
  KEY,
  operator,
  PROOF,
  type RollupNode,
  startProxy,
  startRollupNode,
  tradeBatch,
  trader,
} from "./rollupNode.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

let node: RollupNode;
let fresh: `0x${string}`;

before(async () => {
  node = await startRollupNode();
  fresh = await node.test.snapshot();
});
after(() => node.stop());
beforeEach(async () => {
  await node.test.setAutomine(true);
  await node.test.revert({ id: fresh });
  fresh = await node.test.snapshot();
});

/** A sequencer's view, as a new process would have it. */
function connect(overrides: { confirmations?: number; rpcUrl?: string; logger?: Logger } = {}) {
  const { rpcUrl, rollup } = node;
  const timing = { replaceMs: 250, pollMs: 25 };
  return createSettlementLayer({
    ...{ rpcUrl, rollup, account: operator, confirmations: 0, logger: SILENT },
    ...timing,
    ...overrides,
  });
}

const nonce = () => node.test.getTransactionCount({ address: operator.address });

test("anchors batches", async () => {
  const layer = connect();
  assert.deepEqual(await layer.anchored(), { number: 0, root: 5n });
  assert.ok((await layer.domain()) < 2n ** 248n);
  const first = await tradeBatch(node, 1);
  const anchored = await layer.submitBatch(first, PROOF);
  assert.equal(anchored.root, first.rootAfter);
  await layer.submitBatch(await tradeBatch(node, 2), PROOF);
  assert.deepEqual(await layer.anchored(), { number: 2, root: 7n });
});

test("sends a batch once, however often it is asked to", async () => {
  const batch = await tradeBatch(node, 1);
  const start = await nonce();
  const layer = connect();
  const results = await Promise.all([
    layer.submitBatch(batch, PROOF),
    layer.submitBatch(batch, PROOF),
    connect().submitBatch(batch, PROOF),
  ]);
  results.push(await connect().submitBatch(batch, PROOF));
  for (const result of results) assert.deepEqual(result, results[0]);
  assert.equal(await nonce(), start + 1);
});

test("replaces a stuck transaction, with the same nonce and higher fees", async () => {
  const fees: bigint[] = [];
  const info: Logger["info"] = (_message, context = {}) => {
    if (typeof context.maxFeePerGas === "bigint") fees.push(context.maxFeePerGas);
  };
  const start = await nonce();
  await node.test.setAutomine(false);
  const layer = connect({ logger: { ...SILENT, info } });
  const submitting = layer.submitBatch(await tradeBatch(node, 1), PROOF);
  while (fees.length < 3) await sleep(20);
  assert.ok(fees[0]! < fees[1]! && fees[1]! < fees[2]!, `${fees}`);
  await node.test.mine({ blocks: 2 });
  const { transaction } = await submitting;
  assert.equal(await nonce(), start + 1);
  const mined = await node.test.getTransaction({ hash: transaction as `0x${string}` });
  assert.equal(mined.maxFeePerGas, fees.at(-1));
});

test("takes up a batch that a dead process had sent", async () => {
  await node.test.setAutomine(false);
  const batch = await tradeBatch(node, 1);
  const start = await nonce();
  // Both run on: to the second, the first one's transaction is that of a process now dead.
  const both = [connect().submitBatch(batch, PROOF)];
  await sleep(150);
  both.push(connect().submitBatch(batch, PROOF));
  await sleep(150);
  await node.test.mine({ blocks: 1 });
  const [first, second] = await Promise.all(both);
  assert.deepEqual(first, second);
  assert.equal(await nonce(), start + 1);
});

test("says in the contract's words why a batch is refused, and pays nothing", async () => {
  const start = await nonce();
  const wrong = await tradeBatch(node, 1, { oracleSet: 78n });
  await assert.rejects(connect().submitBatch(wrong, PROOF), (error: Error) => {
    assert.ok(error instanceof SettlementPausedError);
    assert.match(error.message, /BatchOracleSetUnequal\(actual `78`, expected `77`\)/);
    return true;
  });
  const early = await tradeBatch(node, 3);
  await assert.rejects(connect().submitBatch(early, PROOF), /does not follow/);
  assert.equal(await nonce(), start);
});

test("stops when layer one has another batch of that number", async () => {
  const batch = await tradeBatch(node, 1);
  const layer = connect();
  await layer.submitBatch(batch, PROOF);
  const other = { ...batch, commitment: batch.commitment + 1n };
  await assert.rejects(layer.submitBatch(other, PROOF), SettlementError);
});

test("cannot submit without an account", async () => {
  const { rpcUrl, rollup } = node;
  const layer = createSettlementLayer({ rpcUrl, rollup, confirmations: 0, logger: SILENT });
  await assert.rejects(layer.submitBatch(await tradeBatch(node, 1), PROOF), SettlementError);
});

test("reads the queue in order, from where it is asked", async () => {
  await node.queue.deposit(500n, KEY);
  await node.queue.registerKey({ ...KEY, index: 2, x: 0n, y: 0n });
  const layer = connect();
  const owner = BigInt(trader.address);
  const { index, expiry, x, y } = KEY;
  const queued = await layer.queued(0);
  const { queueId: firstId = 0 } = queued[0]!;
  const account = 3;
  const registered = { keyIndex: 2, keyExpiry: expiry, key: { x: 0n, y: 0n } };
  const key = { key: { x, y }, keyIndex: index, keyExpiry: expiry };
  const expected = [
    { kind: "deposit", account, owner, amount: 500, ...key },
    { kind: "registerKey", account, owner, ...registered },
    { kind: "forcedWithdraw", account, owner, amount: 20 },
    { kind: "forcedCancelAll", account, owner },
    { kind: "forcedClose", account, owner, slot: 1, lots: 7 },
  ].map((operation, place) => ({ queueId: firstId + place, operation, pricedFrom: 0 }));
  assert.deepEqual(queued, expected.slice(0, 2));
  await node.queue.forceWithdraw(20n);
  await node.queue.forceCancelAll();
  await node.queue.forceClose(1n, 7n);
  // A close is priced by no older marks than the block that took it.
  const { timestamp } = await node.test.getBlock();
  expected[4] = { ...expected[4]!, pricedFrom: Number(timestamp) * 1000 };
  assert.deepEqual(await layer.queued(firstId + 1), expected.slice(1));
  assert.deepEqual(await layer.queued(firstId + 5), []);
  assert.deepEqual(await layer.queued(0), expected);
});

test("leaves out queue entries that are not confirmed yet", async () => {
  const layer = connect({ confirmations: 3 });
  await node.queue.deposit(500n);
  await node.test.mine({ blocks: 2 });
  assert.deepEqual(await layer.queued(0), []);
  await node.test.mine({ blocks: 1 });
  assert.equal((await layer.queued(0)).length, 1);
});

test("forgets what a reorganisation took away", async () => {
  const layer = connect();
  const before = await node.test.snapshot();
  await node.queue.deposit(500n);
  await node.queue.deposit(600n);
  assert.equal((await layer.queued(0)).length, 2);
  await node.test.revert({ id: before });
  await node.queue.deposit(700n);
  await node.test.mine({ blocks: 3 });
  const [entry, ...rest] = await layer.queued(0);
  assert.equal(rest.length, 0);
  assert.ok(entry?.operation.kind === "deposit" && entry.operation.amount === 700);
});

test("does not believe a provider that leaves out queue events", async (context) => {
  await node.queue.deposit(500n);
  const proxy = await startProxy(node.rpcUrl, (request, answer) => {
    if (request.method === "eth_getLogs") answer.result = [];
  });
  context.after(proxy.stop);
  const layer = connect({ rpcUrl: proxy.url });
  await assert.rejects(layer.queued(0), /left out queue events/);
});
