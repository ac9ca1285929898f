/** How much gas a batch gets: enough even if owners fetch their money while it waits. */
import type { Address, EstimateContractGasParameters } from "viem";
import { BATCH_KINDS, LEDGER_KINDS, LEDGER_OP_WORDS } from "../protocol/constants.ts";
import { HEADER, LEDGER_OP } from "../protocol/layout.ts";
import { type BatchArgs, batchCall } from "./batchCall.ts";
import { rollupAbi, validatorRegistryAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";
import { describeChainError, isRefusal } from "./settlementError.ts";

/** With what the registry says of a certificate, which the rollup passes on as it is. */
const ABI = [
  ...rollupAbi,
  ...validatorRegistryAbi.filter(({ type }) => type === "error"),
] as unknown as typeof rollupAbi;
const MARGIN_PERCENT = 115n;
/**
 * A credit on top of one that waits costs 17,100 less than the first one. Anybody may have the
 * waiting one paid out before the batch is mined, and with the last one the sum of all.
 */
const RELEASE_GAS = 20_000n;

export interface GasEstimate {
  /** What it takes if nothing changes. */
  readonly used: bigint;
  /** What to sign. */
  readonly limit: bigint;
}

/** Lets the chain try the call first, so that what it refuses costs nothing: then, why. */
export async function estimateGas(
  { client, rollup: address }: RollupReader,
  account: Address,
  batches: readonly BatchArgs[],
): Promise<GasEstimate | string> {
  try {
    // Not "pending": there, an earlier transaction for this batch makes it look anchored.
    const at = { address, abi: ABI, account, blockTag: "latest" } as const;
    // The library wants to know which of two functions it is before the program runs.
    const call = { ...at, ...batchCall(batches) } as EstimateContractGasParameters;
    const used = await client.estimateContractGas(call);
    const releases = batches.reduce((sum, { words }) => sum + releasesMax(words), 0);
    const claims = releases === 0 ? 0n : RELEASE_GAS * BigInt(releases + 1);
    return { used, limit: (used * MARGIN_PERCENT) / 100n + claims };
  } catch (error) {
    if (isRefusal(error)) return describeChainError(error);
    throw error;
  }
}

/** Operations that release money. They end the words; marks before them count as such at worst. */
function releasesMax(words: readonly bigint[]): number {
  if (words[HEADER.indexOf("kind")] !== BigInt(BATCH_KINDS.ledger)) return 0;
  let count = 0;
  for (let at = words.length - LEDGER_OP_WORDS; at >= HEADER.length; at -= LEDGER_OP_WORDS) {
    if (releasesMoney(words[at] ?? 0n)) count += 1;
  }
  return count;
}

function releasesMoney(head: bigint): boolean {
  const [[, kindBits]] = LEDGER_OP;
  const kind = Number(head & ((1n << BigInt(kindBits)) - 1n));
  const isExecuted = ((head >> BigInt(kindBits)) & 1n) === 1n;
  return isExecuted && (kind === LEDGER_KINDS.withdraw || kind === LEDGER_KINDS.forcedWithdraw);
}
