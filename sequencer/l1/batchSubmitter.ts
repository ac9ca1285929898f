/**
 * Sends batches to layer one. The account is used for nothing else, so its next nonce is the place
 * of the next batch: whatever is sent again, after a timeout or by a process that has lost its
 * memory, takes that same nonce, and the chain can include one of them only.
 */

import { setTimeout as sleep } from "node:timers/promises";
import {
  encodeFunctionData,
  type Hash,
  type Hex,
  keccak256,
  type LocalAccount,
  type TransactionReceipt,
} from "viem";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { AnchoredBatch, Logger } from "../ports.ts";
import { rollupAbi } from "./generated/abi.ts";
import { findAnchored, type RollupReader, readAnchored } from "./rollupReader.ts";
import { describeChainError, SettlementError } from "./settlementError.ts";

export interface BatchSubmitterOptions {
  readonly reader: RollupReader;
  readonly account: LocalAccount;
  readonly logger: Logger;
  /** After so long without inclusion the transaction is replaced by one that pays more. */
  readonly replaceMs?: number;
  readonly pollMs?: number;
  /** Wei per gas above which fees are not raised. */
  readonly feePerGasMax?: bigint;
}

export type BatchSubmitter = (batch: SealedBatch, proof: ProofWords) => Promise<AnchoredBatch>;

const REPLACE_MS = 60_000;
const POLL_MS = 1_000;
const FEE_PER_GAS_MAX = 500n * 10n ** 9n;
/** Nodes take a replacement that pays at least a tenth more; a quarter is safely above. */
const FEE_RAISE_PERCENT = 125n;
const GAS_MARGIN_PERCENT = 115n;
/** Failed questions in a row after which the caller hears of it, and may simply call again. */
const FAILURES_MAX = 30;

interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** A transaction's unchanging part. */
interface Envelope {
  readonly chainId: number;
  readonly nonce: number;
  readonly gas: bigint;
  readonly data: Hex;
}

export function createBatchSubmitter(options: BatchSubmitterOptions): BatchSubmitter {
  let turn: Promise<unknown> = Promise.resolve();
  return (batch, proof) => {
    // One at a time: a batch is only valid on top of the one before.
    const result = turn.then(() => submit(options, batch, proof));
    turn = result.catch(() => undefined);
    return result;
  };
}

async function submit(
  options: BatchSubmitterOptions,
  batch: SealedBatch,
  proof: ProofWords,
): Promise<AnchoredBatch> {
  const { reader, logger } = options;
  // The nonce is read before the batch number: a transaction included in between then shows.
  const nonce = await nextNonce(options);
  const anchored = await readAnchored(reader);
  if (anchored.number >= batch.number) return confirmAnchored(reader, batch);
  if (anchored.number !== batch.number - 1 || anchored.root !== batch.rootBefore) {
    const found = `batch \`${anchored.number}\`, root \`${anchored.root}\``;
    throw new SettlementError(`batch \`${batch.number}\` does not follow layer one's ${found}`);
  }
  const envelope = await prepare(options, { batch, proof, nonce }).catch(async (error) => {
    // A transaction of an earlier process may have been included a moment ago.
    if ((await readAnchored(reader)).number < batch.number) throw error;
  });
  if (envelope === undefined) return confirmAnchored(reader, batch);
  logger.info("submitting batch", { number: batch.number, nonce, gas: envelope.gas });
  return includeSomehow(options, batch, envelope);
}

async function nextNonce({ reader, account }: BatchSubmitterOptions): Promise<number> {
  // "latest" leaves out what waits in the pool: exactly that is to be replaced.
  return reader.client.getTransactionCount({ address: account.address, blockTag: "latest" });
}

/** Lets the chain try the call first, so that what it refuses costs nothing. */
async function prepare(
  { reader, account }: BatchSubmitterOptions,
  call: { readonly batch: SealedBatch; readonly proof: ProofWords; readonly nonce: number },
): Promise<Envelope> {
  const { batch, proof, nonce } = call;
  const contractCall = {
    address: reader.rollup,
    abi: rollupAbi,
    functionName: "submitBatch",
    args: [batch.words, batch.commitment, proof],
  } as const;
  try {
    const gas = await reader.client.estimateContractGas({
      ...contractCall,
      account: account.address,
      // Not "pending": there, an earlier transaction for this batch makes it look anchored.
      blockTag: "latest",
    });
    const chainId = await reader.client.getChainId();
    const data = encodeFunctionData(contractCall);
    return { chainId, nonce, gas: (gas * GAS_MARGIN_PERCENT) / 100n, data };
  } catch (cause) {
    const reason = describeChainError(cause);
    throw new SettlementError(`batch \`${batch.number}\` was refused: ${reason}`, { cause });
  }
}

