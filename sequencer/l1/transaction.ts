/** Makes and signs the transactions of a batch, where fees, funds and budget allow it. */
import { type Hex, keccak256, type LocalAccount, serializeTransaction } from "viem";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation } from "../ports.ts";
import { type BatchArgs, batchesOf, encodeBatches, TRANSACTION_GAS_MAX } from "./batchCall.ts";
import { certificateFor, isOfCertificate } from "./certificate.ts";
import type { Conditions } from "./conditions.ts";
import { dataFeeMax } from "./dataFee.ts";
import { areAlike, costMax, type Fees, isBelow, lowerOf, mayRise, raisedFees } from "./fees.ts";
import { estimateGas, type GasEstimate } from "./gasLimit.ts";
import { guardianPause, isOfPause } from "./guardianPause.ts";
import { isKnown, type Place } from "./outcome.ts";
import type { RollupReader } from "./rollupReader.ts";
import type { Submission } from "./submissions.ts";

export interface TransactionOptions {
  readonly reader: RollupReader;
  /** The second endpoint: it must see the same fees and the same next nonce. */
  readonly witness?: RollupReader | undefined;
  /** Absent: the one that the endpoint serves. */
  readonly chainId?: number | undefined;
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

/** Hears why batches do not go together; then the first goes by itself. */
type OnAlone = (reason: string) => void;

/**
 * The first transaction of the batches, which follow one another, or why its fees cannot be paid
 * now. Where the contract refuses several, it is of the first alone: what is wrong with a later one
 * must not hold it up. `outbid`: one of the same nonce that may still wait. Throws where the
 * contract refuses the first.
 */
export async function firstSubmission(
  options: TransactionOptions,
  start: {
    readonly calls: readonly [Call, ...Call[]];
    readonly place: Place;
    readonly outbid: Submission | undefined;
    readonly reserve: Reserve;
    readonly onAlone: OnAlone;
  },
): Promise<Submission | string> {
  const { calls, place, outbid, reserve, onAlone } = start;
  const { number, commitment } = calls[0].batch;
  const args = await Promise.all(calls.map((call) => argsOf(options.reader, call)));
  const { batches, limit: gas } = await taken(options, { number, args, onAlone });
  await checkNonce(options, place.nonce);
  const fees = raisedFees(await marketFees(options), outbid?.fees);
  const unsigned = { batch: number, commitment, nonce: place.nonce, gas, fees, hashes: [] };
  return sign(options, encodeBatches(batches), { unsigned, reserve });
}

async function argsOf(reader: RollupReader, call: Call): Promise<BatchArgs> {
  const { batch, proof, attestations } = call;
  const certificate = await certificateFor(reader, batch, attestations);
  return { words: batch.words, commitment: batch.commitment, proof, certificate };
}

type Taken = GasEstimate & { readonly batches: readonly BatchArgs[] };

/** What the chain takes of the batches: all, or the first alone. Throws where it refuses that. */
async function taken(
  options: TransactionOptions,
  start: {
    readonly number: number;
    readonly args: readonly BatchArgs[];
    readonly onAlone: OnAlone;
  },
): Promise<Taken> {
  const { reader, account, conditions } = options;
  const { number, args, onAlone } = start;
  const found = await estimateGas(reader, account.address, args);
  const isLarge = typeof found !== "string" && found.limit > TRANSACTION_GAS_MAX;
  if (typeof found !== "string" && !(isLarge && args.length > 1)) {
    conditions.resume("batch");
    return { batches: args, ...found };
  }
  const reason = typeof found === "string" ? found : `they may take \`${found.limit}\` gas`;
  if (args.length === 1) throw await refused(options, number, reason);
  onAlone(reason);
  return taken(options, { ...start, args: args.slice(0, 1) });
}

/**
 * What is to be sent of a signed submission: the same, or the same at a higher price, or with the
 * signatures of those who are members now, or the first of its batches alone; or why that cannot be
 * paid. `isDue`: it has had its time in the pool. Throws where the contract refuses it: after a
 * reorg it may have nothing to stand on.
 */
export async function renewed(
  options: TransactionOptions,
  submission: Submission,
  start: {
    readonly calls: readonly Call[];
    readonly isDue: boolean;
    readonly reserve: Reserve;
    readonly onAlone: OnAlone;
  },
): Promise<Submission | string> {
  const { isDue, reserve } = start;
  const signed = batchesOf(submission.raw);
  const { batches, used, limit } = await acceptable(options, submission, { ...start, signed });
  const data = encodeBatches(batches);
  const isChanged = used > submission.gas || data !== encodeBatches(signed);
  const market = isChanged || isDue ? await marketFees(options) : submission.fees;
  if (!isChanged && !(isDue && (await isRaiseDue(options, submission, market)))) {
    await checkFunds(options, submission.batch, costMax(submission.fees, submission.gas));
    return submission;
  }
  // One that goes alone needs no more than it needs, though it was signed with others.
  const keepsGas = batches.length === signed.length && submission.gas > limit;
  const gas = keepsGas ? submission.gas : limit;
  const fees = raisedFees(market, submission.fees);
  return sign(options, data, { unsigned: { ...submission, gas, fees }, reserve });
}

/**
 * The submission's call as it was signed, if the chain still takes it: other signatures would take
 * other gas. A member that it names may have been slashed since; then with those of the others.
 */
async function acceptable(
  options: TransactionOptions,
  submission: Submission,
  start: {
    readonly calls: readonly Call[];
    readonly signed: readonly BatchArgs[];
    readonly onAlone: OnAlone;
  },
): Promise<Taken> {
  const { reader, account, conditions } = options;
  const { calls, signed, onAlone } = start;
  const number = submission.batch;
  const found = await estimateGas(reader, account.address, signed);
  if (typeof found !== "string") {
    conditions.resume("batch");
    return { batches: signed, ...found };
  }
  if (isOfCertificate(found)) {
    const args = await recertified(reader, signed, calls);
    return taken(options, { number, args, onAlone });
  }
  if (signed.length === 1) throw await refused(options, number, found);
  onAlone(found);
  return taken(options, { number, args: signed.slice(0, 1), onAlone });
}

/**
 * The same batches with the certificates that their signatures make today, which may be none. After
 * a restart fewer of them may be ready than were signed together: those stay as they were.
 */
function recertified(
  reader: RollupReader,
  signed: readonly BatchArgs[],
  calls: readonly Call[],
): Promise<readonly BatchArgs[]> {
  return Promise.all(
    signed.map(async (args) => {
      const call = calls.find(({ batch }) => batch.commitment === args.commitment);
      if (call === undefined) return args;
      const { batch, attestations } = call;
      return { ...args, certificate: await certificateFor(reader, batch, attestations) };
    }),
  );
}

/**
 * Whether the chain would refuse the submission's call for good, at both endpoints: signatures that
 * are missing may come, after a day none are needed, and a pause ends.
 */
export async function isRefused(
  { reader, witness = reader, account }: TransactionOptions,
  submission: Submission,
): Promise<boolean> {
  const batches = batchesOf(submission.raw);
  for (const endpoint of [reader, witness]) {
    const found = await estimateGas(endpoint, account.address, batches);
    if (typeof found !== "string" || isOfCertificate(found) || isOfPause(found)) return false;
  }
  return true;
}

async function refused(
  { reader, conditions }: TransactionOptions,
  batch: number,
  reason: string,
): Promise<Error> {
  const pause = isOfPause(reason) ? await guardianPause(reader) : undefined;
  return conditions.pause("batch", `batch \`${batch}\` was refused: ${pause ?? reason}`);
}

/** Not where the endpoint has refused it: what is in no pool is not outbid by anybody. */
async function isRaiseDue(
  { reader, conditions }: TransactionOptions,
  { batch, fees, hashes }: Submission,
  market: Fees,
): Promise<boolean> {
  if (isBelow(fees, market)) return true;
  if (!(await isKnown(reader, hashes))) return false;
  if (mayRise(fees, market)) return true;
  const offer = `a tip of \`${fees.maxPriorityFeePerGas}\` wei per gas, many times the market's`;
  conditions.pause("fees", `batch \`${batch}\` waits in spite of ${offer}`);
  return false;
}

/** The lower of both endpoints' fees; where they see two markets, nothing is offered. */
async function marketFees(options: TransactionOptions): Promise<Fees> {
  const { reader, witness, conditions } = options;
  const [own, its] = await Promise.all([feesOf(reader), witness && feesOf(witness)]);
  if (its === undefined) return own;
  if (areAlike(own, its)) return lowerOf(own, its);
  const told = [own, its].map(
    ({ maxFeePerGas, maxPriorityFeePerGas }) => `\`${maxFeePerGas}/${maxPriorityFeePerGas}\``,
  );
  throw conditions.pause("fees", `the endpoints disagree on fees: ${told.join(" and ")}`);
}

async function feesOf({ client }: RollupReader): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
  return { maxFeePerGas, maxPriorityFeePerGas };
}

