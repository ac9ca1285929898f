/** Sends creations and calls one after the other, each at most once, whatever interrupts it. */
import {
  type Address,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  type Hash,
  type Hex,
  isAddressEqual,
  keccak256,
  type PublicClient,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  type WalletClient,
} from "viem";
import { type GasFees, raisedGasFees } from "../../sequencer/l1/fees.ts";
import { type Artifact, DeployError } from "../deployVerifiers.ts";
import type { Journal, JournalStep } from "./journal.ts";

const MINED_WITHIN_SECONDS = 300;
/** How long endpoints of many machines may need until all know a receipt. */
const RECEIPT_LAG_SECONDS = 15;
/** How far back a node's own account's transaction is looked for. */
const BLOCKS_SEARCHED_MAX = 10_000;

/** A contract that was created, for verification and for the record. */
export interface DeployedContract {
  readonly name: string;
  readonly artifact: Artifact;
  readonly args: readonly unknown[];
  readonly address: Address;
  readonly block: number;
  /** null where a crash came between sending and noting. */
  readonly transaction: Hash | null;
  readonly gasUsed: bigint;
}

export type Deploy = (
  name: string,
  artifact: Artifact,
  args: readonly unknown[],
) => Promise<{ readonly address: Address; readonly block: number }>;

/** A call of a contract that the deployment has created. */
export interface ContractCall {
  readonly address: Address;
  readonly artifact: Artifact;
  readonly functionName: string;
  readonly args: readonly unknown[];
  /** What it takes at most: a dry run cannot ask a contract that is not there yet. */
  readonly gasMax: bigint;
}

/** Sends, or only plans to. */
export interface Sender {
  readonly deploy: Deploy;
  readonly call: (call: ContractCall) => Promise<void>;
}

export interface JournaledSender extends Sender {
  readonly deployed: () => readonly DeployedContract[];
}

export interface SendOptions {
  readonly publicClient: PublicClient;
  readonly walletClient: WalletClient;
  readonly journal: Journal;
  readonly minedWithinSeconds?: number | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Called at every point where a crash would hurt most: tests crash there. */
  readonly onStage?:
    | ((stage: "noted" | "signed" | "sent" | "mined", name: string) => void)
    | undefined;
}

/** What waits for its place in the chain; without `to` it creates a contract. */
interface Step {
  readonly index: number;
  readonly name: string;
  readonly to?: Address;
  readonly data: Hex;
}

export function createSender(options: SendOptions): JournaledSender {
  const { journal, publicClient } = options;
  const deployed: DeployedContract[] = [];
  let begun = 0;
  return {
    deployed: () => deployed,
    async deploy(name, artifact, args) {
      const { abi, bytecode } = artifact;
      const data = encodeDeployData({ abi, bytecode, args });
      const step = { index: begun++, name, data };
      const noted = await done(options, step);
      const { hash, block, gasUsed } = noted.mined!;
      // Some nodes answer in lower case; addresses are written in one way only.
      const address = getAddress(noted.address);
      const code = await publicClient.getCode({ address });
      if (code === undefined)
        throw new DeployError(`there is no code of \`${name}\` at ${address}`);
      deployed.push({
        ...{ name, artifact, args, address, block },
        ...{ transaction: hash, gasUsed: BigInt(gasUsed) },
      });
      options.onProgress?.(`${name} at ${address} (${gasUsed} gas)`);
      journal.put(step.index, noted);
      return { address, block };
    },
    async call({ address, artifact, functionName, args }) {
      const data = encodeFunctionData({ abi: artifact.abi, functionName, args });
      const name = `${artifact.contractName}.${functionName}`;
      const step = { index: begun++, name, to: address, data };
      const noted = await done(options, step);
      options.onProgress?.(`${name} at ${address} (${noted.mined!.gasUsed} gas)`);
      journal.put(step.index, noted);
    },
  };
}

async function done(options: SendOptions, step: Step): Promise<JournalStep> {
  try {
    return (await resumed(options, step)) ?? (await begin(options, step));
  } catch (error) {
    // Its nonce is used up: the next run begins this step anew.
    if (error instanceof RevertedError) options.journal.cut(step.index);
    throw error;
  }
}

