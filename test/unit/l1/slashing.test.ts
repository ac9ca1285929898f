// A validator is slashed while a batch with its signature is on the way: the batch waits for the
// signatures of those who are left, or a day; its nonce stays its own, and the node never stops.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createWalletClient, type Hex, http, parseTransaction } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import { type AttestationContent, createAttester } from "../../../sequencer/l1/attestation.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import { rollupAbi, validatorRegistryAbi } from "../../../sequencer/l1/generated/abi.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import type { Submission } from "../../../sequencer/l1/submissions.ts";
import { createValues, silent } from "../roles/ports.ts";
import {
  CHAIN_ID,
  operator,
  PROOF,
  type RollupNode,
  startRollupNode,
  tradeBatch,
} from "./rollupNode.ts";

const LOG = "ab".repeat(32);
const DAY = 86_400;
const SPIKE = 10n ** 13n;
/** Beyond the reach of reorgs. */
const FINAL_BLOCKS = 66;
const keys = Array.from({ length: 4 }, generatePrivateKey);
const nowhere = { chainId: CHAIN_ID, rollup: `0x${"11".repeat(20)}` } as const;
const members = keys.map((key) => createAttester(key, nowhere).address);
const reporter = developmentAccount(2, CHAIN_ID);

let node: RollupNode | undefined;
after(() => node?.stop());
beforeEach(async () => {
  await node?.stop();
  node = await startRollupNode({ signers: members });
});

/** A node with one sealed batch, and what each validator says of it. */
async function onTheWay(replaceMs = 200) {
  const chain = node!;
  const domain = { chainId: CHAIN_ID, rollup: chain.rollup };
  const attesters = keys.map((key) => createAttester(key, domain));
  const sealed = await tradeBatch(chain, 1);
  const content = {
    ...{ number: 1, root: sealed.rootAfter, logHash: LOG },
    wordsHash: wordsHash(sealed.words),
  };
  const words = await Promise.all(attesters.map((attester) => attester.attest(content)));
  const values = createValues();
  const layer = createSettlementLayer({
    ...{ rpcUrl: chain.rpcUrl, rollup: chain.rollup, account: operator, logger: silent },
    ...{ confirmations: 0, pollMs: 10, replaceMs, values, feePerGasMax: 10n * SPIKE },
  });
  const submission = async () =>
    (await values.get(`layerOne/submission/${operator.address}/1`)) as Submission | undefined;
  const { test: client, rollup: address } = chain;
  const registry = await client.readContract({
    ...{ address, abi: rollupAbi, functionName: "validators" },
  });
  const wallet = createWalletClient({ transport: http(chain.rpcUrl), account: reporter });
  /** Sends the proof that a validator signed two roots, at a price that puts it first. */
  const slash = async (index: number): Promise<Hex> => {
    const evidence = async (root: bigint) => {
      const lie: AttestationContent = { ...content, number: 9, root };
      const { signature } = await attesters[index]!.attest(lie);
      const hashes = { wordsHash: `0x${lie.wordsHash}`, logHash: `0x${LOG}` } as const;
      return { root, ...hashes, signature: signature as Hex };
    };
    const args = [9n, await evidence(6n), await evidence(7n)] as const;
    return wallet.writeContract({
      ...{ address: registry, abi: validatorRegistryAbi, functionName: "slash", args },
      ...{ chain: null, gas: 1_000_000n },
      ...{ maxFeePerGas: 2n * SPIKE, maxPriorityFeePerGas: SPIKE / 10n },
    });
  };
  const nonce = () => client.getTransactionCount({ address: operator.address });
  const signers = [0, 1, 2].map((index) => words[index]!);
  return { client, layer, sealed, words, signers, submission, slash, nonce };
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let count = 0; count < 500; count++) {
    const found = await ask();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error("waited in vain");
}

/** The bitmap of a submission's certificate, or undefined where it has none. */
function bitmapOf({ raw }: Submission): number | undefined {
  const { data = "0x" } = parseTransaction(raw);
  // Four words before the array's, then its own length: the certificate is last.
  const offset = 10 + 64 * 10;
  const at = 10 + 2 * Number(BigInt(`0x${data.slice(offset, offset + 64)}`));
  const length = Number(BigInt(`0x${data.slice(at, at + 64)}`));
  return length === 0 ? undefined : Number(`0x${data.slice(at + 64, at + 68)}`);
}

