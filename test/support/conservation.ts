// What no operation and no step may change: invariant I1.
import assert from "node:assert/strict";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";

/** Cash of all accounts, fees, and settled positions at their marks (1e-6 USDC). */
export function totalWorth(state: MemoryState): bigint {
  const unit = BigInt(state.unit);
  return state.accountIds().reduce((sum, id) => {
    const { cash, positions } = state.account(id);
    const settled = state.series().reduce((lots, { status, mark }, slot) => {
      return status === "settled" ? lots + BigInt(positions[slot]!) * BigInt(mark) : lots;
    }, 0n);
    return sum + BigInt(cash) + unit * settled;
  }, BigInt(state.fees()));
}

/** Positions of each listed slot sum to zero, and `holders` counts those who hold it. */
export function assertBalanced(state: MemoryState): void {
  const ids = state.accountIds();
  for (const [slot, { status, holders }] of state.series().entries()) {
    const held = ids.map((id) => state.account(id).positions[slot]!);
    const sum = held.reduce((total, lots) => total + lots, 0);
    if (status === "listed") assert.equal(sum, 0, `slot ${slot} sums to ${sum}`);
    const count = held.filter((lots) => lots !== 0).length;
    assert.equal(holders, count, `slot ${slot} has ${count} holders, not ${holders}`);
  }
}
