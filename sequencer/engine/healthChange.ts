/**
 * What lots that change hands at the mark, and a payment besides, do to an account's margin: the
 * test of takeovers and forced closes (SPEC sections 4 and 7). Twins:
 * circuits/ledger/Bearable.circom, and of relief circuits/ledger/Operation.circom.
 *
 * As in `risk.ts` a condition `a + unit X >= 0` on integers is decided as
 * `floor(a / unit) + X >= 0`.
 */
import { CASH_OFFSET, MARGIN_INITIAL_FACTOR, POSITION_OFFSET } from "../protocol/constants.ts";
import type { Account } from "../protocol/state.ts";
import { SCENARIO_ROWS } from "./kept.ts";
import {
  cashQuotient,
  firstUnrelieved,
  maintenanceValues,
  type Risk,
  scenarioValues,
  wholeUnits,
} from "./risk.ts";

/** `signedLots` of `slot` bought at the mark (negative: sold); `gained` in 1e-6 USDC besides. */
export interface MarkTrade {
  readonly slot: number;
  readonly signedLots: number;
  readonly gained: number;
}

/** An account as a trade at the mark would leave it. */
export interface HealthChange {
  readonly after: Readonly<Account>;
  /** For s = 0..17 the change of headroom in units, rounded down, which keeps its sign. */
  readonly changes: readonly number[];
}

/** 1e-6 USDC that the lots cost at the mark: below 2^22 * 2^20 * 2^10 = 2^52, so exact. */
export function markCost({ slot, signedLots }: MarkTrade, risk: Risk, unit: number): number {
  return signedLots * risk.marks[slot]! * unit;
}

/**
 * The headroom `4 cash + unit X_s` changes by `5 unit signedLots change_s + 4 gained`: the mark's
 * part of `X_s` is what the lots cost. |5 lots change| < 2^44.4 and |4 gained| < 2^52: exact.
 */
export function healthChange(
  account: Readonly<Account>,
  trade: MarkTrade,
  { risk, unit }: { risk: Risk; unit: number },
): HealthChange {
  const { slot, signedLots, gained } = trade;
  const positions = account.positions.with(slot, account.positions[slot]! + signedLots);
  // A sum that is not exact is above 2^53 - 2^50, and thereby out of range.
  const cash = account.cash - markCost(trade, risk, unit) + gained;
  const paid = wholeUnits(4 * gained, unit);
  const factor = MARGIN_INITIAL_FACTOR * signedLots;
  const changes = Array.from({ length: SCENARIO_ROWS }, (_, row) => {
    return factor * (risk.changes[slot]![row] ?? 0) + paid;
  });
  return { after: { ...account, cash, positions }, changes };
}

/** Whether cash and positions stay in the ranges that every proof demands. */
export function isInRange({ cash, positions }: Readonly<Account>): boolean {
  const areInRange = positions.every((lots) => Math.abs(lots) < POSITION_OFFSET);
  return areInRange && Math.abs(cash) < CASH_OFFSET;
}

/**
 * The first scenario (0..17) whose headroom falls and is afterwards negative; undefined where the
 * change is admissible.
 */
export function firstInadmissible(
  { after, changes }: HealthChange,
  risk: Risk,
  unit: number,
): number | undefined {
  const quotient = cashQuotient(after.cash, unit);
  return firstFallingBelow(changes, scenarioValues(after, risk), quotient);
}

/**
 * The first scenario (0..17) in which a trade at the mark would not relieve an account that is
 * below maintenance margin in `scenario`. |lots change| < 2^42.1.
 */
export function firstMarkUnrelieved(
  account: Readonly<Account>,
  trade: MarkTrade,
  { scenario, risk, unit }: { scenario: number; risk: Risk; unit: number },
): number | undefined {
  const before = maintenanceValues(account, risk);
  return firstUnrelieved(before, markChanges(trade, risk, unit), before[scenario]!);
}

/**
 * The first scenario (0..17) in which maintenance falls, and falls below 0, by a trade at the mark
 * that comes with whole units.
 */
export function firstMarkFailing(
  account: Readonly<Account>,
  trade: MarkTrade,
  { risk, unit }: { risk: Risk; unit: number },
): number | undefined {
  const level = 0 - wholeUnits(account.cash, unit);
  return firstUnrelieved(maintenanceValues(account, risk), markChanges(trade, risk, unit), level);
}

/** Of maintenance for s = 0..17, in units, rounded down. */
function markChanges({ slot, signedLots, gained }: MarkTrade, risk: Risk, unit: number): number[] {
  const received = wholeUnits(gained, unit);
  return Array.from({ length: SCENARIO_ROWS }, (_, row) => {
    return signedLots * (risk.changes[slot]![row] ?? 0) + received;
  });
}

/**
 * Why the fund, which has `cashBefore` (1e-6 USDC), does not take a trade at the mark: half of its
 * equity must remain in every scenario that gets worse, and half of it in cash (SPEC section 7, T7
 * and F4). With `4 equity = 4 cash + unit X_17` these are `2 headroom_s >= headroom_17`, so
 * `4 cash + unit (2 X_s - X_17) >= 0`, and `8 cash >= headroom_17`, so `4 cash >= unit X_17`.
 * |2 X_s - X_17| < 2^52.8.
 */
export function fundReject(
  { after, changes }: HealthChange,
  cashBefore: number,
  { risk, unit }: { readonly risk: Risk; readonly unit: number },
): string | undefined {
  const values = scenarioValues(after, risk);
  const worth = values[SCENARIO_ROWS - 1]!;
  const quotient = cashQuotient(after.cash, unit);
  if (quotient + worth < 0) return "The fund would have no equity.";
  if (after.cash < cashBefore && quotient - worth < 0) {
    return "Less than half of the fund's equity would be cash.";
  }
  const kept = values.map((value) => 2 * value - worth);
  const row = firstFallingBelow(changes, kept, quotient);
  if (row === undefined) return undefined;
  return `The fund would engage more than half of its equity in scenario \`${row}\`.`;
}

function firstFallingBelow(
  changes: readonly number[],
  values: readonly number[],
  quotient: number,
): number | undefined {
  const row = changes.findIndex((change, index) => change < 0 && quotient + values[index]! < 0);
  return row < 0 ? undefined : row;
}

/** Whether `cash + unit * sum position * mark` is above 0: `ceil(cash / unit) + sum > 0`. */
export function hasEquity(account: Readonly<Account>, risk: Risk, unit: number): boolean {
  const value = maintenanceValues(account, risk)[SCENARIO_ROWS - 1]!;
  return value - wholeUnits(-account.cash, unit) > 0;
}

/** Whether `maintenance_s < 0` (SPEC section 4). |sum| < 2^49. */
export function isBelowMaintenance(
  account: Readonly<Account>,
  { scenario, risk, unit }: { scenario: number; risk: Risk; unit: number },
): boolean {
  const value = maintenanceValues(account, risk)[scenario]!;
  return wholeUnits(account.cash, unit) + value < 0;
}