test("slashed while the batch waits: the others' signatures go out, same nonce", async () => {
  const { client, layer, sealed, signers, submission, slash, nonce } = await onTheWay();
  const start = await nonce();
  await client.setAutomine(false);
  const anchoring = layer.submitBatch(sealed, PROOF, signers);
  const first = await until(submission);
  assert.equal(bitmapOf(first), 0b0111);
  // A spike of fees keeps the batch out of the block that takes the slashing.
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: SPIKE });
  const slashing = await slash(0);
  await client.mine({ blocks: 1 });
  assert.equal((await client.getTransactionReceipt({ hash: slashing })).status, "success");
  const second = await until(async () => {
    const found = await submission();
    return found && bitmapOf(found) === 0b0011 ? found : undefined;
  });
  assert.equal(second.nonce, first.nonce);
  assert.ok(second.fees.maxFeePerGas > first.fees.maxFeePerGas);
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 9n });
  await client.mine({ blocks: 1 });
  const { root, transaction } = await anchoring;
  assert.equal(root, sealed.rootAfter);
  assert.notEqual(transaction, first.hashes[0]);
  assert.ok((await submission())?.hashes.includes(transaction as Hex));
  assert.equal(first.nonce, start);
  assert.equal(await nonce(), start + 1);
  assert.deepEqual([layer.report().stopped, layer.report().paused], [null, null]);
});

test("slashed in the batch's own block: it reverts, and is signed anew once final", async () => {
  // However long the slashing takes, the transaction is not replaced meanwhile.
  const { client, layer, sealed, signers, submission, slash, nonce } = await onTheWay(600_000);
  const start = await nonce();
  await client.setAutomine(false);
  const anchoring = layer.submitBatch(sealed, PROOF, signers);
  const first = await until(submission);
  await slash(0);
  await client.mine({ blocks: 1 });
  const [hash] = first.hashes;
  await assert.rejects(anchoring, /it reverted/);
  assert.equal((await client.getTransactionReceipt({ hash: hash! })).status, "reverted");
  assert.equal(layer.report().stopped, null);
  // Until no reorg can bring it back, no other transaction is signed.
  await assert.rejects(layer.submitBatch(sealed, PROOF, signers), /it reverted/);
  assert.deepEqual((await submission())?.hashes, first.hashes);
  assert.equal(await nonce(), start + 1);
  await client.setAutomine(true);
  for (let count = 0; count < FINAL_BLOCKS; count++) await client.mine({ blocks: 1 });
  const { transaction } = await layer.submitBatch(sealed, PROOF, signers);
  assert.notEqual(transaction, hash);
  assert.equal(bitmapOf((await submission())!), 0b0011);
  assert.equal(await nonce(), start + 2);
  assert.deepEqual([layer.report().stopped, layer.report().paused], [null, null]);
});

for (const how of ["the missing signature", "a day"] as const) {
  test(`fewer than two thirds are left: the batch waits for ${how}`, async () => {
    const { client, layer, sealed, words, signers, submission, slash, nonce } = await onTheWay();
    const start = await nonce();
    await client.setAutomine(false);
    const anchoring = layer.submitBatch(sealed, PROOF, signers);
    const first = await until(submission);
    await client.setNextBlockBaseFeePerGas({ baseFeePerGas: SPIKE });
    await slash(0);
    await slash(1);
    await client.mine({ blocks: 1 });
    // Of the two who are left, one has signed.
    await assert.rejects(anchoring, /CertificateMissing/);
    assert.match(layer.report().paused ?? "", /CertificateMissing/);
    await assert.rejects(layer.submitBatch(sealed, PROOF, signers), /CertificateMissing/);
    assert.deepEqual((await submission())?.hashes, first.hashes);
    const isSigned = how === "the missing signature";
    // Later than the rules ask for, so that a day has passed by the clock of the estimate, too.
    if (!isSigned) await client.increaseTime({ seconds: DAY });
    await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 9n });
    // The pool has forgotten it: cheap again, it would be mined, and revert.
    await client.dropTransaction({ hash: first.hashes[0]! });
    await client.mine({ blocks: 1 });
    await client.setAutomine(true);
    const given = isSigned ? words : signers;
    const { root } = await layer.submitBatch(sealed, PROOF, given);
    assert.equal(root, sealed.rootAfter);
    const last = (await submission())!;
    assert.equal(bitmapOf(last), isSigned ? 0b0011 : undefined);
    assert.equal(last.nonce, first.nonce);
    assert.equal(await nonce(), start + 1);
    assert.deepEqual([layer.report().stopped, layer.report().paused], [null, null]);
  });
}
