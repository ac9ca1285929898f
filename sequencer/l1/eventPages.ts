/**
 * Events of long ranges of blocks, a page at a time. Providers bound a page by blocks, results or
 * time, each in words of its own: a page that is refused is asked for again with half the blocks;
 * after each that succeeds pages grow.
 */
import { BaseError, type ContractEventArgs, type ContractEventName, HttpRequestError } from "viem";
import { rollupAbi } from "./generated/abi.ts";
import type { RollupEvents, RollupReader } from "./rollupReader.ts";

const BLOCKS_MAX = 5_000n;
const GROWTH_DIVISOR = 8n;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;

export interface BlockRange {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}

/** How many blocks an endpoint gives at once, as far as is known. */
export interface PageSize {
  blocks: bigint;
}

export interface EventQuery<Name extends ContractEventName<typeof rollupAbi>> {
  readonly eventName: Name;
  readonly args?: ContractEventArgs<typeof rollupAbi, Name>;
}

export function createPageSize(): PageSize {
  return { blocks: BLOCKS_MAX };
}

/** The end of the range that the endpoint gives at once, and the events in it. */
export async function lastPage<Name extends ContractEventName<typeof rollupAbi>>(
  reader: RollupReader,
  query: EventQuery<Name>,
  { fromBlock, toBlock }: BlockRange,
): Promise<{ readonly events: RollupEvents<Name>; readonly fromBlock: bigint }> {
  return sized(reader.pageSize, async (blocks) => {
    const from = toBlock - fromBlock < blocks ? fromBlock : toBlock - blocks + 1n;
    const events = await eventsOf(reader, query, { fromBlock: from, toBlock });
    return { events, fromBlock: from };
  });
}

/** The beginning of the range that the endpoint gives at once, and the events in it. */
export async function firstPage<Name extends ContractEventName<typeof rollupAbi>>(
  reader: RollupReader,
  query: EventQuery<Name>,
  { fromBlock, toBlock }: BlockRange,
): Promise<{ readonly events: RollupEvents<Name>; readonly toBlock: bigint }> {
  return sized(reader.pageSize, async (blocks) => {
    const to = toBlock - fromBlock < blocks ? toBlock : fromBlock + blocks - 1n;
    return { events: await eventsOf(reader, query, { fromBlock, toBlock: to }), toBlock: to };
  });
}

/** Events of a range, however many pages it takes. */
export async function eventsWithin<Name extends ContractEventName<typeof rollupAbi>>(
  reader: RollupReader,
  query: EventQuery<Name>,
  range: BlockRange,
): Promise<RollupEvents<Name>> {
  const found: RollupEvents<Name>[number][] = [];
  for (let { fromBlock } = range; fromBlock <= range.toBlock; ) {
    const page = await firstPage(reader, query, { fromBlock, toBlock: range.toBlock });
    found.push(...page.events);
    fromBlock = page.toBlock + 1n;
  }
  return found as unknown as RollupEvents<Name>;
}

async function sized<T>(size: PageSize, read: (blocks: bigint) => Promise<T>): Promise<T> {
  const before = size.blocks;
  for (;;) {
    const { blocks } = size;
    try {
      const page = await read(blocks);
      const grown = blocks + blocks / GROWTH_DIVISOR + 1n;
      size.blocks = grown < BLOCKS_MAX ? grown : BLOCKS_MAX;
      return page;
    } catch (error) {
      size.blocks = blocks / 2n;
      if (blocks > 1n && !isBusy(error)) continue;
      // It was not for the page's size.
      size.blocks = before;
      throw error;
    }
  }
}

/** The endpoint is down or busy, whatever the page. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof BaseError)) return true;
  const failed = error.walk((cause) => cause instanceof HttpRequestError);
  if (!(failed instanceof HttpRequestError)) return false;
  const { status = SERVER_ERROR } = failed;
  return status === TOO_MANY_REQUESTS || status >= SERVER_ERROR;
}

async function eventsOf<Name extends ContractEventName<typeof rollupAbi>>(
  { client, rollup }: RollupReader,
  query: EventQuery<Name>,
  range: BlockRange,
): Promise<RollupEvents<Name>> {
  const contract = { address: rollup, abi: rollupAbi, strict: true } as const;
  const events = await client.getContractEvents({ ...contract, ...range, ...query });
  return events as unknown as RollupEvents<Name>;
}
