/** The public words of every anchored batch, in order, from layer one alone. */
import { decodeFunctionData, encodePacked, keccak256, type PublicClient } from "viem";
import { ROLLUP_ABI } from "../client/rollupAbi.ts";

/** Blocks that one log query covers; providers refuse long ranges. */
const BLOCKS_PER_QUERY = 5000n;

/** Layer one's data is not what its own events say: another provider may do better. */
export class BatchDataError extends Error {
  override name = "BatchDataError";
}

export interface BatchRange {
  readonly client: PublicClient;
  readonly rollup: `0x${string}`;
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}

export async function* anchoredBatches(range: BatchRange): AsyncGenerator<readonly bigint[]> {
  const { client, rollup, toBlock } = range;
  for (let start = range.fromBlock; start <= toBlock; start += BLOCKS_PER_QUERY) {
    const last = start + BLOCKS_PER_QUERY - 1n;
    const events = await client.getContractEvents({
      address: rollup,
      abi: ROLLUP_ABI,
      eventName: "BatchAnchored",
      strict: true,
      fromBlock: start,
      toBlock: last < toBlock ? last : toBlock,
    });
    for (const { args, transactionHash } of events) {
      const { to, input } = await client.getTransaction({ hash: transactionHash });
      if (to?.toLowerCase() !== rollup.toLowerCase()) {
        const text = `batch \`${args.number}\` was submitted through another contract`;
        throw new BatchDataError(`${text}, in \`${transactionHash}\`: its words are not readable.`);
      }
      yield wordsOf(input, args.number, args.wordsHash);
    }
  }
}

function wordsOf(input: `0x${string}`, number: bigint, wordsHash: string): readonly bigint[] {
  const { functionName, args } = decodeFunctionData({ abi: ROLLUP_ABI, data: input });
  if (functionName !== "submitBatch") {
    throw new BatchDataError(`batch \`${number}\` was not anchored by submitBatch.`);
  }
  const [words] = args;
  if (keccak256(encodePacked(["uint256[]"], [words])) !== wordsHash) {
    throw new BatchDataError(`the provider's words of batch \`${number}\` are not the anchored.`);
  }
  return words;
}
