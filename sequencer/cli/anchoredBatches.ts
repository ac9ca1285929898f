/** The public words of every anchored batch, in order, from layer one alone. */
import { decodeFunctionData, encodePacked, keccak256, type PublicClient } from "viem";
import { ROLLUP_ABI } from "../client/rollupAbi.ts";
import { HEADER } from "../protocol/layout.ts";

type Hex = `0x${string}`;

/** Blocks that one log query covers; providers refuse long ranges. */
const BLOCKS_PER_QUERY = 5000n;
/** A provider that refuses even this many will not do. */
const BLOCKS_PER_QUERY_MIN = 8n;
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

function getEvents({ client, rollup }: BatchRange, fromBlock: bigint, toBlock: bigint) {
  const filter = { address: rollup, abi: ROLLUP_ABI, eventName: "BatchAnchored" } as const;
  return client.getContractEvents({ ...filter, strict: true, fromBlock, toBlock });
}

type BatchEvent = Awaited<ReturnType<typeof getEvents>>[number];

/** Asks for fewer blocks at a time where the provider refuses. */
async function* eventPages(range: BatchRange): AsyncGenerator<readonly BatchEvent[]> {
  const { fromBlock, toBlock } = range;
  let size = BLOCKS_PER_QUERY;
  for (let start = fromBlock; start <= toBlock; ) {
    const end = start + size - 1n < toBlock ? start + size - 1n : toBlock;
    let events: readonly BatchEvent[];
    try {
      events = await getEvents(range, start, end);
    } catch (error) {
      if (size <= BLOCKS_PER_QUERY_MIN) throw error;
      size /= 4n;
      continue;
    }
    yield events;
    start = end + 1n;
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
  const { client, rollup } = range;
  const { transactionHash: hash, args } = event;
  const { to, input } = await client.getTransaction({ hash });
  const isDirect = to?.toLowerCase() === rollup.toLowerCase();
  const calls = isDirect ? [input] : await innerCalls(range, hash, args.number);
  for (const call of calls) {
    const submitted = submissionOf(call);
    if (submitted === undefined || submitted.commitment !== args.commitment) continue;
    if (keccak256(encodePacked(["uint256[]"], [submitted.words])) === args.wordsHash) {
      return submitted.words;
    }
  }
  throw new BatchDataError(
    `the provider's words of batch \`${args.number}\` are not the anchored ones.`,
  );
}

function submissionOf(data: Hex) {
  try {
    const { functionName, args } = decodeFunctionData({ abi: ROLLUP_ABI, data });
    if (functionName !== "submitBatch") return undefined;
    const [words, commitment] = args;
    return { words, commitment };
  } catch {
    // Cut short or not a call of the rollup's: as good as missing.
    return undefined;
  }
}

interface TracedCall {
  readonly to?: string;
  readonly input?: Hex;
  readonly calls?: readonly TracedCall[];
}

/** A batch may come through another contract: its words are then in the trace only. */
async function innerCalls({ client, rollup }: BatchRange, hash: Hex, number: bigint) {
  const found: Hex[] = [];
  const visit = ({ to, input, calls = [] }: TracedCall): void => {
    if (to?.toLowerCase() === rollup.toLowerCase() && input !== undefined) found.push(input);
    for (const call of calls) visit(call);
  };
  try {
    const params = [hash, { tracer: "callTracer" }];
    visit(
      (await client.request({ method: "debug_traceTransaction", params } as never)) as TracedCall,
    );
  } catch (cause) {
    const text = `batch \`${number}\` was submitted through another contract, in \`${hash}\``;
    const advice = "reading it takes an endpoint that answers debug_traceTransaction.";
    throw new BatchDataError(`${text}: ${advice}`, { cause });
  }
  return found;
}