/** One that is too high would leave a gap below it, which nothing could fill. */
async function checkNonce(options: TransactionOptions, nonce: number): Promise<void> {
  const { witness, account, conditions } = options;
  const its = await witness?.client.getTransactionCount({ address: account.address });
  if (its === undefined || its === nonce) return;
  const message = `the endpoints disagree on the nonce: \`${nonce}\` and \`${its}\``;
  throw conditions.pause("nonce", message);
}

async function sign(
  options: TransactionOptions,
  data: Hex,
  offer: { readonly unsigned: Omit<Submission, "raw">; readonly reserve: Reserve },
): Promise<Submission | string> {
  const { reader, account, feePerGasMax = FEE_PER_GAS_MAX } = options;
  const { unsigned, reserve } = offer;
  const { nonce, gas, fees } = unsigned;
  const { maxFeePerGas, maxPriorityFeePerGas } = fees;
  if (maxFeePerGas > feePerGasMax) {
    return `\`${maxFeePerGas}\` wei per gas are wanted, at most ${feePerGasMax}`;
  }
  const transaction = {
    type: "eip1559",
    chainId: options.chainId ?? (await reader.client.getChainId()),
    to: reader.rollup,
    ...{ data, nonce, gas, maxFeePerGas, maxPriorityFeePerGas },
  } as const;
  const dataFee = await dataFeeMax(reader, serializeTransaction(transaction), gas);
  const most = costMax(fees, gas) + dataFee;
  await checkFunds(options, unsigned.batch, most);
  const reason = await reserve(most);
  if (reason !== undefined) return reason;
  const raw = await account.signTransaction(transaction);
  return { ...unsigned, raw, hashes: [...unsigned.hashes, keccak256(raw)] };
}

async function checkFunds(
  { reader, account, conditions }: TransactionOptions,
  batch: number,
  most: bigint,
): Promise<void> {
  const { address } = account;
  const balance = await reader.client.getBalance({ address });
  if (balance < most) {
    const message = `account \`${address}\` has \`${balance}\` wei, batch \`${batch}\` may cost`;
    throw conditions.pause("balance", `${message} \`${most}\``);
  }
  conditions.resume("balance");
}