/** What the journal's step came to; undefined where it must be done anew. */
async function resumed(options: SendOptions, step: Step): Promise<JournalStep | undefined> {
  const { journal, publicClient } = options;
  const { index, name, to, data } = step;
  const noted = journal.steps()[index];
  if (noted === undefined) return undefined;
  const isSame = noted.name === name && noted.dataHash === keccak256(data);
  if (
    !isSame ||
    noted.isCreation !== (to === undefined) ||
    (to ?? noted.address) !== noted.address
  ) {
    throw new DeployError(
      `an unfinished deployment has another \`${noted.name}\` in this place: give the same ` +
        "options and contracts as then, or remove its journal",
    );
  }
  const account = accountOf(options.walletClient);
  // Before the receipts: what is mined between the two questions must not look like another's.
  const nonce = await publicClient.getTransactionCount({ address: account.address });
  const mined = await minedStep(publicClient, noted);
  if (mined !== undefined) return mined;
  if (nonce > noted.nonce) {
    // Endpoints of many machines may know the nonce here and the receipt not yet there.
    const lag = noted.attempts.length > 0 ? RECEIPT_LAG_SECONDS : 0;
    const late = await minedWithin(options, noted, lag);
    if (late !== undefined) return late;
    // A local key's transactions are noted before they are sent: none of them took the nonce.
    const found = account.type === "local" ? undefined : await foundByNonce(options, noted);
    if (found !== undefined) return found;
    // Another transaction took the nonce, or a reorg undid it: what came after counts no more.
    journal.cut(index);
    return undefined;
  }
  options.onProgress?.(`${name} was not mined yet: again, with the same nonce ${noted.nonce}`);
  return send(options, step, noted);
}

async function minedStep(
  client: PublicClient,
  noted: JournalStep,
): Promise<JournalStep | undefined> {
  const mined = await receiptedStep(client, noted);
  if (mined !== undefined || !noted.isCreation) return mined;
  const code = await client.getCode({ address: noted.address });
  if (code === undefined) return undefined;
  // It may have been mined between the two questions.
  const late = await receiptedStep(client, noted);
  if (late !== undefined) return late;
  // The address follows from sender and nonce, so this is ours, with a hash that nobody noted.
  const block = noted.mined?.block ?? Number(await client.getBlockNumber());
  return { ...noted, mined: { hash: null, block, gasUsed: noted.mined?.gasUsed ?? "0" } };
}

async function receiptedStep(
  client: PublicClient,
  noted: JournalStep,
): Promise<JournalStep | undefined> {
  for (const { hash } of noted.attempts) {
    const receipt = await client.getTransactionReceipt({ hash }).catch(notFound);
    if (receipt !== undefined) return withReceipt(noted, receipt);
  }
  return undefined;
}

function withReceipt(noted: JournalStep, receipt: TransactionReceipt): JournalStep {
  const { transactionHash: hash, gasUsed, blockNumber } = receipt;
  if (receipt.status !== "success") throw new RevertedError(noted.name, hash);
  return { ...noted, mined: { hash, block: Number(blockNumber), gasUsed: `${gasUsed}` } };
}

function notFound(error: unknown): undefined {
  if (error instanceof TransactionReceiptNotFoundError) return undefined;
  throw error;
}

/** A node's own account may have sent a call just before a crash, with a hash nobody noted. */
async function foundByNonce(
  { publicClient, walletClient }: SendOptions,
  noted: JournalStep,
): Promise<JournalStep | undefined> {
  const from = accountOf(walletClient).address;
  // viem remembers the head for a while: what was mined since then must not be missed.
  const last = Number(await publicClient.getBlockNumber({ cacheTime: 0 }));
  if (last - noted.begunAt > BLOCKS_SEARCHED_MAX) {
    throw new DeployError(
      `\`${noted.name}\` was begun more than ${BLOCKS_SEARCHED_MAX} blocks ago: look up by hand ` +
        `what \`${from}\` sent with the nonce ${noted.nonce}, then remove the journal`,
    );
  }
  for (let number = noted.begunAt + 1; number <= last; number++) {
    const request = { blockNumber: BigInt(number), includeTransactions: true } as const;
    const { transactions } = await publicClient.getBlock(request);
    const taker = transactions.find((sent) => {
      return isAddressEqual(sent.from, from) && sent.nonce === noted.nonce;
    });
    if (taker === undefined) continue;
    const isOurs = taker.to !== null && isAddressEqual(taker.to, noted.address);
    if (!isOurs || keccak256(taker.input) !== noted.dataHash) return undefined;
    const { hash } = taker;
    return withReceipt(noted, await publicClient.getTransactionReceipt({ hash }));
  }
  return undefined;
}