/** Sends, waits, and sends again with higher fees, until the chain has the batch. */
async function includeSomehow(
  options: BatchSubmitterOptions,
  batch: SealedBatch,
  envelope: Envelope,
): Promise<AnchoredBatch> {
  const { reader, logger, replaceMs = REPLACE_MS, pollMs = POLL_MS } = options;
  const sent = new Set<Hash>();
  let fees: Fees | undefined;
  let replaceAt = 0;
  for (let failures = 0; failures < FAILURES_MAX; ) {
    try {
      if (performance.now() >= replaceAt) {
        fees = await raiseFees(options, fees);
        const hash = await send(options, envelope, fees);
        sent.add(hash);
        replaceAt = performance.now() + replaceMs;
        logger.info("batch sent", { number: batch.number, hash, ...fees });
      }
      const outcome = await outcomeOf(reader, batch, sent);
      if (outcome !== undefined) return outcome;
      failures = 0;
    } catch (error) {
      if (error instanceof SettlementError) throw error;
      failures += 1;
      logger.warn("layer one did not answer", { failures, reason: describeChainError(error) });
    }
    await sleep(pollMs);
  }
  throw new SettlementError(
    `layer one does not answer; batch \`${batch.number}\` may be on its way`,
  );
}

async function raiseFees(
  { reader, logger, feePerGasMax = FEE_PER_GAS_MAX }: BatchSubmitterOptions,
  last: Fees | undefined,
): Promise<Fees> {
  const current = await reader.client.estimateFeesPerGas();
  const raised = (now: bigint, before: bigint): bigint => {
    const least = (before * FEE_RAISE_PERCENT) / 100n + 1n;
    return now > least ? now : least;
  };
  const fees = {
    maxFeePerGas: raised(current.maxFeePerGas, last?.maxFeePerGas ?? 0n),
    maxPriorityFeePerGas: raised(current.maxPriorityFeePerGas, last?.maxPriorityFeePerGas ?? 0n),
  };
  if (fees.maxFeePerGas <= feePerGasMax) return fees;
  logger.error("fees have reached their bound", { feePerGasMax, wanted: fees.maxFeePerGas });
  const cap = (fee: bigint): bigint => (fee < feePerGasMax ? fee : feePerGasMax);
  return (
    last ?? { maxFeePerGas: feePerGasMax, maxPriorityFeePerGas: cap(current.maxPriorityFeePerGas) }
  );
}

async function send(
  { reader, account, logger }: BatchSubmitterOptions,
  envelope: Envelope,
  fees: Fees,
): Promise<Hash> {
  const transaction = { ...envelope, ...fees, to: reader.rollup, type: "eip1559" } as const;
  const serializedTransaction = await account.signTransaction(transaction);
  try {
    return await reader.client.sendRawTransaction({ serializedTransaction });
  } catch (error) {
    // Known already, outbid, or its nonce just used up: the outcome tells, not this answer.
    logger.warn("a transaction was not taken", { reason: describeChainError(error) });
    return keccak256(serializedTransaction);
  }
}

/** What has become of the batch: anchored, failed (throws), or nothing yet. */
async function outcomeOf(
  reader: RollupReader,
  batch: SealedBatch,
  sent: ReadonlySet<Hash>,
): Promise<AnchoredBatch | undefined> {
  for (const hash of sent) {
    const receipt = await receiptOf(reader, hash);
    if (receipt?.status === "reverted") {
      const transaction = `transaction \`${hash}\``;
      throw new SettlementError(`batch \`${batch.number}\` reverted in ${transaction}`);
    }
  }
  // Asked of the contract and not of receipts: an earlier process may have sent what got in.
  const anchored = await readAnchored(reader);
  return anchored.number >= batch.number ? confirmAnchored(reader, batch) : undefined;
}

async function receiptOf(
  { client }: RollupReader,
  hash: Hash,
): Promise<TransactionReceipt | undefined> {
  try {
    return await client.getTransactionReceipt({ hash });
  } catch (error) {
    if ((error as Error).name === "TransactionReceiptNotFoundError") return undefined;
    throw error;
  }
}

/** The anchored batch must be this one, else layer one has another history than this node. */
async function confirmAnchored(reader: RollupReader, batch: SealedBatch): Promise<AnchoredBatch> {
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
