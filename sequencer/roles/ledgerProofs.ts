/** Proofs of what an account had at the last seal, from the state that is kept of it. */
import type { SealedState } from "../batch/executor.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import { privateRoot, stateRoot } from "../protocol/state.ts";

/**
 * Null before the first seal. An account that has been touched since is told as it was then: the
 * circuits' inputs need that state too. One that was not there then is proven to be empty.
 */
export function ledgerProofOf(
  sealed: SealedState | undefined,
  account: number,
): LedgerProof | null {
  if (sealed === undefined || sealed.number === 0) return null;
  const roots = sealed.roots();
  const { owner, cash, positions } = sealed.account(account);
  return {
    ...{ number: sealed.number, root: stateRoot(roots) },
    ...{ account, owner, cash, positions: [...positions], siblings: sealed.path(account) },
    ...{ seriesRoot: roots.series, fees: roots.fees, privateRoot: privateRoot(roots) },
  };
}
