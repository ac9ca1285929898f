/**
 * Who is below maintenance margin, once for each snapshot. An account is weighed when it has
 * changed, and else only when prices have moved far enough that it could fail: an account of
 * `gross` lots in all loses at most `gross * d` lot ticks when no slot's value moves by more than
 * `d` ticks in any scenario, and such moves add up from snapshot to snapshot.
 */
import { maintenanceValues, type Risk, wholeUnits } from "../engine/risk.ts";
import { SCENARIOS } from "../protocol/constants.ts";
import type { MemoryState } from "../state/memoryState.ts";

export interface MarginCalls {
  /** Accounts below maintenance margin, the largest deficit first. */
  readonly failing: readonly number[];
  /** Locked accounts that are healthy. */
  readonly recovered: readonly number[];
}

export interface MarginWatch {
  scan(risk: Risk): MarginCalls;
  /** Accounts that were weighed so far: what scanning has cost. */
  weighed(): number;
}

export function createMarginWatch(state: MemoryState): MarginWatch {
  const touched = state.watchTouched();
  const bounds = createBounds();
  /** Lot ticks that are missing, by account. */
  const deficits = new Map<number, number>();
  const locked = new Set<number>();
  let last: Risk | undefined;
  /** Ticks, over all snapshots so far. */
  let moved = 0;
  let weighed = 0;

  function weigh(id: number, risk: Risk): void {
    const account = state.account(id);
    const worst = Math.min(...maintenanceValues(account, risk));
    const equity = wholeUnits(account.cash, state.unit) + worst;
    weighed += 1;
    if (equity < 0) {
      deficits.set(id, -equity);
      bounds.set(id, Number.NEGATIVE_INFINITY);
      return;
    }
    deficits.delete(id);
    const gross = account.positions.reduce((sum, lots) => sum + Math.abs(lots), 0);
    // One less: a quotient near 2^53 may be rounded up.
    const spare = gross === 0 ? Number.POSITIVE_INFINITY : Math.floor(equity / gross) - 1;
    bounds.set(id, moved + spare);
  }

  function scan(risk: Risk): MarginCalls {
    if (last !== undefined) moved += largestMove(last, risk, state);
    last = risk;
    const { accounts, sessions } = touched.take();
    for (const id of sessions) {
      if (state.session(id).lockedSince !== 0) locked.add(id);
      else locked.delete(id);
    }
    for (const id of accounts) weigh(id, risk);
    for (const id of bounds.below(moved)) if (!accounts.has(id)) weigh(id, risk);
    const failing = ascending(deficits.keys());
    return {
      failing: failing.sort((left, right) => deficits.get(right)! - deficits.get(left)!),
      recovered: ascending(locked).filter((id) => !deficits.has(id)),
    };
  }

  return { scan, weighed: () => weighed };
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((left, right) => left - right);
}

/**
 * The most that the value of a lot has moved in any slot and scenario. Whoever has come to hold
 * lots in a slot that nobody holds now has changed since.
 */
function largestMove(before: Risk, after: Risk, state: MemoryState): number {
  let largest = 0;
  for (const [slot, { holders }] of state.series().entries()) {
    const [old, changes] = [before.changes[slot]!, after.changes[slot]!];
    if (holders === 0) continue;
    const mark = after.marks[slot]! - before.marks[slot]!;
    largest = Math.max(largest, Math.abs(mark));
    if (old === changes) continue;
    for (let row = 0; row < SCENARIOS; row++) {
      largest = Math.max(largest, Math.abs(mark + changes[row]! - old[row]!));
    }
  }
  return largest;
}

/** A number for each account, Infinity until it is set. */
function createBounds() {
  let values = new Float64Array(0);
  let end = 0;
  return {
    set(id: number, value: number): void {
      if (id >= values.length) {
        const larger = new Float64Array(Math.max(1024, 2 ** Math.ceil(Math.log2(id + 1))));
        larger.fill(Number.POSITIVE_INFINITY).set(values);
        values = larger;
      }
      values[id] = value;
      end = Math.max(end, id + 1);
    },
    /** Accounts whose number is below `limit`, ascending. */
    below(limit: number): number[] {
      const found: number[] = [];
      for (let id = 0; id < end; id++) if (values[id]! < limit) found.push(id);
      return found;
    },
  };
}
