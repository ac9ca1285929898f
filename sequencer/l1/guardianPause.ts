/**
 * The guardian's pause: for some days the contract takes neither deposits nor batches, and after it
 * everything goes on as it was. So it is waited for.
 */
import { rollupAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";

/** Whether the contract refuses a batch for the pause alone: it looks at that first. */
export function isOfPause(refusal: string): boolean {
  return /^reverted: PausedUntil\(/.test(refusal);
}

/** That the guardian has paused and until when, or undefined. */
export async function guardianPause({ client, rollup }: RollupReader): Promise<string | undefined> {
  const { hash, timestamp } = await client.getBlock({ blockTag: "latest" });
  const end = await client.readContract({
    ...{ address: rollup, abi: rollupAbi, functionName: "pausedUntil", blockHash: hash },
  });
  if (timestamp >= end) return undefined;
  const until = new Date(Number(end) * 1000).toISOString();
  return `the guardian has paused layer one's contract until ${until}`;
}
