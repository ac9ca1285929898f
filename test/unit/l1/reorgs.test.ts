/** Reorgs made by anvil: what the client read comes out as if they had never been. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { Confirmations } from "../../../sequencer/l1/chainWatch.ts";
import { SettlementError, SettlementPausedError } from "../../../sequencer/l1/settlementError.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import type { DurableValues, QueuedOperation, SettlementLayer } from "../../../sequencer/ports.ts";
import { createAnchoring } from "../../../sequencer/roles/anchoring.ts";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";
import { watchQueue } from "../../../sequencer/roles/layerOneQueue.ts";
import { createSequencing, type SequencingOptions } from "../../../sequencer/roles/sequencing.ts";
import { ANVIL_ABSENT, reorg, startAnvil } from "../../support/anvil.ts";
import { createBatches, createClock, createValues, silent } from "../roles/ports.ts";
import { ledgerBatch } from "./ledgerBatch.ts";
import {
  CHAIN_ID,
  operator,
  PROOF,
  type RollupNode,
  startRollupNode,
  tradeBatch,
  trader,
} from "./rollupNode.ts";

const DEPTHS = [1, 2, 7, 32, 64];
const BATCHES_MAX = 5;
/** An account has eight open operations at most. */
const DEPOSITS_MAX = 3;

let node: RollupNode;

// A chain for each test: anvil loses states when a snapshot is restored before a deep reorg.
beforeEach(async () => {
  node = await startRollupNode({ start: () => startAnvil(CHAIN_ID) });
});
afterEach(() => node.stop());

function connect(confirmations: Confirmations, values?: DurableValues): SettlementLayer {
  const { rpcUrl, rollup } = node;
  return createSettlementLayer({
    ...{ rpcUrl, rollup, account: operator, confirmations, logger: silent, values },
    ...{ replaceMs: 500, pollMs: 10 },
  });
}

async function mine(blocks: number): Promise<void> {
  if (blocks > 0) await node.test.mine({ blocks });
}

/** What a ledger does with the queue: takes what is there, in order, once. */
function createLedger(layer: SettlementLayer) {
  const credited: QueuedOperation[] = [];
  return {
    credited,
    amounts: () =>
      credited.map(({ operation }) => ("amount" in operation ? operation.amount : undefined)),
    look: async () => {
      for (const queued of await layer.queued(credited.length)) {
        assert.equal(queued.queueId, credited.length);
        credited.push(queued);
      }
    },
  };
}

