/** The validator set as the registry has it: members come and go, and the quorum with them. */
import type { Address } from "viem";
import type { ValidatorSet } from "../ports.ts";
import { rollupAbi, validatorRegistryAbi } from "./generated/abi.ts";
import type { RollupReader } from "./rollupReader.ts";

/** A block to read at, by its number; absent: the newest. */
type At = { readonly blockNumber?: bigint };

export async function readValidators(
  { client, rollup }: RollupReader,
  at: At = {},
): Promise<{ readonly members: readonly Address[]; readonly quorum: number }> {
  const registry = await client.readContract({
    ...{ address: rollup, abi: rollupAbi, functionName: "validators", ...at },
  });
  const contract = { address: registry, abi: validatorRegistryAbi, ...at } as const;
  const [members, quorum] = await Promise.all([
    client.readContract({ ...contract, functionName: "members" }),
    client.readContract({ ...contract, functionName: "quorum" }),
  ]);
  return { members, quorum: Number(quorum) };
}

/** Reads once for each block; undefined where there is no member, or no rollup yet. */
export function createValidatorReader(
  reader: RollupReader,
): (blockNumber: bigint) => Promise<ValidatorSet | undefined> {
  let last: { readonly blockNumber: bigint; readonly set: ValidatorSet } | undefined;
  return async (blockNumber) => {
    if (blockNumber < reader.firstBlock) return undefined;
    if (last?.blockNumber !== blockNumber) {
      last = { blockNumber, set: await readValidators(reader, { blockNumber }) };
    }
    return last.set.members.length === 0 ? undefined : last.set;
  };
}
