/**
 * What positions have cost, from the entries of the log: average prices and profits follow from
 * it. Integers all the way: `cost - realized` is always the sum of what was paid, to the last unit.
 *
 * Lots are taken out at the average: the cost that stays is the lots' part of it, rounded towards
 * 0, which moves a cost by less than 1e-6 USDC each time. An entry that turns a position around
 * closes all of it and opens the rest at the entry's own price. Fees are not in it.
 */
import type { OperationRecord } from "../engine/records.ts";
import type { Risk } from "../engine/risk.ts";
import { publishedFills } from "../engine/trade.ts";
import type { PositionCost } from "../market/positionCost.ts";
import type { Row } from "../state/exportedState.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Effect } from "./effect.ts";
import { legCosts } from "./legCosts.ts";
import { mulDiv } from "./mulDiv.ts";

export interface PositionCosts {
  /** Called right after each entry. */
  observe(effect: Effect): void;
  /** By slot, ascending. */
  of(account: number): PositionCost[];
  /** Rows of the accounts that have changed since the last call, ascending; null: none is left. */
  takeChange(): Row<CostRow | null>[];
}

/** Lots that change hands and what they are paid with; `cost` in 1e-6 USDC, signed as the lots. */
export interface CostEntry {
  readonly lots: number;
  readonly cost: number;
}

/** Nulls: it was opened before this was written down. */
export interface HeldCost {
  readonly lots: number;
  readonly cost: number | null;
  readonly realized: number | null;
}

type Held = readonly [slot: number, lots: number, cost: number | null, realized: number | null];
/** What one account's positions have cost; JSON-safe. */
export type CostRow = readonly Held[];

/** As checkpoints once had them, whole: each behind its account. */
export type OldCosts = readonly (readonly [account: number, ...Held])[];

const NOTHING: HeldCost = { lots: 0, cost: 0, realized: 0 };

/** One entry onto a position. */
export function afterEntry(held: HeldCost, { lots, cost }: CostEntry): HeldCost {
  const isOpening = held.lots === 0 || held.lots > 0 === lots > 0;
  const closed = isOpening ? 0 : Math.min(Math.abs(lots), Math.abs(held.lots));
  const opened = Math.abs(lots) - closed;
  const isEnded = closed === Math.abs(held.lots);
  const openedCost = lots === 0 ? 0 : mulDiv(cost, opened, Math.abs(lots));
  const paid = cost - openedCost;
  const { cost: before } = held;
  const kept = isEnded ? 0 : before === null ? null : partOf(before, held.lots, closed);
  return {
    lots: held.lots + lots,
    cost: kept === null ? null : kept + openedCost,
    realized: closed === 0 ? held.realized : profit(held, { kept, paid }),
  };
}

function partOf(cost: number, lots: number, closed: number): number {
  return mulDiv(cost, Math.abs(lots) - closed, Math.abs(lots));
}

/** What left the cost came back as the opposite of `paid`. */
function profit(
  { cost, realized }: HeldCost,
  { kept, paid }: { readonly kept: number | null; readonly paid: number },
): number | null {
  if (cost === null || realized === null || kept === null) return null;
  return realized - paid - (cost - kept);
}

