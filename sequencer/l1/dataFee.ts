/**
 * What rollups of the OP stack charge for a transaction's data, apart from its gas: layer one's
 * price of the moment, of which nothing in the transaction bounds what is paid when it is mined.
 */
import { type Hex, parseAbi } from "viem";
import type { RollupReader } from "./rollupReader.ts";
import { isRefusal } from "./settlementError.ts";

const ORACLE_ABI = parseAbi([
  "function getL1Fee(bytes transaction) view returns (uint256)",
  "function getOperatorFee(uint256 gas) view returns (uint256)",
]);
/** The same on every rollup of that kind. */
const ORACLE = "0x420000000000000000000000000000000000000F";
/** Layer one's base fee rises by an eighth each block at most: this is six of them. */
const MARGIN = 2n;

/** Wei to be set aside beside the gas, of an unsigned transaction; none on other chains. */
export async function dataFeeMax(
  { client }: RollupReader,
  unsigned: Hex,
  gas: bigint,
): Promise<bigint> {
  const contract = { address: ORACLE, abi: ORACLE_ABI } as const;
  if ((await client.getCode(contract)) === undefined) return 0n;
  const data = await client.readContract({
    ...{ ...contract, functionName: "getL1Fee", args: [unsigned] },
  });
  const operator = await client
    .readContract({ ...contract, functionName: "getOperatorFee", args: [gas] })
    .catch((error: unknown) => {
      // Rollups that have not been upgraded know no such fee.
      if (isRefusal(error)) return 0n;
      throw error;
    });
  return MARGIN * (data + operator);
}
