/** How many lots of each series are held long, kept as accounts change. */
import type { Account } from "../protocol/state.ts";

export interface OpenInterest {
  /** Sum of long lots over the accounts that it was told of. */
  of(slot: number): number;
  /** Tells it what account `id` holds now; what it held before no longer counts. */
  update(id: number, account: Pick<Account, "positions">): void;
}

/** Nobody holds anything yet: callers tell it of the accounts that there are. */
export function createOpenInterest(slots: number): OpenInterest {
  const totals = new Array<number>(slots).fill(0);
  const held = new Map<number, readonly number[]>();
  return {
    of: (slot) => totals[slot] ?? 0,
    update(id, { positions }) {
      const before = held.get(id);
      for (const [slot, lots] of positions.entries()) {
        totals[slot]! += Math.max(0, lots) - Math.max(0, before?.[slot] ?? 0);
      }
      if (positions.some((lots) => lots > 0)) held.set(id, [...positions]);
      else held.delete(id);
    },
  };
}
