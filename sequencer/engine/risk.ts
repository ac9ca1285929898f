/**
 * Effective marks and scenario changes, and the margin tests that are made with them (SPEC
 * section 4). Twins: circuits/gadgets of the risk matrix and of the health check.
 *
 * A headroom `4 cash + unit X_s` does not fit a double, so it is never formed. For integers,
 * `4 cash + unit X >= 0` holds exactly if `floor(4 cash / unit) + X >= 0`, and there every part
 * fits: |X| < 9 * 2^(22 + 20 + 6) < 2^51.2, and floor(4 cash / unit) is below 2^54 and a multiple
 * of 4 wherever it is not below 2^53 (only for unit = 1). Their sum may round, but only far from 0,
 * so its sign is exact.
 */
import { MARGIN_VALUE_FACTOR, SCENARIOS } from "../protocol/constants.ts";
import type { Prices, Snapshot } from "../protocol/snapshot.ts";
import type { Account, Series } from "../protocol/state.ts";
import { assertEngine } from "./assertion.ts";
import { type BookRates, bookRates, followedValues, SCENARIO_ROWS } from "./kept.ts";
import type { StateView } from "./stateView.ts";

/** Of one batch: `marks[slot]` and signed `changes[slot][scenario]` in ticks. Never changed. */
export interface Risk {
  readonly marks: readonly number[];
  readonly changes: readonly (readonly number[])[];
}

const NO_CHANGES: readonly number[] = new Array<number>(SCENARIOS).fill(0);

/** A risk, and the stored marks that it was made with; undefined: of a listed slot. */
interface Effective {
  readonly stored: readonly (number | undefined)[];
  readonly risk: Risk;
}

const effective = new WeakMap<Prices, Effective>();

/**
 * The snapshot where slots are listed; others keep their stored mark and, as final marks, do not
 * change. The same object for the same snapshot as long as no slot is listed or settles: much is
 * kept with it.
 */
export function effectiveRisk(series: readonly Readonly<Series>[], snapshot: Prices): Risk {
  const { slots } = snapshot;
  assertEngine(
    slots.length === series.length,
    `A snapshot must have \`${series.length}\` slots. Got \`${slots.length}\`.`,
  );
  const known = effective.get(snapshot);
  if (known?.stored.every((mark, slot) => mark === storedMark(series[slot]!))) return known.risk;
  const stored = series.map(storedMark);
  const risk = {
    marks: slots.map(({ mark }, slot) => stored[slot] ?? mark),
    changes: slots.map(({ isFinal, changes }, slot) =>
      stored[slot] !== undefined || isFinal ? NO_CHANGES : changes,
    ),
  };
  effective.set(snapshot, { stored, risk });
  return risk;
}

function storedMark({ status, mark }: Readonly<Series>): number | undefined {
  return status === "listed" ? undefined : mark;
}

/**
 * The first listed slot for which the snapshot prices another series than the one listed there;
 * undefined: there is none, and the snapshot may serve a batch.
 */
export function firstMispriced(
  series: readonly Readonly<Pick<Series, "status" | "isCall" | "strike" | "expiry">>[],
  { slots }: Pick<Snapshot, "slots">,
): number | undefined {
  const slot = series.findIndex(({ status, isCall, strike, expiry }, index) => {
    if (status !== "listed") return false;
    const terms = slots[index]?.terms;
    return terms?.isCall !== isCall || terms.strike !== strike || terms.expiry !== expiry;
  });
  return slot < 0 ? undefined : slot;
}

/** `X_s` of an account for s = 0..17, in lot ticks, four times the value it stands for. */
export function scenarioValues(account: Readonly<Account>, risk: Risk): number[] {
  return Array.from(followedValues(account.positions, risk));
}

/** `R_s` of a book's weights for s = 0..17, in ticks, four times the value it stands for. */
export function bookRisk(weights: readonly number[], risk: Risk): readonly number[] {
  return bookRates(weights, risk).rates;
}

/** `sum_m position_m (mark_m + change_{m,s})` for s = 0..17, in lot ticks: below 2^49. */
export function maintenanceValues(account: Readonly<Account>, risk: Risk): number[] {
  const values = new Array<number>(SCENARIO_ROWS).fill(0);
  for (const [slot, lots] of account.positions.entries()) {
    if (lots === 0) continue;
    const [mark, changes] = [risk.marks[slot]!, risk.changes[slot]!];
    for (let row = 0; row < SCENARIO_ROWS; row++)
      values[row]! += lots * (mark + (changes[row] ?? 0));
  }
  return values;
}

/** `sum_m w_m (mark_m + change_{m,s})` for s = 0..17, in ticks: below 2^30; row 17 is the mark. */
export function bookValues(weights: readonly number[], risk: Risk): readonly number[] {
  return bookRates(weights, risk).values;
}

/**
 * `floor(4 cash / unit)` exactly, as {@link wholeUnits}: four remainders are no more than small
 * numbers, whose quotient does not round up to a whole one.
 */
export function cashQuotient(cash: number, unit: number): number {
  const whole = wholeUnits(cash, unit);
  const rest = Math.floor((MARGIN_VALUE_FACTOR * (cash - whole * unit)) / unit);
  return MARGIN_VALUE_FACTOR * whole + rest;
}

