// The words of batches that went to layer one together are found there as those of any batch.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPublicClient, custom } from "viem";
import { anchoredBatches, BatchDataError } from "../../sequencer/cli/anchoredBatches.ts";
import { chain, deployRollup, publicClient } from "./rollupChain.ts";
import { planned } from "./together.ts";

test("batches of one transaction are read from layer one, each with its own words", async () => {
  const it = await deployRollup();
  const plans = (["trade", "ledger", "trade"] as const).map((kind) => ({ kind }));
  const batches = await planned(it, plans);
  // Two of them share a commitment: the words' hash tells them apart.
  const alike = batches.map((batch) => ({ ...batch, commitment: 9n }));
  await it.rollup.write.submitBatches([alike]);
  const [alone] = await planned(it, [{ kind: "trade" }]);
  await it.rollup.write.submitBatches([[alone!]]);
  const toBlock = await publicClient.getBlockNumber();
  const client = createPublicClient({ transport: custom(chain.provider) });
  const range = { client, rollup: it.rollup.address, fromBlock: 0n, toBlock };
  const found = [];
  for await (const { number, words } of anchoredBatches(range)) found.push([number, words]);
  assert.deepEqual(
    found,
    [...batches, alone!].map(({ words }, index) => [index + 1, words]),
  );
  // A provider that has one word of the second batch changed is found out.
  const lying = createPublicClient({
    transport: custom({
      request: async (request: { method: string; params?: unknown }) => {
        const answer = await chain.provider.request(request as never);
        if (request.method !== "eth_getTransactionByHash") return answer;
        const { input, ...rest } = answer as { input: string };
        return { ...rest, input: `${input.slice(0, -65)}1${input.slice(-64)}` };
      },
    }),
  });
  await assert.rejects(async () => {
    for await (const _ of anchoredBatches({ ...range, client: lying }));
  }, BatchDataError);
});