/** Begins with the positions in `state`; `rows` are of the same moment. */
export function createPositionCosts(options: {
  readonly state: MemoryState;
  /** Of the batch that the entry is in. */
  risk(): Pick<Risk, "marks"> | undefined;
  readonly rows?: readonly Row<CostRow>[] | undefined;
  /** In place of rows. */
  readonly old?: OldCosts | undefined;
}): PositionCosts {
  const { state, rows = [], old = [] } = options;
  const accounts = restored(state, [...rows, ...oldRows(old)]);
  const changed = new Set(old.map(([account]) => account));

  function add(account: number, slot: number, entry: CostEntry): void {
    if (entry.lots === 0) return;
    changed.add(account);
    const own = accounts.get(account) ?? new Map<number, HeldCost>();
    accounts.set(account, own);
    const after = afterEntry(own.get(slot) ?? NOTHING, entry);
    if (after.lots === 0 && after.realized === 0) own.delete(slot);
    else own.set(slot, after);
  }

  function addFills(steps: Effect["steps"]): void {
    for (const { book, price, lots, takerIsSell, taker, maker } of publishedFills(steps)) {
      const bought = takerIsSell ? -lots : lots;
      const { weights } = state.book(book)!;
      for (const { slot, weight, ticks } of legCosts(weights, price, options.risk()?.marks ?? [])) {
        const cost = bought * ticks * state.unit;
        add(taker, slot, { lots: bought * weight, cost });
        add(maker, slot, { lots: -bought * weight, cost: -cost });
      }
    }
  }

  /** Takeovers, closes and payments: what cash has done is what the lots have cost. */
  function addMoved(slot: number, cashBefore: Effect["cashBefore"]): void {
    for (const [account, before] of cashBefore) {
      const { positions, cash } = state.account(account);
      const held = accounts.get(account)?.get(slot) ?? NOTHING;
      add(account, slot, { lots: positions[slot]! - held.lots, cost: before - cash });
    }
  }

  function observeOperation({ operation, outcome }: OperationRecord, effect: Effect): void {
    if (outcome !== "executed") return;
    const { kind } = operation;
    if (kind === "listSeries") {
      // Another series: nobody holds anything in it.
      for (const [account, own] of accounts) {
        if (own.delete(operation.slot)) changed.add(account);
      }
    } else if (kind === "backstop") {
      const { message } = operation;
      if (message.kind === "backstop") addMoved(message.slot, effect.cashBefore);
    } else if (MOVING_LOTS.has(kind) && "slot" in operation) {
      addMoved(operation.slot, effect.cashBefore);
    }
  }

  return {
    observe: (effect) => {
      addFills(effect.steps);
      if (effect.operation !== undefined) observeOperation(effect.operation, effect);
    },
    of: (account) =>
      [...(accounts.get(account) ?? [])]
        .map(([slot, { cost, realized }]) => ({ slot, cost, realized }))
        .sort((left, right) => left.slot - right.slot),
    takeChange: () => {
      const ids = [...changed].sort((left, right) => left - right);
      changed.clear();
      return ids.map((account) => [account, rowOf(accounts.get(account))]);
    },
  };
}

const MOVING_LOTS: ReadonlySet<string> = new Set([
  ...["insure", "deleverage", "forcedClose", "settlePosition"],
]);

function rowOf(own: ReadonlyMap<number, HeldCost> | undefined): CostRow | null {
  if (own === undefined || own.size === 0) return null;
  return [...own].map(([slot, { lots, cost, realized }]) => [slot, lots, cost, realized]);
}

function oldRows(old: OldCosts): Row<CostRow>[] {
  return old.map(([account, ...held]) => [account, [held]]);
}

function restored(
  state: MemoryState,
  rows: readonly Row<CostRow>[],
): Map<number, Map<number, HeldCost>> {
  const accounts = new Map<number, Map<number, HeldCost>>();
  for (const [account, row] of rows) {
    const own = accounts.get(account) ?? new Map<number, HeldCost>();
    for (const [slot, lots, cost, realized] of row) own.set(slot, { lots, cost, realized });
    accounts.set(account, own);
  }
  for (const account of state.accountIds()) {
    for (const [slot, lots] of state.account(account).positions.entries()) {
      const known = accounts.get(account)?.get(slot) ?? NOTHING;
      if (known.lots === lots) continue;
      // A checkpoint of before there was this memory.
      const own = accounts.get(account) ?? new Map<number, HeldCost>();
      accounts.set(account, own.set(slot, { lots, cost: null, realized: null }));
    }
  }
  return accounts;
}
