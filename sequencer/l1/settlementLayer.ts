/** The base chain through a JSON-RPC endpoint. Without an account it reads only. */
import { type Address, decodeFunctionData, encodePacked, keccak256, type LocalAccount } from "viem";
import type { ProofWords } from "../batch/sealedBatch.ts";
import type { Logger, SettlementLayer } from "../ports.ts";
import { createBatchSubmitter } from "./batchSubmitter.ts";
import { rollupAbi } from "./generated/abi.ts";
import { createQueueReader } from "./queueReader.ts";
import {
  createRollupReader,
  findAnchored,
  type RollupReader,
  readAnchored,
} from "./rollupReader.ts";
import { SettlementError } from "./settlementError.ts";

export interface SettlementLayerOptions {
  readonly rpcUrl: string;
  readonly rollup: Address;
  /** Signs batch transactions and is used for nothing else. */
  readonly account?: LocalAccount;
  /** Blocks that must stand on a queue event's block before it counts. */
  readonly confirmations: number;
  /** Block in which the rollup was created; saves reading the chain from its beginning. */
  readonly firstBlock?: bigint;
  /** After so long without inclusion a transaction is replaced by one that pays more. */
  readonly replaceMs?: number;
  readonly pollMs?: number;
  readonly feePerGasMax?: bigint;
  readonly logger: Logger;
}

export function createSettlementLayer(options: SettlementLayerOptions): SettlementLayer {
  const { rpcUrl, rollup, account, confirmations, firstBlock = 0n } = options;
  const reader = createRollupReader({ rpcUrl, rollup, firstBlock });
  const queue = createQueueReader(reader, confirmations);
  const submit = account && createBatchSubmitter({ ...options, reader, account });

  return {
    domain: () =>
      reader.client.readContract({ address: rollup, abi: rollupAbi, functionName: "domain" }),
    anchored: () => readAnchored(reader),
    queued: (fromQueueId) => queue.queued(fromQueueId),
    submitBatch: async (batch, proof) => {
      if (submit === undefined) throw new SettlementError("there is no account to submit with");
      return submit(batch, proof);
    },
    batchData: (number) => readBatchData(reader, number),
  };
}

async function readBatchData(
  reader: RollupReader,
  number: number,
): Promise<{ words: readonly bigint[]; proof: ProofWords } | undefined> {
  const event = await findAnchored(reader, number);
  if (event === undefined) return undefined;
  const transaction = await reader.client.getTransaction({ hash: event.transactionHash });
  // After a silence of the operator anybody may submit, through a contract of theirs too.
  if (transaction.to?.toLowerCase() !== reader.rollup.toLowerCase()) {
    const call = `transaction \`${event.transactionHash}\` calls another contract`;
    throw new SettlementError(`the words of batch \`${number}\` are in an inner call: ${call}`);
  }
  const { functionName, args } = decodeFunctionData({ abi: rollupAbi, data: transaction.input });
  if (functionName !== "submitBatch") {
    throw new SettlementError(`batch \`${number}\` was not anchored by submitBatch`);
  }
  const [words, , proof] = args;
  if (keccak256(encodePacked(["uint256[]"], [words])) !== event.args.wordsHash) {
    throw new SettlementError(
      `the provider's words of batch \`${number}\` are not the anchored ones`,
    );
  }
  return { words, proof };
}
