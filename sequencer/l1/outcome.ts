/** What has become of a batch and of its transactions. */
import type { Address, Hash } from "viem";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { AnchoredBatch } from "../ports.ts";
import { type ChainHead, REORG_BLOCKS_MAX } from "./chainWatch.ts";
import { findAnchored, type RollupReader, readNumbers } from "./rollupReader.ts";
import { SettlementError, SettlementPausedError } from "./settlementError.ts";

/** Where the chain stands, all of one block. */
export interface Place {
  readonly batch: number;
  readonly root: bigint;
  readonly nonce: number;
  /** The nonce as deep as reorgs go. */
  readonly nonceFinal: number;
}

export async function readPlace(
  reader: RollupReader,
  address: Address,
  head: ChainHead,
): Promise<Place> {
  const { client } = reader;
  const blockNumber = head.number;
  const deep = blockNumber - BigInt(REORG_BLOCKS_MAX);
  const { batch, root } = await readNumbers(reader, blockNumber);
  const nonce = await client.getTransactionCount({ address, blockNumber });
  const nonceFinal =
    deep < 0n ? 0 : await client.getTransactionCount({ address, blockNumber: deep });
  // Read at a height: only if the block is still the same do the answers belong together.
  const block = await client.getBlock({ blockNumber });
  if (block.hash === head.hash) return { batch, root, nonce, nonceFinal };
  throw new SettlementPausedError("layer one changed while it was read");
}

/** Whether one of a nonce's transactions has been mined, and how. */
export async function fateOf(
  { client }: RollupReader,
  hashes: readonly Hash[],
): Promise<"mined" | "reverted" | "none"> {
  for (const hash of hashes) {
    try {
      const { status } = await client.getTransactionReceipt({ hash });
      return status === "reverted" ? "reverted" : "mined";
    } catch (error) {
      if ((error as Error).name !== "TransactionReceiptNotFoundError") throw error;
    }
  }
  return "none";
}

/** Wei that a mined transaction has cost. */
export async function costOf({ client }: RollupReader, transaction: string): Promise<bigint> {
  const receipt = await client.getTransactionReceipt({ hash: transaction as Hash });
  const { gasUsed, effectiveGasPrice, blobGasUsed = 0n, blobGasPrice = 0n } = receipt;
  // Rollups charge the data of layer one apart, in a field of their own.
  const { l1Fee } = receipt as { l1Fee?: bigint | string | null };
  return gasUsed * effectiveGasPrice + blobGasUsed * blobGasPrice + BigInt(l1Fee ?? 0);
}

/** The anchored batch must be this one, else layer one has another history than this node. */
export async function confirmAnchored(
  reader: RollupReader,
  batch: SealedBatch,
): Promise<AnchoredBatch> {
  const event = await findAnchored(reader, batch.number);
  if (event === undefined) {
    throw new Error(`the event of batch \`${batch.number}\` is not to be found yet`);
  }
  const { stateRoot, commitment } = event.args;
  if (stateRoot !== batch.rootAfter || commitment !== batch.commitment) {
    const root = `root \`${stateRoot}\` instead of \`${batch.rootAfter}\``;
    throw new SettlementError(`layer one has another batch \`${batch.number}\`: ${root}`);
  }
  return { number: batch.number, root: stateRoot, transaction: event.transactionHash };
}
