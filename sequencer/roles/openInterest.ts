/** Lots that are open in each slot: what the accounts that are long in it hold together. */
import type { MemoryState } from "../state/memoryState.ts";
import { type Effect, movedAccounts } from "./effect.ts";

export interface OpenInterest {
  observe(effect: Effect): void;
  /** Long lots of all accounts in the slot. */
  of(slot: number): number;
}

/** Begins with the positions in `state`. */
export function createOpenInterest(state: MemoryState): OpenInterest {
  const known = new Map<number, readonly number[]>();
  const open = new Array<number>(state.slots).fill(0);

  function update(id: number): void {
    const before = known.get(id);
    const { positions } = state.account(id);
    for (const [slot, lots] of positions.entries()) {
      open[slot]! += Math.max(lots, 0) - Math.max(before?.[slot] ?? 0, 0);
    }
    if (positions.some((lots) => lots !== 0)) known.set(id, [...positions]);
    else known.delete(id);
  }

  for (const id of state.accountIds()) update(id);
  return {
    observe: (effect) => {
      for (const id of accountsOf(effect)) update(id);
    },
    of: (slot) => open[slot] ?? 0,
  };
}

/** The accounts whose positions an entry may have changed. */
function accountsOf({ steps, entry }: Effect): ReadonlySet<number> {
  const accounts = new Set(movedAccounts(entry));
  for (const step of steps) {
    if (!("order" in step) || step.order.fill === undefined) continue;
    accounts.add(step.order.fill.taker);
    accounts.add(step.order.fill.maker);
  }
  return accounts;
}
