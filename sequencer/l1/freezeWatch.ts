/**
 * Whether the rollup is frozen: for good, by anybody, once a forced operation has waited too long.
 * From then on nothing is anchored, and owners leave by what was anchored last.
 */
import type { Conditions } from "./conditions.ts";
import { rollupAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";

export interface FreezeWatch {
  /**
   * Throws SettlementError, and stops for good, if it is frozen in a block that counts; where the
   * endpoints disagree on that, SettlementPausedError until they agree.
   */
  check(confirmed: number | null): Promise<void>;
  /** Unix seconds; null while it is not known to be frozen. */
  frozenAt(): number | null;
}

export function createFreezeWatch(options: {
  readonly reader: RollupReader;
  /** The second endpoint. */
  readonly witness?: RollupReader | undefined;
  readonly conditions: Conditions;
}): FreezeWatch {
  const { reader, witness, conditions } = options;
  let checked: number | undefined;
  let frozenAt: number | null = null;
  return {
    check: async (confirmed) => {
      if (confirmed === null || confirmed === checked) return;
      const block = BigInt(confirmed);
      const [own, its] = await Promise.all([
        readFreeze(reader, block),
        witness && readFreeze(witness, block),
      ]);
      if (its !== undefined && its !== own) {
        const said = `block \`${confirmed}\`: \`${own}\` and \`${its}\``;
        throw conditions.pause("frozen", `the endpoints disagree on the freeze at ${said}`);
      }
      conditions.resume("frozen");
      checked = confirmed;
      if (own === 0) return;
      frozenAt = own;
      const since = new Date(frozenAt * 1000).toISOString();
      throw conditions.stop(`the rollup is frozen since ${since}: nothing is anchored any more`);
    },
    frozenAt: () => frozenAt,
  };
}

/** Unix seconds at that block; 0 while the rollup lives. */
async function readFreeze(reader: RollupReader, blockNumber: bigint): Promise<number> {
  const { client, rollup: address } = reader;
  const call = { address, abi: rollupAbi, functionName: "frozenAt", blockNumber } as const;
  return Number(await client.readContract(call));
}
