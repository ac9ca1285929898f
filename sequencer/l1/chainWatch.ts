/**
 * Whether the endpoint can be believed. Alone it must keep its chain id, never go back, and link
 * each block to the ones seen before; a second endpoint must agree with it on the block, and on the
 * rollup's numbers at that block, `depth` below the head. Whatever acts on layer one asks here
 * first, and gets an error instead of a head where something is wrong.
 */
import { type Address, BlockNotFoundError, type Hash } from "viem";
import type { Clock, Logger } from "../ports.ts";
import type { Conditions } from "./conditions.ts";
import { type RollupReader, readNumbers } from "./rollupReader.ts";
import { describeChainError, SettlementPausedError } from "./settlementError.ts";

/** Blocks that a reorg may replace without anybody having to look. */
export const REORG_BLOCKS_MAX = 64;
/** Blocks whose hashes are kept. */
const BLOCKS_KEPT = 2n * BigInt(REORG_BLOCKS_MAX);
/** After a longer absence the blocks in between are not walked through. */
const ABSENCE_BLOCKS_MAX = 1_024n;

/** Blocks that must stand on one before it counts, or what the chain calls final. */
export type Confirmations = number | "finalized";

export interface ChainHead {
  readonly number: bigint;
  readonly hash: Hash;
  /** The newest block that counts, at both endpoints. */
  readonly confirmed: bigint;
}

export interface ChainWatchOptions {
  readonly reader: RollupReader;
  /** The second endpoint. */
  readonly witness?: RollupReader | undefined;
  /** Absent: whatever the endpoint says first. */
  readonly chainId?: number | undefined;
  /** Account whose nonce both endpoints must know. */
  readonly account?: Address | undefined;
  /** Endpoints must agree on the newest block that has them. */
  readonly confirmations: Confirmations;
  /** Blocks by which one endpoint may be behind the other. */
  readonly headLagMax: number;
  /** A head older than this is a chain that stands still, or an endpoint that does (ms). */
  readonly headAgeMsMax?: number | undefined;
  readonly clock: Clock;
  readonly conditions: Conditions;
  readonly logger: Logger;
}

export interface ChainWatch {
  /** The newest block. Throws {@link SettlementPausedError} where endpoints cannot be believed. */
  check(): Promise<ChainHead>;
  stats(): {
    readonly head: number | null;
    readonly confirmed: number | null;
    readonly reorgs: number;
    readonly deepest: number;
  };
}

interface Block {
  readonly number: bigint;
  readonly hash: Hash;
  readonly parentHash: Hash;
  readonly timestamp: bigint;
}

interface Memory {
  readonly hashes: Map<bigint, Hash>;
  head: Block | undefined;
  chainId: number | undefined;
  confirmed: bigint | undefined;
  /** Heads of both endpoints, and the newest block that counts there. */
  agreed: { readonly heads: string; readonly confirmed: bigint } | undefined;
  reorgs: number;
  deepest: number;
}

export function createChainWatch(options: ChainWatchOptions): ChainWatch {
  const { conditions, chainId } = options;
  const memory: Memory = {
    ...{ hashes: new Map(), head: undefined, confirmed: undefined, agreed: undefined },
    ...{ chainId, reorgs: 0, deepest: 0 },
  };
  let turn: Promise<unknown> = Promise.resolve();
  const look = async (): Promise<ChainHead> => {
    const head = await told(conditions, "endpoint", () => checkEndpoint(options, memory));
    const topic = options.witness === undefined ? "endpoint" : "witness";
    const confirmed = await told(conditions, topic, () => checkWitness(options, memory, head));
    memory.confirmed = confirmed;
    return { number: head.number, hash: head.hash, confirmed };
  };
  return {
    check: () => {
      const result = turn.then(look);
      turn = result.catch(() => undefined);
      return result;
    },
    stats: () => ({
      head: memory.head === undefined ? null : Number(memory.head.number),
      confirmed: memory.confirmed === undefined ? null : Number(memory.confirmed),
      reorgs: memory.reorgs,
      deepest: memory.deepest,
    }),
  };
}

