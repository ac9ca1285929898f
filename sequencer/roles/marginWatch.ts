/** Who is below maintenance margin: every account with positions, once for each snapshot. */

import { firstBelowMaintenance, type Risk } from "../engine/risk.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { deficitsOf } from "./bookLiquidation.ts";

export interface MarginCalls {
  /** Accounts below maintenance margin, the largest deficit first. */
  readonly failing: readonly number[];
  /** Locked accounts that are healthy. */
  readonly recovered: readonly number[];
}

export interface MarginWatch {
  /** Accounts are weighed again only where they, or what they hold, have changed. */
  scan(risk: Risk): MarginCalls;
}

/** What an account was when it was last weighed. */
interface Weighed {
  readonly cash: number;
  readonly positions: readonly number[];
  readonly isFailing: boolean;
}

export function createMarginWatch(state: MemoryState): MarginWatch {
  const known = new Map<number, Weighed>();
  let last: Risk | undefined;

  function scan(risk: Risk): MarginCalls {
    const moved = risk.marks.map((_, slot) => last === undefined || hasMoved(last, risk, slot));
    last = risk;
    const failing: { readonly id: number; readonly deficit: number }[] = [];
    const recovered: number[] = [];
    for (const id of state.accountIds()) {
      if (isFailing(id, risk, moved)) {
        const [worst] = deficitsOf(state.account(id), risk, state.unit);
        failing.push({ id, deficit: worst?.deficit ?? 0 });
      } else if (state.session(id).lockedSince !== 0) recovered.push(id);
    }
    failing.sort((left, right) => right.deficit - left.deficit);
    return { failing: failing.map(({ id }) => id), recovered };
  }

  function isFailing(id: number, risk: Risk, moved: readonly boolean[]): boolean {
    const account = state.account(id);
    const before = known.get(id);
    const { cash, positions } = account;
    const isSame =
      before !== undefined &&
      before.cash === cash &&
      positions.every((lots, slot) => {
        return lots === before.positions[slot] && (lots === 0 || !moved[slot]);
      });
    if (isSame) return before.isFailing;
    const isFailing = firstBelowMaintenance(account, risk, state.unit) !== undefined;
    known.set(id, { cash, positions: [...positions], isFailing });
    return isFailing;
  }

  return { scan };
}

function hasMoved(before: Risk, after: Risk, slot: number): boolean {
  if (before.marks[slot] !== after.marks[slot]) return true;
  const old = before.changes[slot]!;
  return after.changes[slot]!.some((change, row) => change !== old[row]);
}
