/** Reads the rollup contract: its numbers at one block, and its events over many blocks. */
import {
  type Address,
  type ContractEventName,
  createPublicClient,
  type GetContractEventsReturnType,
  type Hash,
  http,
  type PublicClient,
} from "viem";
import { createPageSize, lastPage, type PageSize } from "./eventPages.ts";
import { rollupAbi } from "./generated/abi.ts";

export interface RollupReader {
  readonly client: PublicClient;
  readonly rollup: Address;
  /** Block from which the rollup exists. */
  readonly firstBlock: bigint;
  readonly pageSize: PageSize;
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
  return { client, rollup, firstBlock, pageSize: createPageSize() };
}

/** Number and root of the last anchored batch, and the queue's end. */
export interface RollupNumbers {
  readonly batch: number;
  readonly root: bigint;
  readonly queueEnd: number;
}

/**
 * What the contract says of itself at one block. By its hash: a height may have two blocks, and an
 * endpoint that is several machines answers from either.
 */
export async function readNumbers(
  { client, rollup }: RollupReader,
  blockHash: Hash,
): Promise<RollupNumbers> {
  const at = { address: rollup, abi: rollupAbi, blockHash } as const;
  const [batch, root, queueEnd] = await Promise.all([
    client.readContract({ ...at, functionName: "batchCount" }),
    client.readContract({ ...at, functionName: "stateRoot" }),
    client.readContract({ ...at, functionName: "queueEnd" }),
  ]);
  return { batch: Number(batch), root, queueEnd: Number(queueEnd) };
}

/** The same at the endpoint's newest block. */
export async function readNewest(reader: RollupReader): Promise<RollupNumbers> {
  const { hash } = await reader.client.getBlock({ blockTag: "latest" });
  return readNumbers(reader, hash);
}

/** The event of an anchored batch, newest blocks first; undefined when there is none. */
export async function findAnchored(
  reader: RollupReader,
  number: number,
): Promise<RollupEvents<"BatchAnchored">[number] | undefined> {
  const { firstBlock: fromBlock } = reader;
  const query = { eventName: "BatchAnchored", args: { number: BigInt(number) } } as const;
  for (let toBlock = await reader.client.getBlockNumber(); toBlock >= fromBlock; ) {
    const page = await lastPage(reader, query, { fromBlock, toBlock });
    if (page.events[0] !== undefined) return page.events[0];
    toBlock = page.fromBlock - 1n;
  }
  return undefined;
}