for (const depth of DEPTHS) {
  const blocks = `${depth} block${depth === 1 ? "" : "s"}`;

  test(`E10 a reorg of ${blocks} over deposits and forced ones credits each once`, {
    skip: ANVIL_ABSENT,
  }, async () => {
    const layer = connect(depth);
    const ledger = createLedger(layer);
    await node.queue.deposit(100n);
    await mine(depth);
    await ledger.look();
    assert.deepEqual(ledger.amounts(), [100]);
    // All of this is in blocks that will be gone.
    const deposits = Math.min(depth - 1, DEPOSITS_MAX);
    for (let count = 0; count < deposits; count++) await node.queue.deposit(BigInt(1000 + count));
    await mine(depth - 1 - deposits);
    await node.queue.forceWithdraw(7n);
    await ledger.look();
    assert.deepEqual(ledger.amounts(), [100]);
    await reorg(node.test, depth);
    await ledger.look();
    await node.queue.forceWithdraw(8n);
    await node.queue.deposit(200n);
    await ledger.look();
    await mine(depth);
    await ledger.look();
    assert.deepEqual(ledger.amounts(), [100, 8, 200]);
    const { reorgs, deepestReorg, paused, stopped } = layer.report();
    assert.deepEqual({ reorgs, deepestReorg, paused, stopped }, { ...one(depth), ...well });
  });

  test(`E10 a reorg of ${blocks} over batches: each is sent again and there once`, {
    skip: ANVIL_ABSENT,
  }, async () => {
    const { node: layer, run, stages } = await anchoring(depth);
    await mine(2);
    const start = await node.test.getTransactionCount({ address: operator.address });
    const count = Math.min(depth, BATCHES_MAX);
    for (let number = 1; number <= count; number++) await run(number);
    await mine(depth - count);
    assert.equal((await layer.anchored()).number, count);
    await reorg(node.test, depth);
    assert.equal((await layer.anchored()).number, 0);
    await run(count);
    assert.deepEqual(await layer.anchored(), { number: count, root: 5n + BigInt(count) });
    const nonce = await node.test.getTransactionCount({ address: operator.address });
    assert.equal(nonce - start, count);
    assert.deepEqual(stages(), new Array(count).fill("anchored"));
    const { reorgs, deepestReorg, paused, stopped } = layer.report();
    assert.deepEqual({ reorgs, deepestReorg, paused, stopped }, { ...one(depth), ...well });
  });

  test(`E10 a reorg of ${blocks} over credited deposits: back, or the node stops`, {
    skip: ANVIL_ABSENT,
  }, async () => {
    const layer = connect(0);
    const ledger = createLedger(layer);
    await mine(3);
    await node.queue.deposit(300n);
    await node.queue.forceWithdraw(9n);
    await ledger.look();
    await mine(Math.max(depth - 2, 0));
    await ledger.look();
    await reorg(node.test, depth);
    // Not one is credited for what is missing, and nothing is credited twice.
    await assert.rejects(ledger.look(), /a reorg of layer one took queue entries .* credited/);
    assert.match(layer.report().paused ?? "", /took queue entries/);
    if (depth === 1) await node.queue.forceWithdraw(9n);
    else {
      await node.queue.deposit(300n);
      await node.queue.forceWithdraw(9n);
    }
    await node.queue.deposit(400n);
    await ledger.look();
    assert.deepEqual(ledger.amounts(), [300, 9, 400]);
    assert.equal(layer.report().paused, null);
    await reorg(node.test, 1);
    await node.queue.deposit(401n);
    await assert.rejects(ledger.look(), /has replaced queue entry `2` .* already credited/);
    assert.match(layer.report().stopped ?? "", /has replaced queue entry `2`/);
    assert.deepEqual(ledger.amounts(), [300, 9, 400]);
    await assert.rejects(ledger.look(), /has replaced/);
  });
}

test("E10 a credited deposit that is replaced during a restart stops the node", {
  skip: ANVIL_ABSENT,
}, async () => {
  const values = createValues();
  const ledger = createLedger(connect(0, values));
  await node.queue.deposit(300n);
  await node.queue.deposit(301n);
  await ledger.look();
  await ledger.look();
  await reorg(node.test, 2);
  await node.queue.deposit(300n);
  await node.queue.deposit(302n);
  const again = connect(0, values);
  await assert.rejects(again.queued(2), /has replaced queue entry `1`/);
  // A ledger that has lost the second one before it was durable may take the new one.
  const [entry, ...others] = await connect(0, createValues(values)).queued(1);
  assert.equal(others.length, 0);
  assert.ok(entry?.operation.kind === "deposit" && entry.operation.amount === 302);
});

test("E10 a credited deposit that does not come back in 64 blocks stops the node", {
  skip: ANVIL_ABSENT,
}, async () => {
  const ledger = createLedger(connect(0));
  await node.queue.deposit(300n);
  await ledger.look();
  await ledger.look();
  await reorg(node.test, 1);
  await assert.rejects(ledger.look(), SettlementPausedError);
  await mine(64);
  await assert.rejects(ledger.look(), SettlementPausedError);
  await mine(1);
  await assert.rejects(ledger.look(), SettlementError);
});