/** Runs a check; its failure is the reason of the pause until it succeeds again. */
async function told<T>(
  conditions: Conditions,
  topic: "endpoint" | "witness",
  run: () => Promise<T>,
): Promise<T> {
  try {
    const value = await run();
    conditions.resume(topic);
    return value;
  } catch (error) {
    const name = topic === "endpoint" ? "layer one's endpoint" : "the second endpoint";
    const isVerdict = error instanceof SettlementPausedError;
    const reason = isVerdict ? error.message : `${name} fails: ${describeChainError(error)}`;
    conditions.pause(topic, reason);
    throw error;
  }
}

async function checkEndpoint(options: ChainWatchOptions, memory: Memory): Promise<Block> {
  const { client } = options.reader;
  const head: Block = await client.getBlock({ blockTag: "latest", includeTransactions: false });
  if (head.hash !== memory.head?.hash) {
    await checkChainId(options.reader, memory);
    const fresh = await walkBack(options, memory, head);
    remember(memory, fresh);
  }
  checkAge(options, head);
  return head;
}

async function checkChainId({ client }: RollupReader, memory: Memory): Promise<void> {
  const chainId = await client.getChainId();
  memory.chainId ??= chainId;
  if (chainId === memory.chainId) return;
  const message = `an endpoint serves chain \`${chainId}\` instead of \`${memory.chainId}\``;
  throw new SettlementPausedError(message);
}

function checkAge({ headAgeMsMax, clock }: ChainWatchOptions, { number, timestamp }: Block): void {
  const age = clock.now() - Number(timestamp) * 1000;
  if (headAgeMsMax === undefined || age <= headAgeMsMax) return;
  throw new SettlementPausedError(`layer one's head, block \`${number}\`, is \`${age}\` ms old`);
}

/** The new blocks, newest first, each the parent of the one before, down to a known one. */
async function walkBack(
  { reader, logger }: ChainWatchOptions,
  memory: Memory,
  head: Block,
): Promise<Block[]> {
  const { hashes, head: last } = memory;
  const fresh = [head];
  if (last === undefined) return fresh;
  if (hashes.get(head.number) === head.hash) {
    const message = `layer one's endpoint went back from block \`${last.number}\``;
    throw new SettlementPausedError(`${message} to \`${head.number}\``);
  }
  if (head.number > last.number + ABSENCE_BLOCKS_MAX) {
    logger.warn("layer one went on alone", { from: last.number, to: head.number });
    hashes.clear();
    return fresh;
  }
  const oldest = [...hashes.keys()].reduce((least, number) => (number < least ? number : least));
  let block = head;
  while (hashes.get(block.number - 1n) !== block.parentHash && block.number > oldest) {
    block = await parentOf(reader, block);
    fresh.push(block);
  }
  noteReorg({ logger, memory, last, oldest, block });
  return fresh;
}

async function parentOf({ client }: RollupReader, block: Block): Promise<Block> {
  const { number, parentHash: blockHash } = block;
  const named = `block \`${number}\` names a parent, \`${blockHash}\`,`;
  try {
    const parent: Block = await client.getBlock({ blockHash });
    if (parent.hash === blockHash && parent.number === number - 1n) return parent;
    throw new SettlementPausedError(`${named} that is another block at layer one's endpoint`);
  } catch (error) {
    if (!(error instanceof BlockNotFoundError)) throw error;
    throw new SettlementPausedError(`${named} that layer one's endpoint does not have`);
  }
}

