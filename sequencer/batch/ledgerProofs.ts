/** Proofs of what an account had when a batch ended, from the state that is kept of it. */
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import { privateRoot, stateRoot } from "../protocol/state.ts";
import type { BaseState } from "./baseState.ts";

/** The state when a batch ended last, and that batch; 0: none yet. */
export interface EndedState extends Pick<BaseState, "account" | "roots"> {
  readonly number: number;
  /** Of an account's leaf: see MerkleTree. */
  path(account: number): bigint[][];
}

/**
 * Null before the first batch has ended. An account that has been touched since is told as it was
 * then: the circuits' inputs need that state too. One that was not there is proven to be empty.
 */
export function ledgerProofOf(ended: EndedState, account: number): LedgerProof | null {
  if (ended.number === 0) return null;
  const roots = ended.roots();
  const { owner, cash, positions } = ended.account(account);
  return {
    ...{ number: ended.number, root: stateRoot(roots) },
    ...{ account, owner, cash, positions: [...positions], siblings: ended.path(account) },
    ...{ seriesRoot: roots.series, fees: roots.fees, privateRoot: privateRoot(roots) },
  };
}
