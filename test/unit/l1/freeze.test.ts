// A rollup that somebody freezes: whoever writes batches stops for good, and says why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SettlementError } from "../../../sequencer/l1/settlementError.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import { type RollupNode, startRollupNode } from "./rollupNode.ts";

const CONFIRMATIONS = 2;
/** The queue's deadline, seconds. */
const DEADLINE = 604_800;

let node: RollupNode;

before(async () => {
  node = await startRollupNode();
});
after(() => node.stop());

test("a freeze stops the node once it counts, and not before", async () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const { rpcUrl, rollup } = node;
  const layer = createSettlementLayer({ rpcUrl, rollup, confirmations: CONFIRMATIONS, logger });
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
