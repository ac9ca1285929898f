/** What signatures and the log of a deployment are bound to. */
import { type Address, encodeAbiParameters, keccak256 } from "viem";

/** As the rollup computes it of itself: `Rollup.domain`. */
export function domainOf(chainId: number, rollup: Address): bigint {
  const types = [{ type: "uint256" }, { type: "address" }] as const;
  return BigInt(keccak256(encodeAbiParameters(types, [BigInt(chainId), rollup]))) >> 8n;
}
