/** Makes and signs the transactions of a batch, where fees and budget allow it. */
import {
  BaseError,
  encodeFunctionData,
  type Hex,
  HttpRequestError,
  keccak256,
  type LocalAccount,
  parseTransaction,
  TimeoutError,
} from "viem";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation } from "../ports.ts";
import { certificateFor } from "./certificate.ts";
import type { Conditions } from "./conditions.ts";
import { costMax, type Fees, raisedFees } from "./fees.ts";
import { rollupAbi } from "./generated/abi.ts";
import type { Place } from "./outcome.ts";
import type { RollupReader } from "./rollupReader.ts";
import { describeChainError } from "./settlementError.ts";
import type { Submission } from "./submissions.ts";

export interface TransactionOptions {
  readonly reader: RollupReader;
  readonly account: LocalAccount;
  readonly conditions: Conditions;
  /** Wei per gas above which nothing is signed. */
  readonly feePerGasMax?: bigint | undefined;
}

export interface Call {
  readonly batch: SealedBatch;
  readonly proof: ProofWords;
  readonly attestations: readonly Attestation[];
}

/** Why the budget has no room for so much wei, or undefined: then it is accounted for. */
type Reserve = (wei: bigint) => Promise<string | undefined>;

const FEE_PER_GAS_MAX = 500n * 10n ** 9n;
const GAS_MARGIN_PERCENT = 115n;

/**
 * The batch's first transaction, or why its fees cannot be paid now. `outbid`: one of the same
 * nonce that may still wait. Throws where the contract refuses the batch.
 */
export async function firstSubmission(
  options: TransactionOptions,
  start: Call & {
    readonly place: Place;
    readonly outbid: Submission | undefined;
    readonly reserve: Reserve;
  },
): Promise<Submission | string> {
  const { batch, place, outbid } = start;
  const certificate = await certificateFor(options.reader, batch, start.attestations);
  const call = contractCall(options.reader, start, certificate);
  const gas = await estimateGas(options, batch.number, call);
  const fees = raisedFees(await currentFees(options), outbid?.fees);
  const reason = await refusal(options, { fees, gas, reserve: start.reserve });
  if (reason !== undefined) return reason;
  const { number, commitment } = batch;
  const nothing = { hashes: [], hasReverted: false };
  const envelope = { batch: number, commitment, nonce: place.nonce, gas, ...nothing };
  return sign(options, encodeFunctionData(call), { ...envelope, fees });
}

/** The same transaction at a higher price, or why that cannot be paid now. */
export async function replacement(
  options: TransactionOptions,
  submission: Submission,
  reserve: Reserve,
): Promise<Submission | string> {
  const fees = raisedFees(await currentFees(options), submission.fees);
  const reason = await refusal(options, { fees, gas: submission.gas, reserve });
  // As it was signed first: other signatures of validators would take other gas.
  const { data = "0x" } = parseTransaction(submission.raw);
  return reason ?? sign(options, data, { ...submission, fees });
}

async function currentFees({ reader }: TransactionOptions): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas } = await reader.client.estimateFeesPerGas();
  return { maxFeePerGas, maxPriorityFeePerGas };
}

async function refusal(
  { feePerGasMax = FEE_PER_GAS_MAX }: TransactionOptions,
  offer: { readonly fees: Fees; readonly gas: bigint; readonly reserve: Reserve },
): Promise<string | undefined> {
  const { fees, gas, reserve } = offer;
  if (fees.maxFeePerGas > feePerGasMax) {
    return `\`${fees.maxFeePerGas}\` wei per gas are wanted, at most ${feePerGasMax}`;
  }
  return reserve(costMax(fees, gas));
}

/** Lets the chain try the call first, so that what it refuses costs nothing. */
async function estimateGas(
  { reader, account, conditions }: TransactionOptions,
  number: number,
  call: ReturnType<typeof contractCall>,
): Promise<bigint> {
  try {
    const gas = await reader.client.estimateContractGas({
      ...call,
      account: account.address,
      // Not "pending": there, an earlier transaction for this batch makes it look anchored.
      blockTag: "latest",
    });
    return (gas * GAS_MARGIN_PERCENT) / 100n;
  } catch (cause) {
    // Only the contract's no says something of the batch.
    const isSilence = (error: unknown): boolean =>
      error instanceof HttpRequestError || error instanceof TimeoutError;
    if (cause instanceof BaseError && cause.walk(isSilence) !== null) throw cause;
    const reason = `batch \`${number}\` was refused: ${describeChainError(cause)}`;
    throw conditions.pause("batch", reason);
  }
}

function contractCall({ rollup }: RollupReader, { batch, proof }: Call, certificate: Hex) {
  const args = [batch.words, batch.commitment, proof, certificate] as const;
  return { address: rollup, abi: rollupAbi, functionName: "submitBatch", args } as const;
}

async function sign(
  { reader, account }: TransactionOptions,
  data: Hex,
  unsigned: Omit<Submission, "raw">,
): Promise<Submission> {
  const { nonce, gas, fees } = unsigned;
  const { maxFeePerGas, maxPriorityFeePerGas } = fees;
  const raw = await account.signTransaction({
    type: "eip1559",
    chainId: await reader.client.getChainId(),
    to: reader.rollup,
    ...{ data, nonce, gas, maxFeePerGas, maxPriorityFeePerGas },
  });
  const hashes = [...unsigned.hashes, keccak256(raw)];
  return { ...unsigned, raw, hashes };
}
