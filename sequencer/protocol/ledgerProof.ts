/**
 * What an account had at a batch's end, provable from that batch's state root: the account's leaf,
 * its path to the root of all accounts, and the other parts of the state root (SPEC section 3).
 */

import { poseidon } from "./hash.ts";
import { pathPositions, rootFromPath } from "./merklePath.ts";
import { accountLeaf, ledgerRoot } from "./state.ts";

export interface LedgerProof {
  /** The batch whose end it is of, and its state root. */
  readonly number: number;
  readonly root: bigint;
  readonly account: number;
  /** Layer-one address as an integer; 0: the account is not used. */
  readonly owner: bigint;
  /** 1e-6 USDC; signed lots by slot. */
  readonly cash: number;
  readonly positions: readonly number[];
  /** Three at each level from the leaf upwards, in the order of children. */
  readonly siblings: readonly (readonly bigint[])[];
  /** What stands beside the root of all accounts. */
  readonly seriesRoot: bigint;
  readonly fees: number;
  readonly privateRoot: bigint;
}

/** The state root that the proof leads to. Throws CodecRangeError for what no leaf can hold. */
export function ledgerProofRoot(proof: Omit<LedgerProof, "number" | "root">): bigint {
  const { account, owner, cash, positions, siblings } = proof;
  const leaf = accountLeaf({ owner, cash, positions: [...positions] });
  const places = pathPositions(account, siblings.length);
  const accounts = rootFromPath({ leaf, path: siblings, positions: places });
  const { seriesRoot: series, fees, privateRoot } = proof;
  return poseidon([ledgerRoot({ accounts, series, fees }), privateRoot]);
}
