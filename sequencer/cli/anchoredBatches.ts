/** The public words of every anchored batch, in order, from layer one alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { encodePacked, keccak256, type PublicClient } from "viem";
import { type BatchArgs, decodeBatches } from "../l1/batchCall.ts";
import { createPageSize, firstPage, isBusy } from "../l1/eventPages.ts";
import type { RollupEvents } from "../l1/rollupReader.ts";
import { HEADER } from "../protocol/layout.ts";

type Hex = `0x${string}`;

/** How long a busy provider is given at first, and before the last time that it is asked. */
const BUSY_MS_FIRST = 1_000;
const BUSY_MS_LAST = 60_000;
/** Transactions asked for at a time. */
const FETCHES_AT_ONCE = 16;

/** Layer one's data is not what its own events say: another provider may do better. */
export class BatchDataError extends Error {
  override name = "BatchDataError";
}

export interface BatchRange {
  readonly client: PublicClient;
  readonly rollup: Hex;
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}

/** A batch as layer one has it. */
export interface AnchoredBatch {
  readonly number: number;
  /** What the contract's event says that the words lead to. */
  readonly root: bigint;
  readonly block: bigint;
  readonly transaction: Hex;
  readonly words: readonly bigint[];
}

/** Throws {@link BatchDataError} where a byte of a batch is missing, or not the anchored one. */
export async function* anchoredBatches(range: BatchRange): AsyncGenerator<AnchoredBatch> {
  let last = 0n;
  for await (const events of eventPages(range)) {
    for (let from = 0; from < events.length; from += FETCHES_AT_ONCE) {
      const page = events.slice(from, from + FETCHES_AT_ONCE);
      const batches = await Promise.all(page.map((event) => batchOf(range, event)));
      for (const batch of batches) {
        if (BigInt(batch.number) !== last + 1n) {
          const text = `batch \`${last + 1n}\` must come next. The provider has`;
          throw new BatchDataError(`${text} \`${batch.number}\`.`);
        }
        last++;
        yield batch;
      }
    }
  }
}

async function* eventPages({ client, rollup, fromBlock, toBlock }: BatchRange) {
  const reader = { client, rollup, firstBlock: fromBlock, pageSize: createPageSize() };
  const query = { eventName: "BatchAnchored" } as const;
  for (let start = fromBlock; start <= toBlock; ) {
    const from = { fromBlock: start, toBlock };
    const page = await patiently(() => firstPage(reader, query, from));
    yield page.events;
    start = page.toBlock + 1n;
  }
}

type BatchEvent = RollupEvents<"BatchAnchored">[number];

/** Waits for a provider that is busy, as free ones are for some seconds after many questions. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let delay = BUSY_MS_FIRST; ; delay *= 2) {
    try {
      return await ask();
    } catch (error) {
      if (delay > BUSY_MS_LAST || !isBusy(error)) throw error;
      await sleep(delay);
    }
  }
}

async function batchOf(range: BatchRange, event: BatchEvent): Promise<AnchoredBatch> {
  const { number, stateRoot } = event.args;
  const words = await wordsOf(range, event);
  const stated = {
    number: words[HEADER.indexOf("number")],
    root: words[HEADER.indexOf("rootAfter")],
  };
  if (stated.number !== number || stated.root !== stateRoot) {
    throw new BatchDataError(`the event of batch \`${number}\` contradicts the batch's own words.`);
  }
  const { blockNumber: block, transactionHash: transaction } = event;
  return { number: Number(number), root: stateRoot, block, transaction, words };
}

async function wordsOf(range: BatchRange, event: BatchEvent): Promise<readonly bigint[]> {
  const { transactionHash: hash, args } = event;
  // The contract takes batches as transactions only: their words are in the calldata.
  const { input } = await patiently(() => range.client.getTransaction({ hash }));
  for (const { words, commitment } of submissionsOf(input)) {
    if (commitment !== args.commitment) continue;
    const wordsHash = keccak256(encodePacked(["uint256[]"], [words]));
    if (wordsHash === args.wordsHash) return words;
  }
  throw new BatchDataError(
    `the provider's words of batch \`${args.number}\` are not the anchored ones.`,
  );
}

/** One batch, or several that went together. */
function submissionsOf(data: Hex): readonly BatchArgs[] {
  try {
    return decodeBatches(data);
  } catch {
    // Cut short or not a call that anchors batches: as good as missing.
    return [];
  }
}
