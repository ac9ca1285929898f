/** Forced closes and reorgs: a close is bound to its block as no other entry is. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { CLOSE_CONFIRMATIONS } from "../../../sequencer/l1/queueReader.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import type { DurableValues } from "../../../sequencer/ports.ts";
import { ANVIL_ABSENT, reorg, startAnvil } from "../../support/anvil.ts";
import { createValues, silent } from "../roles/ports.ts";
import { CHAIN_ID, operator, type RollupNode, startRollupNode } from "./rollupNode.ts";

const SLOT = 5n;
const LOTS = 40n;

let node: RollupNode;

beforeEach(async () => {
  node = await startRollupNode({ start: () => startAnvil(CHAIN_ID) });
});
afterEach(() => node.stop());

function connect(options: { values?: DurableValues; closeConfirmations?: number } = {}) {
  const { rpcUrl, rollup } = node;
  return createSettlementLayer({
    ...{ rpcUrl, rollup, account: operator, confirmations: 1, logger: silent, pollMs: 10 },
    ...options,
  });
}

/** A deposit, and some blocks later a close, with one block on it. */
async function order(): Promise<void> {
  await node.queue.deposit(1000n);
  await node.test.mine({ blocks: 3 });
  await node.queue.forceClose(SLOT, LOTS);
  await node.test.mine({ blocks: 1 });
}

/** Takes the close's block away, and brings the same close back so much later. */
async function moveClose(seconds: number, depth = 2): Promise<void> {
  await reorg(node.test, depth);
  await node.test.increaseTime({ seconds });
  await node.queue.forceClose(SLOT, LOTS);
  await node.test.mine({ blocks: 2 });
}

test("E10 a close, and what stands behind it, is given out when no reorg can move it", {
  skip: ANVIL_ABSENT,
}, async () => {
  const layer = connect({ closeConfirmations: CLOSE_CONFIRMATIONS });
  await order();
  await node.queue.deposit(2000n);
  await node.test.mine({ blocks: CLOSE_CONFIRMATIONS - 3 });
  const kinds = async (from: number) =>
    (await layer.queued(from)).map(({ operation }) => operation.kind);
  // 63 blocks stand on it.
  assert.deepEqual(await kinds(0), ["deposit"]);
  assert.deepEqual(await kinds(1), []);
  // A reorg as deep as is followed leaves it out: it comes back later, and nobody has served it.
  await moveClose(60, CLOSE_CONFIRMATIONS);
  assert.deepEqual(await kinds(1), []);
  assert.equal(layer.report().stopped, null);
  await node.test.mine({ blocks: CLOSE_CONFIRMATIONS - 2 });
  assert.deepEqual(await kinds(1), ["forcedClose"]);
});

test("E10 64 blocks are enough for a close", { skip: ANVIL_ABSENT }, async () => {
  const layer = connect({ closeConfirmations: CLOSE_CONFIRMATIONS });
  await order();
  await node.queue.deposit(2000n);
  await node.test.mine({ blocks: CLOSE_CONFIRMATIONS - 2 });
  const kinds = (await layer.queued(0)).map(({ operation }) => operation.kind);
  assert.deepEqual(kinds, ["deposit", "forcedClose", "deposit"]);
});

for (const when of ["while the node runs", "during a restart"] as const) {
  test(`E10 a served close that comes back after its marks stops the node, ${when}`, {
    skip: ANVIL_ABSENT,
  }, async () => {
    const values = createValues();
    const layer = connect({ values });
    await order();
    const [, close] = await layer.queued(0);
    assert.equal(close?.operation.kind, "forcedClose");
    const snapshotTime = close.pricedFrom + 2_000;
    const served = [{ queueId: 1, snapshotTime, isAnchored: false }];
    assert.deepEqual(await layer.queued(2, served), []);
    await moveClose(60);
    const again = when === "while the node runs" ? layer : connect({ values });
    await assert.rejects(again.queued(2, served), /reorg of layer one has put the close `1` into/);
    assert.match(again.report().stopped ?? "", /after the marks of `\d+` that served it/);
    // Nor does a restart forget it when the queue has been read beyond it meanwhile.
    await node.test.mine({ blocks: 2 * CLOSE_CONFIRMATIONS });
    await connect({ values }).queued(2);
    assert.ok(values.kept.has("layerOne/queueMarks"));
    const next = connect({ values });
    await assert.rejects(next.queued(2, served), /no batch with it can be anchored/);
  });
}

test("E10 a served close that comes back before its marks is what it was", {
  skip: ANVIL_ABSENT,
}, async () => {
  const layer = connect();
  await order();
  const [, close] = await layer.queued(0);
  const served = [{ queueId: 1, snapshotTime: close!.pricedFrom + 3_600_000, isAnchored: false }];
  await layer.queued(2, served);
  await moveClose(60);
  assert.deepEqual(await layer.queued(2, served), []);
  assert.deepEqual([layer.report().stopped, layer.report().paused], [null, null]);
});
