/** The guardian's pause is waited for: nothing of it is a fault of the node or of its batches. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createWalletClient, http, keccak256 } from "viem";
import { rollupAbi } from "../../../sequencer/l1/generated/abi.ts";
import { createValues } from "../roles/ports.ts";
import { type Bench, startBench, until } from "./bench.ts";
import { guardian, PROOF, tradeBatch } from "./rollupNode.ts";

/** Beyond the reach of reorgs. */
const FINAL_BLOCKS = 66;
const TIP = 10n ** 11n;

let bench: Bench;

before(async () => {
  bench = await startBench({ isGoverned: true });
});
after(() => bench.stop());
beforeEach(() => bench.reset());

/** At a price that puts it first in its block. */
async function pauseContract(): Promise<void> {
  const { rpcUrl, rollup: address } = bench.node;
  const wallet = createWalletClient({ transport: http(rpcUrl), account: guardian });
  await wallet.writeContract({
    ...{ address, abi: rollupAbi, functionName: "pause", chain: null, gas: 200_000n },
    ...{ maxFeePerGas: 10n * TIP, maxPriorityFeePerGas: TIP },
  });
}

async function pauseEnd(): Promise<bigint> {
  const { test: client, rollup: address } = bench.node;
  return client.readContract({ address, abi: rollupAbi, functionName: "pausedUntil" });
}

test("a batch that a pause overtakes reverts, waits for its end and is signed anew", async () => {
  const { node } = bench;
  const values = createValues();
  await node.test.setAutomine(false);
  const layer = bench.connect({ values, confirmations: 0 });
  const batch = await tradeBatch(node, 1);
  const submitting = layer.submitBatch(batch, PROOF);
  await until(() => bench.sent.length > 0);
  await pauseContract();
  const first = keccak256(bench.sent[0]!);
  const rejected = assert.rejects(submitting, { name: "SettlementPausedError" });
  await node.test.mine({ blocks: 1 });
  await rejected;
  const receipt = await node.test.getTransactionReceipt({ hash: first });
  assert.equal(receipt.status, "reverted");
  const end = await pauseEnd();
  const time = new Date(Number(end) * 1000).toISOString();
  assert.equal(layer.report().stopped, null);
  assert.ok(layer.report().paused?.includes(`it reverted; the guardian has paused`));
  assert.ok(layer.report().paused?.includes(time));
  // A restart while the pause lasts, beyond the reach of reorgs: still nothing is sent.
  await node.test.mine({ blocks: FINAL_BLOCKS });
  const again = bench.connect({ values, confirmations: 0 });
  await assert.rejects(again.submitBatch(batch, PROOF), { name: "SettlementPausedError" });
  assert.ok(again.report().paused?.includes(time), `${again.report().paused}`);
  assert.deepEqual([again.report().stopped, bench.sent.length], [null, 1]);
  await node.test.setAutomine(true);
  await node.test.setNextBlockTimestamp({ timestamp: end });
  await node.test.mine({ blocks: 1 });
  const { number, transaction } = await again.submitBatch(batch, PROOF);
  assert.deepEqual([number, transaction], [1, keccak256(bench.sent.at(-1)!)]);
  assert.deepEqual([again.report().stopped, again.report().paused], [null, null]);
  // Both have been paid.
  const mined = await node.test.getTransactionReceipt({ hash: keccak256(bench.sent.at(-1)!) });
  const costs = [receipt, mined].map((each) => each.gasUsed * each.effectiveGasPrice);
  assert.equal(again.report().spentDay, costs[0]! + costs[1]!);
});
