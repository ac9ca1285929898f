/** What has become of a batch and of its transactions. */
import { type Address, type Hash, TransactionNotFoundError } from "viem";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { AnchoredBatch } from "../ports.ts";
import { REORG_BLOCKS_MAX } from "./chainWatch.ts";
import { findAnchored, type RollupReader, readNumbers } from "./rollupReader.ts";
import { SettlementError } from "./settlementError.ts";
import type { Submission } from "./submissions.ts";

/** Where the chain stands, all of one block. */
export interface Place {
  readonly batch: number;
  readonly root: bigint;
  readonly nonce: number;
}

export async function readPlace(
  reader: RollupReader,
  address: Address,
  blockHash: Hash,
): Promise<Place> {
  const { batch, root } = await readNumbers(reader, blockHash);
  const nonce = await reader.client.getTransactionCount({ address, blockHash });
  return { batch, root, nonce };
}

/** What an endpoint says of a submission. */
export interface Verdict {
  readonly fate: "anchored" | "open" | "mined" | "reverted" | "replaced";
  /** No reorg can bring a transaction with its nonce back. */
  readonly isFinal: boolean;
}

/** Judged by the endpoint's own newest block, since two endpoints are never at the same one. */
export async function verdictOf(
  reader: RollupReader,
  address: Address,
  { batch, nonce, hashes }: Submission,
): Promise<Verdict> {
  const head = await reader.client.getBlock({ blockTag: "latest" });
  const place = await readPlace(reader, address, head.hash);
  if (place.batch >= batch) return { fate: "anchored", isFinal: false };
  if (place.nonce <= nonce) return { fate: "open", isFinal: false };
  const fate = await fateOf(reader, hashes);
  const isFinal = (await finalNonce(reader, address, head.number)) > nonce;
  return { fate: fate === "none" ? "replaced" : fate, isFinal };
}

/** The account's nonce beyond the reach of reorgs: on rollups 64 blocks are some seconds. */
async function finalNonce({ client }: RollupReader, address: Address, head: bigint) {
  const { number } = await client.getBlock({ blockTag: "finalized" });
  const deep = head - BigInt(REORG_BLOCKS_MAX);
  const blockNumber = number < deep ? number : deep;
  return blockNumber < 0n ? 0 : client.getTransactionCount({ address, blockNumber });
}

/** Whether one of a nonce's transactions has been mined, and how. */
export async function fateOf(
  reader: RollupReader,
  hashes: readonly Hash[],
): Promise<"mined" | "reverted" | "none"> {
  const receipt = await receiptOf(reader, hashes);
  if (receipt === undefined) return "none";
  return receipt.status === "reverted" ? "reverted" : "mined";
}

/** Of whichever of a nonce's transactions has been mined. */
async function receiptOf({ client }: RollupReader, hashes: readonly Hash[]) {
  for (const hash of hashes) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if ((error as Error).name !== "TransactionReceiptNotFoundError") throw error;
    }
  }
  return undefined;
}

/** Whether the endpoint has one of the transactions, waiting or mined. */
export async function isKnown({ client }: RollupReader, hashes: readonly Hash[]): Promise<boolean> {
  for (const hash of hashes.toReversed()) {
    try {
      await client.getTransaction({ hash });
      return true;
    } catch (error) {
      if (!(error instanceof TransactionNotFoundError)) throw error;
    }
  }
  return false;
}

/** Wei that the mined one of a nonce's transactions has cost; undefined where none was. */
export async function costOf(
  reader: RollupReader,
  hashes: readonly Hash[],
): Promise<bigint | undefined> {
  const receipt = await receiptOf(reader, hashes);
  if (receipt === undefined) return undefined;
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
