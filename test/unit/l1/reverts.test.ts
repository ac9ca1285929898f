/** Batch transactions that something else on the chain could make revert. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createWalletClient, type Hex, http, keccak256 } from "viem";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import { rollupAbi } from "../../../sequencer/l1/generated/abi.ts";
import { createValues } from "../roles/ports.ts";
import { type Bench, honest, startBench, until } from "./bench.ts";
import { ledgerBatch, type StatedOperation } from "./ledgerBatch.ts";
import { CHAIN_ID, PROOF, tradeBatch, trader } from "./rollupNode.ts";

const ACCOUNT = 3;

let bench: Bench;

before(async () => {
  bench = await startBench();
});
after(() => bench.stop());
beforeEach(() => bench.reset());

for (const claims of [1, 2, 3]) {
  test(`E12 ${claims} claims before a batch is mined do not take its gas`, async () => {
    const { node } = bench;
    const layer = bench.connect({ confirmations: 0 });
    const owners = Array.from({ length: claims }, (_, index) =>
      developmentAccount(10 + index, CHAIN_ID),
    );
    const withdrawals: StatedOperation[] = owners.map(({ address: owner }, index) => ({
      ...{ kind: "withdraw", account: ACCOUNT + 1 + index, owner, amount: 10 },
    }));
    await node.queue.deposit(1000n);
    const { address: owner } = trader;
    const deposit = { kind: "deposit", account: ACCOUNT, owner, amount: 1000 } as const;
    await layer.submitBatch(await ledgerBatch(node, 1, [deposit, ...withdrawals]), PROOF);
    await node.test.setAutomine(false);
    const second = layer.submitBatch(await ledgerBatch(node, 2, withdrawals), PROOF);
    await until(() => bench.sent.length === 2);
    // Anybody may have others paid, and with the last one the sum of all claims is zero.
    const wallet = createWalletClient({ transport: http(node.rpcUrl), account: trader });
    const hashes: Hex[] = [];
    for (const { address } of owners) {
      const fees = { maxPriorityFeePerGas: 10n ** 10n, maxFeePerGas: 10n ** 11n, gas: 120_000n };
      const call = { address: node.rollup, abi: rollupAbi, functionName: "withdraw" } as const;
      hashes.push(await wallet.writeContract({ ...call, ...fees, args: [address], chain: null }));
    }
    await node.test.mine({ blocks: 1 });
    const { number, transaction } = await second;
    assert.equal(number, 2);
    const batch = await node.test.getTransactionReceipt({ hash: transaction as Hex });
    for (const hash of hashes) {
      const { status, blockNumber, transactionIndex } = await node.test.getTransactionReceipt({
        hash,
      });
      assert.equal(status, "success");
      assert.ok(blockNumber === batch.blockNumber && transactionIndex < batch.transactionIndex);
    }
    assert.equal(layer.report().stopped, null);
  });
}

test("E12 what reverted at a bad moment waits, and is signed anew beyond reorgs", async () => {
  const { node } = bench;
  const values = createValues();
  const alarms: string[] = [];
  const error = (message: string): void => void alarms.push(message);
  const logger = { debug() {}, info() {}, warn() {}, error };
  const start = await bench.nonce();
  const code = await node.test.getCode({ address: node.verifier });
  await node.test.setAutomine(false);
  const layer = bench.connect({ values, logger });
  const batch = await tradeBatch(node, 1);
  const submitting = layer.submitBatch(batch, PROOF);
  await until(() => bench.sent.length > 0);
  // The client sees the chain again when the verifier is right again.
  bench.change = (_request, answer) => {
    delete answer.result;
    answer.error = { code: -32603, message: "busy" };
  };
  await node.test.setCode({ address: node.verifier, bytecode: "0x5f5ffd" });
  await node.test.mine({ blocks: 1 });
  await node.test.setCode({ address: node.verifier, bytecode: code! });
  bench.change = honest;
  await assert.rejects(submitting, { name: "SettlementPausedError", message: /it reverted/ });
  assert.deepEqual(alarms, ["layer one paused"]);
  await node.test.mine({ blocks: 62 });
  await assert.rejects(bench.connect({ values }).submitBatch(batch, PROOF), /it reverted/);
  assert.equal(bench.sent.length, 1);
  await node.test.mine({ blocks: 2 });
  await node.test.setAutomine(true);
  const again = bench.connect({ values });
  const { transaction } = await again.submitBatch(batch, PROOF);
  assert.equal(transaction, keccak256(bench.sent[1]!));
  assert.deepEqual([again.report().paused, layer.report().stopped], [null, null]);
  assert.equal(await bench.nonce(), start + 2);
});