/** `block` is the first new one; everything known above its parent is replaced. */
function noteReorg(found: {
  readonly logger: Logger;
  readonly memory: Memory;
  readonly last: Block;
  readonly oldest: bigint;
  readonly block: Block;
}): void {
  const { logger, memory, last, oldest, block } = found;
  const depth = Number(last.number - block.number) + 1;
  if (depth <= 0) return;
  if (depth > REORG_BLOCKS_MAX && last.number - oldest >= REORG_BLOCKS_MAX) {
    const message = `layer one replaced more than ${REORG_BLOCKS_MAX} blocks`;
    throw new SettlementPausedError(`${message} below \`${last.number}\`, or is another chain`);
  }
  memory.reorgs += 1;
  memory.deepest = Math.max(memory.deepest, depth);
  logger.warn("layer one reorganised", { depth, from: block.number });
}

function remember(memory: Memory, fresh: readonly Block[]): void {
  const head = fresh[0]!;
  for (const { number, hash } of fresh) memory.hashes.set(number, hash);
  for (const number of memory.hashes.keys()) {
    if (number > head.number || number < head.number - BLOCKS_KEPT) memory.hashes.delete(number);
  }
  memory.head = head;
}

/** Returns the newest block that counts at both. */
async function checkWitness(
  options: ChainWatchOptions,
  memory: Memory,
  head: Block,
): Promise<bigint> {
  const { reader, witness, confirmations, headLagMax } = options;
  if (witness === undefined) return confirmedBelow(reader, head, confirmations);
  const other = await witness.client.getBlock({ blockTag: "latest" });
  const heads = `${head.hash}/${other.hash}`;
  if (memory.agreed?.heads === heads) return memory.agreed.confirmed;
  const lag = other.number - head.number;
  if (lag > headLagMax || -lag > headLagMax) {
    const behind = lag > 0 ? "layer one's endpoint is" : "the second endpoint is";
    const blocks = `\`${lag > 0 ? lag : -lag}\` blocks behind the other`;
    throw new SettlementPausedError(`${behind} ${blocks}, at most ${headLagMax}`);
  }
  await checkChainId(witness, memory);
  const [mine, its] = await Promise.all([
    confirmedBelow(reader, head, confirmations),
    confirmedBelow(witness, other, confirmations),
  ]);
  const confirmed = mine < its ? mine : its;
  if (confirmed >= reader.firstBlock) await checkAgreement(options, witness, confirmed);
  memory.agreed = { heads, confirmed };
  return confirmed;
}

async function confirmedBelow(
  { client }: RollupReader,
  head: Block,
  confirmations: Confirmations,
): Promise<bigint> {
  if (confirmations !== "finalized") return head.number - BigInt(confirmations);
  const { number } = await client.getBlock({ blockTag: "finalized" });
  return number;
}

/** Of the same block by hash, the two must tell the same. */
async function checkAgreement(
  { reader, account }: ChainWatchOptions,
  witness: RollupReader,
  blockNumber: bigint,
): Promise<void> {
  const assertSame = (name: string, own: unknown, its: unknown): void => {
    if (own === its) return;
    const message = `the endpoints disagree on the ${name} at block \`${blockNumber}\``;
    throw new SettlementPausedError(`${message}: \`${own}\` and \`${its}\``);
  };
  const [{ hash }, other] = await Promise.all([
    reader.client.getBlock({ blockNumber }),
    witness.client.getBlock({ blockNumber }),
  ]);
  assertSame("hash", hash, other.hash);
  const [own, its] = await Promise.all([
    numbersAt(reader, hash, account),
    numbersAt(witness, hash, account),
  ]);
  for (const [name, value] of Object.entries(own)) assertSame(name, value, its[name]);
}

async function numbersAt(
  reader: RollupReader,
  blockHash: Hash,
  address: Address | undefined,
): Promise<Record<string, unknown>> {
  const { batch, root, queueEnd } = await readNumbers(reader, blockHash);
  const nonce = address && (await reader.client.getTransactionCount({ address, blockHash }));
  return { batch, root, "queue's end": queueEnd, nonce };
}
