/**
 * Whether the rollup is frozen: for good, by anybody, once a forced operation has waited too long.
 * From then on nothing is anchored, and owners leave by what was anchored last.
 */
import type { Conditions } from "./conditions.ts";
import { rollupAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";

export interface FreezeWatch {
  /** Throws SettlementError, and stops for good, if it is frozen in a block that counts. */
  check(confirmed: number | null): Promise<void>;
  /** Unix seconds; null while it is not known to be frozen. */
  frozenAt(): number | null;
}

export function createFreezeWatch(options: {
  readonly reader: RollupReader;
  readonly conditions: Conditions;
}): FreezeWatch {
  const { reader, conditions } = options;
  let checked: number | undefined;
  let frozenAt: number | null = null;
  return {
    check: async (confirmed) => {
      if (confirmed === null || confirmed === checked) return;
      const { client, rollup: address } = reader;
      const blockNumber = BigInt(confirmed);
      const found = await client.readContract({
        ...{ address, abi: rollupAbi, functionName: "frozenAt", blockNumber },
      });
      checked = confirmed;
      if (found === 0n) return;
      frozenAt = Number(found);
      const since = new Date(frozenAt * 1000).toISOString();
      throw conditions.stop(`the rollup is frozen since ${since}: nothing is anchored any more`);
    },
    frozenAt: () => frozenAt,
  };
}