test("E10 a reorg over a deposit and its batch: the batch waits for the deposit", {
  skip: ANVIL_ABSENT,
}, async () => {
  const { node: layer, add, run, stages } = await anchoring(1);
  await mine(5);
  await node.queue.deposit(300n);
  await mine(1);
  const [entry] = await layer.queued(0);
  await layer.queued(1);
  assert.ok(entry?.operation.kind === "deposit");
  const { account, amount } = entry.operation;
  const deposit = { kind: "deposit", account, owner: trader.address, amount } as const;
  await add(await ledgerBatch(node, 1, [deposit]));
  await run(1);
  assert.equal((await layer.anchored()).number, 1);
  const start = await node.test.getTransactionCount({ address: operator.address });
  await reorg(node.test, 3);
  // Before the queue is read again, and after: nothing is sent that would revert.
  await assert.rejects(run(1), /batch `1` was refused/);
  await assert.rejects(layer.queued(1), /took queue entries .* already credited/);
  await assert.rejects(run(1), /took queue entries .* already credited/);
  assert.equal(layer.report().stopped, null);
  await node.queue.deposit(300n);
  // It is there, but not confirmed yet.
  await assert.rejects(run(1), /took queue entries .* already credited/);
  await mine(1);
  await layer.queued(1);
  await run(1);
  assert.deepEqual(await layer.anchored(), { number: 1, root: 6n });
  assert.equal(await node.test.getTransactionCount({ address: operator.address }), start);
  assert.deepEqual(stages(), ["anchored"]);
  const { paused, stopped } = layer.report();
  assert.deepEqual({ paused, stopped }, well);
});

test("E10 a reorg of what waits, unexecuted, is no reorg of what was credited", {
  skip: ANVIL_ABSENT,
}, async () => {
  const layer = connect(0);
  const batcher = { nextNumber: () => 1 } as SequencingOptions["batcher"];
  const sequencing = createSequencing({ batcher, nextQueueId: 0 } as SequencingOptions);
  const look = () =>
    watchQueue({ settlement: layer, sequencing, clock: createClock(0), served: [] });
  await node.queue.deposit(300n);
  await look();
  await look();
  await reorg(node.test, 1);
  await look();
  await node.queue.deposit(301n);
  await look();
  await look();
  assert.equal(sequencing.nextQueueId(), 0);
  const { paused, stopped } = layer.report();
  assert.deepEqual({ paused, stopped }, well);
});

test("E10 with `finalized`, what the chain calls final counts, and nothing else", {
  skip: ANVIL_ABSENT,
}, async () => {
  // Anvil calls final what has 64 blocks on it.
  const layer = connect("finalized");
  await node.queue.deposit(300n);
  await mine(63);
  assert.deepEqual(await layer.queued(0), []);
  await mine(1);
  assert.equal((await layer.queued(0)).length, 1);
  const { head, confirmed } = layer.report();
  assert.equal(head! - confirmed!, 64);
});

test("E10 a reorg of more than 64 blocks is not followed", { skip: ANVIL_ABSENT }, async () => {
  const layer = connect(0);
  for (let count = 0; count < 70; count++) {
    await mine(1);
    await layer.anchored();
  }
  await reorg(node.test, 65);
  await assert.rejects(layer.anchored(), /replaced more than 64 blocks/);
  assert.match(layer.report().paused ?? "", /replaced more than 64 blocks/);
});

const well = { paused: null, stopped: null };
const one = (deepestReorg: number) => ({ reorgs: 1, deepestReorg });

/** The sequencer's anchoring over this chain: what it runs by and by in `run`. */
async function anchoring(confirmations: number) {
  const layer = connect(confirmations);
  const batches = createBatches();
  const tracker = createBatchTracker({ validators: [], anchored: 0 });
  const run = createAnchoring({
    ...{ settlement: layer, batches, tracker, clock: createClock(0), logger: silent },
    ...{ certificationWaitMs: 0, onChange: () => undefined },
  });
  const add = async (batch: SealedBatch): Promise<void> => {
    const { number, kind, rootAfter: root } = batch;
    await batches.putSealed(batch);
    await batches.putProof(number, PROOF);
    const place = { logPosition: number, logHash: "" };
    tracker.sealed({ number, kind, time: 0, root, wordsHash: "", ...place });
    tracker.proven(number);
  };
  return {
    node: layer,
    add,
    /** All batches up to `number` are sealed and proven; anchors what is not there. */
    run: async (number: number) => {
      if ((await batches.sealed(number)) === undefined) await add(await tradeBatch(node, number));
      await run();
    },
    stages: () => tracker.statuses(null, BATCHES_MAX).map(({ stage }) => stage),
  };
}
