/** Reads the rollup contract: its numbers at one block, and its events over many blocks. */
import {
  type Address,
  type ContractEventName,
  createPublicClient,
  type GetContractEventsReturnType,
  http,
  type PublicClient,
} from "viem";
import { rollupAbi } from "./generated/abi.ts";

/** Blocks that one log query covers; providers refuse long ranges. */
const BLOCKS_PER_QUERY = 5_000n;

export interface RollupReader {
  readonly client: PublicClient;
  readonly rollup: Address;
  /** Block from which the rollup exists. */
  readonly firstBlock: bigint;
}

export type RollupEvents<Name extends ContractEventName<typeof rollupAbi>> =
  GetContractEventsReturnType<typeof rollupAbi, Name, true>;

export function createRollupReader(options: {
  readonly rpcUrl: string;
  readonly rollup: Address;
  readonly firstBlock: bigint;
}): RollupReader {
  const { rpcUrl, rollup, firstBlock } = options;
  // Block numbers must not come from a cache: decisions about nonces hang on them.
  const client = createPublicClient({ transport: http(rpcUrl), cacheTime: 0 });
  return { client, rollup, firstBlock };
}

/** Number and root of the last anchored batch, of one block. */
export async function readAnchored(
  { client, rollup }: RollupReader,
  blockNumber?: bigint,
): Promise<{ number: number; root: bigint }> {
  const at = { blockNumber: blockNumber ?? (await client.getBlockNumber()) };
  const contract = { address: rollup, abi: rollupAbi } as const;
  const [number, root] = await Promise.all([
    client.readContract({ ...contract, ...at, functionName: "batchCount" }),
    client.readContract({ ...contract, ...at, functionName: "stateRoot" }),
  ]);
  return { number: Number(number), root };
}

/** What the contract says of itself at one block. */
export async function readNumbers(
  { client, rollup }: RollupReader,
  blockNumber: bigint,
): Promise<{ batch: number; root: bigint; queueEnd: number }> {
  const at = { address: rollup, abi: rollupAbi, blockNumber } as const;
  const [batch, root, queueEnd] = await Promise.all([
    client.readContract({ ...at, functionName: "batchCount" }),
    client.readContract({ ...at, functionName: "stateRoot" }),
    client.readContract({ ...at, functionName: "queueEnd" }),
  ]);
  return { batch: Number(batch), root, queueEnd: Number(queueEnd) };
}

/** The event of an anchored batch, newest blocks first; undefined when there is none. */
export async function findAnchored(
  { client, rollup, firstBlock }: RollupReader,
  number: number,
): Promise<RollupEvents<"BatchAnchored">[number] | undefined> {
  let toBlock = await client.getBlockNumber();
  while (toBlock >= firstBlock) {
    const fromBlock = later(toBlock - BLOCKS_PER_QUERY + 1n, firstBlock);
    const events = await client.getContractEvents({
      address: rollup,
      abi: rollupAbi,
      eventName: "BatchAnchored",
      args: { number: BigInt(number) },
      strict: true,
      fromBlock,
      toBlock,
    });
    if (events[0] !== undefined) return events[0];
    toBlock = fromBlock - 1n;
  }
  return undefined;
}

/** Queue events of a range of blocks, in order. */
export async function* queueEvents(
  { client, rollup }: RollupReader,
  range: { readonly fromBlock: bigint; readonly toBlock: bigint },
): AsyncGenerator<RollupEvents<"OperationQueued">[number]> {
  for (let fromBlock = range.fromBlock; fromBlock <= range.toBlock; ) {
    const end = fromBlock + BLOCKS_PER_QUERY - 1n;
    const toBlock = end < range.toBlock ? end : range.toBlock;
    yield* await client.getContractEvents({
      address: rollup,
      abi: rollupAbi,
      eventName: "OperationQueued",
      strict: true,
      fromBlock,
      toBlock,
    });
    fromBlock = toBlock + 1n;
  }
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