async function begin(options: SendOptions, step: Step): Promise<JournalStep> {
  const { publicClient, walletClient, journal } = options;
  const { address: from } = accountOf(walletClient);
  const blockTag = "pending";
  const nonce = await publicClient.getTransactionCount({ address: from, blockTag });
  const noted: JournalStep = {
    name: step.name,
    isCreation: step.to === undefined,
    dataHash: keccak256(step.data),
    begunAt: Number(await publicClient.getBlockNumber()),
    nonce,
    address: step.to ?? getContractAddress({ from, nonce: BigInt(nonce) }),
    attempts: [],
  };
  journal.put(step.index, noted);
  options.onStage?.("noted", step.name);
  return send(options, step, noted);
}

async function send(
  options: SendOptions,
  { index, name, to, data }: Step,
  noted: JournalStep,
): Promise<JournalStep> {
  const { publicClient, walletClient, journal, onStage } = options;
  const account = accountOf(walletClient);
  const fees = await feesAbove(publicClient, noted);
  const call = { ...(to && { to }), data };
  const gas = await publicClient.estimateGas({ account: account.address, ...call });
  const request = { ...call, nonce: noted.nonce, gas, ...fees };
  const attempt = (hash: Hash): JournalStep => {
    const texts = {
      maxFeePerGas: `${fees.maxFeePerGas}`,
      maxPriorityFeePerGas: `${fees.maxPriorityFeePerGas}`,
    };
    const attempted = { ...noted, attempts: [...noted.attempts, { hash, ...texts }] };
    journal.put(index, attempted);
    return attempted;
  };
  let attempted: JournalStep;
  if (account.type === "local") {
    const chainId = await publicClient.getChainId();
    const raw = await account.signTransaction({ type: "eip1559", chainId, ...request });
    attempted = attempt(keccak256(raw));
    onStage?.("signed", name);
    await publicClient.sendRawTransaction({ serializedTransaction: raw });
  } else {
    const chain = walletClient.chain ?? null;
    const hash = await walletClient.sendTransaction({ account, chain, ...request });
    onStage?.("signed", name);
    attempted = attempt(hash);
  }
  onStage?.("sent", name);
  const mined = await waitFor(options, attempted);
  onStage?.("mined", name);
  journal.put(index, mined);
  return mined;
}

/** Present fees, or what replaces the last attempt if that is more. */
async function feesAbove(client: PublicClient, { attempts }: JournalStep): Promise<GasFees> {
  const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
  const last = attempts.at(-1);
  return raisedGasFees(
    { maxFeePerGas, maxPriorityFeePerGas },
    last && {
      maxFeePerGas: BigInt(last.maxFeePerGas),
      maxPriorityFeePerGas: BigInt(last.maxPriorityFeePerGas),
    },
  );
}

async function waitFor(options: SendOptions, step: JournalStep): Promise<JournalStep> {
  const { minedWithinSeconds = MINED_WITHIN_SECONDS } = options;
  const mined = await minedWithin(options, step, minedWithinSeconds);
  if (mined !== undefined) return mined;
  throw new DeployError(
    `\`${step.name}\` was not mined in \`${minedWithinSeconds}\` seconds: run the same command ` +
      "again, and it goes on with a higher fee",
  );
}

async function minedWithin(
  { publicClient }: SendOptions,
  step: JournalStep,
  seconds: number,
): Promise<JournalStep | undefined> {
  const interval = Math.min(publicClient.pollingInterval, 1000 * seconds);
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    // Any attempt will do: an earlier one may be mined after all.
    const mined = await minedStep(publicClient, step);
    if (mined !== undefined || Date.now() >= end) return mined;
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

function accountOf({ account }: WalletClient) {
  if (account === undefined) throw new DeployError("the wallet client has no account");
  return account;
}

class RevertedError extends DeployError {
  constructor(name: string, hash: Hash) {
    super(`\`${name}\` reverted in transaction \`${hash}\``);
  }
}