/**
 * `floor(cash / unit)` exactly: a quotient of doubles that is not whole may round up to a whole one
 * and no further, and what it then leaves, exact below 2^53, is negative. As `cash + unit X >= 0`
 * is `floor(cash / unit) + X >= 0` for integers, maintenance is tested with it as headrooms are
 * with {@link cashQuotient}.
 */
export function wholeUnits(cash: number, unit: number): number {
  const whole = Math.floor(cash / unit);
  return cash - whole * unit < 0 ? whole - 1 : whole;
}

/** The first scenario (0..17) whose loss equity does not cover, if any. `unit` in 1e-6 USDC. */
export function firstBelowMaintenance(
  account: Readonly<Account>,
  risk: Risk,
  unit: number,
): number | undefined {
  const whole = wholeUnits(account.cash, unit);
  const row = maintenanceValues(account, risk).findIndex((value) => whole + value < 0);
  return row < 0 ? undefined : row;
}

/** Equity in a scenario; negative: below maintenance margin. */
export interface Maintenance {
  readonly scenario: number;
  /** 1e-6 USDC. Exact below 2^52; what is larger may be rounded, never over its sign. */
  readonly value: number;
}

/** The scenario (0..17, the first of equals) that leaves the least equity. */
export function worstMaintenance(
  account: Readonly<Account>,
  risk: Risk,
  unit: number,
): Maintenance {
  const values = maintenanceValues(account, risk);
  const worst = Math.min(...values);
  return { scenario: values.indexOf(worst), value: account.cash + unit * worst };
}

/**
 * Whether a change relieves an account: the first scenario (0..17) that falls, and falls below
 * `level`; undefined if there is none. In a liquidation that is where the exhibited one stood.
 * `before` are {@link maintenanceValues}, `changes` what is added to them in lot ticks with the
 * cash that moves, rounded down to whole units: sums below 2^53.
 */
export function firstUnrelieved(
  before: readonly number[],
  changes: readonly number[],
  level: number,
): number | undefined {
  const row = changes.findIndex((change, index) => {
    return change < 0 && before[index]! - level + change < 0;
  });
  return row < 0 ? undefined : row;
}

/** The first scenario (0..17) with a negative headroom, if any. `unit` in 1e-6 USDC. */
export function firstUncovered(
  account: Readonly<Account>,
  risk: Risk,
  unit: number,
): number | undefined {
  const quotient = cashQuotient(account.cash, unit);
  const row = scenarioValues(account, risk).findIndex((value) => quotient + value < 0);
  return row < 0 ? undefined : row;
}

/** Whether equity covers 5/4 of the worst scenario loss. `unit` in 1e-6 USDC. */
export function isCovered(account: Readonly<Account>, risk: Risk, unit: number): boolean {
  return firstUncovered(account, risk, unit) === undefined;
}

/** Lots of a book for their price and a fee. */
export interface Exchange {
  readonly rates: BookRates;
  /** In ticks, signed. */
  readonly price: number;
  /** Bought lots, negative for sold ones; the positions after it must be in range. */
  readonly signedLots: number;
  /** What this side pays, in ticks for each lot; negative: a rebate. */
  readonly fee: number;
}

/** What a fill adds to the headroom in a scenario (0..17), in lot ticks: below 2^52.3. */
export function headroomChange(
  {
    rates,
    price,
    signedLots,
    fee,
  }: Omit<Exchange, "rates"> & { readonly rates: readonly number[] },
  scenario: number,
): number {
  return changeAt(rates[scenario]!, price, signedLots, fee);
}

/** The same of an exchange. */
export function changeOf({ rates, price, signedLots, fee }: Exchange, scenario: number): number {
  return changeAt(rates.rates[scenario]!, price, signedLots, fee);
}

/** The least that an exchange adds in any scenario. */
export function worstChange({ rates, price, signedLots, fee }: Exchange): number {
  return changeAt(signedLots > 0 ? rates.lowest : rates.highest, price, signedLots, fee);
}

function changeAt(rate: number, price: number, signedLots: number, fee: number): number {
  const paid = MARGIN_VALUE_FACTOR * fee * Math.abs(signedLots);
  return signedLots * (rate - MARGIN_VALUE_FACTOR * price) - paid;
}

/**
 * The first scenario (0..17) in which the fill makes the headroom both smaller and negative;
 * undefined if the fill is admissible. With positions in range before and after, the change in
 * lot ticks is below 2^52.2 + 2^40 and `X_s` after it below 2^51.2 + 2^47 + 2^40.
 */
export function admissibility(view: StateView, id: number, exchange: Exchange): number | undefined {
  const worst = worstChange(exchange);
  if (worst >= 0) return undefined;
  const { risk } = exchange.rates;
  const { cash, positions } = view.account(id);
  const quotient = cashQuotient(cash, view.unit);
  // Who can bear the worst change where least is left need not be asked about each scenario.
  const floor = view.floorOf(id, risk, -quotient - worst);
  if (quotient + (floor + worst) >= 0) return undefined;
  const values = followedValues(positions, risk);
  for (let row = 0; row < SCENARIO_ROWS; row++) {
    const change = changeOf(exchange, row);
    if (change < 0 && quotient + (values[row]! + change) < 0) return row;
  }
  return undefined;
}
