/**
 * The layer-one queue, read from events of confirmed blocks. A provider that leaves out events
 * would make the sequencer skip money, so what was read is held against the contract's own count;
 * when the chain has replaced a block that counted as confirmed, everything is read anew.
 */
import type { Hash } from "viem";
import type { QueuedOperation } from "../ports.ts";
import { LEDGER_KINDS } from "../protocol/constants.ts";
import { rollupAbi } from "./generated/abi.ts";
import { queueEvents, type RollupEvents, type RollupReader } from "./rollupReader.ts";
import { SettlementError } from "./settlementError.ts";

export interface QueueReader {
  /** Confirmed entries from `fromQueueId` on, in order. */
  queued(fromQueueId: number): Promise<readonly QueuedOperation[]>;
}

/** How far the events were read. */
interface Progress {
  readonly entries: Map<number, QueuedOperation>;
  /** Entries below were forgotten: nobody asks for them any more. */
  forgotten: number;
  end: number;
  next: bigint;
  lastHash: Hash | undefined;
}

export function createQueueReader(reader: RollupReader, confirmations: number): QueueReader {
  let progress = freshProgress(reader);
  let turn: Promise<unknown> = Promise.resolve();

  async function queued(fromQueueId: number): Promise<readonly QueuedOperation[]> {
    if (fromQueueId < progress.forgotten || (await wasReplaced(reader, progress))) {
      progress = freshProgress(reader);
    }
    try {
      await readOn(reader, progress, confirmations);
    } catch (error) {
      // Half-read progress must not be built upon.
      progress = freshProgress(reader);
      throw error;
    }
    for (; progress.forgotten < fromQueueId; progress.forgotten++) {
      progress.entries.delete(progress.forgotten);
    }
    return [...progress.entries.values()];
  }

  return {
    queued: (fromQueueId) => {
      const result = turn.then(() => queued(fromQueueId));
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

function freshProgress({ firstBlock }: RollupReader): Progress {
  return { entries: new Map(), forgotten: 0, end: 0, next: firstBlock, lastHash: undefined };
}

/** Whether the last block that was read is no longer part of the chain. */
async function wasReplaced({ client }: RollupReader, progress: Progress): Promise<boolean> {
  const { next, lastHash } = progress;
  if (lastHash === undefined) return false;
  const block = await client.getBlock({ blockNumber: next - 1n }).catch(() => undefined);
  return block?.hash !== lastHash;
}

async function readOn(
  reader: RollupReader,
  progress: Progress,
  confirmations: number,
): Promise<void> {
  const { client, rollup } = reader;
  const latest = await client.getBlockNumber();
  const toBlock = latest - BigInt(confirmations);
  if (toBlock < progress.next) return;
  for await (const event of queueEvents(reader, { fromBlock: progress.next, toBlock })) {
    const queueId = Number(event.args.queueId);
    if (queueId !== progress.end) {
      throw new SettlementError(`expected queue entry \`${progress.end}\`, found \`${queueId}\``);
    }
    progress.entries.set(queueId, { queueId, operation: operationOf(event) });
    progress.end += 1;
  }
  const block = await client.getBlock({ blockNumber: toBlock });
  const end = await client.readContract({
    address: rollup,
    abi: rollupAbi,
    functionName: "queueEnd",
    blockNumber: toBlock,
  });
  if (Number(end) !== progress.end) {
    const counts = `\`${progress.end}\` entries found, the contract counts \`${end}\``;
    throw new SettlementError(`the provider left out queue events: ${counts}`);
  }
  progress.next = toBlock + 1n;
  progress.lastHash = block.hash;
}

function operationOf({
  args,
}: RollupEvents<"OperationQueued">[number]): QueuedOperation["operation"] {
  const account = Number(args.account);
  const owner = BigInt(args.owner);
  const amount = Number(args.amount);
  const { x, y, index, expiry } = args.key;
  const keyPart = { key: { x, y }, keyIndex: index, keyExpiry: expiry };
  switch (Number(args.kind)) {
    case LEDGER_KINDS.deposit:
      return { kind: "deposit", account, owner, amount, ...keyPart };
    case LEDGER_KINDS.registerKey:
      return { kind: "registerKey", account, owner, ...keyPart };
    case LEDGER_KINDS.forcedWithdraw:
      return { kind: "forcedWithdraw", account, owner, amount };
    default:
      throw new SettlementError(`the queue holds an operation of unknown kind \`${args.kind}\``);
  }
}
