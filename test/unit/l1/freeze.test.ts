// A rollup that somebody freezes: whoever writes batches stops for good, and says why.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type Hex, numberToHex, toFunctionSelector } from "viem";
import { SettlementError } from "../../../sequencer/l1/settlementError.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import { silent } from "../roles/ports.ts";
import {
  operator,
  PROOF,
  type RollupNode,
  startProxy,
  startRollupNode,
  tradeBatch,
} from "./rollupNode.ts";

const CONFIRMATIONS = 2;
/** The queue's deadline, seconds. */
const DEADLINE = 604_800;

const FROZEN_AT = toFunctionSelector("frozenAt()");

let node: RollupNode;
let fresh: Hex;
let proxy: Awaited<ReturnType<typeof startProxy>>;
/** What the proxy says `frozenAt` is (unix seconds); undefined: what it is. */
let told: number | undefined;

before(async () => {
  node = await startRollupNode();
  proxy = await startProxy(node.rpcUrl, ({ method, params }, answer) => {
    const [call] = (params ?? []) as { data?: Hex }[];
    const isAsked = method === "eth_call" && call?.data === FROZEN_AT;
    if (isAsked && told !== undefined) answer.result = numberToHex(told, { size: 32 });
  });
  fresh = await node.test.snapshot();
});
after(() => {
  proxy.stop();
  return node.stop();
});
beforeEach(async () => {
  told = undefined;
  await node.test.revert({ id: fresh });
  fresh = await node.test.snapshot();
});

/** A queue operation that waits past its deadline, and whoever freezes the rollup for it. */
async function freeze(): Promise<number> {
  await node.queue.deposit(1000n);
  await node.test.increaseTime({ seconds: DEADLINE + 1 });
  await node.queue.freeze();
  const { timestamp } = await node.test.getBlock();
  await node.test.mine({ blocks: CONFIRMATIONS });
  return Number(timestamp);
}

test("a freeze stops the node once it counts, and not before", async () => {
  const { rpcUrl, rollup } = node;
  const layer = createSettlementLayer({
    rpcUrl,
    rollup,
    confirmations: CONFIRMATIONS,
    logger: silent,
  });
  await node.queue.deposit(1000n);
  await node.test.mine({ blocks: CONFIRMATIONS });
  assert.equal((await layer.queued(0)).length, 1);
  await node.test.increaseTime({ seconds: DEADLINE + 1 });
  await node.queue.freeze();
  const { timestamp } = await node.test.getBlock();
  // A reorg may still take it back.
  await layer.queued(0);
  assert.deepEqual([layer.report().stopped, layer.report().frozenAt], [null, null]);
  await node.test.mine({ blocks: CONFIRMATIONS });
  await assert.rejects(layer.queued(0), SettlementError);
  const { stopped, frozenAt } = layer.report();
  assert.equal(frozenAt, Number(timestamp));
  assert.match(String(stopped), /^the rollup is frozen since 20/);
  await assert.rejects(layer.queued(0), /frozen/);
});

for (const liar of ["first", "second"] as const) {
  const connect = () => {
    const urls = liar === "first" ? [proxy.url, node.rpcUrl] : [node.rpcUrl, proxy.url];
    const [rpcUrl = "", witnessUrl] = urls;
    return createSettlementLayer({
      ...{ rpcUrl, witnessUrl, rollup: node.rollup, account: operator, logger: silent },
      ...{ confirmations: CONFIRMATIONS, replaceMs: 200, pollMs: 20 },
    });
  };
  const message = /^the endpoints disagree on the freeze at block `\d+`: `\d+` and `\d+`$/;
  const paused = { name: "SettlementPausedError", message };

  test(`E11 a ${liar} endpoint that invents a freeze pauses the client for now`, async () => {
    const layer = connect();
    const batch = await tradeBatch(node, 1);
    await node.queue.deposit(1000n);
    await node.test.mine({ blocks: CONFIRMATIONS });
    const before = await node.test.getTransactionCount({ address: operator.address });
    told = 1_700_000_000;
    await assert.rejects(layer.queued(0), paused);
    await assert.rejects(layer.submitBatch(batch, PROOF), paused);
    assert.match(layer.report().paused ?? "", message);
    assert.deepEqual([layer.report().stopped, layer.report().frozenAt], [null, null]);
    assert.equal(await node.test.getTransactionCount({ address: operator.address }), before);
    told = undefined;
    assert.equal((await layer.queued(0)).length, 1);
    await layer.submitBatch(batch, PROOF);
    assert.deepEqual([layer.report().paused, layer.report().stopped], [null, null]);
  });

  test(`E11 a ${liar} endpoint that hides a freeze pauses the client until it tells`, async () => {
    const layer = connect();
    const frozenAt = await freeze();
    told = 0;
    await assert.rejects(layer.queued(0), paused);
    assert.match(layer.report().paused ?? "", message);
    assert.deepEqual([layer.report().stopped, layer.report().frozenAt], [null, null]);
    told = undefined;
    await assert.rejects(layer.queued(0), SettlementError);
    assert.match(layer.report().stopped ?? "", /^the rollup is frozen since 20/);
    assert.deepEqual([layer.report().paused, layer.report().frozenAt], [null, frozenAt]);
  });
}
