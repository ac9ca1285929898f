/** The ledger from layer one alone: every anchored batch applied to an empty one. */
import path from "node:path";
import type { PublicClient } from "viem";
import type { AnchoredState, Owner } from "../client/l1.ts";
import { createExitLedger, type ExitLedger } from "../node/exitProof.ts";
import { readLedgerFile } from "../node/ledgerFile.ts";
import { anchoredBatches } from "./anchoredBatches.ts";
import type { Session } from "./session.ts";

/** Batches between two lines of progress. */
const PROGRESS_EVERY = 100;

export interface RebuildRequest {
  readonly client: PublicClient;
  readonly rollup: `0x${string}`;
  /** Of the rollup's creation, or earlier. */
  readonly fromBlock: bigint;
  /** One block for everything: the rollup may live on meanwhile. */
  readonly toBlock: bigint;
  /** What the contract says at `toBlock`. */
  readonly anchored: AnchoredState;
  readonly onProgress: (line: string) => void;
}

export interface Rebuilt {
  readonly ledger: ExitLedger;
  readonly batches: number;
}

/** The endpoint has not the whole history, or not the one that the contract has. */
export class HistoryIncompleteError extends Error {
  override name = "HistoryIncompleteError";
}

/**
 * Compares the root after every batch, and the last with the contract's. Throws
 * BatchDataError, RestoreError or {@link HistoryIncompleteError}.
 */
export async function rebuildLedger(request: RebuildRequest): Promise<Rebuilt> {
  const { anchored, fromBlock, onProgress } = request;
  const ledger = createExitLedger(anchored.sizes);
  let batches = 0;
  for await (const { words } of anchoredBatches(request)) {
    // Applying computes the root from the ledger, and refuses another than the words state.
    ledger.apply(words);
    batches++;
    if (batches % PROGRESS_EVERY === 0 || batches === anchored.count) {
      onProgress(`rebuilt ${batches} of ${anchored.count} batches ...`);
    }
  }
  if (batches !== anchored.count || (batches > 0 && ledger.root() !== anchored.root)) {
    throw new HistoryIncompleteError(
      `found \`${batches}\` of ${anchored.count} batches since block ${fromBlock}: the layer-one ` +
        "endpoint keeps too little history, or the block is too late.",
    );
  }
  return { ledger, batches };
}

/** The ledger as layer one has it now: from a file of `straddle rebuild` where one is given. */
export async function ledgerOf(
  { settings, output, io }: Pick<Session, "settings" | "output" | "io">,
  owner: Owner,
  state?: string,
): Promise<Rebuilt> {
  const { client, rollup } = owner;
  // One block for everything: the rollup may live on meanwhile.
  const toBlock = await client.getBlockNumber();
  const anchored = await owner.anchored(toBlock);
  if (state !== undefined) {
    const file = readLedgerFile(path.resolve(io.folder, state), { rollup, root: anchored.root });
    return { ledger: file.ledger, batches: file.number };
  }
  const fromBlock = BigInt(settings.fromBlock ?? 0);
  const onProgress = (line: string) => output.progress(line);
  return rebuildLedger({ client, rollup, fromBlock, toBlock, anchored, onProgress });
}
