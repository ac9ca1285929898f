/** Counts a holder for the ranking of deleveraging. Twin: circuits/ledger/Ranking.circom. */
import type { Ranking } from "../../protocol/state.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkRank(
  view: StateView,
  { account, slot }: OperationOf<"rank">,
): string | undefined {
  if (view.series()[slot] === undefined) {
    return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  }
  if (view.account(account).positions[slot] !== 0) return undefined;
  return `Account \`${account}\` holds nothing in slot \`${slot}\`.`;
}

/**
 * Accounts come in ascending order, so that none is counted twice and a count of all holders is a
 * proof that every one was seen. Out of order, or for another slot or side, the ranking begins
 * anew.
 */
export function applyRank(view: StateView, operation: OperationOf<"rank">): OperationRecord {
  const { account, slot, isLong } = operation;
  const current = view.ranking();
  const goesOn =
    current !== undefined &&
    current.slot === slot &&
    current.isLong === isLong &&
    account >= current.next;
  const before = goesOn ? current : { slot, isLong, next: 0, seen: 0, best: 0, bestLots: 0 };
  view.setRanking(count(before, account, view.account(account).positions[slot]!));
  const stated = { account, slot, isLong };
  return recordOf(operation, "executed", { stated, words: [] });
}

function count(ranking: Ranking, account: number, position: number): Ranking {
  const lots = ranking.isLong ? position : -position;
  const counted = { ...ranking, next: account + 1, seen: ranking.seen + 1 };
  return lots > ranking.bestLots ? { ...counted, best: account, bestLots: lots } : counted;
}
